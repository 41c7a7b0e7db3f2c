"""Image files to arrays, all that is wrong with them in one answer."""

import warnings

import numpy as np

from jaxact.data import kept
from jaxact.data.formats.limits import COPIES, LOWEST_BRIGHTEST, check_memory, quoted
from jaxact.data.own import pictures
from jaxact.data.own.file_images import BITS, FileImages, identity
from jaxact.data.own.files import Files
from jaxact.data.own.listing import Lister
from jaxact.data.own.pictures import SCALED, Unusable
from jaxact.data.streaming import holding, pipeline
from jaxact.data.streaming.holding import Survey
from jaxact.data.streaming.images import Images, part_of
from jaxact.errors import DataError

_SHOWN = 5
_NAMED = 3  # of the images that something was done to

Arrays = tuple[Images, np.ndarray]


def decode_splits(
    lister: Lister,
    images: dict[str, list[Files]],
    image_size: int | None,
    resident_bytes: float,
) -> tuple[dict[str, Arrays], list[str]]:
    """Decodes the images of every split, or makes ready to decode them when they are asked for.

    What took long is kept on disk (`jaxact.data.kept`), and is found there the next time.

    Args:
      lister: of the folder that they lie in.
      images: the files of each class, in order of label, by split.
      image_size: height and width, in pixels, that every image is fitted to; None: all must be of
        one size.
      resident_bytes: of all images; if they are more, they are streamed.

    Returns:
      Uint8 `[examples, height, width, channels]`, an array or `StreamedImages`, and labels by
      split; what was done to images, in a note each.

    Raises:
      DataError: images that are broken, of different sizes, or more than memory holds; a few of
        them by name, and how many there are.
    """
    files = Files()
    for parts in images.values():
        for part in parts:
            files.extend(part)
    pixels, survey = _read_all(lister, files, image_size, resident_bytes)
    if 0 <= survey.brightest < LOWEST_BRIGHTEST:
        scaled = _few(lister, files, survey, SCALED)
        raise DataError(
            f"{quoted(lister.root)}: of 16 bits a channel (in {scaled}) no value is above "
            f"{int(survey.brightest) * 257 + 255} of 65535, so that 8 bits would leave few levels "
            "or none; save such images with 8 bits, scaled by the range that they have"
        )
    arrays, begin = {}, 0
    for split, parts in images.items():
        counts = [len(part) for part in parts]
        end = begin + sum(counts)
        arrays[split] = part_of(pixels, begin, end), np.repeat(np.arange(len(parts)), counts)
        begin = end
    return arrays, [
        f"images {fact}: {np.count_nonzero(survey.facts & bit)} "
        f"({_few(lister, files, survey, fact)})"
        for fact, bit in BITS.items()
        if (survey.facts & bit).any()
    ]


def _few(lister: Lister, files: Files, survey: Survey, fact: str) -> str:
    places = np.flatnonzero(survey.facts & BITS[fact])
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return lister.few([files[place] for place in places[:_NAMED]], _NAMED) + more


def _read_all(
    lister: Lister, files: Files, image_size: int | None, resident_bytes: float
) -> tuple[Images, Survey]:
    """All images, in memory or to be streamed, and what is known of them."""
    store, key = kept.default(), identity(lister.root, files, image_size)
    with pictures.strict_pillow():
        if (folder := holding.found(store, key)) is not None:
            height, width, channels = map(int, holding.load(folder).shape)
        else:
            height, width, channels = _common_shape(files, image_size)
        source = FileImages(files, (height, width, channels), image_size is not None, key)
        size_bytes = len(files) * height * width * channels
        is_streamed = size_bytes > resident_bytes
        if is_streamed:
            size = f"{size_bytes / 2**30:.1f} GiB"
            pipeline.check_installed(f"{quoted(lister.root)}, streamed as it takes {size},")
        else:
            check_memory(
                COPIES * size_bytes,
                quoted(lister.root),
                "use fewer images, smaller ones with --config.image_size, or stream them with "
                "--config.loading=stream",
            )

        def check(broken: np.ndarray) -> None:
            errors = [source.error(int(place)) for place in broken]
            refuse([error for error in errors if error is not None], len(files))

        images, survey = holding.hold(source, is_streamed, store, folder, check, BITS[SCALED])
    if is_streamed:
        # What Pillow may find odd was judged now. Threads that read later share all filters.
        warnings.filterwarnings("ignore", module="PIL")
    return images, survey


def _common_shape(files: Files, image_size: int | None) -> tuple[int, int, int]:
    """`(height, width, channels)` from the headers alone: nothing is decoded yet."""
    broken: dict[int, Unusable] = {}
    first, size, other, differing, is_grey = -1, (0, 0), -1, 0, True
    for place, path in enumerate(files):
        try:
            header = pictures.header(path)
        except Unusable as error:
            broken[place] = error
            continue
        is_grey = is_grey and header.is_grey
        if first < 0:
            first, size = place, header.size
        elif header.size != size:
            differing += 1
            if other < 0:
                other, other_size = place, header.size
    if broken:  # then the others are decoded for nothing but what is wrong with them
        unusable = list(broken.values())
        for place, path in enumerate(files):
            if place not in broken:
                try:
                    pictures.decode(path, 3)
                except Unusable as error:
                    unusable.append(error)
        refuse(unusable, len(files))
    if image_size is None and differing:
        width, height = other_size
        more = f" ({differing - 1} more of {len(files)} differ, too)" if differing > 1 else ""
        raise DataError(
            f"{quoted(files[first])} is {size[0]} x {size[1]} pixels, {quoted(files[other])} "
            f"{width} x {height}{more}: make all of one size, or have them resized with "
            f"--config.image_size={min(size)}"
        )
    width, height = size if image_size is None else (image_size, image_size)
    return height, width, 1 if is_grey else 3


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
