"""Checks and splits of the user's own images, whatever they are read from."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from jaxact.data import kept
from jaxact.data.dataset import Dataset, Split, split_by_class
from jaxact.data.formats.limits import LOWEST_BRIGHTEST, quoted
from jaxact.data.streaming.images import Images, StreamedImages, chunks
from jaxact.errors import DataError

# The same for every run, whatever its seed: seeds differ in training alone.
SPLIT_SEED = 0
TEST_SHARE = 0.2
_SHOWN = 5
_RENUMBER = "renumber all labels together with np.unique(labels, return_inverse=True)[1]"


@dataclasses.dataclass(frozen=True, eq=False)
class OwnSplits:
    """Images and labels as a reader found them; the labels are not checked yet.

    Attributes:
      train, test: uint8 `[examples, height, width, channels]`, in memory or streamed, and integers
        `[examples]`; `test` is None where the images are not divided.
      class_names: one a class, or None where only labels are known.
      notes: what the reader has to report.
      validation: as `test`, of images to validate on; None where there are none.
    """

    train: tuple[Images, np.ndarray]
    test: tuple[Images, np.ndarray] | None
    class_names: tuple[str, ...] | None
    notes: tuple[str, ...] = ()
    validation: tuple[Images, np.ndarray] | None = None


def as_dataset(name: str, own: OwnSplits) -> Dataset:
    """The data set, its labels checked, divided by a seeded stratified draw if it is not yet.

    Args:
      name: the path as the user gave it.
      own: from a reader.

    Raises:
      DataError: the labels are not 0, 1, 2 and so on, or there are too few images.
    """
    where = quoted(name)
    classes = _count_classes(where, own)
    train = _as_split(own.train)
    validation = None if own.validation is None else _as_split(own.validation)
    notes = list(own.notes)
    if validation is not None:
        notes.insert(
            0, f"validation images, which config.eval_split=validation uses: {len(validation)}"
        )
    if own.test is not None:
        test = _as_split(own.test)
    else:
        counts = np.bincount(train.labels, minlength=classes)
        if counts.min() < 2:
            rare = int(counts.argmin())
            label = quoted(own.class_names[rare]) if own.class_names else str(rare)
            raise DataError(
                f"{where}: class {label} has one image, too few to divide into training and test "
                "images; add images, or divide them yourself"
            )
        train, test = split_by_class(train, TEST_SHARE, SPLIT_SEED)
        notes.insert(
            0,
            f"divided by class with seed {SPLIT_SEED} into {len(train)} training and {len(test)} "
            "test images",
        )
    class_names = own.class_names or tuple(map(str, range(classes)))
    splits = train, test, *([] if validation is None else [validation])
    digits, brightest = _seen(splits)
    notes += _oddities(class_names, brightest, test, validation)
    return Dataset(
        name=name,
        train=train,
        test=test,
        num_classes=classes,
        class_names=class_names,
        augmentation="none",
        note="; ".join(notes),
        fingerprint=digits,
        validation=validation,
    )


def _oddities(
    class_names: tuple[str, ...], brightest: int, test: Split, validation: Split | None
) -> Iterator[str]:
    """Classes without images in a split, and images of few grey levels."""
    for kind, split in (("test", test), ("validation", validation)):
        if split is None:
            continue
        if missing := [class_names[k] for k in range(len(class_names)) if k not in split.labels]:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            yield f"no {kind} images of class {', '.join(map(quoted, missing[:_SHOWN]))}{more}"
    if brightest < LOWEST_BRIGHTEST:
        yield f"no value of the training images is above {brightest} of 255"


def _as_split(arrays: tuple[Images, np.ndarray]) -> Split:
    return Split(arrays[0], arrays[1].astype(np.int32))


def _count_classes(where: str, own: OwnSplits) -> int:
    labels = np.unique(own.train[1])
    others = {
        name: np.unique(split[1])
        for name, split in (("test", own.test), ("validation", own.validation))
        if split is not None
    }
    kind = "the training labels" if others else "the labels"
    lowest = min(values[0] for values in (labels, *others.values()))
    if lowest < 0:
        raise DataError(f"{where}: labels must be 0, 1, 2 and so on, got {lowest}; {_RENUMBER}")
    if len(labels) < 2:
        raise DataError(f"{where}: {kind} are all {labels[0]}; there must be two classes or more")
    if labels[-1] != len(labels) - 1:
        missing = np.setdiff1d(np.arange(len(labels)), labels)[:_SHOWN]
        raise DataError(
            f"{where}: {kind} go up to {labels[-1]} but none is {', '.join(map(str, missing))}; "
            + _RENUMBER
        )
    for name, values in others.items():
        if values[-1] > labels[-1]:
            raise DataError(
                f"{where}: the {name} labels go up to {values[-1]}, the training labels to "
                f"{labels[-1]}; every class needs training images"
            )
    return len(labels)


def _seen(splits: Sequence[Split]) -> tuple[str, int]:
    """The fingerprint, and the brightest value of the first split, which is trained on."""

    def look() -> dict[str, np.ndarray]:
        digits = fingerprint(*splits)
        brightest = max(int(chunk.max()) for chunk in chunks(splits[0].images))
        return {"fingerprint": np.array(digits), "brightest": np.array(brightest)}

    identities = [
        (split.images.identity, kept.key_of(split.labels.tobytes()))
        for split in splits
        if isinstance(split.images, StreamedImages)
    ]
    # Of images in memory it takes no time, of others all of them are read for it.
    seen = kept.remembered(kept.key_of("seen", identities), look) if identities else look()
    return str(seen["fingerprint"]), int(seen["brightest"])


def fingerprint(*splits: Split) -> str:
    """SHA-256 over shapes, images and labels of every split, in hexadecimal digits."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr((split.images.shape, split.images.dtype.str)).encode())
        for chunk in chunks(split.images):
            digest.update(np.ascontiguousarray(chunk).data)
        digest.update(repr((split.labels.shape, split.labels.dtype.str)).encode())
        digest.update(np.ascontiguousarray(split.labels).data)
    return digest.hexdigest()
