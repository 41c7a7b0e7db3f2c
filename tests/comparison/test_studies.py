"""The made-up studies have the shape of real ones."""

from jaxact.runs.process import environment
from tests.support.studies import TARGET, synthetic_study


def test_reached_means_that_a_row_is_at_the_target():
    for run in synthetic_study(seeds=2, epochs=12).runs:
        at_target = [row["epoch"] for row in run.metrics if row["test_accuracy"] >= TARGET]
        assert run.summary["epoch_to_target"] == (at_target[0] if at_target else None)
        assert run.summary["reached_target"] == (run.activation != "tanh")


def test_a_validation_split_leaves_the_test_set_to_the_end():
    (run,) = synthetic_study(1, 1, 3, eval_split="validation").runs
    assert [row["test_accuracy"] is None for row in run.metrics] == [True, True, False]
    assert all(row["validation_accuracy"] is not None for row in run.metrics)


def test_the_environment_has_names_of_a_real_one():
    (run,) = synthetic_study(1, 1, 1).runs
    assert set(run.environment) <= set(environment.describe())
