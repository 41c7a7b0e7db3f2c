"""What the experiment reads off its runs, on planted ones; and that its runs are jaxact's own."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import headlines
from experiments.regularization import experiment, figures, runs, uncertainty
from jaxact.runs import fit
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare
from tests.support import tiny
from tests.support.experiments import drawn, perform

LABELS = list(experiment.variants(experiment.COMMAND.parse([])))
SMALL = {"train_examples": 64, "test_examples": 30, "batch_size": 32, "epochs": 3}
TINY = dataclasses.replace(
    tiny.TINY, eval_split="validation", learning_rate=3e-3, health_examples=0, **SMALL
)


def weights(*values):
    return {"params": {"Dense_0": {"kernel": jnp.array(values), "bias": jnp.zeros(9)}}}


def planted(test_errors, best_epoch=2, test_losses=(0.9, 0.3, 0.6)):
    """A run of three epochs."""
    rows = [
        {
            "epoch": k + 1,
            **{f"{split}_loss": test_losses[k] for split in runs.SPLITS},
            "train_error": 0.0,
            "validation_error": 0.1,
            "test_error": test_errors[k],
        }
        for k in range(3)
    ]
    return runs.Learned(rows, weights(0.5, 0.0, -1e-3, 2.0), weights(0.5, 1.0), best_epoch)


def test_a_weight_near_zero_is_one_of_a_kernel_on_either_side():
    assert runs.near_zero_share(weights(0.5, 0.0, -1e-3, 2.0)["params"]) == 0.5


def test_what_a_run_ends_in_is_of_its_last_epoch_or_where_it_is_stopped():
    of_label = [planted([0.5, 0.1, 0.2]), planted([0.5, 0.3, 0.4])]
    last = experiment.ends(of_label)
    assert last["test error (%)"] == pytest.approx([20, 40])
    assert last["gap (points)"] == pytest.approx([20, 40])
    assert last["test loss / its lowest"] == pytest.approx([2, 2])
    assert last["weights near 0 (%)"] == [50, 50]
    stopped = experiment.ends(of_label, stopped=True)
    assert stopped["test error (%)"] == pytest.approx([10, 30])
    assert stopped["test loss / its lowest"] == [1, 1]
    assert stopped["weights near 0 (%)"] == [0, 0]
    assert stopped["epoch"] == [2, 2]
    row = experiment.as_row("L1", stopped, last)
    assert row["test error - none"] == pytest.approx((-10, -10, -10))


def table(**last_errors):
    """Ends of two runs by label; the second seed's errors are higher by 0.1."""
    made = {
        label: [planted([0.9, 0.9, error]), planted([0.9, 0.9, error + 0.1])]
        for label, error in last_errors.items()
    }
    ends = {label: experiment.ends(of_label) for label, of_label in made.items()}
    return ends | {experiment.STOPPED: experiment.ends(made["none"], stopped=True)}


def test_the_answer_says_which_remedies_help_in_every_seed():
    found = " ".join(experiment.what_was_found(table(none=0.3, L1=0.1, L2=0.35)))
    assert (
        "in every seed with L1; in none with L2, early stopping; lowest with L1 (15.0 %)" in found
    )
    assert "test error at 35.0 %, at a test loss 2.00 times its lowest" in found


def test_the_answer_admits_that_nothing_helps():
    found = " ".join(experiment.what_was_found(table(none=0.1, L1=0.2, L2=0.3)))
    assert "lower in every seed with none of them; in none with L1, L2, early stopping" in found


@pytest.mark.parametrize(
    ("unknown", "expected"), [((3, 4), 1.0), ((-1, -2), 0.0), ((0, 1, 2), 0.5), ((1, 1), 0.5)]
)
def test_separation_is_the_probability_of_the_greater_value(unknown, expected):
    assert uncertainty.separation(np.array([0.0, 1.0, 2.0]), np.array(unknown, float)) == expected


def test_a_run_is_the_one_that_the_command_makes(tmp_path):
    config = dataclasses.replace(TINY, l2=1e-3, dropout="elements", epochs=5)
    learned = runs.learn(prepare(config), patience_epochs=2)
    stopping = dataclasses.replace(config, early_stopping_epochs=2)
    summary = fit.fit(stopping, tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / record_files.METRICS)
    for mine, row in zip(learned.rows, rows, strict=False):
        assert mine["validation_loss"] == pytest.approx(row["validation_loss"], rel=1e-5)
    assert learned.best_epoch == summary["best_epoch"]
    at_best = learned.rows[learned.best_epoch - 1]
    assert at_best["test_loss"] == pytest.approx(summary["test_loss"], rel=1e-5)
    assert at_best["test_error"] == pytest.approx(summary["error_percent"] / 100)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_labels_are_made_wrong_but_for_the_test_set(share):
    setup = prepare(TINY)
    spoilt = runs.with_wrong_labels(setup, share)
    batches = (
        (spoilt.train, setup.train),
        (spoilt.evaluations["validation"], setup.evaluations["validation"]),
    )
    for wrong, right in batches:
        real = np.asarray(right.labels) >= 0
        changed = np.asarray(wrong.labels) != np.asarray(right.labels)
        assert changed.sum() == round(share * real.sum())
        assert not changed[~real].any()
        assert set(np.unique(wrong.labels)) <= set(range(-1, 10))
    np.testing.assert_array_equal(
        spoilt.evaluations["test"].labels, setup.evaluations["test"].labels
    )


def test_a_network_without_dropout_has_no_uncertainty():
    setup = prepare(dataclasses.replace(TINY, dropout_rate=0.0, epochs=1))
    run = runs.learn(setup, patience_epochs=1)
    found = uncertainty.ask(setup, run, masks=3)
    assert list(found) == ["seen kind", uncertainty.TURNED, "noise"]
    for kind in found.values():
        assert kind.spreads.shape == kind.unsure.shape == (30,)
        np.testing.assert_array_equal(kind.spreads, 0)
        assert kind.accuracy[0] == kind.accuracy[1]
        assert (kind.unsure <= 0.9).all()
    assert 1 - found["seen kind"].accuracy[0] == pytest.approx(run.rows[-1]["test_error"])
    told = uncertainty.summarize([found])
    assert set(told["AUROC, spread"].values()) == {0.5}


def test_every_way_to_train_has_a_panel():
    of_label = [
        {"rows": run.rows, "best_epoch": run.best_epoch}
        for run in (planted([0.5, 0.1, 0.2]), planted([0.5, 0.3, 0.4], best_epoch=1))
    ]
    panels = [figures.Panel(label, "loss (nats)", of_label) for label in LABELS]
    figure = figures.losses(panels, {label: [1.0, 2.0] for label in [*LABELS, "stopped"]})
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    assert titles[:-1] == LABELS
    for ax in figure.axes[: len(LABELS)]:
        marked = ax.lines[-1]
        np.testing.assert_array_equal(marked.get_xdata(), [2, 1])
        np.testing.assert_array_equal(marked.get_ydata(), [0.3, 0.9])


def test_each_means_changes_what_it_is_called():
    changes = experiment.variants(experiment.COMMAND.parse([]))
    assert changes["none"] == {}
    assert changes["elastic net"] == changes["L1"] | changes["L2"] == {"l1": 3e-4, "l2": 3e-3}
    assert changes["weight decay"] == {"weight_decay": 1.0}
    assert changes["hinge loss"] == {"loss": "hinge"}
    for form in ("channels", "elements"):
        assert changes[f"dropout, {form}"] == {"dropout": form, "dropout_rate": 0.5}


def test_each_means_has_its_runs(monkeypatch):
    monkeypatch.setattr(experiment, "FORMS", ("channels",))  # elements: in the run above
    kept = ("none", "L2", "L1", "dropout, channels")
    changes = experiment.variants(experiment.COMMAND.parse([]))
    changes = {label: changes[label] for label in kept} | {"L2": {}}  # by the program of none
    monkeypatch.setattr(experiment, "variants", lambda options: changes)
    words = ["--model=thin_cnn", "--train_examples=64", "--test_examples=30", "--epochs=2"]
    outcome = perform(experiment, *words, "--seeds=1", "--masks=2")
    labels = [row["against overfitting"] for row in outcome.rows]
    assert labels == [*kept, "early stopping"]
    assert len(outcome.details["runs"]["L1"][0]["rows"]) == 2
    assert set(outcome.details["monte_carlo"]) == {"channels"}
    assert "Monte Carlo dropout of channels" in outcome.answer
    told = {name: headlines.told(figure) for name, figure in drawn(experiment, outcome).items()}
    assert set(told) == {"overfitting", "monte_carlo"}
    assert "of 2 cases" in told["monte_carlo"]


def test_the_headline_says_what_tests_and_every_seed_show():
    none = [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]
    better, mixed = [value - 5 for value in none], [value + (-1) ** int(value) for value in none]
    told = figures.headline({"none": none, "L2": better, "L1": mixed})
    assert told == "Lower error than none: L2; lower in every seed: L2"
    few = figures.headline({label: of[:3] for label, of in {"none": none, "L2": better}.items()})
    assert few.startswith("Not decided: no difference from none is significant on 3 seeds")
