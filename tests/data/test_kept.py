"""Results kept on disk: found again, whole or not at all, within a limit."""

import os

import numpy as np
import pytest

from jaxact import data
from jaxact.data import kept
from jaxact.data.kept import Kept
from jaxact.errors import ConfigError

KEYS = [kept.key_of(number) for number in range(4)]


def write(content: bytes):
    return lambda folder: (folder / "file").write_bytes(content) and None


def test_what_was_kept_is_found_again_by_its_key_alone(tmp_path):
    store = Kept(tmp_path / "new", 1e6)
    assert store.find(KEYS[0]) is None
    folder = store.keep(KEYS[0], 3, write(b"abc"))
    assert folder is not None
    assert Kept(tmp_path / "new", 1e6).find(KEYS[0]) == folder
    assert (folder / "file").read_bytes() == b"abc"
    assert store.find(KEYS[1]) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "file").write_bytes(b"abd"),
        lambda folder: (folder / "file").write_bytes(b"ab"),
        lambda folder: (folder / "file").unlink(),
        lambda folder: (folder / "files.json").unlink(),
        lambda folder: (folder / "files.json").write_text("[1"),
        lambda folder: (folder / "files.json").write_text("[1]"),
    ],
)
def test_what_is_damaged_is_removed_and_made_anew(tmp_path, damage):
    store = Kept(tmp_path, 1e6)
    folder = store.keep(KEYS[0], 3, write(b"abc"))
    assert folder is not None
    damage(folder)
    assert store.find(KEYS[0]) is None
    assert not folder.exists()
    assert store.keep(KEYS[0], 3, write(b"abc")) == folder == store.find(KEYS[0])


def test_what_was_not_used_for_the_longest_goes_first(tmp_path):
    store = Kept(tmp_path, 2500)
    folders = [store.keep(key, 1000, write(bytes(1000))) for key in KEYS[:2]]
    for age, folder in zip((20, 10), folders, strict=True):
        assert folder is not None
        os.utime(folder, (1e9 - age, 1e9 - age))
    assert store.find(KEYS[0])  # the first was used now, the second before that
    assert store.keep(KEYS[2], 1000, write(bytes(1000)))
    assert [store.find(key) is not None for key in KEYS[:3]] == [True, False, True]


def test_what_exceeds_the_limit_is_not_kept_and_a_limit_of_0_keeps_nothing(tmp_path):
    assert Kept(tmp_path, 999).keep(KEYS[0], 1000, write(bytes(1000))) is None
    assert Kept(tmp_path, 0).keep(KEYS[0], 0, write(b"")) is None
    assert not list(tmp_path.iterdir())


def test_a_failed_writer_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "file").write_bytes(b"half")
        raise OSError("no space")

    store = Kept(tmp_path, 1e6)
    assert store.keep(KEYS[0], 4, fail) is None
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = Kept(tmp_path / "file" / "below", 1e6)
    assert store.keep(KEYS[0], 1, write(b"a")) is None
    assert store.find(KEYS[0]) is None


@pytest.mark.parametrize("limit", ["-1", "ten", "nan", "inf"])
def test_a_wrong_limit_is_told(monkeypatch, limit):
    monkeypatch.setenv(kept.LIMIT, limit)
    with pytest.raises(ConfigError, match=f"JAXACT_CACHE_GIB={limit} .* a number of GiB from 0"):
        kept.default()


def test_whitening_is_fitted_once_for_the_same_images(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    monkeypatch.setattr(kept, "WORTH_SECONDS", 0.0)
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 5, 1), np.uint8)
    first = data.fit_preprocessing("zca_whitening", images)
    (folder,) = tmp_path.iterdir()
    before = folder.stat().st_mtime_ns
    second = data.fit_preprocessing("zca_whitening", images)
    assert [path.stat().st_mtime_ns > before for path in tmp_path.iterdir()] == [True]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    images[0, 0, 0, 0] ^= 1
    data.fit_preprocessing("zca_whitening", images)
    data.fit_preprocessing("pca", images)
    assert len(list(tmp_path.iterdir())) == 3
