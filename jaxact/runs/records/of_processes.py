"""The records of a run in several processes: one folder, in which the first of them writes."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxact.runs.process import hosts
from jaxact.runs.records import workdirs

# A host's place of data, and a process's index: they may differ.
_OWN = ("data_dir", "dataset", "distributed")


@contextlib.contextmanager
def opened(workdir: Path, fields: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Path]:
    """The folder of a process's records: the run's, or of all but the first one thrown away.

    So the code of a run writes in all of them, and what it writes is read of one.

    Args:
      workdir: of the run.
      fields: as `config.json` is to hold them.
      data: as `data.json`.

    Raises:
      ConfigError: the processes were not started alike; or as `workdirs.opened_workdir`.
      WorkdirError: likewise.
    """
    alike = {name: value for name, value in fields.items() if name not in _OWN}
    hosts.check_alike("the configuration", alike)
    hosts.check_alike("the fingerprint of the data", data["fingerprint"])
    with contextlib.ExitStack() as stack:
        with hosts.together():
            folder = workdir
            if not hosts.is_first():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()), "records")
            stack.enter_context(workdirs.opened_workdir(folder, fields, data))
        yield folder
