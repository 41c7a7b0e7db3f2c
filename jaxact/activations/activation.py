"""The records: an `Activation` and what it is made of."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.errors import ConfigError
from jaxact.specs import Value

Bindings = tuple[tuple[str, Value], ...]


class ActivationError(ConfigError, ValueError):
    """An activation spec is wrong: one line that says what is allowed."""


class Kink(NamedTuple):
    """A point where the derivative jumps, and the value it takes there by convention."""

    at: float
    derivative: float


def kink_at_zero(slope: float) -> tuple[Kink, ...]:
    """The kink of a unit that has slope 1 above 0 and `slope` at 0 and just below."""
    return () if slope == 1 else (Kink(0.0, slope),)


@dataclasses.dataclass(frozen=True)
class Activation:
    """An activation function, its parameters bound: `act(x, **act.params)`.

    Hashable and compared by its fields, so that it can be a field of a Flax module.

    Attributes:
      name: what the function is called.
      function: pure; `function(x, **constants, **params)` has the shape and the dtype of `x`.
      derivative_function: its closed-form derivative, called alike; None: JAX differentiates.
      constants: fixed parameters by name, e.g. `(("negative_slope", 0.05),)`.
      initial: learnable parameters by name and initial value, e.g. `(("alpha", 0.25),)`; a tuple
          of numbers where the parameter is an array of coefficients.
      kinks: where the derivative jumps, at the initial parameters.
      monotonic: whether it never turns, rising or falling (in its own input if it is not
          elementwise), at the initial parameters; None: not known.
      elementwise: whether output i depends on input i alone.
      random: whether it draws: its functions take a `key` too, of which None, the default, gives
          what it is in evaluation, where nothing is drawn.
      reference: where it comes from.
      spec: the text for `get` that gives this activation; default: `name`.
    """

    name: str
    function: Callable[..., Array]
    derivative_function: Callable[..., Array] | None = None
    constants: Bindings = ()
    initial: tuple[tuple[str, float | tuple[float, ...]], ...] = ()
    kinks: tuple[Kink, ...] = ()
    monotonic: bool | None = None
    elementwise: bool = True
    random: bool = False
    reference: str = ""
    spec: str = ""

    def __post_init__(self) -> None:
        if not self.spec:
            object.__setattr__(self, "spec", self.name)

    def __repr__(self) -> str:
        return f"Activation({self.spec!r})"

    @property
    def params(self) -> dict[str, float | tuple[float, ...]]:
        """Initial learnable parameters: `{"alpha": 0.25}` for PReLU, `{}` for most."""
        return dict(self.initial)

    @property
    def learns(self) -> bool:
        """Whether training learns parameters of it."""
        return bool(self.initial)

    def input_channels(self, features: int) -> int:
        """The channels that it takes to give so many: as many, unless it sees channels."""
        return features

    def __call__(self, x: ArrayLike, *, key: Any = None, **params: Any) -> Array:
        """The function at `x` (any shape, floating dtype), which it keeps.

        Args:
          x: floating-point array.
          key: of jax.random, of one that is `random`; None: nothing is drawn.
          **params: learnable parameters, each a number or an array that broadcasts against the
              trailing axes of `x` (of coefficients: with an axis for them before those); those
              not given take their initial values.

        Raises:
          TypeError: a parameter that is not learnable, an `x` that is not floating-point, or a
            key for a function that draws nothing.
        """
        return self.function(x, **self._arguments(key, params))

    def derivative(self, x: ArrayLike, *, key: Any = None, **params: Any) -> Array:
        """The closed-form derivative at `x`, of the same shape and dtype; arguments as for a call.

        That of a function that is not elementwise is the diagonal of its Jacobian. Without a
        `derivative_function`, JAX differentiates an elementwise function.
        """
        arguments = self._arguments(key, params)
        if self.derivative_function is not None:
            return self.derivative_function(x, **arguments)
        if not self.elementwise:
            raise TypeError(f"{self.name} is not elementwise and was given no derivative_function")
        # Backwards, as training does: a function with a custom_vjp has no other way.
        y, pull_back = jax.vjp(lambda v: self.function(v, **arguments), jnp.asarray(x))
        return pull_back(jnp.ones_like(y))[0]

    def _arguments(self, key: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        if key is not None and not self.random:
            raise TypeError(f"{self.name} draws nothing: it takes no key")
        learnable = self.params
        unknown = sorted(set(params) - set(learnable))
        if unknown:
            allowed = ", ".join(learnable) or "none"
            raise TypeError(f"{self.name} has no learnable {unknown[0]!r}; learnable: {allowed}")
        drawn = {} if key is None else {"key": key}
        return {**dict(self.constants), **learnable, **params, **drawn}
