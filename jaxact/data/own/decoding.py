"""Image files to arrays, all that is wrong with them in one answer."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from jaxact.data.formats.limits import COPIES, LOWEST_BRIGHTEST, check_memory, quoted
from jaxact.data.own import pictures
from jaxact.data.own.listing import Lister
from jaxact.data.own.pictures import Header, Unusable
from jaxact.errors import DataError

_SHOWN = 5
_NAMED = 3  # of the images that something was done to

Arrays = tuple[np.ndarray, np.ndarray]


def decode_splits(
    lister: Lister, images: dict[str, list[list[Path]]], image_size: int | None
) -> tuple[dict[str, Arrays], list[str]]:
    """Decodes the images of every split.

    Args:
      lister: of the folder that they lie in.
      images: the files of each class, in order of label, by split.
      image_size: height and width, in pixels, that every image is resized to; None: all must be of
        one size.

    Returns:
      Uint8 `[examples, height, width, channels]` and labels by split; what was done to images, in
      a note each.

    Raises:
      DataError: images that are broken, of different sizes, or more than memory holds; a few of
        them by name, and how many there are.
    """
    files = {split: [path for part in parts for path in part] for split, parts in images.items()}
    paths = [path for part in files.values() for path in part]
    with pictures.strict_pillow():
        width, height, channels = _common_shape(lister.root, paths, image_size)
        check_memory(
            COPIES * len(paths) * height * width * channels,
            quoted(lister.root),
            "use fewer images, or smaller ones with --config.image_size",
        )
        size = None if image_size is None else (width, height)
        facts, broken, brightest, arrays = defaultdict(list), [], None, {}
        for split, parts in images.items():
            pixels = np.empty((len(files[split]), height, width, channels), np.uint8)
            for index, path in enumerate(files[split]):
                try:
                    picture = pictures.decode(path, channels, size)
                    pixels[index] = _of_shape(path, picture.pixels, pixels.shape[1:])
                except Unusable as error:
                    broken.append(error)
                    continue
                for fact in picture.facts:
                    facts[fact].append(path)
                if pictures.SCALED in picture.facts:
                    brightest = max(brightest or 0, int(picture.pixels.max()))
            arrays[split] = pixels, np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    refuse(broken, len(paths))
    if brightest is not None and brightest < LOWEST_BRIGHTEST:
        raise DataError(
            f"{quoted(lister.root)}: of 16 bits a channel (in "
            f"{lister.few(facts[pictures.SCALED], _NAMED)}) no value is above "
            f"{brightest * 257 + 255} of 65535, so that 8 bits would leave few levels or none; "
            "save such images with 8 bits, scaled by the range that they have"
        )
    return arrays, [
        f"images {fact}: {len(facts[fact])} ({lister.few(facts[fact], _NAMED)})"
        for fact in pictures.FACTS
        if fact in facts
    ]


def _common_shape(root: Path, paths: list[Path], image_size: int | None) -> tuple[int, int, int]:
    """`(width, height, channels)` from the headers alone: nothing is decoded yet."""
    headers: dict[Path, Header] = {}
    broken = []
    for path in paths:
        try:
            headers[path] = pictures.header(path)
        except Unusable as error:
            broken.append(error)
    if broken:  # then the others are decoded for nothing but what is wrong with them
        for path in headers:
            try:
                pictures.decode(path, 3)
            except Unusable as error:
                broken.append(error)
        refuse(broken, len(paths))
    sizes = {path: header.size for path, header in headers.items()}
    first, *_ = sizes
    others = [path for path in paths if sizes[path] != sizes[first]]
    if image_size is None and others:
        width, height = sizes[others[0]]
        more = f" ({len(others) - 1} more of {len(paths)} differ, too)" if len(others) > 1 else ""
        raise DataError(
            f"{quoted(first)} is {sizes[first][0]} x {sizes[first][1]} pixels, {quoted(others[0])} "
            f"{width} x {height}{more}: make all of one size, or have them resized with "
            f"--config.image_size={min(sizes[first])}"
        )
    width, height = sizes[first] if image_size is None else (image_size, image_size)
    return width, height, 1 if all(header.is_grey for header in headers.values()) else 3


def _of_shape(path: Path, pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if pixels.shape != shape:  # of an orientation that stands behind the pixels
        raise Unusable(
            path,
            f"is {pixels.shape[1]} x {pixels.shape[0]} pixels once it is turned as its EXIF "
            f"orientation says, not {shape[1]} x {shape[0]}",
            "save it upright",
        )
    return pixels


def refuse(broken: list[Unusable], images: int) -> None:
    """Raises DataError if some of so many images are broken: a few of them, and their number."""
    if len(broken) == 1:
        raise DataError(str(broken[0])) from broken[0]
    if broken:
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        shown = ", ".join(error.described for error in broken[:_SHOWN])
        raise DataError(
            f"{len(broken)} of {images} images cannot be used: {shown}{more}; mend or remove them"
        )
