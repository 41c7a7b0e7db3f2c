"""Where the repository is, and how a process that a test starts finds its modules."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_path(*folders: Path) -> str:
    """PYTHONPATH with these folders before what it has."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])


def python(*words: str, env: Mapping[str, str] | None = None) -> str:
    """The stdout of `python WORD...` in the repository's folder; it must end well."""
    command = [sys.executable, *words]
    environment = os.environ if env is None else env
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
