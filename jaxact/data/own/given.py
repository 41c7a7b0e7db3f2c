"""Arrays in the place of a data set's name, as Python programs and notebooks have them."""

import contextlib
import dataclasses
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jaxact.data.dataset import Dataset
from jaxact.data.own.arrays import as_bytes
from jaxact.data.own.labels import as_labels
from jaxact.data.own.splits import OwnSplits, as_dataset
from jaxact.errors import DataError

KEYS = ("images", "labels", "test_images", "test_labels", "val_images", "val_labels")
_NAME = "arrays"
_lock = threading.Lock()
_given: dict[str, Dataset] = {}
_uses: Counter[str] = Counter()


def names() -> tuple[str, ...]:
    """The names of the arrays that are given at the moment."""
    return tuple(_given)


def hint(name: object) -> str:
    """The end of a message about a name that arrays have had, or "" for another."""
    is_one = isinstance(name, str) and re.fullmatch(rf"{_NAME}_[0-9a-f]{{8}}", name)
    return "; these are arrays of a Python program: give them to it again as dataset" * bool(is_one)


def load(name: str) -> Dataset:
    """The data set of arrays that are given; raises KeyError where they are not."""
    return _given[name]


def give(name: str, dataset: Dataset) -> None:
    """Has this process know arrays by the name that they have in another, to its end."""
    with _lock:
        _given[name] = dataset
        _uses[name] += 1


@contextlib.contextmanager
def given(
    arrays: Sequence[Any] | Mapping[str, Any], channels_last: bool | None = None
) -> Iterator[str]:
    """A block in which arrays are a data set; gives its name, `arrays_` and their fingerprint.

    Args:
      arrays: `(images, labels)`, which are divided by class, or `(images, labels, test_images,
        test_labels)`, and `val_images, val_labels` after those; or a mapping with these keys. An
        entry that is None is as if it were not there. They are NumPy's, JAX's or what these are
        made of: images uint8, or floats in [0, 1].
      channels_last: where images have their channels; see `jaxact.data.own.arrays.as_bytes`.

    Raises:
      DataError: an array is missing, or not what it must be.
    """
    dataset = as_dataset(_NAME, _splits(_by_key(arrays), channels_last))
    name = f"{_NAME}_{str(dataset.fingerprint)[:8]}"
    with _lock:
        _given[name] = dataclasses.replace(dataset, name=name)
        _uses[name] += 1
    try:
        yield name
    finally:
        with _lock:
            _uses[name] -= 1
            if not _uses[name]:
                del _given[name], _uses[name]


def _by_key(arrays: Sequence[Any] | Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(arrays, Mapping):
        if not isinstance(arrays, Sequence | np.ndarray):
            raise DataError(
                f"dataset is of type {type(arrays).__name__}: give a name, a path, or arrays, such "
                f"as ({', '.join(KEYS[:4])})"
            )
        if len(arrays) not in (2, 4, 6):
            raise DataError(
                f"dataset has {len(arrays)} arrays: give ({', '.join(KEYS[:2])}) or "
                f"({', '.join(KEYS[:4])}), and {' and '.join(KEYS[4:])} after those, if any"
            )
        arrays = dict(zip(KEYS, arrays, strict=False))
    arrays = {key: value for key, value in arrays.items() if value is not None}
    wrong = [key for key in arrays if key not in KEYS]
    lacking = [key for key in KEYS[:2] if key not in arrays]
    for images, labels in zip(KEYS[::2], KEYS[1::2], strict=True):
        if (images in arrays) != (labels in arrays):
            lacking.append(labels if images in arrays else images)
    if wrong or lacking:
        raise DataError(
            f"dataset has {', '.join(map(str, arrays))}, but "
            + (f"no {lacking[0]}" if lacking else f"{wrong[0]} is unknown")
            + f"; its keys are {', '.join(KEYS)}"
        )
    return {key: _array(value, key) for key, value in arrays.items()}


def _array(value: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} is no array ({type(value).__name__}): its parts differ in shape, or are no "
            "numbers; give one array of all of them"
        ) from error
    # of bfloat16, say, which NumPy has no kind for
    return array.astype(np.float32) if array.dtype.kind == "V" and not array.dtype.names else array


def _splits(arrays: Mapping[str, np.ndarray], channels_last: bool | None) -> OwnSplits:
    pairs = []
    for images, labels in zip(KEYS[::2], KEYS[1::2], strict=True):
        if images not in arrays:
            pairs.append(None)
            continue
        pixels = as_bytes(arrays[images], images, channels_last)
        pairs.append((pixels, as_labels(arrays[labels], labels, len(pixels), images)))
        if pixels.shape[1:] != pairs[0][0].shape[1:]:
            raise DataError(
                f"images are {list(pairs[0][0].shape[1:])}, {images} {list(pixels.shape[1:])}; "
                "both must have one shape"
            )
    train, test, validation = pairs
    if test is None and validation is not None:
        test, validation = validation, None
    return OwnSplits(train=train, test=test, class_names=None, validation=validation)
