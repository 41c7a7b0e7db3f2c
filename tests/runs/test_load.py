"""The network of a run, loaded from the run's folder."""

import os
import shutil

import jax
import numpy as np
import pytest

from jaxact import data
from jaxact.errors import ConfigError, WorkdirError
from jaxact.runs import fit
from jaxact.runs.load import load
from jaxact.runs.records import lock, record_files
from tests.support import killing, trained
from tests.support.own_files import LEAKY, LEAKY_OTHERWISE, TANH, write_module


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return trained.run(tmp_path_factory.mktemp("whole") / "run")


def traces(folder):
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_it_predicts_what_the_run_did_without_the_data_and_without_a_trace(
    tiny, tmp_path, monkeypatch
):
    workdir = tmp_path / "run"
    test = data.load("digits").test
    fit.fit(tiny, workdir)
    split = data.subset(test, tiny.test_examples, 0)
    before = traces(workdir)
    with lock.held(workdir), monkeypatch.context() as patch:  # as if it trained still
        patch.setattr(data, "load", None)
        network = load(workdir)
    probabilities = network(split.images)
    assert (probabilities.shape, probabilities.dtype) == ((70, 10), np.float32)
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-5)
    predicted = record_files.read_classes(workdir / record_files.PREDICTIONS)
    np.testing.assert_array_equal(probabilities.argmax(-1), predicted)
    before.pop(workdir / lock.LOCK, None)
    assert {path: time for path, time in traces(workdir).items() if path in before} == before
    arrays = killing.final_state(workdir)
    equal(network.params, arrays["params"])
    assert isinstance(network.params["Conv_0"]["kernel"], np.ndarray)
    assert network.batch_stats == {}
    assert network.classes == tuple("0123456789")
    assert network.config == tiny
    assert repr(network) == (
        "Network(thin_cnn, relu, digits: 10 classes of images 8 x 8 x 1, 1,490 parameters, epoch 2 "
        "of 2)"
    )


@pytest.mark.parametrize("has_best", [False, True])
def test_with_early_stopping_it_has_the_best_parameters(tmp_path, has_best):
    early = {"early_stopping_epochs": 1, "eval_split": "validation"} if has_best else {}
    network = load(trained.run(tmp_path, has_best=has_best, **early))
    arrays = killing.final_state(tmp_path)
    equal(network.params, arrays["best" if has_best else "params"].get("params", arrays["params"]))
    assert network.epoch == (1 if has_best else 2)


def test_a_damaged_checkpoint_is_said_and_the_one_before_used(tmp_path):
    trained.run(tmp_path)
    trained.run(tmp_path, step=9)
    (tmp_path / "checkpoints" / "9" / "SHA256SUMS").unlink()
    with pytest.warns(UserWarning, match="step 9 is damaged .* the one of step 8 is used"):
        load(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints" / "8")
    with pytest.raises(WorkdirError, match=r"no checkpoint in .* can be used"):
        load(tmp_path)


def comparison(folder):
    for seed in range(7):
        (folder / "relu" / f"seed{seed}").mkdir(parents=True)
        (folder / "relu" / f"seed{seed}" / record_files.CONFIG).write_text("{}")
    return folder


PLACES = {
    "missing": (lambda folder: folder / "nothing", "is not there; give the folder of a run"),
    "a file": (lambda folder: trained.run(folder) / "config.json", "is a file"),
    "empty": (lambda folder: folder, "holds no config.json, so no run; give the folder of a run"),
    "a comparison": (comparison, r"it has 7: give .*/relu/seed0, .*/relu/seed4 and 2 more"),
    "checkpoints": (lambda folder: trained.run(folder) / "checkpoints", "part of one: give"),
    "one's step": (lambda folder: trained.run(folder) / "checkpoints" / "8", "part of one: give"),
    "an address": (lambda folder: "gs://bucket/run", "is an address"),
    "damaged": (lambda folder: comparison(folder) / "relu" / "seed0", "holds no configuration"),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_run_is_told_with_what_to_give(tmp_path, place):
    make, message = PLACES[place]
    with pytest.raises(ConfigError, match=message) as caught:
        load(make(tmp_path))
    assert "\n" not in str(caught.value)


CHANGES = {
    "of a newer jaxact": ("config.json", {"warp": 9}, ConfigError, "with the jaxact that made it"),
    "of another network": ("config.json", {"model": "small_cnn"}, WorkdirError, "is not of small"),
    "of no classes": ("data.json", {"class_names": None}, ConfigError, "which images and classes"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_records_that_do_not_fit_are_told(whole, tmp_path, change):
    name, fields, error, message = CHANGES[change]
    shutil.copytree(whole, tmp_path / "run")
    path = tmp_path / "run" / name
    record_files.write_json(path, record_files.read_json(path) | fields)
    with pytest.raises(error, match=message) as caught:
        load(tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_before_a_first_checkpoint_there_is_no_network(whole, tmp_path):
    ignored = shutil.ignore_patterns("[0-9]*")
    shutil.copytree(whole, tmp_path / "run", ignore=ignored)
    with pytest.raises(WorkdirError, match="holds no checkpoint yet"):
        load(tmp_path / "run")


def test_an_own_function_that_has_changed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    write_module(tmp_path, LEAKY)
    folder = trained.run(tmp_path / "run", activation="mine:act")
    write_module(tmp_path, LEAKY_OTHERWISE)
    load(folder)
    write_module(tmp_path, TANH)
    with pytest.raises(ConfigError, match=r"^mine:act has changed since .*its values differ"):
        load(folder)
    with pytest.raises(ConfigError, match=r"mine:act has changed .*jaxact's own now"):
        load(folder, activation="relu")
    write_module(tmp_path, LEAKY)
    os.rename(tmp_path / "mine.py", tmp_path / "moved.py")
    with pytest.raises(ConfigError, match=r"mine:act, which cannot be had here .*or give it: load"):
        load(folder)
    load(folder, activation="moved:act")


def test_one_of_jaxacts_functions_cannot_stand_for_another(whole):
    load(whole, activation="relu")
    with pytest.raises(ConfigError, match=r"relu has changed .*it is another one"):
        load(whole, activation="tanh")
