"""Programs that must not be looped: those of a network with a convolution of XLA's, on a CPU.

XLA's CPU compiler computes a convolution within `fori_loop` or `scan` on one thread, 10 to 100
times as slowly as outside. So each step, and each batch that is evaluated, is a dispatch.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxact.compilation.ahead_of_time import AheadOfTime
from jaxact.compilation.clock import Clock
from jaxact.training.state import Evaluation
from jaxact.training.steps import Examples


class StepByStep:
    """`train_many` as many dispatches of one step; called as the `AheadOfTime` of it is."""

    def __init__(self, train: AheadOfTime):
        self._train = train

    def changed(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> "StepByStep":
        return StepByStep(self._train.changed(change))

    def compile(self, steps: Any, *arguments: Any) -> Callable[..., Any]:
        del steps
        return self._repeated(self._train.compile(1, *arguments))

    def prepare(self, clock: Clock, steps: Any, *arguments: Any) -> Callable[..., Any]:
        del steps
        return self._repeated(self._train.prepare(clock, 1, *arguments))

    def memory_bytes(self, argument: Any) -> int | None:
        return self._train.memory_bytes(argument)

    def text(self) -> str:
        return self._train.text()

    def _repeated(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def train(steps: Any, state: Any, totals: Any, *data: Any) -> Any:
            for _ in range(int(steps)):
                state, totals = step(1, state, totals, *data)
            return state, totals

        return train


class BatchByBatch:
    """`evaluate` as a dispatch for each batch; called as the `AheadOfTime` of it is."""

    def __init__(self, evaluate: AheadOfTime):
        self._evaluate = evaluate

    def changed(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> "BatchByBatch":
        return BatchByBatch(self._evaluate.changed(change))

    def compile(self, state: Any, batches: Examples) -> Callable[..., Evaluation]:
        return self._repeated(self._evaluate.compile(state, _batch(batches, 0)))

    def prepare(self, clock: Clock, state: Any, batches: Examples) -> Callable[..., Evaluation]:
        return self._repeated(self._evaluate.prepare(clock, state, _batch(batches, 0)))

    def _repeated(self, evaluate: Callable[..., Evaluation]) -> Callable[..., Evaluation]:
        def evaluate_all(state: Any, batches: Examples) -> Evaluation:
            parts = [evaluate(state, _batch(batches, k)) for k in range(len(batches.labels))]
            totals = functools.reduce(operator.add, (part.totals for part in parts))
            return Evaluation(totals, jnp.concatenate([part.classes for part in parts], -2))

        return evaluate_all


def _batch(batches: Examples, place: int) -> Examples:
    """One of the batches, as the only one; of what has their shapes, what has its shape."""

    def one(array: Any) -> Any:
        if isinstance(array, jax.Array):
            return array[place : place + 1]
        return jax.ShapeDtypeStruct((1, *array.shape[1:]), array.dtype)

    return batches.with_images(one(batches.images), one(batches.labels))
