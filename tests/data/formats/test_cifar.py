import pickle
import tarfile

import numpy as np
import pytest

from jaxact.data.formats import cifar
from jaxact.data.formats.cifar import CIFAR10
from tests.support.published_files import (
    MakesFolder,
    assert_same_split,
    binary_members,
    pickled_batches,
    python2_pickle,
    tar_gz,
)

READERS = {
    "python folder": (CIFAR10.read_python_folder, None),
    "python archive": (CIFAR10.read_python_archive, CIFAR10.python_archive),
    "binary archive": (CIFAR10.read_binary_archive, CIFAR10.binary_archive),
}


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("reader", READERS)
def test_every_form_holds_the_same_images(cifar10, reader):
    read, _ = READERS[reader]
    train, test = read(cifar10.contents)
    assert_same_split(train, cifar10.train)
    assert_same_split(test, cifar10.test)


def test_the_planes_of_a_binary_record_are_red_green_blue():
    pixels = np.zeros((3, 32, 32), np.uint8)
    pixels[0, 0, 1], pixels[1, 2, 0], pixels[2, 31, 31] = 10, 20, 30
    split = cifar.parse_binary(bytes([7]) + pixels.tobytes())
    assert split.labels.tolist() == [7]
    assert split.images[0, 0, 1].tolist() == [10, 0, 0]
    assert split.images[0, 2, 0].tolist() == [0, 20, 0]
    assert split.images[0, 31, 31].tolist() == [0, 0, 30]


def test_the_label_of_cifar100_is_the_fine_one():
    split = cifar.parse_binary(bytes([3, 57]) + bytes(3072), label_bytes=2)
    assert split.labels.tolist() == [57]


@pytest.mark.parametrize("content", [b"", b"\x00" * 3072, b"\x00" * 3074])
def test_a_binary_batch_is_whole_records(content):
    with pytest.raises(ValueError, match=r"are not records of 3073"):
        cifar.parse_binary(content)


@pytest.mark.parametrize("reader", ["python archive", "binary archive"])
@pytest.mark.parametrize("damage", ["truncated", "not gzip", "incomplete"])
def test_a_damaged_archive_is_refused(cifar10, reader, damage):
    read, name = READERS[reader]
    archive = {
        "truncated": cifar10.contents[name][:-1000],
        "not gzip": b"PK\x03\x04" * 100,
        "incomplete": tar_gz({"cifar-10-batches-bin/data_batch_1.bin": b"", "other": b""}),
    }[damage]
    with pytest.raises(ValueError, match=r"no file .*test_batch|not a whole tar.gz"):
        read({name: archive})


def test_members_that_lead_outside_reach_nothing(cifar10, tmp_path, monkeypatch):
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    outside = tmp_path / "outside"
    hostile = {
        "../escaped": b"x",
        str(tmp_path / "absolute"): b"x",
        "link": link("link", str(outside)),
        "link/through": b"x",
        "hard": link("hard", "../outside", tarfile.LNKTYPE),
        **binary_members(cifar10.train, cifar10.test),
    }
    train, _ = CIFAR10.read_binary_archive({CIFAR10.binary_archive: tar_gz(hostile)})
    assert_same_split(train, cifar10.train)
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


def test_a_batch_that_is_a_link_is_not_followed(cifar10):
    members = {**binary_members(cifar10.train, cifar10.test)}
    name = f"{CIFAR10.binary_folder}/test_batch.bin"
    archive = tar_gz({**members, name: link(name, "data_batch_1.bin")})
    with pytest.raises(ValueError, match=r"no file .*test_batch.bin"):
        CIFAR10.read_binary_archive({CIFAR10.binary_archive: archive})


def test_a_pickle_that_carries_code_does_not_run_it(cifar10, tmp_path):
    sentinel = tmp_path / "executed"
    batch = python2_pickle({b"data": MakesFolder(sentinel), b"labels": [0]})
    contents = {**cifar10.contents, f"{CIFAR10.python_folder}/data_batch_3": batch}
    with pytest.raises(ValueError, match=r"data_batch_3: .*it wants \w+\.mkdir"):
        CIFAR10.read_python_folder(contents)
    assert not sentinel.exists()
    pickle.loads(batch)
    assert sentinel.exists()  # the pickle was a loaded one


@pytest.mark.parametrize(
    "batch",
    [
        python2_pickle([1, 2, 3]),
        python2_pickle({b"labels": [0]}),
        python2_pickle({b"data": b"bytes", b"labels": [0]}),
        python2_pickle({b"data": None, b"labels": [0]}),
        b"not a pickle",
        b"",
    ],
)
def test_a_pickle_of_something_else_is_refused(cifar10, batch):
    contents = {**cifar10.contents, f"{CIFAR10.python_folder}/test_batch": batch}
    with pytest.raises(ValueError, match=r"test_batch: "):
        CIFAR10.read_python_folder(contents)


def test_a_batch_with_more_labels_than_images_is_refused(cifar10):
    train, test = cifar10.train, cifar10.test
    short = type(test)(test.images[:-1], test.labels)
    with pytest.raises(ValueError, match=r"test_batch: its images are not 20 x 3072 bytes"):
        CIFAR10.read_python_folder(pickled_batches(train, short))


def test_a_member_that_claims_to_be_huge_is_not_read(cifar10):
    name = f"{CIFAR10.binary_folder}/data_batch_1.bin"
    members = {**binary_members(cifar10.train, cifar10.test), name: bytes(2**26 + 1)}
    with pytest.raises(ValueError, match=f"{name} claims 67108865 bytes"):
        CIFAR10.read_binary_archive({CIFAR10.binary_archive: tar_gz({**members})})


@pytest.mark.parametrize(
    "state",
    [
        b"(K\x01K\x14M\x00\x0c\x86N\x88tb",  # four parts of five
        b"(K\x01K\x14M\x00\x0c\x86N\x88U\x01xtb",  # column by column
        b"(K\x01K\x14M\x00\x0c\x86N\x89U\x01xtb",  # one byte
        b"(K\x01J\xff\xff\xff\x7fM\x00\x0c\x86N\x89U\x01xtb",  # another shape
        b"(K\x01K\x14M\x00\x0c\x86N\x89]tb",  # a list for its bytes
    ],
)
def test_the_state_of_a_pickled_array_is_not_believed(cifar10, state):
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R" + state
    labels = b"](" + b"K\x00" * 20 + b"e"
    batch = b"\x80\x02}(U\x04data" + array + b"U\x06labels" + labels + b"u."
    contents = {**cifar10.contents, f"{CIFAR10.python_folder}/test_batch": batch}
    with pytest.raises(ValueError, match=r"test_batch: (not a batch|its images|it has 1 bytes)"):
        CIFAR10.read_python_folder(contents)


def test_numpy_is_out_of_reach_of_a_pickle(cifar10):
    """A pickled dtype would come with a state, which numpy's own would take."""
    dtype = b"cnumpy\ndtype\nU\x02u1\x85R(K\x03U\x01|NNNK\xffK\x07K\xfftb"
    contents = {**cifar10.contents, f"{CIFAR10.python_folder}/test_batch": dtype + b"."}
    with pytest.raises(ValueError, match="not a batch of CIFAR"):
        CIFAR10.read_python_folder(contents)
    assert np.dtype(np.uint8).itemsize == 1
    assert cifar._Inert.state is None
