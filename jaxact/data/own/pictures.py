"""One image file to 8 bits a channel, upright and without transparency, by Pillow."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxact.data.formats.limits import quoted, reason

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
KINDS = "PNG, JPEG, WebP, BMP, TIFF or GIF"
SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "tif", "tiff", "gif"]
)
# What was done to an image, as counted in a run's data line.
ON_WHITE = "laid on white, being transparent"
TURNED = "turned as their EXIF orientation says"
SCALED = "scaled from 16 bits a channel to 8"
FIRST_FRAME = "of several frames, of which the first is used"
ONE_COLOUR = "of one colour alone"
FACTS = (ON_WHITE, TURNED, SCALED, FIRST_FRAME, ONE_COLOUR)

_GREY_MODES = ("1", "L", "LA", "La")
_ORIENTATION, _WIDTH, _HEIGHT, _BITS = 274, 256, 257, 258  # tags of EXIF and TIFF
_WHITE_OR_BLACK_IS_0, _SAMPLE_FORMAT = 262, 339
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE = (5, 6, 7, 8)


class Unusable(Exception):
    """An image that cannot be used: why, and what to do about it."""

    def __init__(self, path: Path, cause: str, remedy: str):
        super().__init__(f"{quoted(path)} {cause}; {remedy}")
        self.described = f"{quoted(path)} {cause}"


class Header(NamedTuple):
    """The facts known before an image is decoded: `(width, height)` once upright, and colours."""

    size: tuple[int, int]
    is_grey: bool


class Picture(NamedTuple):
    """Pixels, uint8 `[height, width, channels]`, and what was done to the image."""

    pixels: np.ndarray
    facts: frozenset[str]


def header(path: Path) -> Header:
    """Raises Unusable where the file is no image of 8 or 16 bits a channel."""
    with _opened(path) as image:
        bits = _bits(image)
        if bits > 16 or image.mode == "F" or (image.mode == "I" and bits != 16):
            raise Unusable(
                path,
                f"has more than 16 bits a channel, or no grey levels ({image.mode})",
                "save it with 8",
            )
        if oddity := _oddity(image, bits):
            raise Unusable(path, oddity, "save it with 8, unsigned")
        width, height = image.size
        if image.format == "TIFF":  # Pillow's versions differ in whether they turn the size
            width, height = image.tag_v2[_WIDTH], image.tag_v2[_HEIGHT]
        size = (height, width) if _orientation(image) in _ON_THEIR_SIDE else (width, height)
        return Header(size, image.mode in _GREY_MODES or image.mode.startswith("I"))


def decode(path: Path, channels: int, size: tuple[int, int] | None = None) -> Picture:
    """Decodes an image: transparency on white, upright, the first frame, 16 bits scaled to 8.

    Grey levels of 16 bits become `round(v / 257)`. Of colours Pillow gives the high byte alone,
    which differs from it by one level at most.

    Args:
      path: has a `header`.
      channels: 1 or 3.
      size: `(width, height)` that the image is `fitted` to; None: as it is.

    Raises:
      Unusable: the file is damaged.
    """
    facts = set()
    with _opened(path) as image:
        is_deep = _bits(image) == 16
        orientation = _orientation(image) if image.format == "TIFF" else None
        if _has_frames(image):
            facts.add(FIRST_FRAME)
        image.load()
        upright = _UPRIGHT.get(orientation or _orientation(image))
        if upright is not None:
            facts.add(TURNED)
        if image.format == "TIFF":  # Pillow has turned it by now
            upright = None
        picture: Image.Image = image
        if is_deep:
            facts.add(SCALED)
            picture = _in_8_bits(path, image)
        if picture.has_transparency_data:
            colours = picture.convert("RGBA")
            if colours.getchannel("A").getextrema()[0] != 255:
                facts.add(ON_WHITE)
                picture = Image.new("RGBA", picture.size, "white")
                picture.alpha_composite(colours)
        if upright is not None:
            picture = picture.transpose(upright)
        picture = picture.convert("L" if channels == 1 else "RGB")
        if size is not None:
            picture = fitted(picture, size)
        pixels = np.asarray(picture).reshape(picture.height, picture.width, channels)
    if pixels.size > channels and (pixels == pixels[:1, :1]).all():
        facts.add(ONE_COLOUR)
    return Picture(pixels, frozenset(facts))


def fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture of another size: scaled until it just covers it, and cut around its middle.

    For a square that is: its shorter side is scaled, and the ends of the longer one fall away.
    Shapes are kept; what is cut away is never computed. Bilinear, with anti-aliasing.

    Args:
      picture: of mode L or RGB.
      size: `(width, height)`.
    """
    if picture.size == size:
        return picture
    sides = list(zip(picture.size, size, strict=True))
    scale = min(old / new for old, new in sides)
    left, top = (max(0.0, (old - scale * new) / 2) for old, new in sides)
    box = left, top, picture.width - left, picture.height - top
    return picture.resize(size, Image.Resampling.BILINEAR, box=box)


def _in_8_bits(path: Path, image: Image.Image) -> Image.Image:
    """An image of 16 bits a channel; Pillow has left the high bytes of all but grey levels."""
    transparent = image.info.get("transparency")
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.int64)
        if levels.min() < 0:
            raise Unusable(path, "has grey levels below 0", "save it with 8 bits")
        grey = Image.fromarray(np.rint(levels / 257).astype(np.uint8))
        if transparent is not None:
            grey.putalpha(Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8)))
        return grey
    if transparent is not None:
        raise Unusable(path, "has a transparent colour of 16 bits a channel", "save it with 8")
    return image


def _bits(image: Any) -> int:
    """Bits a channel, before the image is loaded; at most 8 count as 8."""
    if image.format == "TIFF":
        return max(image.tag_v2.get(_BITS, (1,)))
    is_deep = image.format == "PNG" and any(";16" in str(tile[3]) for tile in image.tile)
    return 16 if is_deep else 8


def _oddity(image: Any, bits: int) -> str:
    """The property of a picture that Pillow would misread without a word; "" if none."""
    if 8 < bits < 16:
        return f"has {bits} bits a channel"
    if image.format != "TIFF":
        return ""
    if bits == 16 and image.tag_v2.get(_WHITE_OR_BLACK_IS_0) == 0:
        return "has 16 bits a channel and white as 0"
    is_signed = 2 in image.tag_v2.get(_SAMPLE_FORMAT, ())
    return "has signed values of 8 bits" if is_signed and bits <= 8 else ""


def _orientation(image: Any) -> Any:
    """The orientation by EXIF or XMP, 1 to 8 or anything else; a PNG is not decoded for it."""
    if image.format == "TIFF":
        return image.tag_v2.get(_ORIENTATION)
    with contextlib.suppress(Exception):  # what is damaged there is no damage to the pixels
        return Image.Image.getexif(image).get(_ORIENTATION)
    return None


def _has_frames(image: Image.Image) -> bool:
    with contextlib.suppress(Exception):  # of a second frame that is damaged
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    return True


@contextlib.contextmanager
def strict_pillow() -> Iterator[None]:
    """Pillow warns of images above its limit of pixels, and of oddities that do no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except Unusable:
        raise
    except FileNotFoundError as error:
        raise Unusable(path, "is a link to nothing", "remove it") from error
    except Image.UnidentifiedImageError as error:
        raise Unusable(path, f"is no {KINDS} image", "remove it") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(
            path, f"has more than {Image.MAX_IMAGE_PIXELS} pixels", "make it smaller"
        ) from error
    except Exception as error:  # a broken image can fail in any way
        raise Unusable(path, f"cannot be read ({reason(error)})", "mend or remove it") from error
