"""The maker of the user's module: a class or a function, by its place or as Python has it."""

import dataclasses
import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from flax import linen as nn

from jaxact.activations.callables import place_of
from jaxact.activations.own import cause
from jaxact.errors import ConfigError, did_you_mean
from jaxact.specs import Value, imported, parse, text_of

EXAMPLES = "vgg11 or package.module:Class(width=32)"
ACTIVATION = ("activation", "act")  # a constructor's names for the function under test
OWN = "package.module:Class of your own"

_given: dict[str, Callable[..., Any]] = {}  # of this process alone


@dataclasses.dataclass(frozen=True)
class Factory:
    """A class or function that makes a module, with arguments.

    Attributes:
      spec: the text that names it.
      target: what is called.
      arguments: of the spec.
    """

    spec: str
    target: Callable[..., Any]
    arguments: tuple[tuple[str, Value], ...] = ()

    def takes(self, name: str) -> bool:
        """Whether it is called with an argument of a name."""
        parameters = self._parameters
        return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())

    def names(self, name: str) -> bool:
        """Whether its signature has an argument of a name, not only room for any."""
        return name in self._parameters

    @property
    def activation_argument(self) -> str | None:
        """Its name for the function under test; None without one."""
        named = (name for name in ACTIVATION if name in self._parameters)
        return next(named, ACTIVATION[0] if self.takes(ACTIVATION[0]) else None)

    def __call__(self, **given: Any) -> Any:
        """The module, made with the spec's arguments and those of `given` that it takes.

        Raises:
          ConfigError: of one line: it takes no activation, or fails.
        """
        name = self.activation_argument
        if name is None:
            raise ConfigError(
                f"{self.spec} takes neither `activation` nor `act`, only "
                f"{', '.join(self._parameters) or 'nothing'}: give it an argument of that name, "
                "the function that it calls where the activation under test belongs (or, of a "
                "network without one, see jaxact.replace_activation)"
            )
        beside = {k: v for k, v in given.items() if k != ACTIVATION[0] and self.takes(k)}
        arguments: dict[str, Any] = beside | {name: given[ACTIVATION[0]]} | dict(self.arguments)
        try:
            self._signature.bind(**arguments)
        except TypeError as error:
            raise ConfigError(
                f"{self.spec}: {error}; it takes {', '.join(self._parameters)}"
                f"{self._hint(arguments)}"
            ) from None
        try:
            if isinstance(self.target, nn.Module):
                return self.target.clone(**arguments)
            return self.target(**arguments)
        except ConfigError:
            raise
        except Exception as error:  # whatever a user's constructor raises
            raise ConfigError(f"{self.spec} cannot be made: {cause(error)}") from error

    def _hint(self, arguments: Mapping[str, Any]) -> str:
        unknown = [name for name in arguments if name not in self._parameters]
        return did_you_mean(unknown[0], self._parameters) if unknown else ""

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return {
            name: parameter
            for name, parameter in self._signature.parameters.items()
            if name not in ("parent", "name") or not _is_linen(self.target)
        }

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        target = type(self.target) if isinstance(self.target, nn.Module) else self.target
        if isinstance(target, type) and is_nnx(target):  # whose metaclass hides what it takes
            target = functools.partial(cast(Any, target.__init__), None)
        try:
            return inspect.signature(target)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.spec} has no signature to be called by ({error})") from None


def _is_linen(target: Any) -> bool:
    return isinstance(target, nn.Module) or (
        isinstance(target, type) and issubclass(target, nn.Module)
    )


def is_nnx(value: Any) -> bool:
    """Whether something is a module of flax.nnx, or a class of them.

    Where that has not been imported, nothing is: it does not go with every version of JAX.
    """
    nnx = sys.modules.get("flax.nnx")
    kind = value if isinstance(value, type) else type(value)
    return nnx is not None and issubclass(kind, nnx.Module)


def is_own(spec: str) -> bool:
    """Whether a model's name is one of the user's own: by its place, or given in this process."""
    return isinstance(spec, str) and (":" in spec or spec in _given)


def get(spec: str) -> Factory:
    """The factory that a spec names.

    Raises:
      ConfigError: of one line: it cannot be imported, is no class or function, or takes no
        activation.
    """
    if spec in _given:
        factory = Factory(spec, _given[spec])
    else:
        target, arguments = parse(spec, "model", EXAMPLES)
        spec = text_of(target, arguments.items())
        factory = Factory(spec, imported(target, "model"), tuple(arguments.items()))
    is_made = is_nnx(factory.target) and not isinstance(factory.target, type)
    if is_made or not callable(factory.target):
        kind = f"an object of {type(factory.target).__name__}"
        raise ConfigError(f"{spec} is {kind}: give its class, or a function that makes it")
    return factory


def spec_of(model: Any, taken: tuple[str, ...] = ()) -> str:
    """The text by which this process finds a model again.

    A class or function that can be imported is named by its place; another one, of a notebook or a
    lambda, is known in this process by its `__name__`.

    Args:
      model: a spec, a class, a function that makes a module, or a Linen module with a field for
        the activation.
      taken: names of other models.
    """
    if isinstance(model, str):
        return model
    is_bound = isinstance(model, functools.partial) and not model.args
    function, arguments = (model.func, model.keywords) if is_bound else (model, {})
    place = place_of(function) if callable(function) else None
    plain = (bool, int, float, str, type(None))
    if place is not None and all(isinstance(value, plain) for value in arguments.values()):
        return text_of(place, arguments.items())
    name = getattr(function, "__name__", type(function).__name__)
    name = re.sub(r"\W", "", name, flags=re.ASCII)
    name = name if name.isidentifier() and name != "lambda" else "network"
    name = f"{name}_own" if name in taken else name
    give(name, model)
    return name


def give(name: str, model: Callable[..., Any]) -> None:
    """Has specs find a maker of modules by a name in this process; the latest counts."""
    _given[name] = model


def given() -> dict[str, Callable[..., Any]]:
    """The makers that `give` was given, by name."""
    return dict(_given)
