"""The training loop: all that trains goes through it, and looks at it where it pauses."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.compilation.clock import Clock
from jaxact.runs.dispatch import DispatchLength
from jaxact.runs.setup import Setup
from jaxact.training.state import Totals, TrainState


class Stage(NamedTuple):
    """Training, paused after a dispatch.

    Attributes:
      state: after the dispatch. Training goes on in its memory: what is to outlive the pause is
        copied.
      totals: of the epoch at hand so far; given up likewise.
      step: optimizer steps done.
      epoch: the one at hand, from 1.
      is_epoch_end: whether the epoch is over.
      images_per_second: of the dispatch.
    """

    state: TrainState
    totals: Totals
    step: int
    epoch: int
    is_epoch_end: bool
    images_per_second: float

    @property
    def is_finite(self) -> bool:
        """Whether losses and parameters stayed so in this epoch."""
        return int(self.totals.nonfinite_step) < 0


def stages(
    setup: Setup,
    state: TrainState,
    clock: Clock,
    length: DispatchLength | None = None,
    totals: Totals | None = None,
) -> Iterator[Stage]:
    """Trains from `state.step` on for the epochs of the configuration, and pauses on the way.

    Args:
      state: its memory is given up.
      clock: gets the seconds of compilation and of training.
      length: of dispatches; None: an epoch each. There is a pause at the end of each epoch, too.
      totals: of what the state has behind it in the epoch at hand; None: it stands at its begin.
    """
    program, keys, per_epoch = setup.program, setup.keys, setup.steps_per_epoch
    length = length or DispatchLength(per_epoch, per_epoch)
    sums = setup.no_totals() if totals is None else totals
    step = int(state.step)
    first = step // per_epoch
    draw_order = program.order.prepare(clock, keys.order, jnp.int32(0), setup.train.labels)

    def draw(epoch: int) -> Array:
        return draw_order(keys.order, jnp.int32(epoch), setup.train.labels)

    with contextlib.closing(setup.feed(step)) as feed:
        for epoch in range(first, setup.config.epochs):
            with clock.timing("train_seconds"):
                feed.begin(epoch, draw)
            if epoch == first:
                feed.wait()
            end = (epoch + 1) * per_epoch
            while step < end:
                before_seconds = clock.train_seconds
                with clock.timing("train_seconds"):  # with what training waits for images
                    order, examples, steps = feed.at(step)
                count = int(min(length.steps, end - step, steps))
                arguments = (feed.argument(count), state, sums, order, examples, keys)
                train = program.train.prepare(clock, *arguments)
                with clock.timing("train_seconds"):
                    state, sums = jax.block_until_ready(train(*arguments))
                seconds = clock.train_seconds - before_seconds
                step += count
                length.after(count, seconds)
                speed = count * setup.config.batch_size / seconds
                yield Stage(state, sums, step, epoch + 1, step == end, speed)
            sums = setup.no_totals()
