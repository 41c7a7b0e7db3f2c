import functools
import gzip
import pickle
import re
import zlib

import numpy as np
import pytest

from jaxact import data
from jaxact.data.formats import cifar, idx as idx_format
from jaxact.data.formats.cifar import CIFAR10, CIFAR100
from jaxact.errors import ConfigError, DataError
from tests.support.published_files import (
    assert_same_split,
    binary_members,
    idx,
    put,
    source_of,
    tar_gz,
)

# Without the time in its header: workers name tests after what they are given.
compress = functools.partial(gzip.compress, mtime=0)

IMAGES, LABELS, *TEST_FILES = idx_format.FILES


def test_the_names_of_the_contract_are_there():
    assert {"digits", "mnist", "fashion_mnist", "cifar10", "cifar100"} <= set(data.names())


def test_an_unknown_name_is_a_wrong_configuration():
    with pytest.raises(ConfigError, match=r"dataset='minst' .*digits.*; did you mean mnist"):
        data.load("minst")


def test_the_default_folder_is_in_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXACT_DATA", str(tmp_path))
    assert data.default_data_dir() == tmp_path
    monkeypatch.setenv("JAXACT_DATA", "")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(data.default_data_dir()) == "/home/someone/.cache/jaxact/data"


def test_digits_are_split_by_class_and_scaled():
    digits = data.load("digits")
    assert digits.train.images.shape == (1437, 8, 8, 1)
    assert digits.test.images.shape == (360, 8, 8, 1)
    shares = np.bincount(digits.test.labels) / np.bincount(
        np.append(digits.train.labels, digits.test.labels)
    )
    np.testing.assert_allclose(shares, 0.2, atol=0.01)
    levels = np.unique(digits.train.images)
    assert levels.tolist() == [round(255 * grey / 16) for grey in range(17)]
    assert digits.train.labels[:8].tolist() == [1, 3, 5, 6, 7, 8, 9, 0]
    # Those of `sklearn.datasets.load_digits`, which takes longer to import than to test.
    assert zlib.crc32(digits.train.images) == 0x352FF35C
    assert zlib.crc32(digits.test.images) == 0xA855C4CA
    assert digits.augmentation == "none"


def test_no_digit_is_in_both_splits():
    digits = data.load("digits")
    train = {image.tobytes() for image in digits.train.images}
    assert not train & {image.tobytes() for image in digits.test.images}


def test_mnist_from_its_original_files(mnist, tmp_path):
    put(tmp_path / "mnist", mnist.contents)
    loaded = data.load("mnist", tmp_path, mnist.source())
    assert_same_split(loaded.train, mnist.train)
    assert_same_split(loaded.test, mnist.test)
    assert (loaded.num_classes, loaded.augmentation) == (10, "none")


@pytest.mark.parametrize(
    ("name", "files"),
    [
        (name, files)
        for name, form in (("cifar10", CIFAR10), ("cifar100", CIFAR100))
        for files in (
            [form.binary_archive],
            [form.python_archive],
            [f"{form.python_folder}/{batch}" for batch in form.batches],
        )
    ],
)
def test_cifar_from_any_of_its_forms(request, tmp_path, name, files):
    published = request.getfixturevalue(name)
    put(tmp_path / name, {file: published.contents[file] for file in files})
    loaded = data.load(name, tmp_path, published.source())
    assert_same_split(loaded.train, published.train)
    assert_same_split(loaded.test, published.test)
    assert loaded.augmentation == "crop_flip"
    assert loaded.num_classes == int(name.removeprefix("cifar"))


def test_cifar100_has_the_published_checksums_and_its_fine_classes():
    source = data.SOURCES["cifar100"]
    assert [[file.md5 for file in layout.files] for layout in source.layouts] == [
        ["16019d7e3df5f24257cddd939b257f8d", "f0ef6b0ae62326f3e7ffdfab6717acfc"],
        ["03b5dce01913d631647c71ecec9e9cb8"],
        ["eb9058c3a382ffc7106e4002c42a8d85"],
    ]
    names = source.class_names
    assert (names[0], names[23], names[99]) == ("apple", "cloud", "worm")
    assert list(names) == sorted(set(names))


@pytest.mark.parametrize("name", idx_format.FILES)
def test_a_wrong_checksum_names_file_both_sums_and_the_remedy(mnist, tmp_path, name):
    put(tmp_path / "mnist", {**mnist.contents, name: mnist.contents[name] + b"\x00"})
    source = mnist.source()
    expected = next(file.md5 for file in source["mnist"].download.files if file.name == name)
    with pytest.raises(
        DataError, match=f"mnist/{name} .*expected {expected}, got [0-9a-f]{{32}}; delete it"
    ):
        data.load("mnist", tmp_path, source)


def test_a_pickle_with_a_wrong_checksum_is_never_opened(cifar10, tmp_path, monkeypatch):
    batches = {name: body for name, body in cifar10.contents.items() if "batch" in name}
    name = f"{CIFAR10.python_folder}/test_batch"
    put(tmp_path / "cifar10", {**batches, name: pickle.dumps({})})
    monkeypatch.setattr(cifar, "_parse_pickle", lambda *_: pytest.fail("opened"))
    with pytest.raises(DataError, match=r"test_batch is not the published file: md5"):
        data.load("cifar10", tmp_path, cifar10.source())


def test_files_that_are_missing_are_named_with_their_address(mnist, tmp_path):
    put(tmp_path / "mnist", {name: mnist.contents[name] for name in TEST_FILES})
    with pytest.raises(DataError) as caught:
        data.load("mnist", tmp_path, mnist.source("http://127.0.0.1:9/mnist/"))
    message = str(caught.value)
    assert f"incomplete in {tmp_path}/mnist: {IMAGES}, {LABELS} missing" in message
    assert "from http://127.0.0.1:9/mnist/ into" in message
    assert "\n" not in message


def test_half_a_folder_does_not_hide_a_whole_archive(cifar10, tmp_path):
    files = [f"{CIFAR10.python_folder}/test_batch", CIFAR10.python_archive]
    put(tmp_path / "cifar10", {name: cifar10.contents[name] for name in files})
    loaded = data.load("cifar10", tmp_path, cifar10.source())
    assert_same_split(loaded.test, cifar10.test)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            IMAGES,
            compress(idx(np.zeros((50, 28, 28))))[:-5],
            f"{IMAGES} is not a whole gzip file",
        ),
        (IMAGES, compress(idx(np.zeros((50, 28, 28)))[:-1]), "50 x 28 x 28 bytes"),
        (IMAGES, compress(idx(np.zeros((49, 28, 28)))), r"labels must be int32 \[49\]"),
        (IMAGES, compress(idx(np.zeros((50, 28, 27)))), r"images must be \(28, 28, 1\)"),
        (LABELS, compress(idx(np.full(50, 10))), "labels must be 0 to 9"),
    ],
)
def test_published_nonsense_is_refused(mnist, tmp_path, name, content, message):
    contents = {**mnist.contents, name: content}
    put(tmp_path / "mnist", contents)
    with pytest.raises(DataError, match=message):
        data.load("mnist", tmp_path, {"mnist": source_of("mnist", contents)})


def test_a_file_that_cannot_be_read_is_named(mnist, tmp_path):
    put(tmp_path / "mnist", mnist.contents)
    (tmp_path / "mnist" / IMAGES).unlink()
    (tmp_path / "mnist" / IMAGES).mkdir()
    with pytest.raises(DataError, match=f"cannot read .*{IMAGES}: Is a directory"):
        data.load("mnist", tmp_path, mnist.source())


def test_every_downloaded_file_has_size_and_checksums():
    for source in data.SOURCES.values():
        assert source.base_url.endswith("/")
        for file in source.download.files:
            said = f"{file.md5} {file.sha256} {file.size_bytes}"
            known = re.fullmatch("[0-9a-f]{32} [0-9a-f]{64} [1-9][0-9]*", said)
            assert known, f"{source.name}, {file.name}: md5, sha256 and bytes are {said}"


def test_labels_of_cifar10_out_of_range_are_refused(cifar10, tmp_path):
    wrong = data.Split(cifar10.test.images, cifar10.test.labels + 1)
    contents = {CIFAR10.binary_archive: tar_gz({**binary_members(cifar10.train, wrong)})}
    put(tmp_path / "cifar10", contents)
    with pytest.raises(DataError, match="cifar10 test: labels must be 0 to 9, got 1 to 10"):
        data.load("cifar10", tmp_path, {"cifar10": source_of("cifar10", contents)})
