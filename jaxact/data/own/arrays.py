"""The user's own images as an `.npz` file: which arrays it must hold, and what may be in them."""

import math
import zipfile
from pathlib import Path

import numpy as np

from jaxact.data.formats import npz
from jaxact.data.formats.limits import COPIES, LOWEST_BRIGHTEST, check_memory, quoted
from jaxact.data.own.labels import as_labels
from jaxact.data.own.splits import OwnSplits
from jaxact.errors import DataError

# Training images and labels, then test images and labels; in the last one, all of them together.
LAYOUTS = (
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("images", "labels"),
)
_SPLITS = {
    **{"train": "train", "test": "test"},
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
}
_CHUNK_VALUES = 2**20
_MOST_CHANNELS = 4  # that are taken for channels without being told so
_SHOWN = 8

Keys = dict[str, tuple[str, str]]


def read(path: Path, image_size: int | None = None, channels_last: bool | None = None) -> OwnSplits:
    """The arrays of an `.npz` file.

    Images are uint8, or floats in [0, 1], which become `round(255 x)`.

    Args:
      path: an existing file with the arrays of one of `LAYOUTS`, in letters of any case. Beside the
        first two may lie `val_images, val_labels` or `x_val, y_val` (or `valid`, `validation`),
        which are tested on if there are no test images. Others are ignored, and named.
      image_size: height and width that images will be resized to; for what they take of memory.
      channels_last: see `as_bytes`.

    Raises:
      DataError: an array is missing, damaged, empty, or not what it must be.
    """
    with npz.opened(path) as archive:
        keys = npz.keys(archive)
        layout = _layout(path, keys)
        _check_memory(path, archive, layout, image_size)
        arrays = {
            split: _read_split(path, archive, pair, channels_last) for split, pair in layout.items()
        }
    images_key, shape = layout["train"][0], arrays["train"][0].shape[1:]
    for split, (images, _) in arrays.items():
        if images.shape[1:] != shape:
            raise DataError(
                f"{quoted(path)}: {images_key} are {list(shape)}, {layout[split][0]} "
                f"{list(images.shape[1:])}; both must have one shape"
            )
    notes = [
        f"images of one colour alone in {layout[split][0]}: {count}, the first at index {first}"
        for split, (images, _) in arrays.items()
        for count, first in [_constant(images)]
        if count
    ]
    if "validation" in arrays and "test" not in arrays:
        arrays["test"] = arrays.pop("validation")
        notes.append(f"no test images: {layout['validation'][0]} are tested on")
    used = {key for pair in layout.values() for key in pair}
    if ignored := [quoted(key) for key in keys if key not in used]:
        notes.append(f"arrays ignored: {_few(ignored)}")
    return OwnSplits(
        train=arrays["train"],
        test=arrays.get("test"),
        validation=arrays.get("validation"),
        class_names=None,
        notes=tuple(notes),
    )


def _few(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _layout(path: Path, keys: list[str]) -> Keys:
    """The keys of the images and labels of each split."""
    there = {key.lower(): key for key in sorted(keys)}  # of two, the one in small letters
    for images, labels in (("{}_images", "{}_labels"), ("x_{}", "y_{}")):
        every = {split: (images.format(split), labels.format(split)) for split in _SPLITS}
        pairs = {split: pair for split, pair in every.items() if not there.keys().isdisjoint(pair)}
        if not there.keys() >= set(every["train"]) or pairs.keys() == {"train"}:
            continue
        if missing := [key for pair in pairs.values() for key in pair if key not in there]:
            raise DataError(
                f"{quoted(path)}: {', '.join(missing)} missing; each split needs images and labels"
            )
        layout: Keys = {}
        for split, (one, other) in pairs.items():
            kind = _SPLITS[split]
            if kind in layout:
                raise DataError(
                    f"{quoted(path)}: {quoted(layout[kind][0])} and {quoted(there[one])} are both "
                    f"of {kind} images; keep one"
                )
            layout[kind] = there[one], there[other]
        return layout
    if set(LAYOUTS[-1]) <= there.keys():
        return {"train": (there["images"], there["labels"])}
    nearest = max(LAYOUTS, key=lambda layout: len(set(layout) & there.keys()))
    missing = [key for key in nearest if key not in there]
    has = _few([quoted(key) for key in keys]) or "none; unpack an archive of images"
    allowed = ", or ".join(", ".join(layout) for layout in LAYOUTS)
    raise DataError(
        f"{quoted(path)}: {', '.join(missing)} missing; it must hold {allowed} (it has {has})"
    )


def _check_memory(
    path: Path, archive: zipfile.ZipFile, layout: Keys, image_size: int | None
) -> None:
    """Refuses what memory cannot hold on the way from the file to the first step."""
    as_saved = as_bytes = 0
    for images, labels in layout.values():
        header = npz.header(archive, images)
        as_saved += header.size_bytes + npz.header(archive, labels).size_bytes
        examples, height, width, *channels = (*header.shape, 1, 1)[: max(3, len(header.shape))]
        if image_size is not None:
            height, width = max(height, image_size), max(width, image_size)
        as_bytes += examples * height * width * math.prod(channels)
    check_memory(
        max(as_saved + as_bytes, COPIES * as_bytes),
        f"{quoted(path)}: {' and '.join(images for images, _ in layout.values())}",
        "save fewer or smaller images, as uint8",
    )


def _read_split(
    path: Path, archive: zipfile.ZipFile, keys: tuple[str, str], channels_last: bool | None
) -> tuple[np.ndarray, np.ndarray]:
    images_name, labels_name = (f"{quoted(path)}: {key}" for key in keys)
    images = as_bytes(npz.read(archive, keys[0]), images_name, channels_last)
    labels = npz.read(archive, keys[1])
    return images, as_labels(labels, labels_name, len(images), images_name)


def as_bytes(images: np.ndarray, name: str, channels_last: bool | None = None) -> np.ndarray:
    """Images as uint8 `[examples, height, width, channels]`.

    Args:
      images: uint8, or floats in [0, 1]; `[examples, height, width]`, with or without channels.
      name: of the array, for the error message.
      channels_last: None: at most 4 channels, in the last axis; True: any number of them there;
        False: any number in axis 1, moved to the last.

    Raises:
      DataError: another dtype or shape, nothing in it, or pixels that are no grey levels.
    """
    images = _with_channels_last(images, name, channels_last)
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype.kind != "f":
        remedy = (
            "images * np.uint8(255)"
            if images.dtype.kind == "b"
            else "images.astype(np.uint8) if 0 to 255 is what it holds, or divide by the highest "
            "value that there can be"
        )
        raise DataError(
            f"{name} is {images.dtype}; it must be uint8 (0 to 255) or floats in [0, 1]: save "
            + remedy
        )
    result = np.empty(images.shape, np.uint8)
    chunk_images = max(1, _CHUNK_VALUES // math.prod(images.shape[1:]))
    for start in range(0, len(images), chunk_images):
        chunk = images[start : start + chunk_images]
        if not (finite := np.isfinite(chunk).all((1, 2, 3))).all():
            raise DataError(
                f"{name} has NaN or infinite pixels, first in image {start + finite.argmin()}; "
                "remove or mend such images"
            )
        if chunk.min() < 0 or chunk.max() > 1:
            raise DataError(
                f"{name} holds floats from {chunk.min():g} to {chunk.max():g}; floats must be in "
                "[0, 1]: rescale them, or save uint8 from 0 to 255"
            )
        result[start : start + chunk_images] = np.rint(chunk.astype(np.float64) * 255)
    if result.max() < LOWEST_BRIGHTEST:
        raise DataError(
            f"{name} holds floats up to {images.max():g}, so that 8 bits would leave few levels or "
            "none: divide by the highest value that there can be, so that they reach 1"
        )
    return result


def _with_channels_last(images: np.ndarray, name: str, channels_last: bool | None) -> np.ndarray:
    shape = list(images.shape)
    if images.ndim not in (3, 4) or not images.size:
        raise DataError(
            f"{name} must be [examples, height, width] or [examples, height, width, channels] and "
            f"not empty, got {shape}"
        )
    if images.ndim == 3:
        if channels_last is None and min(shape[1:]) <= _MOST_CHANNELS:
            raise DataError(
                f"{name} is {shape}: are these grey images of {shape[1]} x {shape[2]} pixels, or "
                "is one axis of channels? save [examples, height, width, channels], such as "
                "images[..., np.newaxis]"
            )
        return images[..., np.newaxis]
    if channels_last is False:
        return np.moveaxis(images, 1, -1)
    if channels_last is None and shape[3] > _MOST_CHANNELS:
        first = "the channels seem to come first, they must come last" * (
            shape[1] <= _MOST_CHANNELS
        )
        raise DataError(
            f"{name} is {shape}: {first or f'the last axis would be {shape[3]} channels'}; "
            f"say --config.channels_last=False if axis 1 has the channels ({shape[1]} of "
            f"{shape[2]} x {shape[3]} pixels; or save np.moveaxis(images, 1, -1)), or =True if the "
            f"last has them ({shape[3]} of {shape[1]} x {shape[2]})"
        )
    return images


def _constant(images: np.ndarray) -> tuple[int, int]:
    """Counts images, of more than a pixel, of one colour alone; and the index of the first."""
    if images[0, ..., 0].size == 1:
        return 0, 0
    chunk_images = max(1, _CHUNK_VALUES // images[0].size)
    index = np.concatenate(
        [
            (chunk == chunk[:, :1, :1]).all((1, 2, 3))
            for start in range(0, len(images), chunk_images)
            for chunk in [images[start : start + chunk_images]]
        ]
    )
    return int(index.sum()), int(index.argmax())
