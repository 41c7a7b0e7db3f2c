"""The made-up studies have the shape of real ones."""

import re

from jaxact.comparison.output.tables import study_table
from jaxact.comparison.paper import findings
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


def test_data_sets_of_one_name_have_titles_of_their_own():
    study = synthetic_study(2, 5, 3, datasets=("a/data.npz", "b/data.npz"), learning_rates=(1, 2))
    assert study.plan.label(study.runs[0]).startswith("relu, seed 0, a_data")
    evidence = [finding.evidence for finding in findings.paper_findings(study)]
    shown = [*map(study.title, study.workloads()), *evidence, study_table.as_markdown(study)]
    assert all(any(title in text for text in shown) for title in ("on a_data", "on b_data"))
    assert any("a_data: " in text and " b_data: " in text for text in evidence)
    assert not any(re.search(r"\bdata\b[,:]", text) for text in shown)
