"""The search: halving of planted accuracies, its budget, restarts and failures; a true run."""

import dataclasses
import json
import sys
import types

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import headlines
from experiments.search import (
    command,
    composition_sampler,
    confirmation,
    experiment,
    findings,
    halving,
)
from experiments.search.confirmation import Final
from experiments.search.experiment import Settings
from experiments.search.halving import CUT, FAILED, PRUNED, Trained, Tried
from jaxact import activations
from jaxact.activations import ActivationError
from jaxact.config import Config
from jaxact.errors import ConfigError, DataError, Interrupted, NonFiniteLossError, WorkdirError
from jaxact.runs import fit
from jaxact.runs.records import lock, record_files
from tests.support.experiments import drawn

NAMES = ["relu", "tanh", "sigmoid", "gelu", "elu", "mish", "softplus", "selu", "lisht", "snake"]
# What each is worth in the end; curves do not cross.
WORTH = dict(zip(NAMES, (0.80, 0.70, 0.60, 0.90, 0.85, 0.95, 0.5, 0.75, 0.4, 0.65), strict=True))


class Planted:
    """Stands for training: `seconds` an epoch on a clock of its own, a planted curve for a spec."""

    def __init__(self, worth=WORTH, seconds=1.0, failing=None, stop_after=None):
        self.worth, self.seconds = worth, seconds
        self.failing = failing or {}
        self.stop_after = stop_after
        self.calls: list[tuple[str, int, int]] = []
        self.done: dict[tuple[str, int], int] = {}
        self.now = 0.0

    def clock(self):
        return self.now

    def __call__(self, spec, epochs, seed):
        if self.stop_after is not None and len(self.calls) >= self.stop_after:
            raise Interrupted("stopped by SIGTERM")
        self.calls.append((spec, epochs, seed))
        self.now += self.seconds * (epochs - self.done.get((spec, seed), 0))
        self.done[spec, seed] = epochs
        if spec in self.failing:
            raise self.failing[spec]
        luck = 0.001 * np.random.default_rng([seed, len(spec)]).normal()
        curve = [self.worth.get(spec, 0.3) * (1 - 0.5**k) + luck for k in range(1, epochs + 1)]
        return Trained(curve, curve[-1] - 0.01)


def settings(**changes):
    start = Settings(
        specs=NAMES, pairs=0, rungs=[1, 3, 9], factor=3, finalists=3, seeds=5, seconds=1e9
    )
    return start._replace(**changes)


def run(workdir, train, monkeypatch, config=None, **changes):
    monkeypatch.setattr(experiment.time, "perf_counter", train.clock)
    return experiment.perform(config or Config(), settings(**changes), workdir, train)


def of_search(train):
    return [call for call in train.calls if call[2] == halving.SEARCH_SEED]


def test_halving_finds_the_best_for_a_part_of_the_price(tmp_path, monkeypatch):
    train = Planted()
    outcome = run(tmp_path, train, monkeypatch)
    assert outcome.details["winner"] == "mish"
    assert set(outcome.details["finals"]) == {"mish", "gelu", "elu", "relu"}
    epochs = sum(
        max(e for s, e, _ in of_search(train) if s == spec) for spec in {c[0] for c in train.calls}
    )
    assert epochs < 0.6 * 9 * len(NAMES)
    by_name = {c["activation"]: c for c in outcome.details["candidates"]}
    assert by_name["lisht"]["ended"] == PRUNED
    assert list(by_name["lisht"]["by_rung"]) == ["1"]
    assert list(by_name["mish"]["by_rung"]) == ["1", "3", "9"]
    assert "mish has the best validation accuracy" in outcome.answer
    assert outcome.rows[0]["activation"] == "mish"
    assert outcome.rows[0]["finals"] == "5/5"
    (figure,) = drawn(experiment, outcome).values()
    assert headlines.told(figure).startswith("Not decided: mish leads the finals, and relu by +")
    climb, finals = figure.axes
    assert finals.get_yticklabels()[0].get_text().startswith("mish\np = ")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {*names} == {"mish", "gelu", "elu", "relu (baseline)"}
    colors = {line.get_color() for line in climb.lines if line.get_linewidth() > 1}
    assert len(colors) == len(names)


@pytest.mark.parametrize("order", [NAMES[::-1], sorted(NAMES)])
def test_the_order_of_candidates_does_not_hide_the_best(order, tmp_path, monkeypatch):
    outcome = run(
        tmp_path, Planted(), monkeypatch, specs=["relu", *(n for n in order if n != "relu")]
    )
    assert outcome.details["winner"] == "mish"


def test_a_search_goes_on_with_the_function_and_the_seed_that_it_began_with(tmp_path, monkeypatch):
    def begin(slope, **fields):
        module = types.SimpleNamespace(act=lambda x: jnp.maximum(x, slope * x))
        monkeypatch.setitem(sys.modules, "mine_searched", module)
        specs, config = ["relu", "mine_searched:act"], Config(**fields)
        return run(tmp_path, Planted(), monkeypatch, config, specs=specs, seeds=1)

    assert set(begin(0.1).details["finals"]["relu"]) == {"1"}
    begin(0.1)
    with pytest.raises(ConfigError, match=r"mine_searched:act has changed .*its values differ"):
        begin(0.2)
    with pytest.raises(ConfigError, match=r"another configuration: seed \(0 there, 7 now\)"):
        begin(0.1, seed=7)


def test_the_runs_of_a_search_have_the_seeds_from_the_configurations_on(tmp_path, monkeypatch):
    trained = []

    def fit_one(run, folder, **_):
        trained.append((run.seed, folder.name))
        folder.mkdir(parents=True)
        record_files.append_row(folder / record_files.METRICS, {"validation_accuracy": 0.5})
        return {"test_accuracy": 0.5}

    monkeypatch.setattr(fit, "fit", fit_one)
    few = settings(specs=["relu"], rungs=[1], seeds=1)
    outcome = experiment.perform(Config(seed=7), few, tmp_path)
    assert trained == [(7, "seed7"), (8, "seed8")]
    assert list(outcome.details["finals"]["relu"]) == ["8"]


@pytest.mark.parametrize("factor", [-1, 0, 1])  # with which rungs would never end
def test_a_factor_that_does_not_grow_is_refused(factor):
    with pytest.raises(ConfigError, match=f"--reduction_factor={factor}"):
        command.COMMAND.parse([f"--reduction_factor={factor}"])


def test_rungs_go_on_and_finals_have_seeds_of_their_own(tmp_path, monkeypatch):
    train = Planted()
    run(tmp_path, train, monkeypatch, seeds=2)
    assert [c for c in train.calls if c[0] == "mish"] == [
        ("mish", 1, 0),
        ("mish", 3, 0),
        ("mish", 9, 0),
        ("mish", 9, 1),
        ("mish", 9, 2),
    ]


@pytest.mark.parametrize("seconds", [30, 60, 120])
def test_the_budget_is_kept_and_what_was_cut_is_said(seconds, tmp_path, monkeypatch):
    train = Planted()
    outcome = run(tmp_path, train, monkeypatch, seconds=seconds)
    first_trial = 9  # the baseline is measured before anything can be foreseen
    assert train.now <= max(seconds, first_trial)
    assert "Out of time" in outcome.answer
    assert outcome.details["spent_seconds"] == train.now
    names = {c["activation"] for c in outcome.details["candidates"]}
    assert set(outcome.details["not_tried"]) == set(NAMES) - names
    (figure,) = drawn(experiment, outcome).values()
    assert "proves nothing" in headlines.told(figure) or outcome.details["finals"]
    if left := outcome.details["not_tried"]:
        assert f"{len(left)} candidates were not tried ({left[0]}" in outcome.answer


def test_pairs_of_the_finals_are_whole_when_time_runs_out(tmp_path, monkeypatch):
    outcome = run(tmp_path, Planted(), monkeypatch, seconds=130)
    made = {spec: sorted(runs) for spec, runs in outcome.details["finals"].items()}
    assert len(made) == 4
    assert len({tuple(seeds) for seeds in made.values()}) == 1
    assert 0 < len(made["relu"]) < 5
    assert "too few to test" in outcome.answer


def test_a_larger_budget_goes_on_without_repeating(tmp_path, monkeypatch):
    first = Planted()
    run(tmp_path, first, monkeypatch, seconds=40)
    again = Planted()
    again.done = dict(first.done)
    run(tmp_path, again, monkeypatch, seconds=40)
    assert not again.calls
    more = Planted()
    more.done = dict(first.done)
    outcome = run(tmp_path, more, monkeypatch)
    assert not set(more.calls) & set(first.calls)
    assert outcome.details["winner"] == "mish"
    assert not outcome.details["not_tried"]


@pytest.mark.parametrize("after", [0, 2, 5, 20])
def test_a_search_that_was_stopped_ends_as_one_that_was_not(after, tmp_path, monkeypatch):
    whole = Planted()
    wanted = run(tmp_path / "whole", whole, monkeypatch)
    first = Planted(stop_after=after)
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", first, monkeypatch)
    second = Planted()
    second.done = dict(first.done)
    outcome = run(tmp_path / "parts", second, monkeypatch)
    assert first.calls + second.calls == whole.calls
    assert outcome.answer == wanted.answer
    assert outcome.rows == wanted.rows


def test_failures_are_no_end(tmp_path, monkeypatch):
    failing = {
        "gelu": NonFiniteLossError("the loss became NaN; lower the rate"),
        "elu": ZeroDivisionError("by\nzero"),
        "tanh": ActivationError("tanh: no"),
    }
    train = Planted(failing=failing)
    outcome = run(tmp_path, train, monkeypatch)
    assert outcome.details["winner"] == "mish"
    by_name = {c["activation"]: c for c in outcome.details["candidates"]}
    assert {name for name, c in by_name.items() if c["ended"] == FAILED} == set(failing)
    assert by_name["elu"]["note"] == "ZeroDivisionError: by"
    assert "3 failed" in outcome.answer
    again = Planted(failing=failing)
    run(tmp_path, again, monkeypatch)
    assert not again.calls


def test_a_finalist_that_fails_cannot_win(tmp_path, monkeypatch):
    train = Planted()

    def fails_later(spec, epochs, seed):
        if (spec, seed) == ("mish", 3):
            raise NonFiniteLossError("NaN")
        return train(spec, epochs, seed)

    monkeypatch.setattr(experiment.time, "perf_counter", train.clock)
    outcome = experiment.perform(Config(), settings(), tmp_path, fails_later)
    assert outcome.details["winner"] == "gelu"
    mish = next(row for row in outcome.rows if row["activation"] == "mish")
    assert mish["finals"] == "4/5"


@pytest.mark.parametrize("error", [DataError("no data"), ConfigError("no"), WorkdirError("full")])
def test_what_is_wrong_with_all_runs_ends_the_search(error, tmp_path, monkeypatch):
    with pytest.raises(type(error)):
        run(tmp_path, Planted(failing={"relu": error}), monkeypatch)


def test_another_question_is_refused_and_more_candidates_are_not(tmp_path, monkeypatch):
    run(tmp_path, Planted(), monkeypatch, specs=NAMES[:3])
    other = dataclasses.replace(Config(), learning_rate=0.5)
    with pytest.raises(ConfigError, match=r"learning_rate \(0.001 there, 0.5 now\)"):
        run(tmp_path, Planted(), monkeypatch, config=other)
    with pytest.raises(ConfigError, match="rungs"):
        run(tmp_path, Planted(), monkeypatch, rungs=[1, 3])
    train = Planted()
    outcome = run(tmp_path, train, monkeypatch)
    assert outcome.details["winner"] == "mish"
    assert {spec for spec, _, seed in train.calls if seed == 0} == set(NAMES[3:])


def test_one_process_a_folder(tmp_path, monkeypatch):
    with lock.held(tmp_path), pytest.raises(WorkdirError, match="in use"):
        run(tmp_path, Planted(), monkeypatch)


def test_pairs_are_proposed_each_once_and_can_be_used(tmp_path, monkeypatch):
    train = Planted()
    run(tmp_path, train, monkeypatch, specs=NAMES[:3], pairs=6, seeds=1)
    pairs = {spec for spec, _, _ in train.calls if ":" in spec}
    assert len(pairs) == 6
    for spec in pairs:
        assert activations.get(spec).spec == spec
        value = activations.get(spec)(np.linspace(-2, 2, 5, dtype=np.float32))
        assert value.shape == (5,)
    more = Planted()
    more.done = dict(train.done)
    run(tmp_path, more, monkeypatch, specs=NAMES[:3], pairs=8, seeds=1)
    new = {spec for spec, _, seed in more.calls if ":" in spec and seed == 0}
    assert len(new) == 2
    assert not new & pairs


def test_a_pair_can_win(tmp_path, monkeypatch):
    train = Planted(worth={"relu": 0.1, "tanh": 0.2})  # any pair is worth 0.3
    outcome = run(tmp_path, train, monkeypatch, specs=["relu", "tanh"], pairs=4, seeds=2)
    assert outcome.details["winner"].startswith("jaxact.activations.pairs:")


def test_pairs_that_are_nothing_new_are_left_out():
    assert composition_sampler.is_plain("chain", "identity", "tanh")
    assert composition_sampler.is_plain("total", "tanh", "tanh")
    assert not composition_sampler.is_plain("product", "identity", "sigmoid")
    assert composition_sampler.pair_spec("total", "tanh", "relu") == composition_sampler.pair_spec(
        "total", "relu", "tanh"
    )
    assert composition_sampler.pair_spec("chain", "tanh", "relu") != composition_sampler.pair_spec(
        "chain", "relu", "tanh"
    )
    assert "prelu" not in composition_sampler.parts()
    assert "softmax" not in composition_sampler.parts()


def tried(name, ended, **by_rung):
    rungs = {int(key[1:]): value for key, value in by_rung.items()}
    return Tried(name, list(rungs.values()), rungs, ended, "")


def test_ranking_puts_who_got_farther_first():
    candidates = [
        tried("tanh", PRUNED, e1=0.9),
        tried("relu", "complete", e1=0.2, e3=0.3),
        tried("gelu", CUT, e1=0.3, e3=0.4),
        tried("elu", FAILED, e1=0.99, e3=0.99),
        tried("mish", CUT),
    ]
    assert halving.ranking(candidates) == ["gelu", "relu", "tanh"]
    assert confirmation.choose(candidates, 1) == ["gelu", "relu"]
    assert confirmation.choose(candidates[:1], 3) == ["tanh", "relu"]


def finals_of(**differences):
    base = [0.50, 0.52, 0.49, 0.51, 0.50, 0.53]
    return {
        spec: {k: Final(0.6 + d / 2, base[k] + d) for k, d in enumerate(values)}
        for spec, values in {"relu": [0.0] * 6, **differences}.items()
    }


def test_the_winner_is_the_best_on_validation_images():
    """The best on average, not in its best seed."""
    validation = {"relu": (0.6, 0.6), "gelu": (0.7, 0.7), "elu": (0.5, 0.8)}
    tested = {"relu": 0.5, "gelu": 0.4, "elu": 0.9}
    runs = {spec: [Final(v, tested[spec]) for v in seeds] for spec, seeds in validation.items()}
    assert confirmation.winner({spec: dict(enumerate(of)) for spec, of in runs.items()}) == "gelu"


def test_the_verdict_tells_a_difference_from_chance():
    sure = findings.verdict([], finals_of(gelu=[0.04, 0.05, 0.045, 0.042, 0.05, 0.047]))
    assert "gelu" in sure
    assert "+4.57" in sure
    assert "p = 0.031, a difference" in sure
    chance = findings.verdict([], finals_of(gelu=[0.04, -0.03, 0.01, -0.02, 0.03, -0.01]))
    assert "which may be chance" in chance
    beaten = findings.verdict([], finals_of(gelu=[-0.1] * 6))
    assert beaten.startswith("relu was not beaten")
    ahead = findings.verdict([tried("tanh", CUT, e1=0.4), tried("elu", CUT, e1=0.5)], {})
    assert "elu is ahead in the search, which proves nothing" in ahead


def test_finalists_are_corrected_for_each_other():
    alone = confirmation.against_baseline(finals_of(gelu=[0.04, 0.05, 0.045, 0.042, 0.05, 0.047]))
    three = confirmation.against_baseline(
        finals_of(
            gelu=[0.04, 0.05, 0.045, 0.042, 0.05, 0.047],
            elu=[0.01, -0.01, 0.02, -0.02, 0.03, -0.03],
            mish=[0.02, -0.01, 0.02, -0.02, 0.01, -0.03],
        )
    )
    assert three["gelu"].corrected_p_value == pytest.approx(3 * alone["gelu"].corrected_p_value)


def test_rungs_end_within_the_configuration():
    assert experiment.rungs_of(1, 3, 20) == [1, 3, 9]
    assert experiment.rungs_of(2, 2, 8) == [2, 4, 8]
    assert experiment.rungs_of(5, 3, 5) == [5]
    with pytest.raises(ConfigError, match="which is 5"):
        experiment.rungs_of(6, 3, 5)


def test_candidates_are_all_elementwise_functions_and_relu_comes_first():
    specs = experiment.candidates_of(None, 0)
    assert specs[0] == "relu"
    assert "softmax" not in specs
    assert {"gelu", "prelu", "tanh"} <= set(specs)
    assert len(set(specs)) == len(specs)
    assert specs == experiment.candidates_of(None, 0) != experiment.candidates_of(None, 1)
    assert experiment.candidates_of("tanh,gelu", 0)[0] == "relu"
    with pytest.raises(ConfigError, match="did you mean"):
        experiment.candidates_of("tanhh", 0)


def test_without_optuna_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match="pip install optuna"):
        run(tmp_path / "x", Planted(), monkeypatch)
    assert not (tmp_path / "x").exists()


def test_a_true_search_trains_in_rungs_and_ends_the_same_when_given_again(
    tiny, tmp_path, monkeypatch
):
    spec = "jaxact.activations.pairs:product(left='identity', right='tanh')"
    few = settings(specs=["relu", spec], rungs=[1, 2], factor=2, finalists=1, seeds=1)
    outcome = experiment.perform(tiny, few, tmp_path)
    assert set(outcome.details["finals"]) == {"relu", spec}
    relu = outcome.details["candidates"][0]
    assert len(relu["accuracies"]) == 2
    config = json.loads((tmp_path / "runs" / "relu" / "seed0" / "config.json").read_text())
    assert config["eval_split"] == "validation"
    monkeypatch.setattr(fit, "fit", None)  # nothing is trained again
    assert experiment.perform(tiny, few, tmp_path).answer == outcome.answer


def test_a_planned_learning_rate_starts_each_rung_anew(tiny, tmp_path, monkeypatch):
    seen = []

    def untrained(config, workdir, **_):
        seen.append(workdir.name)
        raise NonFiniteLossError("not to be trained here")

    monkeypatch.setattr(fit, "fit", untrained)
    for schedule in ("constant", "cosine"):
        config = dataclasses.replace(tiny, learning_rate_schedule=schedule)
        train = experiment.fit_in(tmp_path, config, 9, experiment.StopRequest())
        for epochs in (1, 3):
            with pytest.raises(NonFiniteLossError):
                train("relu", epochs, 0)
    assert seen == ["seed0", "seed0", "seed0-1-epochs", "seed0-3-epochs"]


def test_the_command_says_what_it_takes(tmp_path, capsys):
    words = [f"--workdir={tmp_path / 'x'}", "--first_epochs=30"]
    assert command.COMMAND.run(command.search, words) == 2
    said = "jaxact: --first_epochs=30 must be at most config.epochs, which is 20\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "x").exists()


def test_the_headline_decides_nothing_that_no_test_does():
    runs = {seed: Final(0.9, 0.9 + seed / 1000) for seed in range(1, 9)}
    better = {seed: Final(0.95, 0.92 + seed / 1000) for seed in runs}
    sure = findings.headline([], {"mish": better, "relu": runs})
    assert sure.startswith("mish is better than relu by +2.00")
    few = {"mish": dict([*better.items()][:3]), "relu": dict([*runs.items()][:3])}
    assert findings.headline([], few).endswith("(too few seeds to test)")
    assert "not beaten" in findings.headline([], {"mish": runs, "relu": better})
