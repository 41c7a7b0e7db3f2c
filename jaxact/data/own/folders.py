"""The user's own images as a folder of class folders of PNG and JPEG files."""

import contextlib
import dataclasses
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from jaxact.data.formats.limits import check_memory, quoted, reason
from jaxact.data.own.splits import OwnSplits
from jaxact.errors import DataError

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS = ("train", "test")
_GREY_MODES = ("1", "L")
_DEEP_MODES = ("I", "F")  # 16 bits a channel and more: I, I;16, I;16B, F
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class _Found:
    """Images of a split by class, in order of name, and what else lies there."""

    images: dict[str, list[Path]]
    ignored: list[Path]


def read(root: Path, image_size: int | None = None) -> OwnSplits:
    """Images in `root/train/CLASS/` and `root/test/CLASS/`, or in `root/CLASS/`, not divided.

    Labels follow the sorted class names. Where every image is grey there is one channel, else
    three; transparency is dropped and EXIF orientation not applied, as by torchvision's
    ImageFolder. Hidden files are skipped in silence, others that are no images are reported.

    Args:
      root: an existing folder; no link in it may lead out of it.
      image_size: height and width, in pixels, that every image is resized to (bilinearly); None
        keeps them as they are, and they must be of one size.

    Raises:
      DataError: no classes, a class without images, sizes that differ, an unreadable image.
    """
    folders, files = _list(root, root)
    names = [folder.name for folder in folders]
    ignored = list(files)
    if set(SPLITS) <= set(names):
        ignored += [folder for folder in folders if folder.name not in SPLITS]
        found = [_find(root / split, root) for split in SPLITS]
        _check_classes(root, *found)
    else:
        for split in set(SPLITS) & set(names):
            if _list(root / split, root)[0]:
                other = SPLITS[1 - SPLITS.index(split)]
                raise DataError(
                    f"{quoted(root)} has {split}/ but no {other}/; add it, or put the class "
                    f"folders of {split}/ directly into {quoted(root)}"
                )
        found = [_find(root, root)]
        ignored = []
    class_names = tuple(found[0].images)
    ignored += [path for part in found for path in part.ignored]
    paths = [path for part in found for images in part.images.values() for path in images]
    with _strict_pillow():
        shape = _common_shape(root, paths, image_size)
        splits = [_read_split(part, class_names, shape, image_size is not None) for part in found]
    return OwnSplits(
        train=splits[0],
        test=splits[1] if len(splits) > 1 else None,
        class_names=class_names,
        notes=(f"ignored, no PNG or JPEG images: {_few(root, ignored)}",) if ignored else (),
    )


def _few(root: Path, paths: list[Path]) -> str:
    more = len(paths) - _SHOWN
    shown = ", ".join(quoted(path.relative_to(root)) for path in paths[:_SHOWN])
    return shown + (f" and {more} more" if more > 0 else "")


def _list(folder: Path, root: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files in order of name, without the hidden ones."""
    try:
        return _list_readable(folder, Path(os.path.realpath(root)), root)
    except OSError as error:
        raise DataError(f"cannot read {quoted(folder)}: {error.strerror}") from error


def _list_readable(folder: Path, inside: Path, root: Path) -> tuple[list[Path], list[Path]]:
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in paths:
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
            raise DataError(
                f"{quoted(path)} is a link that leads out of {quoted(root)}; copy what it names"
            )
        if not (path.is_dir() or path.is_file()):
            raise DataError(f"{quoted(path)} is neither a file nor a folder; remove it")
    return [path for path in paths if path.is_dir()], [path for path in paths if path.is_file()]


def _find(folder: Path, root: Path) -> _Found:
    folders, ignored = _list(folder, root)
    if not folders:
        raise DataError(
            f"{quoted(folder)} has no class folders; put the images of each class into "
            f"{quoted(folder / 'CLASS')}/"
        )
    images = {}
    for class_folder in folders:
        inner, files = _list(class_folder, root)
        if inner:
            raise DataError(
                f"{quoted(inner[0])} is a folder within a class folder; images must lie directly "
                "in the folder of their class"
            )
        images[class_folder.name] = [path for path in files if path.suffix.lower() in SUFFIXES]
        ignored += [path for path in files if path.suffix.lower() not in SUFFIXES]
        if not images[class_folder.name]:
            raise DataError(
                f"class folder {quoted(class_folder)} has no PNG or JPEG images; add some, or "
                "remove it"
            )
    return _Found(images, ignored)


def _check_classes(root: Path, train: _Found, test: _Found) -> None:
    if unknown := sorted(test.images.keys() - train.images.keys()):
        raise DataError(
            f"{quoted(root)}: test/ has the class {quoted(unknown[0])} that train/ has not; every "
            "class needs training images"
        )


@contextlib.contextmanager
def _strict_pillow() -> Iterator[None]:
    """Pillow warns of images above its limit of pixels, and of oddities that do no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except DataError:
        raise
    except Image.UnidentifiedImageError as error:
        raise DataError(f"{quoted(path)} is no PNG or JPEG image; remove it") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"{quoted(path)} has more than {Image.MAX_IMAGE_PIXELS} pixels; make it smaller"
        ) from error
    except Exception as error:  # a broken image can fail in any way
        raise DataError(
            f"{quoted(path)} cannot be read ({reason(error)}); mend or remove it"
        ) from error


def _common_shape(root: Path, paths: list[Path], image_size: int | None) -> tuple[int, int, int]:
    """`(height, width, channels)` from the headers alone: nothing is decoded yet."""
    is_grey, first = True, (0, 0)
    for path in paths:
        with _opened(path) as image:
            if image.mode.startswith(_DEEP_MODES):
                raise DataError(
                    f"{quoted(path)} has more than 8 bits a channel ({image.mode}); save it with 8"
                )
            is_grey &= image.mode in _GREY_MODES
            first = first if first != (0, 0) else image.size
            if image_size is None and image.size != first:
                raise DataError(
                    f"{quoted(paths[0])} is {first[0]} x {first[1]} pixels, {quoted(path)} "
                    f"{image.size[0]} x {image.size[1]}: make all of one size, or have them "
                    f"resized with --config.image_size={min(first)}"
                )
    width, height = first if image_size is None else (image_size, image_size)
    channels = 1 if is_grey else 3
    check_memory(
        len(paths) * height * width * channels,
        quoted(root),
        "use fewer images, or smaller ones with --config.image_size",
    )
    return height, width, channels


def _read_split(
    found: _Found, class_names: tuple[str, ...], shape: tuple[int, int, int], is_resized: bool
) -> tuple[np.ndarray, np.ndarray]:
    counts = [len(found.images.get(name, ())) for name in class_names]
    labels = np.repeat(np.arange(len(class_names)), counts)
    images = np.empty((len(labels), *shape), np.uint8)
    ordered = (found.images.get(name, ()) for name in class_names)
    for index, path in enumerate(itertools.chain.from_iterable(ordered)):
        images[index] = _pixels(path, shape, is_resized)
    return images, labels


def _pixels(path: Path, shape: tuple[int, int, int], is_resized: bool) -> np.ndarray:
    height, width, channels = shape
    with _opened(path) as image:
        converted = image.convert("L" if channels == 1 else "RGB")
        if is_resized and converted.size != (width, height):
            converted = converted.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(converted).reshape(shape)
