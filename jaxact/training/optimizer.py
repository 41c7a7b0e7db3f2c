"""Optimizers by spec, such as `sgd(momentum=0.9, nesterov=True)`, and learning rates by name."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from optax import contrib

from jaxact.errors import ConfigError, did_you_mean
from jaxact.specs import Value, imported, parse, quote, text_of, text_of_value
from jaxact.training import own_optimizer
from jaxact.training.kernels import is_kernel, kernels

EXAMPLES = "adam, sgd(momentum=0.9, nesterov=True) or package.module:function"

# (peak learning rate, total steps) -> schedule: step -> learning rate.
SCHEDULES: dict[str, Callable[[float, int], optax.Schedule]] = {
    "constant": lambda peak, steps: optax.constant_schedule(peak),
    # Half a cosine from the peak to zero: Loshchilov and Hutter 2017 (arXiv:1608.03983).
    "cosine": lambda peak, steps: optax.cosine_decay_schedule(peak, decay_steps=steps),
    # Up to the peak over the first 30 % of steps and down again: Smith 2018 (arXiv:1803.09820).
    "one_cycle": lambda peak, steps: optax.cosine_onecycle_schedule(steps, peak_value=peak),
    # A tenth of it from half of the steps on, a hundredth from three quarters on: He et al. 2015
    # (arXiv:1512.03385), section 4.2.
    "steps": lambda peak, steps: optax.piecewise_constant_schedule(
        peak, {steps // 2: 0.1, 3 * steps // 4: 0.1}
    ),
}


class Rate(NamedTuple):
    """The arguments of an optimizer that are not its own parameters.

    Attributes:
      schedule: step -> learning rate.
      weight_decay: of kernels; 0: none.
    """

    schedule: optax.Schedule
    weight_decay: float


def adam(rate: Rate, *, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Adam; its decay is decoupled, AdamW's.

    Source: Kingma and Ba 2015 (arXiv:1412.6980); Loshchilov and Hutter 2019 (arXiv:1711.05101).
    """
    if rate.weight_decay == 0:
        return optax.adam(rate.schedule, b1, b2, eps)
    return optax.adamw(rate.schedule, b1, b2, eps, weight_decay=rate.weight_decay, mask=kernels)


def sgd(rate: Rate, *, momentum: float = 0.0, nesterov: bool = False) -> Any:
    """Gradient descent; its decay is part of the gradient, before the momentum, as is usual.

    `v = momentum v + g + decay w`, `w -= rate v`. Source: Sutskever et al. 2013 (PMLR 28,
    1139-1147), section 2.
    """
    descent = optax.sgd(rate.schedule, momentum or None, nesterov)
    if rate.weight_decay == 0:
        return descent
    return optax.chain(optax.add_decayed_weights(rate.weight_decay, kernels), descent)


def rmsprop(rate: Rate, *, decay: float = 0.9, eps: float = 1e-8, momentum: float = 0.0) -> Any:
    """RMSProp; its decay is part of the gradient. Source: Hinton 2012, lecture 6e."""
    descent = optax.rmsprop(rate.schedule, decay, eps, momentum=momentum or None)
    if rate.weight_decay == 0:
        return descent
    return optax.chain(optax.add_decayed_weights(rate.weight_decay, kernels), descent)


def lion(rate: Rate, *, b1: float = 0.9, b2: float = 0.99) -> Any:
    """Lion, with decoupled decay. Source: Chen et al. 2023 (arXiv:2302.06675)."""
    return optax.lion(rate.schedule, b1, b2, weight_decay=rate.weight_decay, mask=kernels)


def muon(rate: Rate, *, beta: float = 0.95, nesterov: bool = True) -> Any:
    """Muon for matrices, Adam for all else, both at the learning rate; decay is decoupled.

    A convolution's kernel `[height, width, channels, features]` is a matrix `[height * width *
    channels, features]`.

    Source: Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/).
    """
    return contrib.muon(
        rate.schedule,
        beta=beta,
        nesterov=nesterov,
        weight_decay=rate.weight_decay,
        weight_decay_mask=kernels,
        muon_weight_dimension_numbers=_matrices,
    )


OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "adam": adam,
    "adamw": adam,
    "sgd": sgd,
    "rmsprop": rmsprop,
    "lion": lion,
    "muon": muon,
}


def _matrices(params: Any) -> Any:
    """The axes of kernels by which they are matrices; None for all else."""

    def axes(path: tuple[Any, ...], leaf: jax.Array) -> contrib.MuonDimensionNumbers | None:
        if not is_kernel(path, leaf):
            return None
        return contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), leaf.ndim - 1)

    return jax.tree_util.tree_map_with_path(axes, params)


def canonical(spec: str) -> str:
    """The spec of an optimizer with what differs from its defaults alone, in their order.

    Raises:
      ConfigError: of one line that says what is allowed.

    >>> canonical("sgd(nesterov=True, momentum=0.9)"), canonical("adam(b1=0.9)")
    ('sgd(momentum=0.9, nesterov=True)', 'adam')
    """
    target, arguments = _checked(spec)
    if ":" in target:
        return text_of(target, arguments.items())
    defaults = _defaults(target)
    changed = [(name, arguments[name]) for name in defaults if name in arguments]
    return text_of(target, [(n, value) for n, value in changed if value != defaults[n]])


def warmed_up(schedule: optax.Schedule, steps: int) -> optax.Schedule:
    """A schedule that begins after so many steps, in which the rate rises to its first value.

    In step k, from 0, it is `(k + 1) / steps` of that.

    Source: Goyal et al. 2017 (arXiv:1706.02677), section 2.2.
    """

    def rate(step: Any) -> Any:
        after = schedule(jnp.maximum(step - steps, 0))
        return jnp.where(step < steps, (step + 1) / steps * schedule(0), after)

    return rate


def create_optimizer(
    learning_rate: float,
    schedule: str,
    weight_decay: float,
    steps: int,
    *,
    spec: str = "adam",
    warmup_steps: int = 0,
    clip_norm: float | None = None,
) -> optax.GradientTransformation:
    """An optimizer, with its learning rate in each step.

    Args:
      learning_rate: the schedule's peak.
      schedule: a name of `SCHEDULES`, of the steps after the warm-up.
      weight_decay: of kernels; see the optimizer.
      steps: of the whole training.
      spec: of the optimizer: a name of `OPTIMIZERS`, with parameters in brackets.
      warmup_steps: see `warmed_up`.
      clip_norm: the norm that gradients of all parameters together are scaled down to, if theirs is
        larger; None: they are not. Source: Pascanu et al. 2013 (arXiv:1211.5063).

    Raises:
      ConfigError: the spec is wrong.
    """
    target, arguments = _checked(spec)
    rate = SCHEDULES[schedule](learning_rate, max(steps - warmup_steps, 1))
    rate = warmed_up(rate, warmup_steps) if warmup_steps else rate
    if ":" in target:
        optimizer = own_optimizer.made(target, arguments, rate, weight_decay)
    else:
        optimizer = OPTIMIZERS[target](Rate(rate, weight_decay), **arguments)
    if clip_norm is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(clip_norm), optimizer)


def _defaults(target: str) -> dict[str, Value]:
    parameters = inspect.signature(OPTIMIZERS[target]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _checked(spec: str) -> tuple[str, dict[str, Value]]:
    target, arguments = parse(spec, "optimizer", EXAMPLES)
    if ":" in target:
        imported(target, "optimizer")
        return target, arguments
    if target not in OPTIMIZERS:
        raise ConfigError(
            f"optimizer {quote(target)} is unknown{did_you_mean(target, OPTIMIZERS)} "
            f"(one of {', '.join(OPTIMIZERS)})"
        )
    defaults = _defaults(target)
    for name, value in arguments.items():
        if name not in defaults:
            raise ConfigError(
                f"{target} has no parameter {quote(name)}; it takes {', '.join(defaults)}"
                f"{did_you_mean(name, defaults)}"
            )
        if isinstance(defaults[name], bool):
            allowed, holds = "True or False", isinstance(value, bool)
        else:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            is_eps = name == "eps"
            allowed = "a number above 0, at most 1" if is_eps else "a number from 0, below 1"
            number = float(value) if is_number else -1.0  # pyright: ignore[reportArgumentType]
            holds = 0 < number <= 1 if is_eps else 0 <= number < 1
        if not holds:
            raise ConfigError(f"{target}: {name} must be {allowed}, not {text_of_value(value)}")
    if arguments.get("nesterov") and target == "sgd" and not arguments.get("momentum"):
        raise ConfigError("sgd(nesterov=True) needs a momentum, such as momentum=0.9")
    return target, arguments
