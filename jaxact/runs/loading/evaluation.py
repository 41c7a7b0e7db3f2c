"""Evaluations of a split, whether it is on the device or on disk."""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact.data.streaming.images import StreamedImages
from jaxact.data.streaming.pipeline import Stream, default_workers
from jaxact.data.streaming.plans import Again
from jaxact.training.state import Evaluation, Totals, TrainState
from jaxact.training.steps import Examples

_ROUNDS = 2**31


class StreamedBatches:
    """The batches of a split to evaluate, which are read anew for each evaluation.

    Reading goes on where it ended: the first batches of an evaluation are there when it begins.

    Args:
      images: of the split.
      labels: int32 `[batches, batch]`, those of blanks -1; the shape says how images are divided.
      examples: how pixels are normalised.
      workers: processes that read; None: as many as are good for the source.
    """

    def __init__(
        self, images: StreamedImages, labels: np.ndarray, examples: Examples, workers: int | None
    ):
        self._images, self.labels, self._workers = images, labels, workers
        self._like = examples
        self._plan = Again(images.places, labels.shape[1], _ROUNDS)
        self._stream: Stream | None = None

    def first(self) -> Examples:
        """The shapes of each batch, `[1, batch, ...]`, for compilation."""
        shape = (1, self.labels.shape[1])
        return self._like.with_images(
            jax.ShapeDtypeStruct((*shape, *self._images.shape[1:]), jnp.uint8),  # pyright: ignore[reportArgumentType]
            jax.ShapeDtypeStruct(shape, jnp.int32),  # pyright: ignore[reportArgumentType]
        )

    def close(self) -> None:
        """Ends reading; the next evaluation begins it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __iter__(self) -> Iterator[Examples]:
        """Each batch, on the device."""
        stream, self._stream = self._stream, None
        if stream is None:
            source, workers = self._images.source, self._workers
            workers = default_workers(source) if workers is None else workers
            stream = Stream(source, self._plan, 0, workers)
            weakref.finalize(self, stream.close)
        size, is_over = self.labels.shape[1], False
        try:
            for number, labels in enumerate(self.labels):
                batch = next(stream)
                images = self._images.finished(batch, self._plan[number])
                padded = np.pad(images, ((0, size - len(images)), (0, 0), (0, 0), (0, 0)))
                yield self._like.with_images(*jax.device_put((padded[None], labels[None])))
            is_over = True
        finally:
            if is_over:
                self._stream = stream
            else:  # it stands somewhere in the split
                stream.close()


Split = Examples | StreamedBatches


def compiled(program: Any, state: Any, split: Split) -> Callable[[Any, Split], Evaluation]:
    """The evaluation of a split, compiled."""
    return _over(program.evaluate.compile(state, _first(split)), split)


def prepared(program: Any, clock: Any, state: Any, split: Split) -> Callable[..., Evaluation]:
    """The evaluation of a split, compiled on a clock."""
    return _over(program.evaluate.prepare(clock, state, _first(split)), split)


def _first(split: Split) -> Examples:
    return split.first() if isinstance(split, StreamedBatches) else split


def _over(evaluate: Callable[..., Evaluation], split: Split) -> Callable[..., Evaluation]:
    if not isinstance(split, StreamedBatches):
        return evaluate

    def evaluate_all(state: TrainState, batches: StreamedBatches) -> Evaluation:
        parts = [evaluate(state, batch) for batch in batches]
        totals = sum((part.totals for part in parts), Totals.zero())
        classes: list[Array] = [part.classes for part in parts]
        return Evaluation(totals, jnp.concatenate(classes))

    return evaluate_all
