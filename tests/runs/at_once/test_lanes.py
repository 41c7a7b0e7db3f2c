"""Seeds trained at once: each as alone, none touched by another, stopped and gone on with."""

import dataclasses
import math
import shutil
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import (
    ConfigError,
    Interrupted,
    NonFiniteLossError,
    OutOfMemoryError,
    WorkdirError,
)
from jaxact.runs import epoch_end, fit
from jaxact.runs.at_once import group
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.progress import ProgressView
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare
from tests.support import killing
from tests.support.stopping import StopAfter
from tests.support.tiny import TINY

SEEDS = (0, 1, 2)
STEPS = 20
TOLERANCE = 1e-5
# Dropout, a learnable activation; four steps an epoch, in one dispatch, and a checkpoint after it.
CONFIG = dataclasses.replace(
    TINY,
    activation="prelu",
    epochs=STEPS // 4,
    steps_per_dispatch=4,
    checkpoint_every_epochs=1,
    target_accuracy=0.0,
)


class View(ProgressView):
    """Keeps what it is told."""

    def __init__(self, *counts):
        super().__init__(*counts)
        self.told = []

    def message(self, text):
        self.told.append(text)

    def after_epoch(self, row, split):
        self.told.append(row)


def seeds_of(config=CONFIG, seeds=SEEDS):
    return [dataclasses.replace(config, seed=seed) for seed in seeds]


def folders_in(folder, seeds=SEEDS):
    return [folder / f"seed{seed}" for seed in seeds]


def train(configs, folders, stop=None, follow: Any = View):
    """The ends of all lanes, by place."""
    stop = StopRequest() if stop is None else stop
    return {ended.place: ended.error for ended in group.train(configs, folders, stop, follow)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folders of lanes that nothing interrupts."""
    folders = folders_in(tmp_path_factory.mktemp("whole"))
    assert train(seeds_of(), folders) == dict.fromkeys(range(len(SEEDS)))
    return folders


def without_times(row):
    return {name: value for name, value in row.items() if name not in killing.TIMES}


def assert_close(first, second):
    leaves, structure = jax.tree.flatten(first)
    assert jax.tree.structure(second) == structure
    for one, other in zip(leaves, jax.tree.leaves(second), strict=True):
        if isinstance(one, float):
            assert abs(one - other) <= TOLERANCE * max(1.0, abs(one))
        else:
            assert one == other


def test_seeds_differ(whole):
    losses = {next(killing.rows_of(folder))["train_loss"] for folder in whole}
    assert len(losses) == len(SEEDS)


def test_the_records_are_those_of_a_run_without_what_it_would_have_alone(whole, tmp_path):
    fit.fit(dataclasses.replace(CONFIG, epochs=1), tmp_path / "alone")
    names = lambda folder: {path.name for path in folder.iterdir()}  # noqa: E731
    for folder in whole:
        assert names(folder) == names(tmp_path / "alone")
        summary = record_files.read_json(folder / record_files.SUMMARY)
        assert summary["reached_target"]
        assert summary["epoch_to_target"] == 1
        nothing = ("seconds_to_target", "images_per_second", "latency_ms", "train_memory_bytes")
        assert [summary[name] for name in nothing] == [None] * len(nothing)
        assert all(row["images_per_second"] is None for row in killing.rows_of(folder))
        environment = record_files.read_json(folder / record_files.ENVIRONMENT)
        assert environment["seeds_at_once"] == [*SEEDS]
        assert killing.checkpoints_of(folder)[-1] == STEPS
    alone = record_files.read_json(tmp_path / "alone" / record_files.ENVIRONMENT)
    assert alone["seeds_at_once"] == []


def test_what_is_shown_are_means(whole, tmp_path):
    views = []

    def follow(*counts):
        views.append(View(*counts))
        return views[-1]

    train(seeds_of(), folders_in(tmp_path), follow=follow)
    shown = [told for told in views[0].told if isinstance(told, dict)]
    for epoch, row in enumerate(shown):
        own = [[*killing.rows_of(folder)][epoch]["test_accuracy"] for folder in whole]
        assert row == {"epoch": epoch + 1, "test_accuracy": pytest.approx(np.mean(own))}
    assert len(shown) == CONFIG.epochs


@pytest.fixture
def planted(monkeypatch):
    """Plants NaN in the parameters that seed 1 begins with."""
    begin = fit.begin

    def broken(setup, run, state=None, step=None):
        snapshot = begin(setup, run, state, step)
        if setup.config.seed != 1 or snapshot.state.step:
            return snapshot
        params = snapshot.state.params
        params = jax.tree.map(lambda leaf: leaf.at[(0,) * leaf.ndim].set(jnp.nan), params)
        state = dataclasses.replace(snapshot.state, params=params)
        return dataclasses.replace(snapshot, state=state)

    monkeypatch.setattr(fit, "begin", broken)


@pytest.mark.usefixtures("planted")
def test_a_lane_that_is_not_finite_leaves_the_others_as_they_are(whole, tmp_path):
    folders = folders_in(tmp_path)
    ended = [*group.train(seeds_of(), folders, StopRequest(), View)]
    assert [one.place for one in ended] == [1, 0, 2]  # told before the others are saved
    assert isinstance(ended[0].error, NonFiniteLossError)
    assert str(ended[0].error) == (
        "the loss became NaN or infinite at epoch 1, step 0 (prelu, learning_rate 0.001)"
    )
    for place in (0, 2):
        killing.assert_same(whole[place], folders[place])
    assert not (folders[1] / record_files.SUMMARY).exists()
    assert not killing.checkpoints_of(folders[1])


def test_a_loss_on_test_images_that_is_not_finite_ends_its_lane_alone(whole, tmp_path, monkeypatch):
    real = epoch_end.evaluate

    def evaluate(setup, clock, state, split, epoch):
        scores = real(setup, clock, state, split, epoch)
        if (setup.config.seed, epoch) == (2, 3):
            raise NonFiniteLossError("the test loss became NaN")
        return scores

    monkeypatch.setattr(epoch_end, "evaluate", evaluate)
    folders = folders_in(tmp_path)
    ended = train(seeds_of(), folders)
    assert [place for place, error in ended.items() if error] == [2]
    assert killing.checkpoints_of(folders[2])[-1] == 8
    for place in (0, 1):
        killing.assert_same(whole[place], folders[place])


# In the first epoch, at its end, in the middle, and at the very end.
@pytest.mark.parametrize("looks", [1, 2, 5, 10])
def test_lanes_that_are_stopped_go_on_as_if_they_had_not_been(whole, tmp_path, looks):
    configs = seeds_of(dataclasses.replace(CONFIG, steps_per_dispatch=2))
    folders = folders_in(tmp_path)
    with pytest.raises(Interrupted, match=r"stopped by SIGTERM at step .*checkpoints are saved"):
        train(configs, folders, StopAfter(looks))
    assert not any((folder / record_files.SUMMARY).exists() for folder in folders)
    train(configs, folders)
    for first, second in zip(whole, folders, strict=True):
        killing.assert_same(first, second)


class Killed(Exception):
    """Ends the process as SIGKILL does, as far as files show it."""


@pytest.mark.parametrize("saves", [1, 5, 14])
def test_lanes_of_which_some_were_saved_go_on_together(whole, tmp_path, monkeypatch, saves):
    configs, folders = seeds_of(), folders_in(tmp_path)
    count, save = [], fit.Checkpoints.save

    def save_some(checkpoints, snapshot):
        if len(count) == saves:
            raise Killed
        count.append(1)
        save(checkpoints, snapshot)

    with monkeypatch.context() as patch:
        patch.setattr(fit.Checkpoints, "save", save_some)
        with pytest.raises(Killed):
            train(configs, folders)
    assert len({tuple(killing.checkpoints_of(folder)) for folder in folders}) == 2
    train(configs, folders)
    for first, second in zip(whole, folders, strict=True):
        killing.assert_same(first, second)


def test_a_lane_whose_run_has_ended_is_filled(whole, tmp_path):
    configs, folders = seeds_of(), folders_in(tmp_path)
    with pytest.raises(Interrupted):
        train(configs, folders, StopAfter(2))
    before = killing.checkpoints_of(folders[1])
    assert train(configs, [folders[0], None, folders[2]]) == {0: None, 2: None}
    assert killing.checkpoints_of(folders[1]) == before
    for place in (0, 2):
        killing.assert_same(whole[place], folders[place])


def test_one_goes_on_alone_and_stays_marked(whole, tmp_path):
    configs, folders = seeds_of(), folders_in(tmp_path)
    with pytest.raises(Interrupted):
        train(configs, folders, StopAfter(2))
    summary = fit.fit(configs[1], folders[1])
    expected = record_files.read_json(whole[1] / record_files.SUMMARY)
    assert summary["test_loss"] == pytest.approx(expected["test_loss"], rel=1e-3)
    environment = record_files.read_json(folders[1] / record_files.ENVIRONMENT)
    assert environment["seeds_at_once"] == [*SEEDS]
    assert environment["resumed"] == [{"step": 8, "before": {"seeds_at_once": [*SEEDS]}}]


STOPPING = dataclasses.replace(
    CONFIG, eval_split="validation", early_stopping_epochs=1, epochs=6, health_examples=0
)
LOSSES = {0: [5, 4, 3, 4, 4, 4], 1: [5, 6, 6, 6, 6, 6], 2: [6, 5, 4, 3, 2, 1]}  # by seed
LAST = {0: 4, 1: 2, 2: 6}  # epochs that each then has


@pytest.fixture
def planted_losses(monkeypatch):
    """Validation losses by which the lanes stop in different epochs."""
    real = epoch_end.evaluate

    def evaluate(setup, clock, state, split, epoch):
        scores = real(setup, clock, state, split, epoch)
        if split != "test":
            scores.figures["validation_loss"] = float(LOSSES[setup.config.seed][epoch - 1])
        return scores

    monkeypatch.setattr(epoch_end, "evaluate", evaluate)


@pytest.mark.usefixtures("planted_losses")
def test_each_stops_early_for_itself_with_its_best_parameters(tmp_path):
    configs, folders = seeds_of(STOPPING), folders_in(tmp_path)
    order = [ended.place for ended in group.train(configs, folders, StopRequest(), View)]
    assert order == [1, 0, 2]
    for one, folder in zip(configs, folders, strict=True):
        alone = fit.fit(one, tmp_path / f"alone{one.seed}")
        summary = record_files.read_json(folder / record_files.SUMMARY)
        for name in ("epochs_trained", "best_epoch", "stopped_early", "epoch_to_target"):
            assert summary[name] == alone[name]
        assert summary["epochs_trained"] == LAST[one.seed]
        assert summary["test_loss"] == pytest.approx(alone["test_loss"], rel=1e-3)
        states = map(killing.final_state, (tmp_path / f"alone{one.seed}", folder))
        bests = [state["best"]["params"] for state in states]
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), *bests)


@pytest.fixture(scope="module")
def stopped_early(tmp_path_factory):
    """The folders of lanes that stop early and that nothing else interrupts."""
    return folders_in(tmp_path_factory.mktemp("stopped_early"))


# Of the five epochs after which some lane goes on.
@pytest.mark.usefixtures("planted_losses")
@pytest.mark.parametrize("looks", [1, 2, 4, 5])
def test_lanes_that_stop_early_go_on_when_stopped(stopped_early, tmp_path, looks):
    configs, first, second = seeds_of(STOPPING), stopped_early, folders_in(tmp_path)
    if not first[0].exists():
        train(configs, first)
    with pytest.raises(Interrupted):
        train(configs, second, StopAfter(looks))
    left = [
        None if (folder / record_files.SUMMARY).exists() else folder for folder in second
    ]  # as the comparison has it
    train(configs, left)
    for one, other in zip(first, second, strict=True):
        killing.assert_same(one, other)


def test_lanes_without_a_step_in_common_are_refused(whole, tmp_path):
    folders = folders_in(tmp_path)
    for folder, other in zip(whole, folders, strict=True):
        shutil.copytree(folder, other)
    for step in killing.checkpoints_of(folders[0]):
        (folders[0] / "checkpoints" / str(step) / "SHA256SUMS").unlink()
    with pytest.raises(WorkdirError, match="no checkpoint of the same step that is whole"):
        train(seeds_of(dataclasses.replace(CONFIG, epochs=9)), folders)


def test_what_does_not_fit_says_to_take_fewer(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 8GiB")

    monkeypatch.setattr(group, "stages", fail)
    with pytest.raises(OutOfMemoryError, match=r"^--seeds_at_once=3 may be too many: out of"):
        train(seeds_of(), folders_in(tmp_path))


def test_a_clock_goes_on_once(tmp_path):
    configs, folders = seeds_of(), folders_in(tmp_path)
    with pytest.raises(Interrupted):
        train(configs, folders, StopAfter(3))
    before = [*killing.rows_of(folders[0])][-1]["train_seconds"]
    train(configs, folders)
    readings = [[row["train_seconds"] for row in killing.rows_of(folder)] for folder in folders]
    assert readings[0] == readings[1] == readings[2] == sorted(readings[0])
    assert before in readings[0]
    assert all(map(math.isfinite, readings[0]))


def test_streamed_images_are_refused(monkeypatch):
    setup = prepare(CONFIG)
    data = dataclasses.replace(setup.data, streamed=cast(Any, object()))
    streamed = dataclasses.replace(setup, data=data)
    monkeypatch.setattr(group.setups, "prepare", lambda config: streamed)
    with pytest.raises(ConfigError, match=r"^--seeds_at_once=3 needs images that the device holds"):
        group.prepare(seeds_of())


# The last test: what comes after it in this file is compiled with optimisations, too.
@pytest.mark.usefixtures("optimized", "thin_networks")
@pytest.mark.parametrize(
    "fields",
    [
        {"augmentation": "flip", "ema": 0.9},
        {"model": "preact_resnet18", "activation": "swish", "learning_rate_schedule": "cosine"},
    ],
    ids=["dropout", "batch norm"],
)
def test_each_is_as_it_is_alone(tmp_path, fields):
    config = dataclasses.replace(CONFIG, health_examples=8, train_examples=80, batch_size=16)
    config = dataclasses.replace(config, epochs=4, **fields)
    configs, folders = seeds_of(config), folders_in(tmp_path)
    train(configs, folders)
    for one, folder in zip(configs, folders, strict=True):
        alone = tmp_path / f"alone{one.seed}"
        fit.fit(one, alone)
        for name in (record_files.METRICS, record_files.HEALTH):
            pairs = zip(
                *(record_files.read_rows(where / name) for where in (alone, folder)), strict=True
            )
            for expected, row in pairs:
                assert expected.keys() == row.keys()
                assert_close(without_times(expected), without_times(row))
        assert record_files.read_rows(folder / record_files.METRICS)[-1]["step"] == STEPS
