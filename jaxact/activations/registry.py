"""The registry of activations: `register`, `names` and `get`."""

import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from jax import Array

from jaxact.activations import numerics
from jaxact.activations.activation import Activation, ActivationError, Kink
from jaxact.activations.channel_activation import ChannelActivation
from jaxact.activations.libraries import lookup
from jaxact.errors import did_you_mean
from jaxact.specs import Number, Value, imported, parse, quote, text_of, text_of_value

# What prints them, for a message.
_LISTING = (
    "`python -c 'from jaxact import activations as a; print(*a.names(), *a.channel_names())'`"
)
EXAMPLES = "relu, leaky_relu(negative_slope=0.05) or package.module:function"
_SMALLEST, _LARGEST = 2.0**-126, 3.4028235e38  # float32's normal range


@dataclasses.dataclass(frozen=True)
class Domain:
    """The values that a parameter may take, and how a message calls them."""

    kind: type
    low: float
    high: float
    words: str

    def checked(self, value: Value) -> Number:
        """`value`, an integer as a float where a float is meant; raises ValueError outside."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if self.kind is int and not isinstance(value, int):
            raise ValueError
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise ValueError
        return self.kind(value)

    def all_checked(self, values: Value) -> Value:
        """The values of a list, which has at least one; raises ValueError outside."""
        if not isinstance(values, tuple) or not values:
            raise ValueError
        return tuple(self.checked(value) for value in values)


NUMBER = Domain(float, -_LARGEST, _LARGEST, "a finite number")
POSITIVE = Domain(float, _SMALLEST, _LARGEST, "a finite number above 0")
INTEGER = Domain(int, -64, 63, "an integer")


@dataclasses.dataclass(frozen=True)
class Definition:
    """A row of the registry: an activation before its parameters are bound; see `register`.

    Attributes:
      of_channels: from the parameters to the fields that a `ChannelActivation` has beyond those of
        an `Activation`; None of one that is none. The others are as `register` has them.
    """

    function: Callable[..., Array]
    derivative: Callable[..., Array] | None
    defaults: Mapping[str, Value]
    domains: Mapping[str, Domain]
    learnable: tuple[str, ...]
    kinks: Callable[..., tuple[Kink, ...]]
    monotonic: Callable[..., bool | None]
    elementwise: bool
    random: bool
    reference: str
    of_channels: Callable[..., Mapping[str, Any]] | None = None

    def bind(self, target: str, arguments: Mapping[str, Value]) -> Activation:
        """The activation with `arguments` in place of the defaults; raises ActivationError."""
        given = {key: self._checked(target, key, value) for key, value in arguments.items()}
        values = {**self.defaults, **given}
        changed = [(key, value) for key, value in values.items() if value != self.defaults[key]]
        bound = Activation(
            name=target,
            function=self.function,
            derivative_function=self.derivative,
            constants=tuple((k, v) for k, v in values.items() if k not in self.learnable),
            initial=tuple((k, cast(Any, values[k])) for k in self.learnable),
            kinks=self.kinks(**values),
            monotonic=self.monotonic(**values),
            elementwise=self.elementwise,
            random=self.random,
            reference=self.reference,
            spec=text_of(target, changed),
        )
        if self.of_channels is None:
            return bound
        return ChannelActivation(**vars(bound), **self.of_channels(**values))

    def _checked(self, target: str, key: str, value: Value) -> Value:
        if key not in self.defaults:
            allowed = f"it takes {', '.join(self.defaults)}" if self.defaults else "it takes none"
            hint = did_you_mean(key, self.defaults)
            raise ActivationError(f"{target} has no parameter {quote(key)}; {allowed}{hint}")
        domain = self.domains.get(key, NUMBER)
        is_list = isinstance(self.defaults[key], tuple)
        words = f"a list [...], each {domain.words}" if is_list else domain.words
        try:
            return domain.all_checked(value) if is_list else domain.checked(value)
        except ValueError:
            message = f"{target}: {key} must be {words}, not {quote(text_of_value(value))}"
            raise ActivationError(message) from None


_definitions: dict[str, Definition] = {}
_given: dict[str, Callable[..., Any]] = {}  # of this process alone, by `give`


def register(
    name: str,
    function: Callable[..., Array],
    derivative: Callable[..., Array] | None = None,
    *,
    domains: Mapping[str, Domain] | None = None,
    learnable: tuple[str, ...] = (),
    kinks: tuple[Kink, ...] | Callable[..., tuple[Kink, ...]] = (),
    monotonic: bool | Callable[..., bool | None] | None = None,
    elementwise: bool = True,
    random: bool = False,
    reference: str = "",
) -> None:
    """Adds an activation under a name; its parameters are the function's own, with their defaults.

    Args:
      name: the name in specs, an identifier.
      function: pure, `function(x, parameter=default, ...)`; of a random one the last is `key=None`.
      derivative: its closed-form derivative, called alike; None: JAX differentiates.
      domains: what a parameter may be, by name; default NUMBER.
      learnable: the parameters that training learns from their initial value.
      kinks: where the derivative jumps; a function of the parameters if it depends on them (which
          may raise ActivationError if they do not go together).
      monotonic: whether it never turns; likewise.
      elementwise: whether output i depends on input i alone.
      random: whether it draws from its `key`; None gives what it is in evaluation.
      reference: where it comes from.

    Raises:
      ActivationError: the name is taken or no identifier.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    definition = Definition(
        function=function,
        derivative=derivative,
        defaults={p.name: p.default for p in parameters if not (random and p.name == "key")},
        domains=domains or {},
        learnable=learnable,
        kinks=kinks if callable(kinks) else lambda **_: kinks,
        monotonic=monotonic if callable(monotonic) else lambda **_: monotonic,
        elementwise=elementwise,
        random=random,
        reference=reference,
    )
    add(name, definition)


def add(name: str, definition: Definition) -> None:
    """Adds a row; raises ActivationError if its name is taken or no identifier."""
    if not name.isidentifier() or name in _definitions:
        raise ActivationError(f"the activation name {quote(name)} is taken, or no identifier")
    _definitions[name] = definition


def activation(
    derivative: Callable[..., Array],
    *,
    aliases: tuple[str, ...] = (),
    elementwise: bool = True,
    **row: Any,
) -> Callable[[numerics.Kernel], numerics.Kernel]:
    """Makes a formula an activation: one for arrays, by `numerics.elementwise`, that is registered.

    Args:
      derivative: its closed-form derivative, with the same parameters.
      aliases: further names in specs, beside the formula's own.
      elementwise: whether output i depends on input i alone; otherwise what is decorated is left
          as it is, with a dtype and a derivative that it sees to itself.
      **row: the other arguments of `register`.
    """

    def decorate(kernel: numerics.Kernel) -> numerics.Kernel:
        function = numerics.elementwise(derivative)(kernel) if elementwise else kernel
        for name in (kernel.__name__, *aliases):
            register(name, function, derivative, elementwise=elementwise, **row)
        return function

    return decorate


def names() -> tuple[str, ...]:
    """The names of registered activations that keep the shape, in the order of registration."""
    return tuple(name for name, row in _definitions.items() if row.of_channels is None)


def channel_names() -> tuple[str, ...]:
    """The names of registered functions that see channels, likewise."""
    return tuple(name for name, row in _definitions.items() if row.of_channels is not None)


def is_registered(name: str) -> bool:
    """Whether a name is of a registered function, of either kind."""
    return name in _definitions


def function(name: str) -> Callable[..., Array]:
    """The plain function that is registered under a name; raises KeyError if none is."""
    return _definitions[name].function


def name_of(function: Callable[..., Any]) -> str | None:
    """The first name under which a function is registered; None if it is not."""
    return next((n for n, row in _definitions.items() if row.function is function), None)


def give(name: str, function: Callable[..., Any]) -> None:
    """Has specs find a function or an `Activation` by a name in this process; the latest counts."""
    _given[name] = function


def is_given(name: str) -> bool:
    """Whether a name is of this process alone, by `give`."""
    return name in _given


def given() -> dict[str, Callable[..., Any]]:
    """The functions that `give` was given, by name."""
    return dict(_given)


def get(spec: str | Activation) -> Activation:
    """The activation that a spec names.

    Args:
      spec: `relu`, `leaky_relu(negative_slope=0.05)`, the name that another library has for one
          of these, `torch.nn.LeakyReLU(negative_slope=0.05)`, or `package.module:function` for
          one of your own, which is imported: a function of an array, or an `Activation`. (An
          `Activation` given here is returned as it is.)

    Returns:
      The activation; `get(get(spec).spec) == get(spec)`.

    Raises:
      ActivationError: a ValueError of one line that says what is allowed.

    >>> print(get("leaky_relu(negative_slope=0.05)")(-2.0))
    -0.1
    """
    if isinstance(spec, Activation):
        return spec
    try:
        target, arguments = parse(spec, "activation", EXAMPLES, ActivationError)
    except ActivationError as error:  # "Leaky ReLU", perhaps
        hint = did_you_mean(spec, _definitions) if isinstance(spec, str) else ""
        raise ActivationError(f"{error}{hint}") from None
    if ":" in target:
        return _users_own(target, _imported(target), arguments)
    if target not in _definitions and target in _given:
        return _users_own(target, _given[target], arguments)
    if lookup.is_of_a_library(target):
        return get(lookup.translated(target, arguments))
    if target not in _definitions:
        raise ActivationError(f"unknown activation {quote(target)}{_hint(target)}")
    return _definitions[target].bind(target, arguments)


def _hint(target: str) -> str:
    """Our name for one that is not registered, such as `torch.nn.ReLU`, as a hint."""
    module, _, name = target.rpartition(".")
    if near := did_you_mean(name, _definitions, likeness=1.0 if module else 0.6):
        return near
    if module:
        return f"; one's own is written package.module:function, as in {module}:{name}"
    return f"; there are {len(_definitions)}, listed by {_LISTING}"


def _users_own(target: str, found: Any, arguments: Mapping[str, Value]) -> Activation:
    """The function or `Activation` that is found where a spec names one."""
    if isinstance(found, ChannelActivation):
        raise ActivationError(
            f"{target} is a ChannelActivation; one's own is a function that keeps the shape, or an "
            f"Activation: choose among those that see channels, {', '.join(channel_names())}"
        )
    if isinstance(found, Activation):
        if arguments:
            message = f"{target} is an Activation, with its parameters bound: it takes no arguments"
            raise ActivationError(message)
        try:
            hash(found)
        except TypeError as error:
            message = (
                f"{target} holds a value that is no number, text or tuple of numbers ({error})"
            )
            raise ActivationError(f"{message}: write arrays as tuples") from error
        return dataclasses.replace(found, spec=target)
    if not callable(found):
        kind = type(found).__name__
        raise ActivationError(f"{target} is neither a function nor an Activation, but a {kind}")
    if isinstance(found, type):
        message = f"{target} is a class: name a function of an array, or an object made of it"
        raise ActivationError(f"{message}{did_you_mean(found.__name__, _definitions, 1.0)}")
    if (name := name_of(found)) is not None:
        return _definitions[name].bind(target, arguments)
    _check_call(target, found, arguments)
    lines = (inspect.getdoc(found) or "").strip().splitlines()
    return Activation(
        name=target,
        function=cast(Callable[..., Array], found),
        constants=tuple(arguments.items()),
        reference=lines[0] if lines else target,
        spec=text_of(target, arguments.items()),
    )


def _imported(target: str) -> Any:
    """The object of a `package.module:attribute`; raises ActivationError if there is none."""
    try:
        return imported(target, "activation", ActivationError)
    except ActivationError as error:
        if error.__cause__ is None:
            raise
        hint = did_you_mean(re.split(r"[:.]", target)[-1], _definitions)
        raise ActivationError(f"{error}{hint}") from error.__cause__


def _check_call(target: str, function: Callable[..., Any], arguments: Mapping[str, Value]) -> None:
    """Raises ActivationError unless `function(x, **arguments)` fits the function's signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, **arguments)
    except TypeError as error:
        keywords = list(signature.parameters)[1:]
        allowed = f"it takes x, {', '.join(keywords)}" if keywords else "it takes x alone"
        unknown = [key for key in arguments if key not in keywords]
        hint = did_you_mean(unknown[0], keywords) if unknown else ""
        raise ActivationError(f"{target}: {error}; {allowed}{hint}") from None
