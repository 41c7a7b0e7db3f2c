"""The classes that a run predicts at its end, in its folder."""

import dataclasses

import numpy as np
import pytest

from jaxact.errors import ConfigError, Interrupted
from jaxact.runs import fit
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare
from tests.support.stopping import StopAfter


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"eval_split": "validation"},
        {"eval_split": "validation", "early_stopping_epochs": 1, "epochs": 3},
    ],
)
def test_they_are_those_of_the_final_accuracy(tiny, tmp_path, fields):
    config = dataclasses.replace(tiny, health_examples=0, **fields)
    summary = fit.fit(config, tmp_path)
    classes = record_files.read_classes(tmp_path / record_files.PREDICTIONS)
    labels = np.asarray(prepare(config).evaluations["test"].labels).ravel()
    assert (classes.dtype, classes.shape) == (np.uint8, (tiny.test_examples,))
    assert np.mean(classes == labels[: len(classes)]) == summary["test_accuracy"]


def test_they_are_written_at_the_end_alone_and_again_with_more_epochs(tiny, tmp_path):
    path = tmp_path / record_files.PREDICTIONS
    config = dataclasses.replace(tiny, health_examples=0, steps_per_dispatch=4)
    with pytest.raises(Interrupted):
        fit.fit(config, tmp_path, stop=StopAfter(1))
    assert not path.exists()
    fit.fit(config, tmp_path)
    first = path.read_bytes()
    path.unlink()
    fit.fit(config, tmp_path)  # finished, as runs of older versions are: nothing is made again
    assert not path.exists()
    fit.fit(dataclasses.replace(config, epochs=6), tmp_path)
    assert path.read_bytes() != first


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x93NUMPY\1\0", "floats", "table"])
def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / record_files.PREDICTIONS
    arrays = {"floats": np.zeros(3), "table": np.zeros((2, 2), int)}
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        record_files.write_classes(path, arrays[content])
    with pytest.raises(ConfigError, match=r"predictions\.npy cannot be read .*remove it"):
        record_files.read_classes(path)
