"""Runs of functions that see channels: resumed, loaded, and compared with ReLU."""

import dataclasses
import json

import jax
import numpy as np
import pytest

import jaxact
from jaxact.comparison import study as studies
from jaxact.comparison.output.tables import rows as table_rows, study_table
from jaxact.errors import Interrupted
from jaxact.runs import fit
from jaxact.runs.load import load
from jaxact.runs.records import checkpoint, record_files
from tests.support import tiny as tiny_fields
from tests.support.stopping import StopAfter
from tests.support.trained import images


def arrays(workdir):
    return checkpoint.newest(workdir / record_files.CHECKPOINTS).content.arrays


def test_one_that_is_stopped_and_resumed_is_the_same_bit_for_bit(tiny, tmp_path):
    """With parameters and statistics of its own."""
    config = dataclasses.replace(tiny, activation="frelu", health_examples=8, steps_per_dispatch=1)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    summary = fit.fit(config, whole)
    with pytest.raises(Interrupted):
        fit.fit(config, stopped, stop=StopAfter(3))
    resumed = fit.fit(config, stopped)
    jax.tree.map(np.testing.assert_array_equal, arrays(whole), arrays(stopped))
    assert resumed["test_accuracy"] == summary["test_accuracy"]
    rows = [record_files.read_rows(run / record_files.HEALTH) for run in (whole, stopped)]
    assert rows[0] == rows[1]
    (layer,) = rows[0][0]["layers"]
    assert layer["dead"] is layer["saturated"] is None
    assert layer["gradient_norm"] > 0

    network = load(whole)
    jax.tree.map(np.testing.assert_array_equal, network.params, arrays(whole)["params"])
    assert "ActivationLayer_0" in network.batch_stats
    probabilities = network(images(4))
    assert probabilities.shape == (4, 10)
    assert np.isfinite(probabilities).all()


def test_a_comparison_with_relu_says_what_they_add(tmp_path):
    fields = {**tiny_fields.FIELDS, "epochs": 1, "health_examples": 0}
    study = jaxact.compare(
        ["relu", "swiglu"], workdir=tmp_path / "study", seeds=1, progress=False, **fields
    )
    # Without: conv 9 x 4 + 4, logits 144 x 10 + 10. With: a dense layer from 4 channels to 8 more.
    plain, gated = 40 + 1450, 40 + 4 * 8 + 8 + 1450
    summaries = {
        name: json.loads((study[name].workdirs[0] / "summary.json").read_text())
        for name in ("relu", "swiglu")
    }
    counts = {name: one["parameters"] for name, one in summaries.items()}
    assert counts == {"relu": plain, "swiglu": gated}
    assert {one["parameters_with_relu"] for one in summaries.values()} == {plain}
    stored = studies.load(study.workdir)
    table = {row["activation"]: row for row in table_rows.rows(stored, stored.workloads()[0])}
    assert table["swiglu"]["parameters_ratio"] == pytest.approx(gated / plain)
    assert table["relu"]["parameters_ratio"] == 1
    markdown = study_table.as_markdown(stored)
    assert "/ReLU: parameters over those of the same network with ReLU." in markdown
