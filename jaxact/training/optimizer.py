"""Adam with a learning-rate schedule by name."""

from collections.abc import Callable
from typing import Any

import jax
import optax

# (peak learning rate, total steps) -> schedule: step -> learning rate.
SCHEDULES: dict[str, Callable[[float, int], optax.Schedule]] = {
    "constant": lambda peak, steps: optax.constant_schedule(peak),
    # Half a cosine from the peak to zero: Loshchilov and Hutter 2017 (arXiv:1608.03983).
    "cosine": lambda peak, steps: optax.cosine_decay_schedule(peak, decay_steps=steps),
    # Up to the peak over the first 30 % of steps and down again: Smith 2018 (arXiv:1803.09820).
    "one_cycle": lambda peak, steps: optax.cosine_onecycle_schedule(steps, peak_value=peak),
}


def is_kernel(path: tuple[Any, ...], leaf: jax.Array) -> bool:
    """Whether a parameter is a kernel: the only kind that is decayed.

    Biases, BatchNorm's scales and learnable activation parameters are not; decaying PReLU's alpha
    would pull it towards ReLU (He et al. 2015, section 2.1).
    """
    del leaf
    return path[-1] == jax.tree_util.DictKey("kernel")


def create_optimizer(
    learning_rate: float, schedule: str, weight_decay: float, steps: int
) -> optax.GradientTransformation:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980), with decoupled decay of kernels if not 0.

    Args:
      learning_rate: the schedule's peak.
      schedule: a name of `SCHEDULES`.
      weight_decay: decoupled (Loshchilov and Hutter 2019, arXiv:1711.05101).
      steps: of the whole training.
    """
    rate = SCHEDULES[schedule](learning_rate, steps)
    if weight_decay == 0:
        return optax.adam(rate)

    def kernels(params: Any) -> Any:
        return jax.tree_util.tree_map_with_path(is_kernel, params)

    return optax.adamw(rate, weight_decay=weight_decay, mask=kernels)
