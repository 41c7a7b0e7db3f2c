"""Images to train and test on: `names()`, `load(name)`, and the functions that prepare them."""

import os
from collections.abc import Mapping
from pathlib import Path

from jaxact.data import digits, original_files, tfds_source
from jaxact.data.augmentation import augment, augmentations, random_crop, random_flip
from jaxact.data.dataset import Dataset, Split, hold_out, subset
from jaxact.data.preprocessing import channel_statistics, fit_to_model, normalize
from jaxact.data.sources import SOURCES, Source
from jaxact.errors import ConfigError, did_you_mean

__all__ = [
    "SOURCES",
    "Dataset",
    "Source",
    "Split",
    "augment",
    "augmentations",
    "channel_statistics",
    "default_data_dir",
    "fit_to_model",
    "hold_out",
    "load",
    "names",
    "normalize",
    "random_crop",
    "random_flip",
    "subset",
]


def names() -> tuple[str, ...]:
    """Every name that `load` knows."""
    return (digits.NAME, *SOURCES)


def default_data_dir() -> Path:
    """`$JAXACT_DATA`, or `~/.cache/jaxact/data`."""
    return Path(os.environ.get("JAXACT_DATA") or "~/.cache/jaxact/data").expanduser()


def load(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    sources: Mapping[str, Source] = SOURCES,
) -> Dataset:
    """Loads a data set whole: prepared before, from its original files, or by a download.

    Args:
      name: one of `names()`.
      data_dir: where the data lie or shall lie; None means `default_data_dir()`.
      sources: the published files of each data set but the digits.

    Returns:
      uint8 images `[examples, height, width, channels]` and int32 labels, both splits.

    Raises:
      ConfigError: there is no such data set.
      DataError: the data cannot be had, or are damaged.
    """
    if name == digits.NAME:
        return digits.load()
    if name not in sources:
        known = (digits.NAME, *sources)
        raise ConfigError(
            f"dataset={name!r} must be one of {', '.join(known)}" + did_you_mean(name, known)
        )
    source = sources[name]
    directory = default_data_dir() if data_dir is None else Path(data_dir).expanduser()
    for read in (tfds_source.read_prepared, original_files.read):
        if (dataset := read(source, directory)) is not None:
            return dataset
    return tfds_source.download_and_prepare(source, directory)
