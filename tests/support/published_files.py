"""Small data sets in the published formats, and a server for them."""

import dataclasses
import hashlib
import http.server
import io
import os
import pickle
import tarfile
import threading
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from jaxact import data
from jaxact.data.formats import cifar
from jaxact.data.published.sources import Layout, Source


def make_split(
    seed: int, examples: int, image_shape: tuple[int, int, int], classes: int = 10
) -> data.Split:
    generator = np.random.default_rng(seed)
    return data.Split(
        generator.integers(0, 256, (examples, *image_shape), np.uint8),
        generator.permutation(np.arange(examples) % classes).astype(np.int32),
    )


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def tar_gz(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    """An archive of files (bytes) and of members given as they are (TarInfo)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def planes(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def in_batches(
    train: data.Split, test: data.Split, form: cifar.Form = cifar.CIFAR10
) -> dict[str, data.Split]:
    count = len(form.batches) - 1
    parts = zip(np.split(train.images, count), np.split(train.labels, count), strict=True)
    splits = [*(data.Split(images, labels) for images, labels in parts), test]
    return dict(zip(form.batches, splits, strict=True))


def binary_members(
    train: data.Split, test: data.Split, form: cifar.Form = cifar.CIFAR10
) -> dict[str, bytes]:
    """Records with the label in the last byte before the pixels, its fifth in one before that."""
    return {
        f"{form.binary_folder}/{name}.bin": np.concatenate(
            [
                *([batch.labels[:, None] // 5] if form.label_bytes == 2 else []),
                batch.labels[:, None],
                planes(batch.images),
            ],
            axis=1,
        )
        .astype(np.uint8)
        .tobytes()
        for name, batch in in_batches(train, test, form).items()
    }


_Pickler: Any = pickle._Pickler  # the one in Python, whose methods can be replaced


class _Python2Pickler(_Pickler):
    """Writes bytes as the strings of Python 2, which the published batches were pickled by."""

    dispatch: ClassVar = {**_Pickler.dispatch}

    def save_bytes(self, content: bytes):
        self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)
        self.memoize(content)

    dispatch[bytes] = save_bytes


def python2_pickle(value) -> bytes:
    buffer = io.BytesIO()
    _Python2Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def pickled_batches(
    train: data.Split, test: data.Split, form: cifar.Form = cifar.CIFAR10
) -> dict[str, bytes]:
    return {
        f"{form.python_folder}/{name}": python2_pickle(
            {
                b"coarse_labels": (batch.labels // 5).tolist(),
                b"data": planes(batch.images),
                form.labels: batch.labels.tolist(),
            }
        )
        for name, batch in in_batches(train, test, form).items()
    }


def source_of(name: str, contents: dict[str, bytes], base_url: str = "http://127.0.0.1:9/"):
    """The row of `name` with the checksums of other contents; every file of a layout is needed."""

    def changed(layout: Layout) -> Layout:
        return dataclasses.replace(
            layout,
            files=tuple(
                dataclasses.replace(
                    file,
                    md5=hashlib.md5(contents[file.name]).hexdigest(),
                    sha256=hashlib.sha256(contents[file.name]).hexdigest(),
                    size_bytes=len(contents[file.name]),
                )
                if file.name in contents
                else file
                for file in layout.files
            ),
        )

    source = data.SOURCES[name]
    return dataclasses.replace(
        source,
        base_url=base_url,
        download=changed(source.download),
        layouts=tuple(changed(layout) for layout in source.layouts),
    )


def put(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def assert_same_split(actual: data.Split, expected: data.Split) -> None:
    np.testing.assert_array_equal(actual.images, expected.images)
    np.testing.assert_array_equal(actual.labels, expected.labels)


@dataclasses.dataclass(frozen=True)
class Small:
    """A small data set as published: what it holds, and the contents of its files."""

    train: data.Split
    test: data.Split
    contents: dict[str, bytes]

    def source(self, base_url: str = "http://127.0.0.1:9/") -> dict[str, Source]:
        name = next(
            name
            for name, source in data.SOURCES.items()
            if source.download.files[0].name in self.contents
        )
        return {name: source_of(name, self.contents, base_url)}


class Server:
    """Serves `contents`; `requests` counts, the first `cuts` replies end halfway."""

    def __init__(self):
        self.contents: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.cuts = 0
        self.status = 200
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.lstrip("/")
                server.requests.append(name)
                status = server.status if name in server.contents else 404
                content = server.contents.get(name, b"") if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if server.cuts:
                    server.cuts -= 1
                    content = content[: len(content) // 2]
                self.wfile.write(content)

            def log_message(self, format, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class MakesFolder:
    """An object that makes a folder where it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)
