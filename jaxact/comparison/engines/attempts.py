"""An attempt at a run of a comparison, in whatever process makes it."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact.activations import fingerprint
from jaxact.comparison.engines.engine import Ended
from jaxact.comparison.engines.reporting import Reporter, Send
from jaxact.comparison.engines.terms import Terms
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted, JaxactError, NonFiniteLossError
from jaxact.runs import fit
from jaxact.runs.ahead import Ahead
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.progress import Follow
from jaxact.runs.records import workdirs


def attempt(
    config: Config,
    folder: Path,
    function: Mapping[str, Any] | None,
    follow: Follow,
    stop: StopRequest,
    ahead: Ahead | None = None,
    placed: Mapping[str, Any] | None = None,
) -> Ended:
    """Makes a run, or goes on with one that was stopped.

    Args:
      folder: the run's.
      function: the fingerprint that its activation has in the comparison, if it is one's own.
      follow, stop, ahead, placed: as `jaxact.runs.fit.fit` takes them.
    """
    try:
        check_function(function, config.activation)
        fit.fit(config, folder, follow=follow, stop=stop, ahead=ahead, placed=placed)
    except Interrupted:
        return Ended(MISSING)
    except NonFiniteLossError as error:
        return Ended(DIVERGED, str(error).split(";")[0])
    except Exception as error:
        return Ended(FAILED, one_line(error), traceback.format_exc())
    return Ended(DONE)


def perform(job: Mapping[str, Any], terms: Terms, send: Send, stop: StopRequest) -> Ended:
    """Makes a run in a process that works for another.

    Args:
      job: its `config`, `folder`, `function` and `placed`, as `attempt` takes them.
      terms: which this process has taken.
    """
    config = Config(**job["config"])
    if broken := terms.broken(config.deterministic):
        return Ended(FAILED, broken)
    return attempt(
        config,
        Path(job["folder"]),
        job["function"],
        Reporter(send),
        stop,
        placed=job["placed"],
    )


def check_function(stored: Mapping[str, Any] | None, spec: str) -> None:
    """Refuses a function that is not what its study has: redefined meanwhile, or elsewhere.

    Raises:
      ConfigError: it computes something else.
    """
    now = workdirs.function_record(spec).get(workdirs.FUNCTION) if stored else None
    if stored and now and fingerprint.change(stored, now):
        raise ConfigError(
            f"{spec} was redefined while the comparison was being made, or is another function "
            "where this run was to be made: its other runs are of what it was; compare again"
        )


def one_line(error: Exception) -> str:
    """An error in a line: a message of jaxact's own as it is, another after its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    if isinstance(error, JaxactError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
