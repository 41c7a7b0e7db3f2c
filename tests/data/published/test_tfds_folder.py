"""Folders that TFDS prepared: images and labels as they were given, in memory and streamed."""

import io
import math
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.data import kept
from jaxact.data.own import pictures
from jaxact.data.streaming.images import StreamedImages
from jaxact.errors import DataError

tfds: Any = pytest.importorskip("tensorflow_datasets")

SIZES = ((30, 24), (24, 24), (24, 37))
CLASSES = ("ant", "bee", "cat")
COUNTS = {"train": 15, "test": 6, "validation": 7, "extra": 2}


def picture(number):
    """An image of its own, as PNG, in one of three sizes."""
    width, height = SIZES[number % len(SIZES)]
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def prepare(folder, features, counts, example):
    """Has TFDS prepare a data set, as it does with the builders that come with it."""

    class Small(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # pyright: ignore
        VERSION = tfds.core.Version("1.2.3")
        url_infos: ClassVar = {}  # TFDS would look for a file of them by way of another package

        def _info(self):
            known = {"features": tfds.features.FeaturesDict(features), "disable_shuffling": True}
            return tfds.core.DatasetInfo(builder=self, **known)

        def _split_generators(self, dl_manager):
            ends = np.cumsum(list(counts.values()))
            return {
                name: self._generate_examples(range(end - count, end))
                for (name, count), end in zip(counts.items(), ends, strict=True)
            }

        def _generate_examples(self, numbers):
            for number in numbers:
                yield number, example(number)

    builder = Small(data_dir=folder)
    builder.download_and_prepare(file_format="array_record")
    return str(builder.data_path)


def png(number):
    buffer = io.BytesIO()
    picture(number).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    features = {
        "id": tfds.features.Text(),
        "image": tfds.features.Image(),
        "label": tfds.features.ClassLabel(names=CLASSES),
    }

    def example(number):
        return {"id": str(number), "image": png(number), "label": CLASSES[number % 3]}

    return prepare(tmp_path_factory.mktemp("prepared"), features, COUNTS, example)


@pytest.mark.parametrize("limit_gib", ["0", "1"])
@pytest.mark.parametrize("resident_bytes", [math.inf, 0])
def test_images_are_fitted_and_labels_are_those_of_the_features(
    prepared, tmp_path, monkeypatch, resident_bytes, limit_gib
):
    if not resident_bytes:
        pytest.importorskip("grain", reason="Grain streams images: pip install grain")
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    monkeypatch.setenv(kept.LIMIT, limit_gib)
    loaded = data.load(prepared, image_size=16, resident_bytes=resident_bytes)
    assert loaded.class_names == CLASSES
    assert isinstance(loaded.train.images, np.ndarray if resident_bytes else StreamedImages)
    begin = 0
    for name, split in loaded.splits().items():
        begin = sum(list(COUNTS.values())[: list(COUNTS).index(name)])
        numbers = range(begin, begin + COUNTS[name])
        expected = [np.asarray(pictures.fitted(picture(number), (16, 16))) for number in numbers]
        np.testing.assert_array_equal(np.asarray(split.images), expected)
        np.testing.assert_array_equal(split.labels, [number % 3 for number in numbers])
    assert "splits ignored: extra" in loaded.note


def test_a_streamed_data_set_is_the_same_as_one_in_memory(prepared, tmp_path, monkeypatch):
    pytest.importorskip("grain", reason="Grain streams images: pip install grain")
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    held, streamed = (data.load(prepared, None, image_size=9, resident_bytes=n) for n in (1e9, 0))
    assert held.fingerprint == streamed.fingerprint


def test_images_of_any_size_need_one(prepared):
    with pytest.raises(DataError, match=r"may be of any size: .* --config\.image_size=64"):
        data.load(prepared)


def test_without_test_images_those_of_validation_are_tested_on(tmp_path):
    features = {
        "pixels": tfds.features.Tensor(shape=(4, 5, 1), dtype=np.uint8, encoding="bytes"),
        "label": tfds.features.Tensor(shape=(), dtype=np.int64),
    }

    def example(number):
        return {"pixels": np.full((4, 5, 1), number, np.uint8), "label": number % 2}

    loaded = data.load(prepare(tmp_path, features, {"train": 6, "validation": 4}, example))
    assert loaded.train.images[:, 0, 0, 0].tolist() == list(range(6))
    assert loaded.test.images[:, 0, 0, 0].tolist() == list(range(6, 10))
    assert loaded.validation is None
    assert loaded.class_names == ("0", "1")
    assert "no split test: validation is tested on" in loaded.note


def test_what_is_no_data_set_of_classes_is_refused(tmp_path):
    features = {"image": tfds.features.Image(), "mask": tfds.features.Image()}
    folder = prepare(
        tmp_path, features, {"train": 2}, lambda number: {"image": png(0), "mask": png(1)}
    )
    with pytest.raises(DataError, match="no data set of images and their classes"):
        data.load(folder)


def test_damaged_records_are_told(prepared, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in type(tmp_path)(prepared).iterdir():
        content = path.read_bytes()
        if "-validation." in path.name:
            content = content[: len(content) // 2]
        (folder / path.name).write_bytes(content)
    with pytest.raises(DataError, match=r"copy.*(cannot be used|cannot be read)"):
        data.load(str(folder), image_size=8)
    (folder / "features.json").write_text("{}")
    with pytest.raises(DataError, match="copy cannot be read"):
        data.load(str(folder), image_size=8)
