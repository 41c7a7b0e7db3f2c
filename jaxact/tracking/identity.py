"""The name by which a tracker finds a run again, wherever its folder is moved or copied.

It follows from what the run left first. The seconds of an epoch have more digits than two runs
share, so a run that is made anew is another; but one that is killed before its first checkpoint
trains the same epoch again, in other seconds. So what has not ended keeps its name in its folder,
where that can be written; a run that is removed for another takes it along.
"""

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from jaxact.errors import ConfigError
from jaxact.runs.records import record_files

FILE = "tracking.json"
DIGITS = 32  # hexadecimal; each tracker takes as many in a name


def of(content: Any, folder: Path, is_final: bool) -> str:
    """The name that a folder keeps; else one made of `content`.

    Args:
      content: JSON values that no other run, or study, has.
      folder: of the run or the study; it need not be there.
      is_final: whether the content stays; else the name is kept in the folder, if it can be.

    Raises:
      ConfigError: the file that keeps it is damaged.
    """
    path = folder / FILE
    if path.exists():
        return _read(path)
    text = json.dumps(content, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
    if not is_final and folder.is_dir():
        with contextlib.suppress(OSError):  # a folder that may only be read
            record_files.write_json(path, {"id": name})
    return name


def _read(path: Path) -> str:
    kept = record_files.read_json(path)
    name = kept.get("id") if isinstance(kept, dict) else None
    if not isinstance(name, str) or not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", name):
        raise ConfigError(
            f"{path} holds no id of {DIGITS} hexadecimal digits; bring it back from a copy, or "
            "remove it: what is tracked may then be shown a second time"
        )
    return name
