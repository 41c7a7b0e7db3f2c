"""The records every data source ends in, and the pure functions that cut them."""

import dataclasses
from typing import Any

import numpy as np

from jaxact.errors import ConfigError, DataError


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels, in the order of the source.

    Attributes:
      images: uint8 `[examples, height, width, channels]`, in memory or `StreamedImages`.
      labels: int32 `[examples]`.
    """

    images: Any
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split with what is known about them.

    Attributes:
      name: as in `jaxact.data.names()`, or the path of the user's own.
      train, test: the published splits.
      num_classes: labels are 0 to `num_classes - 1`.
      class_names: one a class.
      augmentation: name of the default augmentation, `"none"` or `"crop_flip"`.
      note: what the user should know of how the data were read; "" if nothing.
      fingerprint: of the user's own images and labels, in hexadecimal digits; None where the name
        and published checksums say which data they are.
      validation: images to validate on that come with the data; None: they are held out of `train`.

    Raises:
      DataError: shapes, dtypes or labels are not what they must be.
    """

    name: str
    train: Split
    test: Split
    num_classes: int
    class_names: tuple[str, ...]
    augmentation: str
    note: str = ""
    fingerprint: str | None = None
    validation: Split | None = None

    def __post_init__(self):
        if len(self.class_names) != self.num_classes:
            raise DataError(
                f"{self.name}: {len(self.class_names)} class names for {self.num_classes} classes"
            )
        for split_name, split in self.splits().items():
            _check(f"{self.name} {split_name}", split, self.num_classes)
            if self.train.images.shape[1:] != split.images.shape[1:]:
                raise DataError(
                    f"{self.name}: training images are {self.train.images.shape[1:]}, "
                    f"{split_name} images {split.images.shape[1:]}"
                )

    def splits(self) -> dict[str, Split]:
        """Every split by name: "train", "test", and "validation" where the data have one."""
        splits = {"train": self.train, "test": self.test}
        return splits if self.validation is None else splits | {"validation": self.validation}


def describe(dataset: Dataset, *notes: str) -> dict[str, Any]:
    """The content of `data.json`: which data a run has seen, and what is to be known of them."""
    return {
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "train_images": len(dataset.train),
        "test_images": len(dataset.test),
        "validation_images": None if dataset.validation is None else len(dataset.validation),
        "image_shape": list(dataset.train.images.shape[1:]),
        "class_names": list(dataset.class_names),
        "note": "; ".join(filter(None, (dataset.note, *notes))),
    }


def _check(where: str, split: Split, num_classes: int) -> None:
    images, labels = split.images, split.labels
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise DataError(
            f"{where}: images must be uint8 [examples, height, width, channels] and not empty, "
            f"got {images.dtype} {list(images.shape)}"
        )
    if labels.dtype != np.int32 or labels.shape != images.shape[:1]:
        raise DataError(
            f"{where}: labels must be int32 [{len(images)}], "
            f"got {labels.dtype} {list(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise DataError(
            f"{where}: labels must be 0 to {num_classes - 1}, got {labels.min()} to {labels.max()}"
        )


def subset(split: Split, examples: int | None, seed: int, field: str = "examples") -> Split:
    """The first `examples` of a seeded shuffle; a smaller subset is a prefix of a larger one.

    Args:
      split: what to draw from.
      examples: how many; None keeps all of them, in their order.
      seed: of the shuffle.
      field: name of the number in the error message.

    Returns:
      A new split of that many examples.

    Raises:
      ConfigError: `examples` is below 1 or above what there is.
    """
    if examples is None:
        return split
    if not 1 <= examples <= len(split):
        raise ConfigError(f"{field}={examples} must be 1 to {len(split)}, or null for all")
    return _take(split, np.random.default_rng(seed).permutation(len(split))[:examples])


def hold_out(split: Split, examples: int = 5000, seed: int = 0) -> tuple[Split, Split]:
    """Holds examples out of the training split, drawn at random and the same for a seed.

    Args:
      split: the training split.
      examples: how many to hold out; of fewer than 50,000 at most a tenth is held out.
      seed: of the draw.

    Returns:
      `(train, validation)`: disjoint, together all of `split`, each in its order.

    Raises:
      ConfigError: nothing would be held out, or nothing left.
    """
    if len(split) < 50_000:
        examples = min(examples, len(split) // 10)
    if not 1 <= examples < len(split):
        raise ConfigError(f"cannot hold {examples} of {len(split)} examples out for validation")
    order = np.random.default_rng(seed).permutation(len(split))
    return _take(split, np.sort(order[examples:])), _take(split, np.sort(order[:examples]))


def split_by_class(split: Split, share: float = 0.2, seed: int = 0) -> tuple[Split, Split]:
    """Divides a split class by class, drawn at random and the same for a seed.

    Args:
      split: with two images of each class or more.
      share: of each class that goes into the second part, rounded, at least one image.
      seed: of the draw.

    Returns:
      `(train, test)`: disjoint, together all of `split`, each in its order.

    Raises:
      DataError: a class has one image only.
    """
    generator = np.random.default_rng(seed)
    is_test = np.zeros(len(split), bool)
    for label in np.unique(split.labels):
        index = np.flatnonzero(split.labels == label)
        if len(index) < 2:
            raise DataError(f"label {label} has one image, too few to divide")
        count = min(max(round(share * len(index)), 1), len(index) - 1)
        is_test[generator.permutation(index)[:count]] = True
    return _take(split, np.flatnonzero(~is_test)), _take(split, np.flatnonzero(is_test))


def _take(split: Split, index: np.ndarray) -> Split:
    return Split(split.images[index], split.labels[index])
