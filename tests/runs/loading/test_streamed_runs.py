"""Runs whose images are streamed: what they would be on the device, bit for bit."""

import dataclasses
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.data import kept
from jaxact.data.streaming.images import StreamedImages
from jaxact.data.streaming.rows import Rows
from jaxact.errors import ConfigError, DataError, Interrupted, NonFiniteLossError
from jaxact.runs import estimate, fit
from jaxact.runs.loading import choice, feeds
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare
from jaxact.runs.shared import Shared
from tests.support import killing
from tests.support.own_files import class_folders
from tests.support.stopping import StopAfter

pytest.importorskip("grain", reason="Grain streams images: pip install grain")

FIELDS = {
    "image_size": 10,
    "train_examples": None,
    "test_examples": None,
    "batch_size": 7,
    "epochs": 3,
    "augmentation": "crop,flip,pca_color",
    "activation": "prelu",
    "checkpoint_every_epochs": 1,
    "eval_split": "validation",
    "early_stopping_epochs": 3,
}


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    """A run on a folder of 81 images of odd size, of which 59 are trained on, 7 a chunk of 3."""
    monkeypatch.setattr(feeds, "CHUNK_BYTES", 3 * 7 * 10 * 10 * 3)
    class_folders(tmp_path / "mine", 27, (12, 15, 3))
    return dataclasses.replace(tiny, dataset=str(tmp_path / "mine"), **FIELDS)


def streamed(config, **changes):
    return dataclasses.replace(config, loading="stream", **changes)


@pytest.mark.parametrize(("workers", "limit_gib"), [(0, "0"), (None, "1"), (1, "0")])
def test_a_streamed_run_is_that_on_the_device(config, tmp_path, monkeypatch, workers, limit_gib):
    monkeypatch.setenv(kept.LIMIT, limit_gib)
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    fit.fit(dataclasses.replace(config, loading="device"), tmp_path / "device")
    setup = prepare(streamed(config), may_stream=True)
    assert (setup.steps_per_epoch, setup.chunk_steps) == (8, 3)
    assert isinstance(setup.data.streamed, StreamedImages)
    assert isinstance(setup.data.streamed.source, Rows) == (limit_gib == "1")
    fit.fit(streamed(config, loading_workers=workers), tmp_path / "stream")
    killing.assert_same(tmp_path / "device", tmp_path / "stream")
    assert not killing.readers()
    records = [
        record_files.read_json(tmp_path / name / "data.json") for name in ("device", "stream")
    ]
    assert records[0] == records[1]


def test_a_run_on_the_device_goes_on_streamed(config, tmp_path):
    """Where there is less memory, say."""
    fit.fit(streamed(config), tmp_path / "whole")
    fit.fit(dataclasses.replace(config, loading="device", epochs=1), tmp_path / "changed")
    fit.fit(streamed(config, loading_workers=0), tmp_path / "changed")
    killing.assert_same(tmp_path / "whole", tmp_path / "changed")


def test_a_run_goes_on_within_a_chunk(config, tmp_path, monkeypatch):
    """Stopped at step 11 of 24: in the middle of an epoch of 8 and of a chunk of 3."""
    monkeypatch.setenv(kept.LIMIT, "0")
    config = streamed(config, loading_workers=0, steps_per_dispatch=11)
    fit.fit(config, tmp_path / "whole")
    setup = prepare(config, may_stream=True)
    chunks = {}
    for step in (9, 11):
        feed = setup.feed(step)
        draw = draws(setup)
        feed.begin(step // 8, draw)
        chunks[step] = feed.at(11)
        assert chunks[step].steps == 1
        feed.close()
    early, late = (np.asarray(chunks[step].examples.images).reshape(3, 7, -1) for step in (9, 11))
    np.testing.assert_array_equal(early[2], late[2])
    assert early[:2].any()
    assert not late[:2].any()  # what is over is not read again


def draws(setup):
    labels = setup.train.labels

    def draw(epoch):
        return jnp.asarray(np.random.default_rng(epoch).permutation(len(labels)), jnp.int32)

    return draw


def test_a_stopped_run_goes_on_bit_for_bit(config, tmp_path):
    """In the middle of an epoch, and of a chunk."""
    config = streamed(config, loading_workers=0, steps_per_dispatch=1)
    fit.fit(config, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit.fit(config, tmp_path / "stopped", stop=StopAfter(11))
    assert killing.checkpoints_of(tmp_path / "stopped")[-1] == 11
    fit.fit(config, tmp_path / "stopped")
    killing.assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_what_is_too_large_is_streamed_unless_it_shall_not(config, monkeypatch):
    kinds = []
    for loading, free in (("auto", 1e9), ("auto", 1e3), ("device", 1e3), ("stream", 1e9)):
        monkeypatch.setattr(choice, "free_bytes", lambda free=free: free)
        monkeypatch.setattr("jaxact.runs.loading.run_data.DATA", Shared(lambda: 0))
        setup = prepare(dataclasses.replace(config, loading=loading), may_stream=True)
        kinds.append(setup.data.streamed is not None)
    assert kinds == [False, True, False, True]


def test_what_cannot_be_streamed_is_refused(config, tiny):
    for other in (tiny, dataclasses.replace(config, dataset="digits", image_size=None)):
        with pytest.raises(ConfigError, match=r"loading=stream: digits is no folder of images"):
            prepare(streamed(other, train_examples=300), may_stream=True)
    with pytest.raises(ConfigError, match=r"loading=stream: this is no run of a command"):
        prepare(streamed(config))


def test_without_grain_a_line_says_what_to_install(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(DataError, match=r"mine, streamed as it takes 0\.0 GiB, needs grain, whi"):
        prepare(streamed(config), may_stream=True)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_the_origin_of_a_loss_that_is_not_finite_is_found(config, tmp_path):
    config = streamed(config, learning_rate=1e3, optimizer="sgd")
    with pytest.raises(NonFiniteLossError, match="was the first that was not finite"):
        fit.fit(config, tmp_path / "run")


def test_a_broken_image_stops_a_run_that_can_go_on(config, tmp_path, monkeypatch):
    monkeypatch.setenv(kept.LIMIT, "0")
    config = streamed(config, epochs=2, early_stopping_epochs=None, eval_split="test")
    setup = prepare(config, may_stream=True)
    path = tmp_path / "mine" / "ant" / "0.png"
    path.rename(tmp_path / "0.png")
    monkeypatch.setattr(fit, "prepare", lambda *_, **__: setup)
    with pytest.raises(DataError, match=r"no longer what it was: .*ant/0\.png"):
        fit.fit(config, tmp_path / "run")
    (tmp_path / "0.png").rename(path)
    assert fit.fit(config, tmp_path / "run")["epochs_trained"] == 2


def test_the_cost_of_a_streamed_run_is_estimated(config):
    cost = estimate.measure(streamed(config))
    assert cost.steps_per_epoch == 8
    assert cost.step.likely > 0
