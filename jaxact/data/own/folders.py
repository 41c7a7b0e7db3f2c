"""The user's own images as a folder of class folders: which folders are splits, which classes."""

import dataclasses
import itertools
import math
import operator
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from jaxact.data.formats.limits import quoted
from jaxact.data.own.decoding import decode_splits
from jaxact.data.own.files import Files
from jaxact.data.own.listing import Lister
from jaxact.data.own.pictures import KINDS, SUFFIXES
from jaxact.data.own.splits import OwnSplits
from jaxact.errors import DataError

# What the folder of a split may be called, in lower case.
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
}
# Folders whose names are made of these words and numbers hold no class: `test1`, `train_images`.
_NO_CLASS = {
    *("eval", "evaluation", "pred", "predict", "prediction", "predictions", "unlabeled"),
    *("unlabelled", "sample", "samples", "image", "images", "img", "imgs", "jpg", "jpeg", "png"),
    *("data", "set", "sets", "label", "labels", "annotations", "masks", *_SPLITS),
    *("dev", "trn", "tst", "holdout", "validate", "fold", "folds", "part", "parts", "batch"),
    *("jpegs", "pngs", "gif", "bmp", "webp", "tif", "tiff", "thumbs", "thumbnails", "pics", "zip"),
}
_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Found:
    """Images of a split by class, in natural order of name, and what else lies there."""

    images: dict[str, Files]
    ignored: list[Path]


def read(
    root: Path,
    image_size: int | None = None,
    follow_links: bool = False,
    resident_bytes: float = math.inf,
) -> OwnSplits:
    """Images in `root/CLASS/`, not divided, or in `root/train/CLASS/` and `root/test/CLASS/`.

    Beside the latter `root/val/CLASS/` may lie; without a `root/test/` it is tested on. Labels
    follow the class names, sorted, numbers as numbers. Images in folders within a class folder,
    at any depth, are of that class. Where every image is grey there is one channel, else three.
    What is done to images is in `decode`. Hidden files are skipped in silence, others that are no
    images are reported.

    Args:
      root: an existing folder.
      image_size: height and width, in pixels, that every image is `fitted` to; None keeps them as
        they are, and they must be of one size.
      follow_links: whether a link in it may lead out of it.
      resident_bytes: of pixels that are held in memory; more are read when they are asked for.

    Raises:
      DataError: no classes, a class without images, sizes that differ, unreadable images.
    """
    lister = Lister(root, follow_links)
    found, others, notes = listed(lister)
    class_names = tuple(found["train"].images)
    images = {
        split: [part.images.get(name, Files()) for name in class_names]
        for split, part in found.items()
    }
    arrays, facts = decode_splits(lister, images, image_size, resident_bytes)
    if ignored := others + [path for part in found.values() for path in part.ignored]:
        notes.append(f"ignored, no images or classes: {lister.few(ignored)}")
    return OwnSplits(
        train=arrays["train"],
        test=arrays.get("test"),
        validation=arrays.get("validation"),
        class_names=class_names,
        notes=(*facts, *notes),
    )


def listed(lister: Lister) -> tuple[dict[str, Found], list[Path], list[str]]:
    """The images of each split, what else lies in the root, and what is to be reported.

    Nothing is opened, and little more is held than the files' names.
    """
    root, notes = lister.root, []
    folders, files, left = lister(root)
    splits = _split_folders(lister, folders)
    if not splits:
        return {"train": _find(root, lister)}, [], notes
    others = [root / name for name in sorted(files + left)]
    others += [folder for folder in folders if folder not in splits.values()]
    found = {split: _find(folder, lister) for split, folder in splits.items()}
    _check_classes(root, splits, found)
    if "test" not in found:
        found["test"] = found.pop("validation")
        notes.append(f"no test images: those of {splits['validation'].name}/ are tested on")
    return found, others, notes


def _split_folders(lister: Lister, folders: list[Path]) -> dict[str, Path]:
    """The folder of each split; empty where class folders lie in the root itself."""
    root, splits = quoted(lister.root), {}
    for folder in folders:
        split = _SPLITS.get(folder.name.lower())
        if split in splits:
            raise DataError(
                f"{root} has {quoted(splits[split].name)}/ and {quoted(folder.name)}/, both of "
                f"{split} images; put them into one"
            )
        if split:
            splits[split] = folder
    if {"train", "test"} <= splits.keys():
        return splits
    with_classes = {split: path for split, path in splits.items() if lister(path).folders}
    if {"train", "validation"} <= with_classes.keys():
        return with_classes
    if with_classes:
        there = next(iter(with_classes.values()))
        name, other = quoted(there.name), "test" if "train" in with_classes else "train"
        raise DataError(
            f"{root} has {name}/ but no {other}/; add it, or put the class folders of {name}/ "
            f"directly into {root}, or give {quoted(there)} to have its images divided"
        )
    return {}


def _find(folder: Path, lister: Lister) -> Found:
    """The classes of a split's folder, or of the root."""
    folders, files, left = lister(folder)
    where = quoted(folder)
    if not folders:
        beside = "" if folder == lister.root else ", or take it away if they have no labels"
        raise DataError(
            f"{where} has no class folders; put the images of each class into "
            f"{quoted(folder / 'CLASS')}/{beside}"
        )
    if len(folders) == 1 and (inner := lister(folders[0]).folders):
        raise _within(inner[0], folders[0])
    if odd := _no_classes([path.name for path in folders]):
        names = ", ".join(map(quoted, odd[:_SHOWN]))
        raise DataError(
            f"{where}: {names} would be taken for {'classes' if len(odd) > 1 else 'a class'}; "
            "what is understood is CLASS/*.png, or train/CLASS/*.png and test/CLASS/*.png, and "
            "val/CLASS/*.png beside them (a class that is called so must be renamed)"
        )
    images, ignored = {}, [folder / name for name in sorted(files + left)]
    for class_folder in folders:
        images[class_folder.name] = files = Files()
        _gather(class_folder, class_folder, lister, files, ignored, (folder,))
        if not files:
            raise DataError(
                f"class folder {quoted(class_folder)} has no {KINDS} images; add some, or remove it"
            )
    return Found(images, ignored)


def _gather(
    folder: Path,
    class_folder: Path,
    lister: Lister,
    files: Files,
    ignored: list[Path],
    above: tuple[Path, ...],
) -> None:
    """Adds the images in a folder and in those within it, and what else is there."""
    if any(os.path.samefile(folder, other) for other in above):
        raise DataError(f"{quoted(folder)} is a link to a folder that it lies in; remove it")
    inner, names, left = lister(folder)
    if splits := [path for path in inner if path.name.lower() in _SPLITS]:
        raise _within(splits[0], class_folder)
    is_image = [os.path.splitext(name)[1].lower() in SUFFIXES for name in names]
    files.add(folder, itertools.compress(names, is_image))
    others = itertools.compress(names, map(operator.not_, is_image))
    ignored += [folder / name for name in sorted([*others, *left])]
    for path in inner:
        _gather(path, class_folder, lister, files, ignored, (*above, folder))


def _within(inner: Path, class_folder: Path) -> DataError:
    return DataError(
        f"{quoted(inner)} is a folder within a class folder, and seems to hold no part of a class: "
        f"if {quoted(class_folder)} holds the classes or train/ and test/, give its path"
    )


def _no_classes(names: list[str]) -> list[str]:
    """Names such as `test1` or `sample`, and pairs such as `pets_train` and `pets_test`."""
    words = {name: _words(name) for name in names}
    rests = {
        name: tuple(word for word in those if word not in _SPLITS)
        for name, those in words.items()
        if not _SPLITS.keys().isdisjoint(those)
    }
    counts = Counter(rests.values())
    return [
        name
        for name, those in words.items()
        if (those and _NO_CLASS.issuperset(those))
        or (name in rests and (counts[rests[name]] > 1 or _says_nothing(rests[name])))
    ]


def _says_nothing(words: Iterable[str]) -> bool:
    """Whether they are single letters and the like, as in `testA` and `x_train`."""
    return all(len(word) == 1 or word in _NO_CLASS for word in words)


def _words(name: str) -> list[str]:
    """The words of a name in lower case: `TrainSet-2` and `train_set` have `train` and `set`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", apart.lower())
    # Written as one: `testset`, `trainimages`.
    return [
        part
        for word in words
        for part in (re.sub(r"(?<=.)(data|sets?|images?|labels?)$", r" \1", word).split())
    ]


def _check_classes(root: Path, folders: dict[str, Path], found: dict[str, Found]) -> None:
    known = found["train"].images.keys()
    for split, part in found.items():
        if unknown := [name for name in part.images if name not in known]:
            raise DataError(
                f"{quoted(root)}: {folders[split].name}/ has the class {quoted(unknown[0])} that "
                f"{folders['train'].name}/ has not; every class needs training images"
            )
