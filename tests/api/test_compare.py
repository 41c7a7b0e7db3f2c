"""`jaxact.compare` and `jaxact.fit`: what Python programs give, get, and have left afterwards."""

import copy
import gc
import os
import pickle
import signal
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxact
from jaxact import activations
from jaxact.comparison import study as studies
from jaxact.errors import ConfigError, DataError
from jaxact.runs import fit as runs_fit
from tests.support import tiny

FIELDS = {**tiny.FIELDS, "health_examples": 0}
ONE = {**FIELDS, "epochs": 1}


def bent(x):
    """A function that no module has."""
    return jnp.where(x > 0, x, 0.1 * x)


bent.__module__ = "__main__"  # as in a notebook's cell


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "kept"
    return jaxact.compare(["relu", bent], workdir=folder, seeds=2, progress=False, **FIELDS)


def test_functions_have_names(study):
    assert study.activations == ("relu", "bent")
    assert study.seeds == (0, 1)
    assert study[bent].error_percent.tolist() == study["bent"].error_percent.tolist()
    assert [len(runs) for runs in study] == [2, 2]


def test_what_a_study_holds_is_that_of_its_folder(study):
    stored = studies.load(study.workdir)
    by_hand = [run.summary["error_percent"] for run in stored.runs if run.activation == "bent"]
    assert study["bent"].error_percent.tolist() == by_hand
    loaded = jaxact.Study.load(study.workdir)
    assert loaded.answer() == study.answer()
    assert loaded["bent"].workdirs == [study.workdir / "bent" / f"seed{k}" for k in (0, 1)]
    assert all((folder / "summary.json").exists() for folder in loaded["bent"].workdirs)
    assert repr(loaded) == repr(study)
    with pytest.raises(AttributeError, match="did you mean error_percent"):
        _ = study["bent"].eror_percent
    with pytest.raises(KeyError, match="mish is not compared"):
        study["mish"]
    with pytest.raises(KeyError, match="nothing is compared on mnist "):
        study["relu", "mnist"]
    assert (len(study), bent in study, "relu" in study, "mish" in study) == (2, True, True, False)


def test_a_function_that_was_redefined_has_no_runs(study):
    def changed(x):
        return jnp.where(x > 0, x, 0.3 * x)

    changed.__name__, changed.__module__ = "bent", "__main__"
    with pytest.raises(KeyError, match=r"bent was redefined .*study\['bent'\] has what was"):
        study[changed]
    assert changed not in study
    assert study[bent].spec == "bent"


def test_runs_and_studies_are_copied(study):
    for one in (copy.deepcopy(study), pickle.loads(pickle.dumps(study))):
        assert one.answer() == study.answer()
    for runs in (copy.copy(study["relu"]), pickle.loads(pickle.dumps(study["relu"]))):
        assert runs.error_percent.tolist() == study["relu"].error_percent.tolist()


def test_what_is_written_is_where_it_is_said(study, tmp_path):
    assert study.report(tmp_path / "new" / "report.html").exists()
    assert "--" not in study.answer()
    assert jaxact.Study.load(study.save(tmp_path / "saved").parent).answer() == study.answer()
    other = jaxact.compare("relu", seed=5, workdir=tmp_path / "other", progress=False, **ONE)
    before = (tmp_path / "other" / "study.json").read_bytes()
    for write, path, message in (
        (study.report, tmp_path, "is a folder: give the path of a file"),
        (study.save, __file__, "is a file; choose another folder"),
        (study.save, other.workdir, "holds another comparison"),
        (study.figure, "3", "figure '3' is unknown"),
        (jaxact.Study.load, str(tmp_path), "give the workdir of a comparison"),
    ):
        with pytest.raises(ConfigError, match=message):
            write(path)
    assert (tmp_path / "other" / "study.json").read_bytes() == before


def test_frames(study):
    pytest.importorskip("pandas")
    runs, curves, table = study.to_frame(), study.curves(), study.table()
    assert len(runs) == 4
    assert len(curves) == 4 * tiny.FIELDS["epochs"]
    assert list(table["activation"]) == list(study.activations)
    last = curves[curves["epoch"] == tiny.FIELDS["epochs"]]
    assert np.allclose(100 - 100 * last["test_accuracy"], runs["error_percent"])


def test_a_study_shows_itself(study, tmp_path):
    assert study.answer().split(".")[0] in study._repr_html_()
    assert "bent" in study._repr_html_()
    assert " ".join(study.answer().split()[-8:]) in " ".join(str(study).split())
    figure = study.figure("loss")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure.axes[0].get_ylabel().startswith("test loss")
    assert "bent" in study.report(tmp_path / "report.html").read_text()
    with pytest.raises(ConfigError, match="did you mean accuracy"):
        study.figure("accuracies")


def test_a_comparison_goes_on_and_grows_and_a_changed_function_is_told(study, monkeypatch):
    calls = []
    monkeypatch.setattr(runs_fit, "fit", lambda *a, **k: calls.append(a) or {})
    same = {"workdir": study.workdir, "progress": False, **FIELDS}
    assert jaxact.compare(["relu", bent], seeds=2, **same).answer() == study.answer()
    assert not calls

    def changed(x):
        return jnp.where(x > 0, x, 0.2 * x)

    changed.__name__, changed.__module__ = "bent", "__main__"
    with pytest.raises(ConfigError, match=r"bent computes something else|its values differ"):
        jaxact.compare(["relu", changed], seeds=2, **same)
    assert not calls


def test_a_function_that_is_redefined_meanwhile_is_not_mixed_with_itself(monkeypatch):
    def turning(x):
        return jnp.where(x > 0, x, 0.1 * x)

    def other(x):
        return jnp.where(x > 0, x, 0.3 * x)

    turning.__module__ = other.__module__ = "__main__"
    other.__name__ = "turning"
    fit = runs_fit.fit

    def fit_and_redefine(*arguments, **keywords):
        summary = fit(*arguments, **keywords)
        activations.get(other)
        return summary

    monkeypatch.setattr(runs_fit, "fit", fit_and_redefine)
    study = jaxact.compare([turning], seeds=2, progress=False, **ONE)
    runs = study._study.runs
    assert [run.status for run in runs] == ["done", "failed"]
    assert runs[1].note.startswith("turning was redefined while")


def test_a_study_without_a_folder_goes_with_its_object():
    study = jaxact.compare(["relu"], seeds=1, progress=False, **ONE)
    place = study.workdir
    assert place.exists()
    del study
    gc.collect()
    assert not place.exists()


def test_arrays_are_a_data_set():
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (120, 8, 8), np.uint8), np.arange(120) % 3
    fields = {**ONE, "train_examples": None, "test_examples": None, "batch_size": 32}
    [one] = jaxact.compare(["relu"], dataset=(images, labels), seeds=1, progress=False, **fields)
    test = (images[:30] / 255).astype(np.float32)
    both = {"images": images[:96], "labels": labels[:96]}  # as many as are trained on of the first
    both |= {"test_images": test, "test_labels": labels[:30]}
    [two] = jaxact.compare(["relu"], dataset=both, seeds=1, progress=False, **fields)
    assert one.test_examples.tolist() == [24]
    assert two.test_examples.tolist() == [30]
    assert jaxact.Config().dataset == "digits"
    with pytest.raises(ConfigError, match=r"dataset='arrays_.* these are arrays"):
        jaxact.fit(dataset=two._runs[0].dataset)
    for wrong, message in (
        ((images,), "has 1 arrays"),
        ({"images": images}, "no labels"),
        ((images, labels[:5]), "one label an image"),
        ((images, labels, test[:, :6], labels[:30]), "both must have one shape"),
        (both | {"tests": labels}, "tests is unknown"),
    ):
        with pytest.raises(DataError, match=message):
            jaxact.compare(["relu"], dataset=wrong, **fields)


def test_what_is_wrong_is_said_before_anything_is_made(tmp_path):
    for arguments, message in (
        ({"epochs": 0}, "config.epochs=0"),
        ({"epoch": 3}, "did you mean epochs"),
        ({"baseline": "mish"}, "baseline"),
        ({"config": {"learning": 3}}, "config.learning is not a field"),
        ({"config": "configs/nothing.py"}, "there is no file"),
        ({"functions": ["reluu"]}, "did you mean relu"),
        ({"functions": [lambda x: x.sum()]}, "must keep the shape"),
        ({"functions": ["relu", "relu"]}, "each once"),
    ):
        with pytest.raises(ConfigError, match=message):
            jaxact.compare(**{"functions": ["relu"], "workdir": tmp_path / "new", **arguments})
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("study")
def test_a_file_or_a_config_is_the_base():
    base = jaxact.Config(**ONE, activation="bent")
    run = jaxact.fit(base, progress=False, seed=3)
    assert (run.summary["activation"], run.summary["seed"], run.summary["epochs"]) == ("bent", 3, 1)
    of_file = jaxact.fit("configs/digits.py:smoke", progress=False, **ONE)
    assert of_file.summary["dataset"] == "digits"
    assert "test accuracy" in repr(run)


def interrupt(function, *arguments, **keywords):
    """Calls a function, and sends SIGINT once it has trained an epoch."""
    place = keywords["workdir"]

    def send():
        while not list(place.rglob("metrics.jsonl")):
            if ended.wait(0.005):
                return
        os.kill(os.getpid(), signal.SIGINT)

    ended = threading.Event()
    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            function(*arguments, **keywords)
    finally:
        ended.set()
        thread.join()


def test_an_interrupt_leaves_nothing_behind_and_is_gone_on_from(tmp_path):
    many = {**FIELDS, "epochs": 80, "progress": False}
    before = signal.getsignal(signal.SIGINT), {*threading.enumerate()}
    cache = jax.config.values["jax_compilation_cache_dir"]
    interrupt(jaxact.compare, ["relu"], seeds=1, workdir=tmp_path / "study", **many)
    assert (signal.getsignal(signal.SIGINT), {*threading.enumerate()}) == before
    assert jax.config.values["jax_compilation_cache_dir"] == cache
    assert list((tmp_path / "study" / "relu" / "seed0" / "checkpoints").iterdir())
    [gone_on] = jaxact.compare(["relu"], seeds=1, workdir=tmp_path / "study", **many)
    [whole] = jaxact.compare(["relu"], seeds=1, **many)
    assert gone_on.test_loss.tolist() == whole.test_loss.tolist()


def test_threads_compare_without_signals():
    answers = {}

    def compare(seed):
        [answers[seed]] = jaxact.compare("relu", seeds=1, progress=False, **ONE, seed=seed)

    threads = [threading.Thread(target=compare, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [alone] = jaxact.compare("relu", seeds=2, progress=False, **ONE)
    assert [*answers[0].test_loss, *answers[1].test_loss] == alone.test_loss.tolist()


def test_a_trained_network_is_used(study, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    network = study[bent].load(seed=1)
    assert network(images).shape == (3, 10)
    assert np.allclose(network(images).sum(-1), 1)
    other = jaxact.load(study.workdir / "bent" / "seed1")
    assert np.array_equal(other(images), network(images))
    assert not np.array_equal(study[bent].load()(images), network(images))
    run = jaxact.fit(activation=bent, seed=1, workdir=tmp_path / "a", progress=False, **FIELDS)
    assert np.array_equal(run.load()(images), network(images))
    with pytest.raises(KeyError, match="no run has seed 7"):
        study[bent].load(7)
