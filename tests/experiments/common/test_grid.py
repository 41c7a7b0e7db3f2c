"""Comparisons that grow beside each other: their rates, pairs, order, and how they are resumed."""

import math
from types import SimpleNamespace

import pytest

from experiments.common import grid
from jaxact.comparison import study as studies
from jaxact.comparison.analysis import measures
from jaxact.comparison.compare import RunsFailed
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted
from tests.support.experiments import Planted

CONFIG = Config(
    train_examples=100, batch_size=50, epochs=2, eval_split="validation", latency_samples=0
)
BEST = {"relu": 1e-3, "tanh": 1e-2}  # of three rates


def plans(seeds=2, **options):
    chosen = SimpleNamespace(activations="relu,tanh", seeds=seeds, rate_seeds=1, **options)
    return {
        "swept": grid.plan_of(CONFIG, chosen, (1e-3, 3e-3, 1e-2), 0.2),
        "single": grid.plan_of(CONFIG, chosen, (3e-3,), 0.2),
    }


def error(config):
    return 5 + abs(math.log(config.learning_rate / BEST[config.activation])) + 0.1 * config.seed


def test_each_activation_has_its_own_rate_alone_and_cells_are_paired(tmp_path, monkeypatch):
    train = Planted(monkeypatch, error)
    made = grid.make(tmp_path, plans())
    swept, single = made["swept"], made["single"]
    assert {spec: swept.rate(grid.own(swept), spec) for spec in BEST} == BEST
    shown = [(c.learning_rate, c.activation) for c in train.calls if c.seed > 0]
    assert {pair for pair in shown if pair[0] != 3e-3} == {(1e-3, "relu"), (1e-2, "tanh")}
    assert len(train.calls) == 3 * 2 + 2 * 2 + 2 * 2  # choosing, shown, and shown at one rate
    for study in made.values():
        assert [*study.plan.shown_seeds] == [1, 2]
        assert study.workloads() == [grid.own(study)]
    errors = grid.by_seed(swept, measures.error_percent)
    assert errors["tanh"] == pytest.approx([5.1, 5.2])
    more = math.log(10) / 2
    other = grid.by_seed(single, measures.error_percent)
    assert grid.over_activations(other) == pytest.approx([5.1 + more, 5.2 + more])
    assert studies.load(tmp_path / "swept") == swept


def test_cells_grow_seed_by_seed_each_the_first_once(tmp_path, monkeypatch):
    train = Planted(monkeypatch, error)
    grid.make(tmp_path, {name: plans()["single"] for name in ("a", "b")})
    assert [config.seed for config in train.calls] == [1, 1, 1, 1, 2, 2, 2, 2]
    folders = sorted(
        tmp_path.glob("*/*/seed2/summary.json"), key=lambda path: path.stat().st_mtime_ns
    )
    assert [path.parts[-4] for path in folders] == ["b", "b", "a", "a"]


def test_what_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    train = Planted(monkeypatch, error, stop_after=5)
    with pytest.raises(Interrupted, match=r"stopped by SIGTERM after 5 of 14 runs; .*--workdir"):
        grid.make(tmp_path, plans())
    train.stop_after = -1
    made = grid.make(tmp_path, plans())
    assert len(train.calls) == 14
    assert all(study.with_status("done") == [*study.runs] for study in made.values())
    assert grid.make(tmp_path, plans())["swept"] == made["swept"]
    assert len(train.calls) == 14
    assert "swept: 5/14" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ({"seeds": 2}, {"seeds": 1}, "seeds (2 there, 1 now)"),
        ({"epochs": 2}, {"train_examples": 90}, "config.train_examples (100 there, 90 now)"),
        (
            {},
            {"batch_size": 101},
            "a: batch_size=101 must be at most the number of training images, 100",
        ),
    ],
)
def test_what_cannot_go_on_is_one_line_before_any_run(first, then, said, tmp_path, monkeypatch):
    train = Planted(monkeypatch, error)

    def make(seeds=1, **fields):
        chosen = SimpleNamespace(activations="relu", seeds=seeds, rate_seeds=1)
        config = grid.dataclasses.replace(CONFIG, **fields)
        grid.make(tmp_path, {"a": grid.plan_of(config, chosen, (1e-3,), 0.2)})

    if first:
        make(**first)
    made = len(train.calls)
    with pytest.raises(ConfigError) as caught:
        make(**then)
    assert said in str(caught.value)
    assert len(train.calls) == made


def test_a_run_that_diverged_is_an_infinite_error_and_one_that_failed_ends_it(
    tmp_path, monkeypatch
):
    Planted(monkeypatch, lambda config: math.nan if config.activation == "tanh" else 5.0)
    made = grid.make(tmp_path / "x", plans())
    assert grid.by_seed(made["single"], measures.error_percent)["tanh"] == [math.inf, math.inf]

    def fail(config):
        raise OSError("the disk was full")

    Planted(monkeypatch, fail)
    with pytest.raises(RunsFailed, match="OSError: the disk was full"):
        grid.make(tmp_path / "y", plans())


@pytest.mark.parametrize("is_marked", [False, True])
def test_one_run_beside_other_work_hides_the_seconds_of_all_cells(is_marked, tmp_path, monkeypatch):
    train = Planted(monkeypatch, error)
    chosen = plans()
    grid.make(tmp_path, {"swept": chosen["swept"]})
    train.environment = {"shared_machine": is_marked}
    drawn, notes = grid.without_marked_seconds(grid.make(tmp_path, chosen))
    assert bool(notes) is is_marked
    seconds = grid.by_seed(drawn["swept"], measures.train_seconds)["relu"]
    assert all(map(math.isnan, seconds)) is is_marked
