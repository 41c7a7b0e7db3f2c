"""Small published data sets, a server for them, and the real files where there are any."""

import gzip
import os
from pathlib import Path

import pytest

from jaxact.data.formats import cifar, idx as idx_format
from tests.support.published_files import (
    Server,
    Small,
    binary_members,
    idx,
    make_split,
    pickled_batches,
    tar_gz,
)


@pytest.fixture
def mnist() -> Small:
    train, test = make_split(0, 50, (28, 28, 1)), make_split(1, 20, (28, 28, 1))
    arrays = (train.images[..., 0], train.labels, test.images[..., 0], test.labels)
    contents = [gzip.compress(idx(array)) for array in arrays]
    return Small(train, test, dict(zip(idx_format.FILES, contents, strict=True)))


def small_cifar(form: cifar.Form, classes: int) -> Small:
    train, test = (
        make_split(2, 10 * classes // 2, (32, 32, 3), classes),
        make_split(3, 2 * classes, (32, 32, 3), classes),
    )
    batches = pickled_batches(train, test, form)
    archives = {
        form.binary_archive: tar_gz({**binary_members(train, test, form)}),
        form.python_archive: tar_gz({**batches}),
    }
    return Small(train, test, {**archives, **batches})


@pytest.fixture
def cifar10() -> Small:
    return small_cifar(cifar.CIFAR10, 10)


@pytest.fixture
def cifar100() -> Small:
    return small_cifar(cifar.CIFAR100, 100)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def real_data_dir() -> Path:
    if not os.environ.get("JAXACT_DATA"):
        pytest.skip("JAXACT_DATA does not name a folder with the original files")
    return Path(os.environ["JAXACT_DATA"])
