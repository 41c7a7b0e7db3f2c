"""The digits that scikit-learn embeds: 1,797 images of 8x8, no network and no files."""

import importlib.util
from pathlib import Path

import numpy as np

from jaxact.data.dataset import Dataset, Split
from jaxact.errors import DataError
from jaxact.packages import needed_for

NAME = "digits"


def load() -> Dataset:
    """Optical recognition of handwritten digits, 1,437 training and 360 test images of 8x8x1.

    Grey levels 0 to 16 become `round(255 x / 16)`. Every fifth example in order of class is a
    test example: stratified, and the same whatever the seed of a run.

    Returns:
      The data set, ten classes.

    Raises:
      DataError: scikit-learn is not installed.

    Source: Alpaydin and Kaynak, UCI machine learning repository, 1998; `sklearn.datasets`.
    """
    with needed_for("the data set digits", DataError):
        path = _embedded_file()
    rows = np.loadtxt(path, delimiter=",")  # 64 grey levels and the class
    images = np.rint(rows[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = rows[:, -1].astype(np.int32)
    is_test = np.zeros(len(labels), bool)
    is_test[np.argsort(labels, kind="stable")[::5]] = True
    return Dataset(
        name=NAME,
        train=Split(images[~is_test], labels[~is_test]),
        test=Split(images[is_test], labels[is_test]),
        num_classes=10,
        class_names=tuple("0123456789"),
        augmentation="none",
    )


def _embedded_file() -> Path:
    """The file within scikit-learn: to import `sklearn.datasets` for it takes two seconds.

    Raises:
      ModuleNotFoundError: scikit-learn is not installed.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(name="sklearn")
    return Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
