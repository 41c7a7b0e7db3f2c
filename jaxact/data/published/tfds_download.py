"""Downloads through tensorflow-datasets, which brings checksums and the progress bar.

Its own downloader waits without end for a server that falls silent, and minutes for one that
refuses; ours knows timeouts and gives up after three attempts.
"""

import hashlib
import os
import threading
from pathlib import Path
from typing import NoReturn, cast

import requests
import tensorflow_datasets as tfds
import urllib3
from etils import epath
from tensorflow_datasets.core import units
from tensorflow_datasets.core.download import checksums, download_manager, downloader

from jaxact.data.published.sources import Source
from jaxact.errors import DataError

_CONNECT_SECONDS = 5
_SILENCE_SECONDS = 20
_PAUSES_SECONDS = (0.5, 2.0)
_CHUNK_BYTES = 2**20
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError)


def fetch(source: Source, folder: Path, data_dir: Path) -> dict[str, bytes]:
    """Downloads the files of `source` and verifies size and SHA-256 of each.

    Args:
      source: the files and where they are published.
      folder: an existing folder, of this process alone, that the files are left in.
      data_dir: where the user can put the files by hand, for the error message.

    Returns:
      The bytes of every file, by name.

    Raises:
      DataError: the files cannot be had, or are not the published ones.
    """

    def give_up(reason: str, error: Exception) -> NoReturn:
        raise DataError(
            f"{source.name} cannot be downloaded from {source.base_url} ({reason}); "
            + source.by_hand(data_dir)
        ) from error

    urls = {file.name: source.base_url + file.name for file in source.download.files}
    patient = _Downloader()
    try:
        manager = _DownloadManager(
            patient,
            download_dir=folder,
            dataset_name=source.name,
            force_checksums_validation=True,
            url_infos={
                urls[file.name]: checksums.UrlInfo(
                    units.Size(file.size_bytes), file.sha256, file.name
                )
                for file in source.download.files
            },
        )
        paths = cast(dict[str, epath.Path], manager.download(urls))
        return {name: path.read_bytes() for name, path in paths.items()}
    except _FAILURES as error:
        give_up(_reason(error), error)
    except download_manager.NonMatchingChecksumError as error:
        # Its message is five lines, with a folder that is gone by now and a link to TFDS's manual.
        _, _, sums = " ".join(str(error).split()).partition(" has wrong checksum: ")
        give_up(f"wrong checksum: {sums.partition(' To debug')[0]}", error)
    finally:
        patient.close()


class _DownloadManager(tfds.download.DownloadManager):
    """TFDS's, with a downloader of our choice."""

    def __init__(self, patient: "_Downloader", **arguments):
        super().__init__(**arguments)
        self._patient = patient

    @property
    def _downloader(self) -> "_Downloader":
        return self._patient


class _Downloader(downloader._Downloader):
    """TFDS's, one file at a time, with timeouts, few retries, and a way to stop it."""

    def __init__(self):
        super().__init__(max_simultaneous_downloads=1)
        self._closed = threading.Event()

    def close(self) -> None:
        """Stops what is still under way and waits for its thread."""
        self._closed.set()
        self._executor.shutdown(cancel_futures=True)

    def _sync_download(
        self, url: str, destination_path: epath.Path, verify: bool = True
    ) -> downloader.DownloadResult:
        path = epath.Path(destination_path) / os.path.basename(url)
        for pause_seconds in (*_PAUSES_SECONDS, None):
            try:
                return self._attempt(url, path, verify)
            except _FAILURES as error:
                if pause_seconds is None or _is_final(error) or self._closed.wait(pause_seconds):
                    self._closed.set()  # without this file the others are of no use
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, url: str, path: epath.Path, verify: bool) -> downloader.DownloadResult:
        if self._closed.is_set():
            raise requests.ConnectionError("the download was stopped")
        with requests.get(
            url,
            stream=True,
            verify=verify,
            timeout=(_CONNECT_SECONDS, _SILENCE_SECONDS),
            headers={"Accept-Encoding": "identity"},
        ) as response:
            response.raise_for_status()
            megabytes = int(response.headers.get("Content-Length", 0)) // 2**20
            self._pbar_dl_size.update_total(megabytes)
            digest, size_bytes = hashlib.sha256(), 0
            try:
                with path.open("wb") as file:
                    # The raw bytes: a .gz file must arrive as it is published, not unpacked.
                    for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                        if self._closed.is_set():
                            raise requests.ConnectionError("the download was stopped")
                        file.write(chunk)
                        digest.update(chunk)
                        self._show(size_bytes, size_bytes + len(chunk))
                        size_bytes += len(chunk)
            except BaseException:
                self._show(size_bytes, 0)
                self._pbar_dl_size.update_total(-megabytes)
                raise
        self._pbar_url.update(1)
        return downloader.DownloadResult(
            path, checksums.UrlInfo(units.Size(size_bytes), digest.hexdigest(), path.name)
        )

    def _show(self, before_bytes: int, after_bytes: int) -> None:
        self._pbar_dl_size.update(after_bytes // 2**20 - before_bytes // 2**20)


def _is_final(error: Exception) -> bool:
    """Whether asking again is pointless: the server has answered that it will not give the file."""
    response = getattr(error, "response", None)
    return response is not None and response.status_code not in (408, 429, 500, 502, 503, 504)


def _reason(error: Exception) -> str:
    """The message without the wrapping of requests, which repeats host and address."""
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "reason", error))
