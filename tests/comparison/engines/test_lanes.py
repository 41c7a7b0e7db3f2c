"""Comparisons whose seeds are made at once: which go together, their records, refusals, kills."""

import dataclasses
import json
import signal
from typing import Any, cast

import pytest

import jaxact
from jaxact.comparison import compare, growth, study as studies
from jaxact.comparison.engines import lanes
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING
from jaxact.errors import ConfigError
from jaxact.runs import fit
from jaxact.runs.at_once import group as at_once
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import record_files
from tests.support import killing
from tests.support.stopping import StopAfter
from tests.support.studies import synthetic_study
from tests.support.tiny import TINY, words

ON_CPU = "--seeds_at_once_on_cpu"
FIELDS = {
    "epochs": 2,
    "target_accuracy": 0.0,
    "health_examples": 0,
    "checkpoint_every_epochs": 1,
    "steps_per_dispatch": 4,  # an epoch
}


def plan_of(tiny, *specs, seeds):
    config = dataclasses.replace(tiny, **FIELDS)
    return studies.Plan(config, (config.dataset,), (1e-3,), specs, seeds, specs[0])


def make(plan, workdir, count, stop=None):
    study = studies.begin(workdir, plan)
    stop = StopRequest() if stop is None else stop
    return compare.make(study, workdir, stop, engine=lanes.engine_of(count, count > 1))[0]


@pytest.fixture
def recorded(tmp_path):
    """Writes a study's checkpoints, as empty folders; gives its groups, by activation and seeds."""

    def groups(study, most, steps=None):
        steps = steps or {}
        for config in study.plan.runs():
            for step in steps.get((config.activation, config.seed), ()):
                folder = tmp_path / study.plan.folder(config) / record_files.CHECKPOINTS
                (folder / str(step)).mkdir(parents=True)
        return [
            (
                group.configs[0].activation,
                "".join(
                    str(config.seed) if is_missing else f"({config.seed})"
                    for config, is_missing in zip(group.configs, group.is_missing, strict=True)
                ),
            )
            for group in lanes.groups(study, tmp_path, most)
        ]

    return groups


def with_records(study, seeds_at_once):
    """The study with the record of who was trained together, by activation and seed."""
    runs = tuple(
        dataclasses.replace(
            run,
            environment={"seeds_at_once": seeds_at_once.get((run.activation, run.seed), [])},
        )
        for run in study.runs
    )
    return dataclasses.replace(study, runs=runs)


EVERY = [(name, seed) for name in ("relu", "tanh") for seed in range(5)]


def test_runs_of_a_recipe_go_together_in_the_order_of_the_first(recorded):
    study = synthetic_study(("relu", "tanh"), 5, missing=EVERY)
    assert recorded(study, 3) == [("relu", "012"), ("tanh", "012"), ("tanh", "34"), ("relu", "34")]
    assert recorded(study, 5) == [("relu", "01234"), ("tanh", "01234")]
    some = synthetic_study(("relu", "tanh"), 5, missing=EVERY[1:4])
    assert recorded(some, 8) == [("relu", "123")]
    assert recorded(synthetic_study(("relu",), 2), 8) == []


def test_rates_and_data_sets_are_apart(recorded):
    missing = [("relu", seed) for seed in range(2)]
    study = synthetic_study(
        ("relu",), 2, datasets=("mnist", "digits"), learning_rates=(0.1, 0.2), missing=missing
    )
    assert recorded(study, 4) == [("relu", "01")] * 4


def test_a_group_that_was_stopped_goes_on_as_it_was(recorded):
    begun = {("relu", seed): [0, 1, 2] for seed in range(3)}
    missing = [("relu", 1), ("relu", 2), ("relu", 3), ("relu", 4)]
    study = with_records(synthetic_study(("relu",), 5, missing=missing), begun)
    steps = {("relu", 1): [10, 20], ("relu", 2): [10]}
    assert recorded(study, 3, steps) == [("relu", "(0)12"), ("relu", "34")]


def test_a_group_goes_on_in_parts_where_it_cannot_as_it_was(recorded):
    begun = {("relu", seed): [0, 1, 2] for seed in range(3)}
    missing = [("relu", seed) for seed in range(4)]
    study = with_records(synthetic_study(("relu",), 4, missing=missing), begun)
    # Of two at most; or its lanes stand too far apart.
    steps = {("relu", 0): [10, 20], ("relu", 1): [10, 20], ("relu", 2): [30, 40]}
    assert recorded(study, 2, steps) == [("relu", "01"), ("relu", "2"), ("relu", "3")]
    assert recorded(study, 3) == [("relu", "01"), ("relu", "2"), ("relu", "3")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The plan and the folder of a comparison that nothing interrupts, two seeds at once."""
    plan, folder = plan_of(TINY, "relu", seeds=3), tmp_path_factory.mktemp("whole")
    assert {run.status for run in make(plan, folder, 2).runs} == {DONE}
    return plan, folder


def assert_same(whole, workdir):
    plan, folder = whole
    for config in plan.runs():
        killing.assert_same(folder / plan.folder(config), workdir / plan.folder(config))
    statuses = [{run.status for run in studies.load(place).runs} for place in (folder, workdir)]
    assert statuses == [{DONE}] * 2


def test_runs_are_marked_but_for_one_that_is_left_alone(whole):
    _, folder = whole
    for run in studies.load(folder).runs:
        assert run.environment["seeds_at_once"] == ([] if run.seed == 2 else [0, 1])
        assert (run.summary["images_per_second"] is None) == (run.seed != 2)


@pytest.mark.parametrize("looks", [1, 3])
def test_a_comparison_that_is_stopped_goes_on(whole, tmp_path, looks):
    study = make(whole[0], tmp_path, 2, StopAfter(looks))
    assert MISSING in {run.status for run in study.runs}
    make(whole[0], tmp_path, 2)
    assert_same(whole, tmp_path)


def test_a_comparison_that_is_killed_goes_on_bit_for_bit(whole, tmp_path, commands):
    arguments = ["--activations=relu", "--seeds=3", "--seeds_at_once=2", ON_CPU, *words(**FIELDS)]
    arguments.append(f"--workdir={tmp_path}")
    begun = tmp_path / "relu" / "seed1" / record_files.METRICS
    ended = commands.run("experiments.compare", *arguments, signal_once=(signal.SIGKILL, begun))
    assert ended.returncode == -signal.SIGKILL
    make(whole[0], tmp_path, 2)
    assert_same(whole, tmp_path)


def test_a_run_that_diverges_does_not_touch_the_others(whole, tmp_path, monkeypatch):
    real = at_once.Lane.look

    def look(lane, stage, totals, view):
        if (lane.setup.config.seed, lane.setup.config.activation) == (1, "relu"):
            totals = dataclasses.replace(totals, nonfinite_step=totals.nonfinite_step * 0 + 3)
        real(lane, stage, totals, view)

    monkeypatch.setattr(at_once.Lane, "look", look)
    # Stopped just after it has ended: the others go on beside its lane.
    make(whole[0], tmp_path, 2, StopAfter(2))
    lost = [run for run in studies.load(tmp_path).runs if run.status == DIVERGED]
    assert [(run.activation, run.seed) for run in lost] == [("relu", 1)]
    assert lost[0].note.startswith("the loss became NaN or infinite at epoch 1, step 3 (relu")
    study = make(whole[0], tmp_path, 2)
    for config, run in zip(whole[0].runs(), study.runs, strict=True):
        if (config.activation, config.seed) == ("relu", 1):
            assert run.status == DIVERGED
        else:
            folder = whole[0].folder(config)
            killing.assert_same(whole[1] / folder, tmp_path / folder)


def test_a_group_that_fails_is_said_and_tried_again(whole, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("deep inside")

    with monkeypatch.context() as patch:
        patch.setattr(fit, "announce", fail)
        study = make(whole[0], tmp_path, 2)
    assert {(run.status, run.note) for run in study.runs} == {(FAILED, "ValueError: deep inside")}
    log = (tmp_path / "failures.log").read_text()
    assert log.startswith("relu, seed 0\n")
    assert log.count("Traceback") == 2  # of a group and of a run alone
    make(whole[0], tmp_path, 2)
    assert_same(whole, tmp_path)


def test_on_a_cpu_it_is_refused_in_a_line_unless_asked_for(tmp_path, capsys):
    arguments = [f"--workdir={tmp_path / 'run'}", "--activations=relu", *words()]
    assert compare.COMMAND.run(compare.compare, [*arguments, "--seeds_at_once=2"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "jaxact: --seeds_at_once=2 is for accelerators: on a CPU it gains nothing"
    )
    assert said.count("\n") == 1
    assert compare.COMMAND.run(compare.compare, [*arguments, ON_CPU]) == 2
    assert (
        "--seeds_at_once_on_cpu is of use with several --seeds_at_once" in capsys.readouterr().err
    )
    assert not (tmp_path / "run").exists()


def test_python_has_it_too(tmp_path):
    fields = {"config": {**killing.SMALL, **FIELDS}, "workdir": tmp_path, "progress": False}
    with pytest.raises(ConfigError, match=r"^seeds_at_once=2 is for accelerators"):
        jaxact.compare("relu", seeds_at_once=2, **fields)
    with pytest.raises(ConfigError, match=r"^seeds_at_once_on_cpu=1 must be True or False"):
        jaxact.compare("relu", seeds_at_once=2, seeds_at_once_on_cpu=cast(Any, 1), **fields)
    study = jaxact.compare("relu", seeds=2, seeds_at_once=2, seeds_at_once_on_cpu=True, **fields)
    assert len(study["relu"].error_percent) == 2
    stored = json.loads((tmp_path / "study.json").read_text())
    assert [run["environment"]["seeds_at_once"] for run in stored["runs"]] == [[0, 1]] * 2


@pytest.mark.parametrize(("most", "seeds"), [(30, 9), (7, 7)])
def test_seeds_are_added_as_many_as_are_made_at_once(most, seeds):
    study = synthetic_study(("relu", "tanh"), 5)
    plan = dataclasses.replace(study.plan, until="decided", margin_points=1e-9)
    more = growth.grown(dataclasses.replace(study, plan=plan), most, 4)
    assert more is None or more.seeds == seeds
    assert growth.open_questions(dataclasses.replace(study, plan=plan)) or more is None
