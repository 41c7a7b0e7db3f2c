"""Images to train and test on: `names()`, `load(name)`, and the functions that prepare them."""

import dataclasses
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact.data import own
from jaxact.data.dataset import Dataset, Split, describe, hold_out, subset
from jaxact.data.own import OWN, given as _given, is_path, stamp, title, titles
from jaxact.data.own.given import given, hint as given_hint
from jaxact.data.published import digits, original_files, tfds_source
from jaxact.data.published.sources import SOURCES, Source
from jaxact.data.streaming.images import StreamedImages
from jaxact.data.transforms.augmentation import (
    augment,
    augment_examples,
    augmentation_text,
    augmentations,
    needs_colors,
    parse_augmentation,
)
from jaxact.data.transforms.color import color_components
from jaxact.data.transforms.geometry import random_crop, random_flip
from jaxact.data.transforms.preprocessing import (
    Preprocessing,
    channel_statistics,
    enlarged,
    fit_preprocessing,
    fit_to_model,
    normalize,
    preprocessings,
    resize,
)
from jaxact.errors import ConfigError, DataError, did_you_mean
from jaxact.packages import needed_for

__all__ = [
    "OWN",
    "SOURCES",
    "Dataset",
    "Preprocessing",
    "Source",
    "Split",
    "augment",
    "augment_examples",
    "augmentation_text",
    "augmentations",
    "channel_statistics",
    "color_components",
    "default_data_dir",
    "describe",
    "enlarged",
    "fit_preprocessing",
    "fit_to_model",
    "given",
    "given_hint",
    "hold_out",
    "is_folder",
    "is_path",
    "load",
    "names",
    "needs_colors",
    "normalize",
    "parse_augmentation",
    "preprocessings",
    "random_crop",
    "random_flip",
    "resize",
    "stamp",
    "subset",
    "title",
    "titles",
]


def names() -> tuple[str, ...]:
    """Every name that `load` knows; of arrays as long as they are `given`."""
    return (digits.NAME, *SOURCES, *_given.names())


def is_folder(name: str) -> bool:
    """Whether a data set is a folder of the user's own."""
    return name not in names() and is_path(name) and os.path.isdir(os.path.expanduser(name))


def default_data_dir() -> Path:
    """`$JAXACT_DATA`, or `~/.cache/jaxact/data`."""
    return Path(os.path.expanduser(os.environ.get("JAXACT_DATA") or "~/.cache/jaxact/data"))


def load(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    sources: Mapping[str, Source] = SOURCES,
    image_size: int | None = None,
    channels_last: bool | None = None,
    follow_links: bool = False,
    resident_bytes: float = math.inf,
) -> Dataset:
    """Loads a data set whole: prepared before, from its original files, or by a download.

    Args:
      name: one of `names()`, or the path of the user's own images (see `jaxact.data.own`).
      data_dir: where the data lie or shall lie; None means `default_data_dir()`.
      sources: the published files of each data set but the digits.
      image_size: height and width, in pixels, that images are resized to; None: as they are.
      channels_last, follow_links: how the user's own are read; see `jaxact.data.own.load`.
      resident_bytes: of images in a folder that are held in memory; more are `StreamedImages`.

    Returns:
      uint8 images `[examples, height, width, channels]` and int32 labels, every split.

    Raises:
      ConfigError: there is no such data set.
      DataError: the data cannot be had, or are damaged.
    """
    known = (digits.NAME, *sources)
    if name in _given.names():
        dataset = _given.load(name)
    elif name in known:
        dataset = _load_published(name, data_dir, sources)
    elif own.is_path(name):
        if tfds_source.is_prepared(Path(os.path.expanduser(name))):
            with needed_for("a data set that TFDS prepared", DataError):
                from jaxact.data.published import tfds_folder  # imports Pillow

            dataset = tfds_folder.load(name, image_size, resident_bytes)
        else:
            dataset = own.load(name, known, image_size, channels_last, follow_links, resident_bytes)
    else:
        raise ConfigError(
            f"dataset={name!r} must be one of {', '.join(known)}, or {OWN}"
            + did_you_mean(name, known)
        )
    if image_size is None or isinstance(dataset.train.images, StreamedImages):
        return dataset
    resized: dict[str, Any] = {
        split_name: Split(resize(split.images, image_size, image_size), split.labels)
        for split_name, split in dataset.splits().items()
    }
    return dataclasses.replace(dataset, **resized)


def _load_published(
    name: str, data_dir: str | os.PathLike[str] | None, sources: Mapping[str, Source]
) -> Dataset:
    if name == digits.NAME:
        return digits.load()
    source = sources[name]
    directory = default_data_dir() if data_dir is None else Path(data_dir).expanduser()
    for read in (tfds_source.read_prepared, original_files.read):
        if (dataset := read(source, directory)) is not None:
            return dataset
    return tfds_source.download_and_prepare(source, directory)
