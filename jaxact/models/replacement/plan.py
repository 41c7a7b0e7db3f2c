"""A replacement: the function that is put in, where it was put, and while which calls it is."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from flax import linen as nn

from jaxact.activations import Activation, own
from jaxact.errors import ConfigError
from jaxact.models.replacement import frames, interception, sites, under_way
from jaxact.models.replacement.functions import HIDDEN, Known
from jaxact.models.replacement.under_way import Place


class Replacement(NamedTuple):
    """A place where a module calls a function.

    Attributes:
      path: an attribute, such as "Block_0.act", or the name by which code finds the function, such
        as "flax.linen.relu".
      function: its name, such as "relu".
      calls: how often it is called there while the network is traced once; 0: no call was seen,
        as none is of what an attribute of an NNX module holds and is left alone.
    """

    path: str
    function: str
    calls: int


class Replacements(tuple[Replacement, ...]):
    """Places by path; `print` shows them in lines."""

    def __repr__(self) -> str:
        if not self:
            return "none; a Linen module's are known once it was traced: by init, apply, or inputs"
        width = max(len(one.path) for one in self)
        times = ("no call seen", "once")
        return "\n".join(
            f"{one.path:{width}}  {one.function}, "
            + (times[one.calls] if one.calls < len(times) else f"{one.calls} times")
            for one in self
        )


class Plan:
    """One replacement.

    Attributes:
      activation: what is put in.
      known: the functions that are looked for.
      names: of those to replace.
      owner: the name of the module's class, for messages.
    """

    def __init__(
        self, activation: Activation, known: Known, names: frozenset[str], owner: str
    ) -> None:
        self.activation, self.known, self.names, self.owner = activation, known, names, owner
        self.places: dict[tuple[str, int], Place] = {}
        self.calls: dict[tuple[str, str], int] = {}

    def __deepcopy__(self, memo: Any) -> "Plan":
        return self

    @property
    def replaced(self) -> Replacements:
        """The places where the activation was put in, as far as they were traced."""
        return self._found(is_replaced=True)

    @property
    def left_alone(self) -> Replacements:
        """The places of functions that may as well be gates or outputs, and were left."""
        return self._found(is_replaced=False)

    def _found(self, is_replaced: bool) -> Replacements:
        found = sorted(dict(self.calls).items())
        return Replacements(
            Replacement(path, name, calls)
            for (path, name), calls in found
            if (name in self.names) == is_replaced
        )

    def note(self, calls: Mapping[tuple[str, str], int]) -> None:
        """Keeps the most calls that one run had: of a second one, JAX may have kept a part."""
        for key, count in calls.items():
            self.calls[key] = max(count, self.calls.get(key, 0))

    def place(self, path: str, function: Callable[..., Any], name: str) -> Place:
        """The place of an attribute, one and the same each time: JAX's caches know it again."""
        key = (path, id(function))
        return self.places.setdefault(key, Place(path, function, name))

    def call(self, place: Place, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The activation at `x`; further arguments are those of the function that it replaces."""
        del args, kwargs
        if self.activation.params:
            layer = frames.layer(self.activation, f"{self.owner} calls {place.path}")
        else:
            is_own = own.is_own(self.activation)
            layer = functools.partial(own.call, self.activation) if is_own else self.activation
        with under_way.paused():
            return layer(x)

    @contextlib.contextmanager
    def running(self, is_whole: bool) -> Iterator[None]:
        """A block in which this thread's calls of the functions are replaced.

        Args:
          is_whole: whether the block runs the whole network.

        Raises:
          ConfigError: the whole network ran, and called none.
        """
        if under_way.is_under_way(self):
            yield
            return
        with contextlib.ExitStack() as stack:
            stack.enter_context(sites.installed(self.known))
            stack.enter_context(nn.intercept_methods(interception.interceptor(self)))
            counts = stack.enter_context(under_way.entered(self))
            yield
        self.note(counts)
        if is_whole and not self.replaced:
            raise self.nothing_found()

    def nothing_found(self) -> ConfigError:
        """The error of a network that calls none of the functions."""
        others = sorted({one.function for one in self.left_alone})
        instead = f"it calls {', '.join(others)}: only={others} replaces them; " if others else ""
        names = [name for name in HIDDEN if name in self.names]
        names += sorted(self.names.difference(HIDDEN))
        return ConfigError(
            f"{self.owner} calls no {', '.join(names)} that {self.activation.spec} could replace; "
            f"{instead}what it computes itself, such as jnp.maximum(x, 0), is not seen: have it "
            "call jax.nn.relu there, or name its function with only="
        )
