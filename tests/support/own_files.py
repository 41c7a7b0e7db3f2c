"""Own files in small: images as `.npz`, also ones that no writer would make, and as folders.

And modules with a function of one's own, which tests write, import and change.
"""

import importlib
import io
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cat")
HEAD = "import jax, jax.numpy as jnp\n"
LEAKY = "def act(x):\n    return jnp.where(x > 0, x, 0.1 * x)\n"
LEAKY_OTHERWISE = (  # the same function
    "def helper(y, k=0.1):\n    return jnp.where(y > 0, y, k * y)\n"
    'def act(y):\n    """Leaks."""\n    return helper(y)  # by a tenth\n'
)
TANH = "def act(x):\n    return jnp.tanh(x)\n"


def arrays(examples: int = 30, shape: tuple[int, ...] = (9, 10, 3), seed: int = 0):
    """`(images, labels)`: uint8, and three classes in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (examples, *shape), np.uint8)
    return images, np.arange(examples) % len(CLASSES)


def npz(path: Path, **contents: np.ndarray) -> Path:
    save: Any = np.savez_compressed  # its stub takes any array for its flag allow_pickle
    save(path, **contents)
    return path


def four(layout: tuple[str, ...] = ("train_images", "train_labels", "test_images", "test_labels")):
    """The arrays of a divided data set, by name."""
    return dict(zip(layout, (*arrays(30), *arrays(12, seed=1)), strict=True))


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array)
    return buffer.getvalue()


def npy_header(text: str, content: bytes = b"") -> bytes:
    """An `.npy` of version 1.0 with any header."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def class_folders(
    root: Path, examples: int = 5, shape: tuple[int, ...] = (9, 10, 3), seed: int = 0
):
    """PNG files `root/CLASS/INDEX.png`; returns their pixels, by class and in order."""
    images, _ = arrays(examples * len(CLASSES), shape, seed)
    for number, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for index in range(examples):
            pixels = images[number * examples + index]
            (root / name / f"{index}.png").write_bytes(encoded(pixels))
    return images


def png16(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, which Pillow writes of grey levels alone.

    Args:
      pixels: integers from 0 to 65535, `[height, width, channels]` with 1 to 4 channels.
    """
    height, width, channels = pixels.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(kind, content)
        for kind, content in (
            (b"IHDR", size + bytes([16, colour_type, 0, 0, 0])),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    """An image file's bytes, with what Pillow's writer of a format takes besides pixels."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def write_module(folder: Path, text: str, name: str = "mine") -> None:
    """Writes `name.py`, and forgets what was imported from an earlier one.

    Args:
      folder: on the path of imports.
    """
    (folder / f"{name}.py").write_text(HEAD + text)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
