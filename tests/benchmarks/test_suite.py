"""The suite: its plan, and what it makes of time that runs out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import psutil
import pytest

from benchmarks import results, suite
from benchmarks.timing import deadline, suite_plan
from benchmarks.timing.deadline import Ended
from benchmarks.timing.suite_plan import QUICK, THOROUGH, Device, Step, plan, precisions
from jaxact.errors import ConfigError
from jaxact.runs.process.signals import StopRequest

CPU, GPU = Device("cpu"), Device("gpu", "NVIDIA H100", "9.0")
FOREVER = 600.0


def planned(device=CPU, minutes=10.0, peer="none", folder="out"):
    return plan(device, minutes, peer, "/python", Path(folder))


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (CPU, ("float32", "bfloat16")),
        (GPU, ("bfloat16", "tf32", "float32")),
        (Device("gpu", "GTX 1060", "6.1"), ("float32",)),
        (Device("gpu", "MI300", "gfx942"), ("bfloat16", "float32")),
        (Device("tpu"), ("bfloat16", "float32")),
    ],
)
def test_only_precisions_of_the_device_are_measured_the_fastest_first(device, expected):
    assert precisions(device) == expected
    measured = [step.what.split(", ")[-1] for step in planned(device) if "," in step.what]
    assert tuple(dict.fromkeys(measured)) == expected


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (CPU, ["float32"] * 4 + ["activations"] + ["bfloat16"] * 4),
        (GPU, ["bfloat16"] * 4 + ["tf32"] * 4 + ["float32"] * 4 + ["activations", "once", "float"]),
    ],
)
def test_the_most_telling_comes_first(device, expected):
    steps = planned(device)
    assert [step.what.split()[-1] for step in steps] == expected
    assert [step.what.rsplit(", ", 1)[0] for step in steps[:4]] == [
        "training step, vgg11",
        "training step, small_cnn",
        "latency of one sample, vgg11",
        "latency of one sample, small_cnn",
    ]


@pytest.mark.parametrize(("minutes", "effort"), [(10.0, QUICK), (600.0, THOROUGH)])
def test_with_time_enough_measurements_are_thorough(minutes, effort):
    arguments = planned(minutes=minutes, peer="torch")[0].arguments
    assert f"--pairs={effort.pairs}" in arguments
    assert f"--processes={effort.processes}" in arguments
    assert effort.pairs >= 5
    assert "--peer=torch" in arguments
    assert "--peer_python=/python" in arguments


def test_a_peer_takes_longer():
    alone, beside = (sum(s.seconds for s in planned(peer=peer)) for peer in ("none", "torch"))
    assert beside > alone


def test_files_have_the_names_that_the_programs_give_them():
    names = {step.file.name for step in planned(peer="torch")}
    assert {path.parent for path in (step.file for step in planned())} == {Path("out")}
    files = "*-{}-relu-128-float32-torch-cpu.json"
    known = {
        path.name
        for model in ("small_cnn", "vgg11")
        for path in results.FOLDER.glob(files.format(model))
    }
    assert known | {f"accuracy-jax-{jax.__version__}-cpu.json"} <= names
    assert len(known) == 4


@pytest.mark.parametrize("benchmark", ["accuracy", "latency", "train_step"])
def test_what_the_programs_leave_is_summed_up(benchmark):
    path = next(
        results.FOLDER.glob(f"{benchmark}*torch-cpu.json"),
        results.accuracy_path("cpu", "0.10.2"),
    )
    cells = suite_plan.summary(Step("", (), path, 0.0), "cpu")
    if benchmark == "accuracy":
        assert cells == {"jaxact": "50 of 50 within tolerance"}
    else:
        assert cells["jaxact"].split()[1] == "ms"
        assert list(cells) == ["jaxact", "/ torch eager", "/ torch compile", "/ torch plain"]


def test_a_ledger_that_was_cut_off_is_summed_up_by_the_files_that_are_whole(tmp_path):
    (step,) = (step for step in planned(GPU, folder=tmp_path) if "every float" in step.what)
    outcome = suite.Outcome(step, "cut off: the time was over", 60.0)
    assert not suite.has_results(outcome)
    step.file.mkdir()
    for name, platform in (("relu", "gpu"), ("gelu", "gpu"), ("tanh", "cpu")):
        file = results.FOLDER / "ledger" / f"{name}-cpu.json"
        (step.file / f"{name}-{platform}.json").write_text(file.read_text())
    assert suite.has_results(outcome)
    assert suite.row(outcome, "gpu")["jaxact"] == "1 of 2 within the goals"


def step(name, code, folder, seconds=10.0):
    return Step(name, ("-c", code), folder / f"{name}.json", seconds)


class Script:
    """Instead of `deadline.run`: names what was run, and lets an injected clock pass."""

    def __init__(self, lengths, codes=()):
        self.now, self.lengths, self.codes, self.ran = 0.0, dict(lengths), dict(codes), []

    def clock(self):
        return self.now

    def run(self, command, limit_seconds, stop, clock):
        name = command[-1]
        self.ran.append(name)
        seconds = min(self.lengths[name], limit_seconds)
        self.now += seconds
        is_cut = seconds < self.lengths[name]
        return Ended(None if is_cut else self.codes.get(name, 0), seconds, "jaxact: a reason")


@pytest.mark.parametrize(
    ("lengths", "ran", "words"),
    [
        ({"a": 10, "b": 10, "c": 10}, "abc", ["measured"] * 3),
        ({"a": 25, "b": 10, "c": 10}, "a", ["measured", "not begun", "not begun"]),
        ({"a": 90, "b": 10, "c": 10}, "a", ["cut off: the time was over", "not begun"]),
        ({"a": 5, "b": 28, "c": 10}, "ab", ["measured", "cut off: the time was over"]),
    ],
)
def test_no_step_begins_without_the_time_it_takes(monkeypatch, tmp_path, lengths, ran, words):
    script = Script(lengths)
    monkeypatch.setattr(deadline, "run", script.run)
    steps = [step(name, name, tmp_path) for name in lengths]
    outcomes = suite.perform(steps, 32.0, StopRequest(), script.clock)
    assert script.ran == list(ran)
    for outcome, expected in zip(outcomes, words, strict=False):
        assert outcome.words.startswith(expected)
    assert script.now <= 32.0


def test_a_short_step_is_taken_where_a_long_one_is_not(monkeypatch, tmp_path):
    script = Script({"long": 1, "short": 1})
    monkeypatch.setattr(deadline, "run", script.run)
    steps = [step("long", "long", tmp_path, 100.0), step("short", "short", tmp_path)]
    suite.perform(steps, 50.0, StopRequest(), script.clock)
    assert script.ran == ["short"]


def test_a_failed_step_is_one_line_and_the_others_go_on(monkeypatch, tmp_path, capsys):
    script = Script({"a": 1, "b": 1}, {"a": 2})
    monkeypatch.setattr(deadline, "run", script.run)
    outcomes = suite.perform(
        [step("a", "a", tmp_path), step("b", "b", tmp_path)], 100.0, StopRequest(), script.clock
    )
    assert [outcome.words for outcome in outcomes] == ["failed", "measured"]
    assert "a: failed: a reason\n" in capsys.readouterr().err


def test_once_stopped_no_step_begins(tmp_path):
    stop = StopRequest()
    stop.receive(signal.SIGTERM, None)
    (outcome,) = suite.perform([step("a", "a", tmp_path)], FOREVER, stop, lambda: 0.0)
    assert outcome.words == "not begun: stopped by SIGTERM"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--minutes=0.01", "give at least --minutes="),
        ("--minutes=soon", "minutes"),
        ("--pairs=9", "--pairs is no option"),
        ("--out_dir=/dev/null/here", "choose another"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(commands, tmp_path, option, words):
    ended = commands.run("benchmarks.suite", f"--out_dir={tmp_path}", option)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert ended.stdout == ""


def test_a_peer_without_torch_is_refused_at_the_start(commands):
    ended = commands.run("benchmarks.suite", "--peer=torch", "--peer_python=/no/such/python")
    assert ended.returncode == 2
    assert "requirements-bench.txt" in ended.stderr


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="choose another"):
        suite.make_folder(tmp_path / "file")


def test_the_device_is_asked_for_in_another_process(commands, tmp_path):
    """And the suite's own process computes nothing: on a GPU it would take memory from others."""
    (tmp_path / "asks.py").write_text(
        "from benchmarks import suite; from jax._src import xla_bridge; "
        "print(suite.look_for_device(600.0).platform, xla_bridge.backends_are_initialized())"
    )
    ended = commands.run("asks", cwd=tmp_path)
    assert ended.stdout.split() == [jax.default_backend(), "False"], ended.stderr


# The suite with a plan of two steps: one that leaves what is published, and one that does not end.
SMALL = """
import sys
from pathlib import Path
from benchmarks import suite
from benchmarks.timing.suite_plan import Device, Step

def plan(device, minutes, peer, peer_python, folder):
    file = folder / "step.json"
    published = "benchmarks/results/train_step-small_cnn-relu-128-float32-torch-cpu.json"
    copy = f"import shutil; shutil.copy({published!r}, {str(file)!r})"
    begun = str(folder / "begun")
    endless = f"import pathlib, time; pathlib.Path({begun!r}).touch(); time.sleep(600)"
    return [
        Step("a quick one", ("-c", copy), file, 1e-3),
        Step("an endless one", ("-c", endless), folder / "none.json", 1e-3),
    ]

suite.plan = plan
suite.look_for_device = lambda seconds: Device("cpu")
sys.exit(suite.COMMAND.run(suite.suite))
"""


@pytest.mark.usefixtures("own_compilation_cache", "quick_compilation")
def test_ctrl_c_stops_with_what_is_there(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL, "--minutes=600", f"--out_dir={tmp_path}"],
        cwd=deadline.ROOT,
        env={**os.environ, "PYTHONPATH": str(deadline.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "begun").exists() and process.poll() is None:
        time.sleep(0.05)
    own = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate()
    assert process.returncode == 75, said
    assert own
    assert not any(map(deadline.is_alive, own))
    assert json.loads((tmp_path / "step.json").read_text())["benchmark"] == "train_step"
    assert "cut off: stopped by SIGINT" in printed
    assert f"files: step.json in {tmp_path}" in printed
    assert said.splitlines()[-1].startswith("jaxact: stopped by SIGINT")
