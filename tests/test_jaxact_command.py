"""The command `jaxact`: its commands by name, each as its own `python -m` form is."""

import importlib
import subprocess
import sys
import tomllib

import pytest

from jaxact import __main__ as dispatcher
from tests.support.paths import ROOT, python


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["jaxact", *words])
    code = dispatcher.main()
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("word", "near"),
    [("comapre", "did you mean compare"), ("Check", "did you mean check"), ("predikt", "of train")],
)
def test_an_unknown_command_is_told_with_the_nearest(monkeypatch, capsys, word, near):
    code, printed, said = run(monkeypatch, capsys, word)
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert said.startswith(f"jaxact: {word!r} is no command")
    assert near in said


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_names_every_command(monkeypatch, capsys, words):
    code, printed, said = run(monkeypatch, capsys, *words)
    assert (code, said) == (0, "")
    for name, entry in dispatcher.ENTRIES.items():
        assert f"  {name} " in printed
        assert entry.summary in printed


def test_help_imports_nothing_slow():
    code = (
        "import sys; from jaxact import __main__ as m; sys.argv = ['jaxact', '--help']; m.main();"
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'jax', 'numpy', 'absl', 'rich'}))"
    )
    assert python("-c", code).endswith("[]\n")


@pytest.mark.parametrize("name", dispatcher.ENTRIES)
def test_every_command_is_there_and_has_its_name_in_its_help(name, monkeypatch, capsys):
    entry = dispatcher.ENTRIES[name]
    module = importlib.import_module(entry.module)
    assert callable(getattr(module, entry.function))
    monkeypatch.setattr("jaxact.runs.process.start.begin", lambda: None)
    before = module.COMMAND.name
    code, printed, _ = run(monkeypatch, capsys, name, "--help")
    assert code == 0
    assert printed.startswith(f"jaxact {name}")
    assert module.COMMAND.name == before


def test_the_script_of_the_wheel_is_this_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["jaxact"].partition(":")
    assert getattr(importlib.import_module(module), function) is dispatcher.main


def test_a_command_runs_from_its_name_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jaxact", "check", "rleu"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("jaxact: ")
    assert "did you mean relu" in done.stderr
