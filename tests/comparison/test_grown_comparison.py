"""A comparison that chooses its rates and adds its seeds, from the command to its files."""

import contextlib
import json
import os
import signal

import pytest

from jaxact import statistics
from jaxact.comparison import compare, growth, study as studies
from jaxact.comparison.analysis import verdicts
from jaxact.comparison.output import files
from jaxact.runs import fit
from jaxact.statistics import estimates
from tests.support import tiny
from tests.support.experiments import Planted


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """Runs are not trained; tanh is the better one at the higher rate."""
    better = {("tanh", 0.1): 4.0}
    rate_of = lambda config: (config.activation, config.learning_rate)  # noqa: E731
    return Planted(monkeypatch, lambda config: better.get(rate_of(config), 5.0))


@pytest.fixture(autouse=True)
def tables_alone(monkeypatch):
    """Figures and report are drawn in other tests."""

    def write(study, workdir, pdf):
        files.write_tables(study, workdir)
        return []

    monkeypatch.setattr(files, "write_all", write)
    monkeypatch.setattr(estimates, "RESAMPLES", 0)
    monkeypatch.setattr(statistics, "MIN_PAIRS", 2)  # from which seeds are added


@pytest.fixture
def one_question(monkeypatch):
    """An activation is undecided at the first look, whatever it is."""
    asked = []

    def undecided(study, workload):
        asked.append(study.plan.seeds)
        return ["tanh"] if len(set(asked)) < 2 else []

    monkeypatch.setattr(verdicts, "undecided", undecided)
    return asked


def run(workdir, *words):
    fields = tiny.words(epochs=1, learning_rate=0.01, test_examples=40, health_examples=0)
    return compare.COMMAND.run(
        compare.compare, [*fields, "--activations=relu,tanh", f"--workdir={workdir}", *words]
    )


def test_rates_are_chosen_then_seeds_added_and_what_was_looked_at_stays_so(
    tmp_path, one_question, monkeypatch, capsys
):
    words = ("--learning_rates=0.01,0.1", "--until=decided", "--max_seeds=9", "--seeds=1")
    assert run(tmp_path, *words) == 0
    printed = capsys.readouterr().out
    study = studies.load(tmp_path)
    assert study.plan.seeds == 3  # from the fewest that are tested, one more
    assert sorted(set(one_question)) == [2, 3]
    assert study.plan.config.eval_split == "validation"
    assert study.plan.own_rates == ((0, "relu", 0.01), (0, "tanh", 0.1))
    seeds = {(r.activation, r.learning_rate): 0 for r in study.runs}
    for made in study.runs:
        seeds[made.activation, made.learning_rate] += 1
    assert {seeds[spec, 0.01] for spec in ("relu", "tanh")} == {1 + 3}
    assert (seeds["relu", 0.1], seeds["tanh", 0.1]) == (1, 1 + 3)
    assert "each at its own learning rate, 3 seeds, added until decided" in " ".join(
        printed.split()
    )
    assert "chosen by its validation error" in " ".join(printed.split())
    table = json.loads((tmp_path / "table.json").read_text())
    assert [w["learning_rate"] for w in table["workloads"]] == [0.01, None]
    # given again, and without --until: nothing is made, and the tests are those for looking
    monkeypatch.setattr(fit, "fit", lambda *a, **k: pytest.fail("a finished run is made again"))
    assert run(tmp_path, *words) == 0
    assert run(tmp_path, "--learning_rates=0.01,0.1", "--seeds=2") == 0
    assert studies.load(tmp_path).plan == study.plan


def test_what_stays_open_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "undecided", lambda study, workload: ["tanh"])
    assert run(tmp_path, "--until=decided", "--seeds=1", "--max_seeds=2") == 0
    assert "undecided after 2 seeds: tanh" in capsys.readouterr().out
    assert growth.grown(studies.load(tmp_path), 2) is None
    # without --until no seeds are added, though what was looked at stays so
    assert run(tmp_path, "--seeds=1") == 0
    assert studies.load(tmp_path).plan.seeds == 2


@pytest.fixture
def stopping(monkeypatch):
    """Stops a comparison, while it is entered, when all runs that it began with are made."""

    @contextlib.contextmanager
    def entered():
        made = compare.make_runs

        def and_stop(*words):
            study = made(*words)
            os.kill(os.getpid(), signal.SIGINT)
            return study

        with monkeypatch.context() as patch:
            patch.setattr(compare, "make_runs", and_stop)
            yield

    return entered


def test_what_is_stopped_is_not_called_undecided(tmp_path, stopping, monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "undecided", lambda study, workload: ["tanh"])
    with stopping():
        assert run(tmp_path, "--until=decided", "--seeds=1") == 75
    assert "undecided after" not in capsys.readouterr().out


def test_a_comparison_stopped_before_it_grows_is_not_at_its_end(tmp_path, stopping, capsys):
    words = ("--learning_rates=0.01,0.1", "--seeds=1")
    with stopping():
        assert run(tmp_path, *words) == 75
    assert "after 6 of 6 runs so far; to go on, give the same command" in capsys.readouterr().err
    assert not studies.load(tmp_path).plan.own_rates
    assert run(tmp_path, *words) == 0
    assert len(studies.load(tmp_path).plan.own_rates) == 2
