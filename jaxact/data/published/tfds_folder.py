"""Folders of data sets that tensorflow-datasets prepared as array_record files, read without it.

Without TensorFlow, that is: TFDS decodes with Pillow. Such a folder holds `features.json`,
`dataset_info.json` and the records; it is named in the place of a data set.
"""

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxact.data import kept
from jaxact.data.dataset import Dataset
from jaxact.data.formats.limits import COPIES, check_memory, quoted, reason
from jaxact.data.own.pictures import fitted
from jaxact.data.own.splits import OwnSplits, as_dataset
from jaxact.data.streaming import holding, pipeline
from jaxact.data.streaming.images import BROKEN, Batch, part_of
from jaxact.errors import DataError

_SPLITS = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}
_CHUNK_EXAMPLES = 4096
_VERSION = 1  # of how images are decoded: what was kept of another is not used


class _Features(NamedTuple):
    """The image and the label of each example, by their names, and what is known of them."""

    image: str
    label: str
    shape: tuple[int | None, ...]
    class_names: tuple[str, ...] | None


def load(name: str, image_size: int | None, resident_bytes: float) -> Dataset:
    """The images and labels of a prepared data set.

    Its splits `train`, `test` and `validation` are used, the last one to test on if there is no
    `test`; others are reported.

    Args:
      name: path of its folder, which `tfds_source.is_prepared`.
      image_size: height and width that images are fitted to, as those of `own.folders`; None: all
        must have one size by their features.
      resident_bytes: of images that are held in memory; more are streamed.

    Raises:
      DataError: it is damaged, has no images and labels of one class each, or no image size.
    """
    folder = Path(os.path.expanduser(name))
    where = quoted(folder)
    try:
        builder = _builder(folder)
        names = [split for split in _SPLITS if split in builder.info.splits]
        features = _features(builder.info)
    except DataError:
        raise
    except Exception as error:  # a damaged file shows as whatever its reader trips over
        raise DataError(f"{where} cannot be read ({reason(error)}); prepare it again") from error
    if features is None or "train" not in names:
        raise DataError(
            f"{where} is no data set of images and their classes, or has no split train: it needs "
            "an Image of 8 bits and a ClassLabel"
        )
    shape = _shape(where, features, image_size)
    counts = {split: builder.info.splits[split].num_examples for split in names}
    source = RecordImages(folder, counts, features.image, shape, image_size is not None)
    try:
        labels = kept.remembered(
            kept.key_of("labels", source.identity), lambda: _labels(folder, counts, features)
        )
    except Exception as error:
        raise DataError(f"{where} cannot be read ({reason(error)}); prepare it again") from error
    images = _hold(where, source, resident_bytes)
    arrays, begin = {}, 0
    for split, count in counts.items():
        arrays[_SPLITS[split]] = part_of(images, begin, begin + count), labels[split]
        begin += count
    notes = []
    if others := [split for split in builder.info.splits if split not in names]:
        notes.append(f"splits ignored: {', '.join(map(quoted, others))}")
    if "test" not in arrays and "validation" in arrays:
        arrays["test"] = arrays.pop("validation")
        notes.append("no split test: validation is tested on")
    splits = OwnSplits(
        train=arrays["train"],
        test=arrays.get("test"),
        validation=arrays.get("validation"),
        class_names=features.class_names,
        notes=tuple(notes),
    )
    return as_dataset(name, splits)


def _hold(where: str, source: "RecordImages", resident_bytes: float) -> Any:
    size_bytes = len(source) * int(np.prod(source.shape))
    is_streamed = size_bytes > resident_bytes
    if is_streamed:
        pipeline.check_installed(f"{where}, streamed as it takes {size_bytes / 2**30:.1f} GiB,")
    else:
        check_memory(
            COPIES * size_bytes,
            where,
            "make images smaller with --config.image_size, or stream them with "
            "--config.loading=stream",
        )

    def check(broken: np.ndarray) -> None:
        if len(broken):
            raise DataError(
                f"{len(broken)} of {len(source)} images cannot be used: "
                f"{source.complaint(int(broken[0]))}"
            )

    store = kept.default()
    before = holding.found(store, source.identity)
    return holding.hold(source, is_streamed, store, before, check)[0]


class RecordImages:
    """A source (`jaxact.data.streaming.images.Source`) of the images in array_record files.

    Args:
      folder: of the prepared data set.
      counts: examples of each split, in the order of their places.
      key: of the image in an example.
      shape: `(height, width, channels)` of the images as they are given.
      is_fitted: whether images are fitted to that height and width; else all have it.
    """

    is_slow = True

    def __init__(
        self,
        folder: Path,
        counts: dict[str, int],
        key: str,
        shape: tuple[int, int, int],
        is_fitted: bool,
    ):
        self._folder, self._counts, self._key = folder, counts, key
        self.shape, self._is_fitted = shape, is_fitted
        self.identity = _identity(folder, list(counts), key, shape, is_fitted)
        self._records: dict[str, Any] = {}

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_records": {}}  # each process opens the files

    def read(self, places: Sequence[int] | np.ndarray) -> Batch:
        images = np.zeros((len(places), *self.shape), np.uint8)
        facts = np.zeros(len(places), np.uint8)
        for row, place in enumerate(places):
            try:
                images[row] = self._image(int(place))
            except Exception:  # a damaged record can fail in any way
                facts[row] = BROKEN
        return Batch(images, facts)

    def complaint(self, place: int) -> str:
        name, number = self._find(place)
        try:
            self._image(place)
        except Exception as error:
            cause = f"cannot be read ({reason(error)})"
        else:
            cause = "could not be read for a while"
        return f"image {number} of {name} in {quoted(self._folder)} {cause}; prepare the data again"

    def _find(self, place: int) -> tuple[str, int]:
        for name, count in self._counts.items():
            if place < count:
                return name, place
            place -= count
        raise IndexError(place)

    def _image(self, place: int) -> np.ndarray:
        name, number = self._find(place)
        if name not in self._records:
            self._records[name] = _builder(self._folder).as_data_source(split=name)
        pixels = self._records[name][number][self._key]
        height, width, channels = self.shape
        if self._is_fitted and pixels.shape != self.shape:
            picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
            pixels = np.asarray(fitted(picture, (width, height)))
        return pixels.reshape(height, width, channels)


def _builder(folder: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # on which TFDS tells what it does
        import tensorflow_datasets as tfds

        tfds.display_progress_bar(sys.stderr.isatty())
        return tfds.builder_from_directory(folder)


def _features(info: Any) -> _Features | None:
    """The only image and the only class of an example, or those that the data set names."""
    from tensorflow_datasets import features

    kinds = {"image": features.Image, "label": features.ClassLabel}
    found = {
        kind: [name for name, feature in info.features.items() if isinstance(feature, its)]
        for kind, its in kinds.items()
    }
    # Pixels and classes may be plain tensors, as in the data sets that jaxact prepares.
    every: Any = info.features
    for name, feature in every.items():
        kind = type(feature)
        if kind is features.Tensor and feature.np_dtype == np.uint8:
            found["image"] += [name] * (len(feature.shape) == 3)
        elif issubclass(kind, features.Tensor) and np.issubdtype(feature.np_dtype, np.integer):
            is_class = not feature.shape and name not in found["label"]
            found["label"] += [name] * (is_class and name == "label")
    keys = info.supervised_keys
    if keys and len(keys) == 2 and keys[0] in found["image"] and keys[1] in found["label"]:
        found = {"image": [keys[0]], "label": [keys[1]]}
    if len(found["image"]) != 1 or len(found["label"]) != 1:
        return None
    (image,), (label,) = found.values()
    feature, names = info.features[image], getattr(info.features[label], "names", None)
    if feature.np_dtype != np.uint8 or feature.shape[-1] not in (1, 3):
        return None
    return _Features(image, label, feature.shape, tuple(names) if names else None)


def _shape(where: str, features: _Features, image_size: int | None) -> tuple[int, int, int]:
    height, width, channels = features.shape
    if image_size is not None:
        height = width = image_size
    if height is None or width is None:
        raise DataError(
            f"{where}: images may be of any size: have all made of one with --config.image_size=64"
        )
    return height, width, int(channels or 3)


def _labels(folder: Path, counts: dict[str, int], features: _Features) -> dict[str, np.ndarray]:
    """The labels of each split; no image is decoded for them."""
    from tensorflow_datasets import decode

    labels = {}
    for name, count in counts.items():
        raw = {features.image: decode.SkipDecoding()}
        records = _builder(folder).as_data_source(split=name, decoders=raw)
        labels[name] = np.empty(count, np.int64)
        for begin in range(0, count, _CHUNK_EXAMPLES):
            places = range(begin, min(begin + _CHUNK_EXAMPLES, count))
            examples = records.__getitems__(list(places))
            labels[name][places.start : places.stop] = [
                example[features.label] for example in examples
            ]
    return labels


def _identity(folder: Path, *known: object) -> str:
    def files() -> Iterator[object]:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                about = entry.stat()
                yield entry.name, about.st_size, about.st_mtime_ns, about.st_ino

    return hashlib.sha256(repr((_VERSION, *known, *files())).encode()).hexdigest()
