"""The mark of a run made beside other work, whose seconds say little: `JAXACT_SHARED_MACHINE`."""

import os
from collections.abc import Mapping
from typing import Any

from jaxact.errors import ConfigError

VARIABLE = "JAXACT_SHARED_MACHINE"
# Of `environment.json`:
FIELD = "shared_machine"
AT_ONCE = "seeds_at_once"  # of the runs that one program trained together
RUNS_AT_ONCE = "runs_at_once"  # on the machine, by the comparison that the run is of
YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
NOTE = f"made beside other work ({VARIABLE}, or several seeds at once): no seconds are shown"


def is_shared(variables: Mapping[str, str] | None = None) -> bool:
    """Whether the user says that this machine has other work, in any case of letters.

    Args:
      variables: of the process; `os.environ`, if None.

    Raises:
      ConfigError: JAXACT_SHARED_MACHINE is neither yes nor no.

    >>> is_shared({VARIABLE: "1"}), is_shared({VARIABLE: "no"}), is_shared({})
    (True, False, False)
    """
    text = (os.environ if variables is None else variables).get(VARIABLE, "")
    word = text.strip().lower()
    if word not in YES + NO:
        raise ConfigError(
            f"{VARIABLE}={text} must be {', '.join(YES)} where other work runs on this machine, or "
            f"{', '.join(NO[1:])} (or not set) where none does"
        )
    return word in YES


def is_marked(environment: Mapping[str, Any]) -> bool:
    """Whether an `environment.json` is of a run that was, in part at least, made beside others."""
    return environment.get(FIELD) is True


def is_at_once(environment: Mapping[str, Any]) -> bool:
    """Whether an `environment.json` is of a run that was, at times, one of several in a program."""
    return bool(environment.get(AT_ONCE))


def count_at_once(environment: Mapping[str, Any]) -> int:
    """The runs that its program trained together; 1 for a run alone."""
    return max(len(environment.get(AT_ONCE, ())), 1)


def is_beside(environment: Mapping[str, Any]) -> bool:
    """Whether an `environment.json` is of a run without seconds of its own, for either reason."""
    return is_marked(environment) or is_at_once(environment)


def runs_at_once(environment: Mapping[str, Any]) -> int:
    """The runs that were made at once where one was, itself included, by its `environment.json`."""
    return environment.get(RUNS_AT_ONCE, 1)
