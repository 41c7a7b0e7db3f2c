"""The house: what may import what, and lists that must agree."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
import tomllib

import pytest

from tests.support.paths import ROOT

PACKAGE = sorted((ROOT / "jaxact").rglob("*.py"))
# Room to the rooms of jaxact it may import; imports run one way.
ALLOWED = {
    "activations": {"activations", "errors"},
    "data": {"data", "errors", "packages"},
    "models": {"activations", "models", "errors"},
    "inference": {"models", "inference"},
}
FORBIDDEN = {"tensorflow", "clu", "chex", "torch", "experiments", "configs", "benchmarks"}


def imported(path):
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "jaxact":
            yield from (f"jaxact.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    modules = [name.split(".") for name in imported(path)]
    assert not FORBIDDEN & {parts[0] for parts in modules}
    rooms = {parts[1] for parts in modules if parts[0] == "jaxact" and len(parts) > 1}
    room = path.relative_to(ROOT / "jaxact").parts[0]
    assert rooms <= ALLOWED.get(room, rooms)


def test_flax_stays_with_models_and_orbax_with_checkpoints():
    users = {"flax": set(), "orbax": set(), "tensorflow_datasets": set()}
    for path in PACKAGE:
        for name in imported(path):
            if name.split(".")[0] in users:
                users[name.split(".")[0]].add(str(path.relative_to(ROOT / "jaxact")))
    assert users["orbax"] == {"training/checkpoint.py"}
    assert all(name.startswith("data/tfds_") for name in users["tensorflow_datasets"])
    # training names the type of a module in signatures, no more
    assert all(name.split("/")[0] in ("models", "training") for name in users["flax"])


def normal(name):
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path):
    """The distributions that a file of constraints has versions of."""
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", path.read_text(), re.MULTILINE)}


def test_requirements_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    assert sorted(project["dependencies"]) == sorted(required)
    names = {normal(re.split(r"[<>=]", requirement)[0]) for requirement in required}
    common = pinned(ROOT / "constraints" / "common.txt")
    tested = [pinned(path) for path in (ROOT / "constraints").glob("jax-*.txt")]
    assert tested
    for own in tested:
        assert names <= common | own
        assert not common & own  # pip refuses two versions of one


def test_examples_in_docstrings_hold():
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PACKAGE]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


def test_main_is_short():
    assert len((ROOT / "jaxact" / "main.py").read_text().splitlines()) < 60


def test_the_command_never_imports_tensorflow():
    code = "import sys, jaxact.main; print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "False"
