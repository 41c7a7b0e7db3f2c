"""The number of training steps in one dispatch."""

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.runs.process import hosts

# On a CPU. A dispatch cannot be interrupted, and what it does is seen when it has ended.
DISPATCH_SECONDS = 1.0


class DispatchLength:
    """The steps of the next dispatch: a fixed number, or as many as take about a second.

    Results do not depend on it: every draw is `fold_in(key, step)`.

    Attributes:
      steps: of the next dispatch.
    """

    def __init__(self, fixed: int | None, most: int):
        """Takes a fixed number; None: begins with one step and follows the clock, up to `most`."""
        self.steps = fixed or 1
        self._is_fixed = fixed is not None
        self._most = most

    def after(self, steps: int, seconds: float) -> None:
        """Learns what a dispatch took; the next has at most twice the steps."""
        if not self._is_fixed:
            wanted = int(steps * DISPATCH_SECONDS / max(hosts.slowest(seconds), 1e-9))
            self.steps = max(1, min(2 * self.steps, wanted, self._most))


def choose(fixed: int | None, steps_per_epoch: int) -> DispatchLength:
    """A fixed number, else an epoch on an accelerator and on a CPU what takes about a second."""
    if fixed is None and jax.default_backend() != "cpu":
        fixed = steps_per_epoch
    return DispatchLength(fixed, steps_per_epoch)


def argument(steps: int) -> int | Array:
    """The length of a dispatch as `jaxact.training.steps.train_many` takes it.

    On a CPU an array: lengths follow the clock, and one compilation serves them all. On an
    accelerator, where nearly all are an epoch, the number itself: a constant of the program.
    """
    return jnp.int32(steps) if jax.default_backend() == "cpu" else steps
