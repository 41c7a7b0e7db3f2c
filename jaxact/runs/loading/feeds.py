"""Training images on their way to the train program, whether they are on the device or on disk."""

import concurrent.futures
import dataclasses
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact.data.streaming.images import StreamedImages
from jaxact.data.streaming.pipeline import Stream, default_workers
from jaxact.data.streaming.plans import Epochs, OrdersInFolder, OrdersInMemory
from jaxact.runs import dispatch
from jaxact.training.steps import Examples

CHUNK_BYTES = 2**25  # of images that a dispatch takes at most; as many again are made ready

# The order of an epoch, int32 `[examples]`, on the device.
Draw = Callable[[int], Array]


class Chunk(NamedTuple):
    """The arguments of the train program that are data, and how many steps they serve.

    Attributes:
      order: of the examples.
      examples: on the device.
      steps: from the one that was asked for on.
    """

    order: Array
    examples: Examples
    steps: float


class Feed(Protocol):
    """The source of the images that the training loop takes."""

    def begin(self, epoch: int, draw: Draw) -> None:
        """Begins an epoch, from 0."""
        ...

    def wait(self) -> None:
        """Waits until there is something to train on: the loading of data, not training."""
        ...

    def at(self, step: int) -> Chunk:
        """The images of a step and of some more; steps are asked for in their order."""
        ...

    def argument(self, steps: int) -> int | Array:
        """The length of a dispatch as the train program takes it."""
        ...

    def close(self) -> None: ...


class Resident:
    """All training images, on the device."""

    def __init__(self, examples: Examples):
        self._examples = examples
        self._order = jnp.zeros(0, jnp.int32)

    def begin(self, epoch: int, draw: Draw) -> None:
        self._order = jax.block_until_ready(draw(epoch))

    def wait(self) -> None:
        pass

    def at(self, step: int) -> Chunk:
        return Chunk(self._order, self._examples, math.inf)

    def argument(self, steps: int) -> int | Array:
        return dispatch.argument(steps)

    def close(self) -> None:
        pass


class Streamed:
    """Training images that are read as they are needed, one chunk of steps ahead of training.

    A chunk is a small data set: the batches of steps `k S` to `(k + 1) S - 1`, in an order that
    leaves them as they lie. In it the train program finds step `s` at place `s mod S`, so that it
    sees for every step what it would see were all images on the device: the same batch, and the
    same draws, which are by step. Where a run goes on follows from its step alone.

    Args:
      images: the training images.
      examples: their labels, on the device, and how pixels are normalised.
      batch_size: of a step.
      epochs: of the run.
      step: the first that will be asked for.
      workers: processes that read; None: as many as are good for the source.
      chunk_steps: S.
    """

    def __init__(
        self,
        images: StreamedImages,
        examples: Examples,
        batch_size: int,
        epochs: int,
        step: int,
        workers: int | None,
        chunk_steps: int,
    ):
        self._images, self._examples = images, examples
        self._labels = np.asarray(examples.labels)
        self._batch_size, self._epochs, self._chunk_steps = batch_size, epochs, chunk_steps
        if workers is None:
            workers = default_workers(images.source)
        folder = Path(tempfile.mkdtemp(prefix="jaxact-orders-")) if workers else None
        self._orders = OrdersInMemory() if folder is None else OrdersInFolder(folder)
        self._drawn = -1  # the last epoch whose order is known
        self._rows = Epochs(np.arange(len(images)), batch_size, epochs, self._orders)
        plan = Epochs(images.places, batch_size, epochs, self._orders)
        self._stream = Stream(images.source, plan, step, workers, folder)
        self._order = jnp.arange(chunk_steps * batch_size, dtype=jnp.int32)
        self._next_step, self._is_closed = step, False  # the step is what is to be read next
        self._chunk: tuple[int, Examples] | None = None
        self._pool = concurrent.futures.ThreadPoolExecutor(1, "feed")
        self._coming: concurrent.futures.Future[tuple[int, Examples]] | None = None

    def begin(self, epoch: int, draw: Draw) -> None:
        for each in (epoch, epoch + 1):  # the next one, too: batches of it are read already
            if self._drawn < each < self._epochs:
                self._orders.put(each, np.asarray(draw(each)))
                self._drawn = each
        if self._coming is None:
            self._coming = self._pool.submit(self._read)

    def wait(self) -> None:
        if self._coming is not None:
            concurrent.futures.wait([self._coming])

    def at(self, step: int) -> Chunk:
        number = step // self._chunk_steps
        while self._chunk is None or self._chunk[0] < number:
            assert self._coming is not None
            self._chunk = self._coming.result()
            if self._next_step < len(self._rows):
                self._coming = self._pool.submit(self._read)
        left = (number + 1) * self._chunk_steps - step
        return Chunk(self._order, self._chunk[1], left)

    def argument(self, steps: int) -> Array:
        return jnp.int32(steps)  # lengths differ around the ends of epochs and chunks

    def close(self) -> None:
        self._is_closed = True
        self._orders.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._stream.close()
        self._chunk = self._coming = None

    def _read(self) -> tuple[int, Examples]:
        """The next chunk, on the device; places of steps that are over hold blanks."""
        number, size = self._next_step // self._chunk_steps, self._batch_size
        images = np.zeros((self._chunk_steps * size, *self._images.shape[1:]), np.uint8)
        labels = np.zeros(self._chunk_steps * size, np.int32)
        last = min((number + 1) * self._chunk_steps, len(self._rows))
        while self._next_step < last and not self._is_closed:
            begin = (self._next_step % self._chunk_steps) * size
            rows = self._rows[self._next_step]
            batch = next(self._stream)
            images[begin : begin + size] = self._images.finished(batch, self._images.places[rows])
            labels[begin : begin + size] = self._labels[rows]
            self._next_step += 1
        on_device = jax.block_until_ready(jax.device_put((images, labels)))
        return number, self._examples.with_images(*on_device)


def chunk_steps(image_bytes: int, batch_size: int, steps_per_epoch: int) -> int:
    """The steps of a chunk: as many as its memory has room for, an epoch at most, one at least."""
    return max(1, min(CHUNK_BYTES // (image_bytes * batch_size), steps_per_epoch))


def shapes_of_chunk(examples: Examples, batch_size: int, steps: int) -> Examples:
    """The shapes of a chunk's examples, for compilation."""
    count = steps * batch_size
    images = jax.ShapeDtypeStruct((count, *examples.images.shape[1:]), jnp.uint8)
    labels = jax.ShapeDtypeStruct((count,), jnp.int32)
    return dataclasses.replace(examples, images=images, labels=labels)
