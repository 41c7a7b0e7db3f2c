"""Runs on a user's own images: any size and number of classes, and the same data to the end."""

import dataclasses

import jax
import numpy as np
import psutil
import pytest

from jaxact import data, models
from jaxact.errors import DataError
from jaxact.runs import fit
from jaxact.runs.loading.run_data import choose_splits
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare
from tests.support import networks
from tests.support.own_files import CLASSES, class_folders, npz


def save(path, examples, image_shape):
    """Images of three classes in turn, not divided."""
    images = np.random.default_rng(0).integers(0, 256, (examples, *image_shape), np.uint8)
    np.savez(path, images=images, labels=np.arange(examples) % 3)


@pytest.fixture
def own(tiny, tmp_path):
    """A small CNN's run on own arrays that are smaller than its input."""
    path = tmp_path / "my.npz"
    save(path, 150, (9, 10, 3))
    return dataclasses.replace(
        tiny,
        model="small_cnn",
        dataset=str(path),
        train_examples=None,
        test_examples=None,
        batch_size=32,
    )


def test_classes_and_shape_reach_the_model(own):
    setup = prepare(own)
    assert setup.train.images.shape == (120, 28, 28, 3)
    mean, std = data.channel_statistics(np.asarray(setup.train.images))
    np.testing.assert_array_equal(setup.train.mean, mean)
    np.testing.assert_array_equal(setup.train.std, std)
    assert vars(setup.model)["num_classes"] == 3


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("model", "size"),
    [
        *((model, (65, 33)) for model in networks.PUBLISHED),
        ("small_cnn", (3, 5)),
        ("convnext", (3, 5)),
    ],
)
def test_images_of_any_size_fit_every_model(tmp_path, tiny, model, size):
    save(tmp_path / "my.npz", 12, (*size, 2))
    config = dataclasses.replace(
        tiny,
        dataset=str(tmp_path / "my.npz"),
        model=model,
        train_examples=None,
        test_examples=None,
        batch_size=2,
        steps_per_dispatch=1,
    )
    setup = prepare(config)
    images = jax.ShapeDtypeStruct(setup.train.images.shape, np.float32)
    height, width = images.shape[1:3]
    assert (height, width) == tuple(max(side, models.input_size(model)) for side in size)
    variables = jax.eval_shape(setup.model.initial, jax.random.key(0), images)
    logits = jax.eval_shape(setup.model.predict, variables, images)
    assert logits.shape == (*images.shape[:1], 3)


@pytest.fixture
def coloured(tiny, tmp_path):
    """A run on larger images of odd size, each of one of three colours."""
    images = np.zeros((96, 33, 41, 3), np.uint8)
    labels = np.arange(96) % 3
    images[np.arange(96), ..., labels] = 255
    np.savez(tmp_path / "my.npz", images=images, labels=labels)
    return dataclasses.replace(
        tiny,
        dataset=str(tmp_path / "my.npz"),
        train_examples=None,
        test_examples=None,
        epochs=4,
        learning_rate=3e-3,
        batch_size=16,
        dropout_rate=0.0,
        health_examples=0,
    )


def test_a_network_learns_from_larger_images_of_odd_size(coloured, tmp_path):
    assert fit.fit(coloured, tmp_path / "run")["test_accuracy"] == 1


def test_a_run_keeps_the_path_and_goes_on_only_with_the_same_data(coloured, tmp_path, capsys):
    workdir = tmp_path / "run"
    fit.fit(dataclasses.replace(coloured, epochs=1), workdir)
    assert "data: divided by class with seed 0 into 78 training" in capsys.readouterr().err
    assert record_files.read_json(workdir / "config.json")["dataset"] == coloured.dataset
    record = record_files.read_json(workdir / "data.json")
    assert record["fingerprint"] == data.load(coloured.dataset).fingerprint
    assert (record["train_images"], record["image_shape"]) == (78, [33, 41, 3])
    fit.fit(dataclasses.replace(coloured, epochs=2), workdir)

    with np.load(coloured.dataset) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    images[0, 0, 0, 0] ^= 1
    np.savez(coloured.dataset, images=images, labels=labels)
    before = (workdir / "data.json").read_text()
    with pytest.raises(DataError, match=r"my.npz has changed since .*run was trained"):
        fit.fit(dataclasses.replace(coloured, epochs=3), workdir)
    assert (workdir / "data.json").read_text() == before
    assert len(record_files.read_rows(workdir / "metrics.jsonl")) == 2


def test_published_data_need_no_fingerprint(tiny):
    assert prepare(tiny).data.record["fingerprint"] is None


def with_validation(path):
    """Images of three classes in turn, 60 to train on, and dark ones to validate and test on."""
    images = np.random.default_rng(0).integers(0, 256, (60, 9, 10, 3), np.uint8)
    splits = {"train": images, "val": images[:30] // 2, "test": images[:30] // 4}
    labels = {f"{name}_labels": np.arange(len(split)) % 3 for name, split in splits.items()}
    npz(path, **{f"{name}_images": split for name, split in splits.items()}, **labels)
    return splits


@pytest.mark.parametrize("eval_split", ["test", "validation"])
def test_validation_images_of_the_users_own_are_what_is_validated_on(own, eval_split):
    arrays = with_validation(own.dataset)
    dataset = data.load(own.dataset)
    splits = choose_splits(dataset, dataclasses.replace(own, eval_split=eval_split), 9)
    expected = {"train": "train", "test": "test", "validation": "val"}
    if eval_split == "test":
        del expected["validation"]
    assert splits.keys() == expected.keys()
    for name, key in expected.items():
        np.testing.assert_array_equal(splits[name].images[:, :9, :10], arrays[key])


def test_the_record_tells_how_many_images_are_validated_on(own):
    with_validation(own.dataset)
    record = prepare(own).data.record
    assert (record["train_images"], record["test_images"], record["validation_images"]) == (
        *(60, 30, 30),
    )
    assert "validation images, which config.eval_split=validation uses: 30" in record["note"]


@pytest.mark.parametrize(
    ("augmentation", "is_said"), [("default", True), ("none", False), ("crop_flip", False)]
)
def test_a_default_that_is_no_augmentation_is_said(own, augmentation, is_said):
    setup = prepare(dataclasses.replace(own, augmentation=augmentation))
    assert setup.recipe.augmentation.startswith("crop" if augmentation == "crop_flip" else "none")
    note = "not augmented, as is the default of one's own images (crop and flip: --config.augm"
    assert (note in setup.data.record["note"]) == is_said


def test_how_own_data_are_read_reaches_them(own, tmp_path):
    save(own.dataset, 150, (5, 9, 10))
    with pytest.raises(DataError, match=r"config\.channels_last=False if axis 1 has the channels"):
        prepare(own)
    setup = prepare(dataclasses.replace(own, channels_last=False))
    assert setup.train.images.shape == (120, 28, 28, 5)
    class_folders(tmp_path / "mine", 20)
    (tmp_path / "linked").mkdir()
    for name in CLASSES:
        (tmp_path / "linked" / name).symlink_to(tmp_path / "mine" / name)
    linked = dataclasses.replace(own, dataset=str(tmp_path / "linked"))
    with pytest.raises(DataError, match=r"allow such links with --config\.follow_links=True"):
        prepare(linked)
    setup = prepare(dataclasses.replace(linked, follow_links=True))
    assert setup.train.images.shape == (48, 28, 28, 3)


@pytest.mark.parametrize("copies", [2.5, 3.5])
def test_memory_is_checked_for_every_copy_that_a_run_makes(own, monkeypatch, copies):
    save(own.dataset, 1000, (28, 28, 3))
    free = psutil.virtual_memory()._replace(available=int(copies * 1000 * 28 * 28 * 3 + 16_000))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    if copies > 3:
        assert data.load(own.dataset).num_classes == 3
    else:
        with pytest.raises(DataError, match=r"my.npz: images takes 0\.0 GiB of memory"):
            data.load(own.dataset)


def test_memory_is_checked_before_images_are_enlarged(own, monkeypatch):
    dataset = data.load(own.dataset)
    free = psutil.virtual_memory()._replace(available=120 * 28 * 28 * 3)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(DataError, match=r"120 images, each made 28 x 28, takes .*train_examples"):
        choose_splits(dataset, own, 28)
