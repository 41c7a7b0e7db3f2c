"""The user's own images as an `.npz` file: which arrays it must hold, and what may be in them."""

from pathlib import Path

import numpy as np

from jaxact.data.formats import npz
from jaxact.data.formats.limits import quoted
from jaxact.data.own.splits import OwnSplits
from jaxact.errors import DataError

# Training images and labels, then test images and labels; in the last one, all of them together.
LAYOUTS = (
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("images", "labels"),
)
_CHUNK_IMAGES = 4096
_FEW_CHANNELS = (1, 3, 4)
_SHOWN = 8


def read(path: Path) -> OwnSplits:
    """The arrays of an `.npz` file.

    Images are `[examples, height, width]` or `[examples, height, width, channels]`, uint8, or
    floats in [0, 1], which become `round(255 x)`. Labels are integers `[examples]` (or, as Keras
    has them, `[examples, 1]`).

    Args:
      path: an existing file with the arrays of one of `LAYOUTS`; others are ignored, and named.

    Raises:
      DataError: an array is missing, damaged, empty, or not what it must be.
    """
    with npz.opened(path) as archive:
        keys = npz.keys(archive)
        layout = _layout(path, keys)
        arrays = [npz.read(archive, key) for key in layout]
    names = [f"{quoted(path)}: {key}" for key in layout]
    images, labels = arrays[::2], arrays[1::2]
    pixels = [as_bytes(array, name) for array, name in zip(images, names[::2], strict=True)]
    for number, name in enumerate(names[1::2]):
        labels[number] = _as_labels(labels[number], name, len(pixels[number]), names[2 * number])
    if pixels[0].shape[1:] != pixels[-1].shape[1:]:
        raise DataError(
            f"{quoted(path)}: {layout[0]} are {list(pixels[0].shape[1:])}, "
            f"{layout[2]} {list(pixels[-1].shape[1:])}; both must have one shape"
        )
    pairs = list(zip(pixels, labels, strict=True))
    ignored = [quoted(key) for key in keys if key not in layout]
    return OwnSplits(
        train=pairs[0],
        test=pairs[1] if len(pairs) > 1 else None,
        class_names=None,
        notes=(f"arrays ignored: {_few(ignored)}",) if ignored else (),
    )


def _few(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _layout(path: Path, keys: list[str]) -> tuple[str, ...]:
    for layout in LAYOUTS:
        if set(layout) <= set(keys):
            return layout
    nearest = max(LAYOUTS, key=lambda layout: len(set(layout) & set(keys)))
    missing = [key for key in nearest if key not in keys]
    there = _few([quoted(key) for key in keys]) or "none"
    allowed = ", or ".join(", ".join(layout) for layout in LAYOUTS)
    raise DataError(
        f"{quoted(path)}: {', '.join(missing)} missing; it must hold {allowed} (it has {there})"
    )


def as_bytes(images: np.ndarray, name: str) -> np.ndarray:
    """Images as uint8 `[examples, height, width, channels]`.

    Args:
      images: uint8, or floats in [0, 1]; `[examples, height, width]`, with or without channels.
      name: of the array, for the error message.

    Raises:
      DataError: another dtype or shape, nothing in it, or pixels that are no grey levels.
    """
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or not images.size:
        raise DataError(
            f"{name} must be [examples, height, width] or [examples, height, width, channels] and "
            f"not empty, got {list(images.shape)}"
        )
    if images.shape[1] in _FEW_CHANNELS and images.shape[3] > max(_FEW_CHANNELS):
        raise DataError(
            f"{name} is {list(images.shape)}: the channels seem to come first, they must come "
            "last; use np.moveaxis(images, 1, -1)"
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise DataError(
            f"{name} is {images.dtype}; it must be uint8 (0 to 255) or floats in [0, 1]: save "
            "images.astype(np.uint8) if 0 to 255 is what it holds"
        )
    result = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _CHUNK_IMAGES):
        chunk = images[start : start + _CHUNK_IMAGES]
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
        result[start : start + _CHUNK_IMAGES] = np.rint(chunk.astype(np.float64) * 255)
    return result


def _as_labels(labels: np.ndarray, name: str, examples: int, images_name: str) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{name} must be integers [examples], 0 for the first class, got {labels.dtype} "
            f"{list(labels.shape)}; of one-hot rows save labels.argmax(-1)"
        )
    if len(labels) != examples:
        raise DataError(f"{images_name} are {examples}, {name} {len(labels)}; one label an image")
    return labels
