"""Packages that only some commands need: the others start, and train, without them."""

import ast
import functools
import gzip
import importlib
import os
import subprocess
import sys

import pytest

from jaxact import packages
from jaxact.data.formats import idx as idx_format
from jaxact.errors import ConfigError, DataError
from jaxact.runs.process import huge_pages
from tests.support.paths import ROOT
from tests.support.published_files import idx, make_split

OPTIONAL = {
    *("PIL", "array_record", "cloudpickle", "jinja2", "matplotlib", "mlflow", "mpmath", "optuna"),
    *("ray", "sklearn", "submitit", "tensorflow_datasets", "trackio", "wandb"),
}
COMMANDS = [
    path
    for folder in ("jaxact", "experiments", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name == "__main__.py"
    or 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
]


@functools.cache
def file_of(module):
    """The file of one of our modules, or None."""
    path = ROOT.joinpath(*module.split("."))
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if file.is_file()), None)


def at_import(node):
    """Every module that is imported as soon as the code is, without what functions import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from at_import(child)


@functools.cache  # every command imports most of them
def imported(path):
    """The imports that `at_import` finds in a file, each once."""
    return set(at_import(ast.parse(path.read_text(encoding="utf-8"))))


def needed(path):
    """The optional packages that a file's import imports, by whatever way."""
    seen, found, todo = set(), set(), [path]
    while todo:
        seen.add(file := todo.pop())
        for name in imported(file):
            found |= {name.split(".")[0]} & OPTIONAL
            if (own := file_of(name)) and own not in seen:
                todo.append(own)
    return found


def announced(path):
    """The packages that a command says it cannot do without."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    starts = [call for call in calls if ast.unparse(call.func) == "start.begin"]
    return {ast.literal_eval(name) for call in starts for name in call.args}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_starts_without_what_it_does_not_say_it_needs(path):
    said = announced(path)
    if "start.run(" in path.read_text():  # an experiment, by the start that all of them share
        said |= announced(ROOT / "experiments" / "common" / "start.py")
        path = path.with_name("experiment.py")
    assert needed(path) <= said


@pytest.mark.parametrize("name", ["jaxact/main.py", "jaxact/check.py", "experiments/compare.py"])
def test_the_commands_of_every_day_need_none_of_them(name):
    assert ROOT / name in COMMANDS
    assert not announced(ROOT / name)


# Runs commands on made files as if they were the published ones, where none of the packages is
# installed; prints their exit codes.
DRIVER = """
import importlib.abc, runpy, sys
from pathlib import Path

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from jaxact import data
from tests.support import networks
from tests.support.published_files import source_of

contents = {path.name: path.read_bytes() for path in Path(FOLDER, "mnist").iterdir()}
data.SOURCES["mnist"] = source_of("mnist", contents)
for sys.argv in COMMANDS:
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        print("code", end.code)
"""
TINY = {
    "dataset": "mnist",
    "model": "thin_cnn",
    "epochs": 1,
    "batch_size": 10,
    "latency_samples": 0,
    "health_examples": 0,
}


@pytest.mark.usefixtures("own_compilation_cache", "quick_compilation")
def test_training_needs_none_of_them(tmp_path):
    train, test = make_split(0, 50, (28, 28, 1)), make_split(1, 20, (28, 28, 1))
    arrays = (train.images[..., 0], train.labels, test.images[..., 0], test.labels)
    (tmp_path / "mnist").mkdir()
    for name, array in zip(idx_format.FILES, arrays, strict=True):
        (tmp_path / "mnist" / name).write_bytes(gzip.compress(idx(array)))
    fields = [f"--config.{name}={value}" for name, value in TINY.items()]
    fields += [f"--config.data_dir={tmp_path}"]
    train_one = ["jaxact.main", f"--workdir={tmp_path / 'run'}", *fields]
    both = ["--activations=relu", "--seeds=1", f"--workdir={tmp_path / 'study'}", *fields]
    driver = DRIVER.replace("OPTIONAL", repr(OPTIONAL)).replace("FOLDER", repr(str(tmp_path)))
    driver = driver.replace("COMMANDS", repr([train_one, ["experiments.compare", *both]]))
    done = subprocess.run(
        [sys.executable, "-c", driver],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), huge_pages.SWITCH: "0"},
        capture_output=True,
        text=True,
    )
    codes = [line for line in done.stdout.splitlines() if line.startswith("code")]
    assert codes == ["code 0", "code 2"], done.stderr
    assert "epoch 1/1" in done.stderr
    assert (tmp_path / "run" / "summary.json").exists()
    # A comparison makes its runs and its table; what is drawn needs packages.
    words = "jaxact: the report needs matplotlib, which is not installed: pip install matplotlib"
    assert words in done.stderr
    assert (tmp_path / "study" / "table.md").exists()


def test_a_missing_package_is_named_as_pip_knows_it(monkeypatch):
    for name in ("sklearn", "sklearn.datasets"):  # another test may have imported them
        monkeypatch.setitem(sys.modules, name, None)
    words = "^the set needs scikit-learn, which is not installed: pip install scikit-learn, "
    with pytest.raises(DataError, match=words), packages.needed_for("the set", DataError):
        importlib.import_module("sklearn.datasets")


def test_a_module_of_ours_that_is_missing_is_no_users_mistake():
    with pytest.raises(ModuleNotFoundError), packages.needed_for("the report"):
        importlib.import_module("jaxact.no_such_module")


def test_a_command_that_needs_a_package_ends_in_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    packages.exit_without("numpy")
    with pytest.raises(SystemExit) as end:
        packages.exit_without("numpy", "matplotlib")
    assert end.value.code == ConfigError.exit_code
    assert capsys.readouterr().err.count("\n") == 1
