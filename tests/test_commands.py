"""The commands that tests start."""

import json

import pytest

from tests.support.commands import Commands
from tests.support.paths import ROOT


@pytest.mark.slow
def test_a_command_keeps_the_pythonpath_that_is_set(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text("import json, sys; print(json.dumps(sys.path))")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Commands() as commands:
        ended = commands.run("own")
    assert ended.returncode == 0, ended.stderr
    path = json.loads(ended.stdout)
    assert path.index(str(ROOT)) < path.index(str(tmp_path))
