"""Data sets prepared by tensorflow-datasets as array_record files, without tensorflow.

TFDS's own builders of these data sets decode with tensorflow; this one stores the pixels as they
are, in the published order, so that a run is the same whatever source its images come from.
"""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from jaxact.data.dataset import Dataset, Split
from jaxact.data.published.sources import Source
from jaxact.errors import DataError

VERSION = "1.0.0"
_CHUNK_EXAMPLES = 4096


def is_prepared(folder: Path) -> bool:
    """Whether TFDS has prepared a data set in a folder, of this module's or any other."""
    return all((folder / name).is_file() for name in ("features.json", "dataset_info.json"))


def prepared_folder(source: Source, data_dir: Path) -> Path:
    """The folder of the prepared files of `source`: `data_dir/<data set>/prepared/1.0.0`."""
    return data_dir / source.name / "prepared" / VERSION


def read_prepared(source: Source, data_dir: Path) -> Dataset | None:
    """The data set as an earlier `download_and_prepare` left it.

    Args:
      source: the data set.
      data_dir: the folder that holds `<data set>/prepared/1.0.0`.

    Returns:
      The data set, or None where it has not been prepared or TFDS is not installed.

    Raises:
      DataError: the prepared files are damaged.
    """
    folder = prepared_folder(source, data_dir)
    if not os.path.exists(folder / "dataset_info.json"):
        return None
    try:
        _import_tfds()
    except ImportError:
        return None
    try:
        builder = _builder(source, data_dir / source.name)
        data_sources: Any = builder.as_data_source()
        train, test = (
            _read_all(data_sources[split], source.image_shape) for split in ("train", "test")
        )
    except Exception as error:  # a damaged file shows as whatever its reader trips over
        raise DataError(
            f"{folder} is damaged ({error}); delete it, then run again to download "
            f"{source.name}, or {source.by_hand(data_dir)}"
        ) from error
    return source.dataset(train, test)


def download_and_prepare(source: Source, data_dir: Path) -> Dataset:
    """Downloads a data set, verifies it, and leaves it prepared for `read_prepared`.

    Everything happens in a folder of this process alone, which is renamed at the end and removed
    in any case: nothing half done is left, and two processes cannot harm each other.

    Args:
      source: the data set.
      data_dir: where to leave it; made if need be.

    Returns:
      The data set.

    Raises:
      DataError: TFDS is not installed, `data_dir` cannot be written, the download fails.
    """
    try:
        return _download_and_prepare(source, data_dir)
    except ImportError as error:
        raise DataError(
            f"{source.name} is not in {data_dir}, and a download needs tensorflow-datasets "
            f"({error}): pip install tensorflow-datasets, or {source.by_hand(data_dir)}"
        ) from error
    except OSError as error:
        raise DataError(
            f"{source.name} cannot be written to {data_dir} ({error.strerror or error}); "
            "name another folder in data_dir or $JAXACT_DATA"
        ) from error


def _download_and_prepare(source: Source, data_dir: Path) -> Dataset:
    _import_tfds()  # before a folder is made for it
    from jaxact.data.published import tfds_download

    (data_dir / source.name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=data_dir / source.name) as own:
        with _quiet():
            contents = tfds_download.fetch(source, Path(own), data_dir)
        dataset = source.dataset(*_parse(source, contents))
        _prepare(dataset, source, Path(own))
        _publish(prepared_folder(source, data_dir), Path(own))
    return dataset


def _parse(source: Source, contents: dict[str, bytes]) -> tuple[Split, Split]:
    try:
        return source.download.read(contents)
    except ValueError as error:
        raise DataError(f"{source.name} from {source.base_url} cannot be read: {error}") from error


def _prepare(dataset: Dataset, source: Source, folder: Path) -> None:
    with _quiet():
        _builder(source, folder, dataset).download_and_prepare(file_format="array_record")


def _publish(final: Path, own: Path) -> None:
    final.parent.mkdir(exist_ok=True)
    try:
        os.rename(own / "prepared" / VERSION, final)
    except OSError:
        # Another process was first: what it left is as good.
        if not (final / "dataset_info.json").exists():
            raise


def _read_all(data_source: Any, image_shape: tuple[int, int, int]) -> Split:
    images = np.empty((len(data_source), *image_shape), np.uint8)
    labels = np.empty(len(data_source), np.int32)
    for start in range(0, len(data_source), _CHUNK_EXAMPLES):
        chunk = range(start, min(start + _CHUNK_EXAMPLES, len(data_source)))
        for index, example in zip(chunk, data_source.__getitems__(list(chunk)), strict=True):
            images[index] = example["image"]
            labels[index] = example["label"]
    return Split(images, labels)


def _import_tfds():
    import array_record.python.array_record_module  # noqa: F401  (TFDS would print, not raise)
    import tensorflow_datasets

    return tensorflow_datasets


def _builder(source: Source, folder: Path, dataset: Dataset | None = None):
    """The TFDS builder in `folder`; with a data set it can prepare it, without one only read."""
    tfds = _import_tfds()

    class Prepared(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Images and labels as they were published."""

        VERSION = tfds.core.Version(VERSION)
        # Verified before; TFDS would look for a file of them by way of importlib_resources.
        url_infos: ClassVar = {}

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Tensor(
                            shape=source.image_shape, dtype=np.uint8, encoding="bytes"
                        ),
                        "label": tfds.features.Tensor(shape=(), dtype=np.int32),
                    }
                ),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            assert dataset is not None
            return {
                "train": self._generate_examples(dataset.train),
                "test": self._generate_examples(dataset.test),
            }

        def _generate_examples(self, split: Split):
            for index in range(len(split)):
                yield index, {"image": split.images[index], "label": split.labels[index]}

    return Prepared(data_dir=folder)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TFDS tells what it does on stdout; progress bars are for terminals."""
    _import_tfds().display_progress_bar(sys.stderr.isatty())
    with contextlib.redirect_stdout(io.StringIO()):
        yield
