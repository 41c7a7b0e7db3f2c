"""The published files themselves, where JAXACT_DATA names a folder that holds them."""

import numpy as np
import pytest

from jaxact import data, errors
from jaxact.data.published import original_files

PUBLISHED = {
    "mnist": {
        "shape": (28, 28, 1),
        "train_labels": [5, 0, 4, 1, 9, 2, 1, 3],
        "test_labels": [7, 2, 1, 0, 4, 1, 4, 9],
        "test_counts": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        "train_counts": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "mean": [0.1307],
        "std": [0.3081],
    },
    "fashion_mnist": {
        "shape": (28, 28, 1),
        "train_labels": [9, 0, 0, 3, 0, 2, 7, 2],
        "test_labels": [9, 2, 1, 1, 6, 1, 4, 6],
        "test_counts": [1000] * 10,
        "train_counts": [6000] * 10,
        "mean": [0.2860],
        "std": [0.3530],
    },
    "cifar10": {
        "shape": (32, 32, 3),
        "train_labels": [6, 9, 9, 4, 1, 1, 2, 7],
        "test_labels": [3, 8, 8, 0, 6, 6, 1, 6],
        "test_counts": [1000] * 10,
        "train_counts": [5000] * 10,
        "mean": [0.4914, 0.4822, 0.4465],
        "std": [0.2470, 0.2435, 0.2616],
    },
}

NOT_AT_HAND = {"cifar100"}


def test_every_source_is_looked_into():
    lacking = data.SOURCES.keys() - PUBLISHED.keys() - NOT_AT_HAND
    assert not lacking, f"PUBLISHED in {__file__} has no row of {lacking}"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_files_are_what_is_known_of_them(real_data_dir, name):
    if not (real_data_dir / name).is_dir():
        pytest.skip(f"no {name} in {real_data_dir}")
    published = PUBLISHED[name]
    dataset = original_files.read(data.SOURCES[name], real_data_dir)
    if dataset is None:
        pytest.skip(f"no original files of {name} in {real_data_dir}")
    assert dataset.train.images.shape[1:] == dataset.test.images.shape[1:] == published["shape"]
    assert np.bincount(dataset.train.labels).tolist() == published["train_counts"]
    assert np.bincount(dataset.test.labels).tolist() == published["test_counts"]
    assert dataset.train.labels[:8].tolist() == published["train_labels"]
    assert dataset.test.labels[:8].tolist() == published["test_labels"]
    mean, std = data.channel_statistics(dataset.train.images)
    np.testing.assert_allclose(mean, published["mean"], atol=5e-5)
    np.testing.assert_allclose(std, published["std"], atol=5e-5)


def test_one_changed_byte_of_a_real_file_is_seen(real_data_dir, tmp_path):
    folder = real_data_dir / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no mnist in {real_data_dir}")
    (tmp_path / "mnist").mkdir()
    for file in data.SOURCES["mnist"].download.files:
        content = bytearray((folder / file.name).read_bytes())
        if file.name.startswith("t10k-labels"):
            content[-1] ^= 1
        (tmp_path / "mnist" / file.name).write_bytes(content)
    with pytest.raises(errors.DataError, match=r"t10k-labels.*ec29112dd5afa0611ce80d1b7f02629c"):
        data.load("mnist", tmp_path)
