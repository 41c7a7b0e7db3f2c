import dataclasses

import numpy as np
import pytest

from jaxact import data
from jaxact.errors import ConfigError, DataError
from tests.support.published_files import assert_same_split, make_split

SHAPE = (4, 4, 1)


def dataset(train: data.Split, test: data.Split) -> data.Dataset:
    return data.Dataset("toy", train, test, 10, tuple("0123456789"), "none")


def test_a_valid_dataset_is_kept_as_it_is():
    train, test = make_split(0, 30, SHAPE), make_split(1, 10, SHAPE)
    assert dataset(train, test).train is train


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((30, *SHAPE), np.float32)}, "uint8"),
        ({"images": np.zeros((30, 4, 4), np.uint8)}, r"\[30, 4, 4\]"),
        ({"images": np.zeros((0, *SHAPE), np.uint8)}, "not empty"),
        ({"images": np.zeros((29, *SHAPE), np.uint8)}, r"int32 \[29\]"),
        ({"labels": np.zeros(30, np.int64)}, "int32"),
        ({"labels": np.zeros((30, 1), np.int32)}, r"\[30, 1\]"),
        ({"labels": np.full(30, 10, np.int32)}, "0 to 9, got 10 to 10"),
        ({"labels": np.full(30, -1, np.int32)}, "0 to 9, got -1 to -1"),
    ],
)
@pytest.mark.parametrize("where", ["train", "test"])
def test_what_is_not_images_with_labels_is_refused(where, change, message):
    splits = {"train": make_split(0, 30, SHAPE), "test": make_split(1, 30, SHAPE)}
    splits[where] = dataclasses.replace(splits[where], **change)
    with pytest.raises(DataError, match=f"toy {where}: .*{message}"):
        dataset(**splits)


def test_splits_of_different_image_shapes_are_refused():
    with pytest.raises(DataError, match=r"training images are .*4, 4, 1.* test images .*5, 4, 1"):
        dataset(make_split(0, 30, SHAPE), make_split(1, 10, (5, 4, 1)))


def test_class_names_must_be_as_many_as_classes():
    split = make_split(0, 30, SHAPE)
    with pytest.raises(DataError, match=r"3 class names for 10 classes"):
        data.Dataset("toy", split, split, 10, ("a", "b", "c"), "none")


def test_subset_of_none_is_the_split_itself():
    split = make_split(0, 30, SHAPE)
    assert data.subset(split, None, seed=0) is split


def test_subset_is_seeded_distinct_and_a_prefix_of_a_larger_one():
    split = data.Split(
        np.arange(30, dtype=np.uint8).reshape(30, 1, 1, 1), np.arange(30, dtype=np.int32)
    )
    small, large = data.subset(split, 8, seed=3), data.subset(split, 20, seed=3)
    np.testing.assert_array_equal(small.labels, large.labels[:8])
    np.testing.assert_array_equal(large.images.ravel(), large.labels)
    assert len(set(large.labels.tolist())) == 20
    assert large.labels.tolist() != sorted(large.labels.tolist())
    assert data.subset(split, 20, seed=4).labels.tolist() != large.labels.tolist()


@pytest.mark.parametrize("examples", [0, -1, 31])
def test_subset_names_the_number_that_there_is_not(examples):
    with pytest.raises(ConfigError, match=f"train_examples={examples} must be 1 to 30"):
        data.subset(make_split(0, 30, SHAPE), examples, seed=0, field="train_examples")


@pytest.mark.parametrize(
    ("there", "asked", "held_out"), [(60_000, 5000, 5000), (1437, 5000, 143), (1000, 20, 20)]
)
def test_hold_out_parts_the_split(there, asked, held_out):
    labels = np.arange(there, dtype=np.int32)
    split = data.Split(np.zeros((there, 1, 1, 1), np.uint8), labels)
    train, validation = data.hold_out(split, asked, seed=1)
    assert len(validation) == held_out
    np.testing.assert_array_equal(np.sort(np.append(train.labels, validation.labels)), labels)
    assert (np.diff(train.labels) > 0).all()
    assert (np.diff(validation.labels) > 0).all()


def test_hold_out_depends_on_the_seed_alone():
    split = make_split(0, 200, SHAPE)
    _, first = data.hold_out(split, seed=1)
    assert_same_split(data.hold_out(split, seed=1)[1], first)
    assert (data.hold_out(split, seed=2)[1].images != first.images).any()


def test_hold_out_of_next_to_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"cannot hold 0 of 5 examples out"):
        data.hold_out(make_split(0, 5, SHAPE))
