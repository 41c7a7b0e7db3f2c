"""Runs killed with SIGKILL at random moments end as if they had not been."""

import os
import shutil
import signal

import pytest

from tests.support import killing

# A twelfth of them are of VGG-11, whose checkpoints are large; `.ci/run` has 2, `make soak` 200.
ALL_KILLS = int(os.environ.get("JAXACT_KILLS", "1"))
KILLS = {"thin_cnn": ALL_KILLS - ALL_KILLS // 12, "vgg11": ALL_KILLS // 12}


@pytest.mark.parametrize("name", [name for name, kills in KILLS.items() if kills])
def test_killed_runs_end_as_if_they_had_not_been(commands, tmp_path, name):
    tally = killing.kill_and_resume(commands, killing.CASES[name], tmp_path, KILLS[name], seed=1)
    assert tally.all_kills == KILLS[name]
    assert tally.runs >= 1
    shutil.rmtree(tmp_path)  # VGG-11's checkpoints are large


def test_a_kill_during_the_start_leaves_a_folder_to_start_in(commands, tmp_path):
    fields = killing.SMALL | {"epochs": 1}
    killed = killing.run(commands, tmp_path / "run", fields, kill_after=0.3)
    assert killed.returncode == -signal.SIGKILL
    ended = killing.run(commands, tmp_path / "run", fields)
    assert ended.returncode == 0, ended.stderr
