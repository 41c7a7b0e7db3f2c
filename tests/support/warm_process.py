"""Starts commands by forking a process that has done the imports: a start costs no new ones.

Reads a JSON list a line: a module, its arguments, the folder to start in, and files for what is
printed and for errors. Answers with the number of the process, and with its exit code once it has
ended. The forked process does what `python -m MODULE ARGUMENT...` does, from the module's first
line on.
"""

import gc
import importlib
import json
import os
import runpy
import sys
import warnings

# What is slow to import, and defines no flags: those are defined by the command that has them.
IMPORTED = (
    "tests.support.networks",
    "jaxact.comparison.engines.making",
    "matplotlib.figure",
    "ml_collections.config_flags",
)


def run(module: str, arguments: list[str], folder: str, output: str, errors: str) -> None:
    """What the forked process does."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def fork() -> int:
    with warnings.catch_warnings(action="ignore"):  # that JAX has threads: not before its first use
        return os.fork()


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # or a process would look through all that it shares, and copy it by that
    for line in sys.stdin:
        request = json.loads(line)
        if (number := fork()) == 0:
            run(*request)
            sys.exit(0)
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)
