"""Seconds and memory of listing a folder of images, nothing of which is decoded."""

import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from jaxact.data.own.listing import Lister
from jaxact.packages import needed_for

CLASSES = 200


def measure(files: int, folder: str) -> dict[str, Any]:
    """Lists a folder of empty files in class folders.

    Args:
      files: how many.
      folder: where it is made, and removed at the end.
    """
    with needed_for("a folder of images"):
        from jaxact.data.own.folders import listed
    with tempfile.TemporaryDirectory(dir=folder) as made:
        root = Path(made)
        for number in range(CLASSES):
            (root / f"{number:04d}").mkdir()
        for number in range(files):
            (root / f"{number % CLASSES:04d}" / f"image_{number:07d}.jpg").touch()
        begin = time.perf_counter()
        listed(Lister(root))
        seconds = time.perf_counter() - begin
        tracemalloc.start()
        found, _, _ = listed(Lister(root))
        held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(map(len, found["train"].images.values())) == files
    return {
        "files": files,
        "s": seconds,
        "us a file": 1e6 * seconds / files,
        "MiB held": held / 2**20,
        "MiB at most": most / 2**20,
        "bytes a file held": held / files,
    }
