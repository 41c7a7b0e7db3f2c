"""A generated folder of JPEGs in class folders: as many as are wanted, the same every time."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.packages import needed_for

CELLS = 6  # of the coarse pattern that is enlarged to an image, in each direction
QUALITY = 90


def name_of(number: int, classes: int) -> str:
    return f"{number % classes:04d}/{number // classes:06d}.jpg"


def picture(number: int, classes: int, sides: tuple[int, int]) -> Any:
    """An image of its own, with a pattern that its class has, of a size within `sides`."""
    with needed_for("a folder of JPEGs"):
        from PIL import Image
    of_class = np.random.default_rng((0, number % classes))
    own = np.random.default_rng((1, number))
    pattern = of_class.integers(0, 256, (CELLS, CELLS, 3)).astype(np.float32)
    noise = own.normal(0, 40, pattern.shape)
    width, height = map(int, own.integers(sides[0], sides[1] + 1, 2))
    coarse = Image.fromarray(np.clip(pattern + noise, 0, 255).astype(np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def make(root: Path, images: int, classes: int, sides: tuple[int, int]) -> Path:
    """The folder, made as far as it is not there yet."""
    folder = root / f"{images}-images-of-{sides[0]}-to-{sides[1]}-in-{classes}"
    done = folder.with_suffix(".done")
    if not done.exists():
        for number in range(min(images, classes)):
            (folder / name_of(number, classes)).parent.mkdir(parents=True, exist_ok=True)
        for number in range(images):
            picture(number, classes, sides).save(folder / name_of(number, classes), quality=QUALITY)
        done.touch()
    return folder


def part(root: Path, whole: Path, images: int, classes: int) -> Path:
    """The first images of a folder, each by a link to its file."""
    folder = root / f"{images}-of-{whole.name}"
    for number in range(images):
        path = folder / name_of(number, classes)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.link(whole / name_of(number, classes), path)
    return folder
