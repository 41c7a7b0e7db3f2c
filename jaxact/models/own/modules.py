"""The user's module as pure functions of its variables, whichever of Flax's two APIs it is of."""

from collections.abc import Container, Mapping
from typing import Any, Protocol

from jax import Array

# What a module calls the mode that it is in, and whether that is training.
MODES = {
    "train": True,
    "training": True,
    "is_training": True,
    "deterministic": False,
    "use_running_average": False,
}

Collections = dict[str, Any]


class Module(Protocol):
    """A module as functions of its variables; hashable, and equal to one that is made alike."""

    def init(self, key: Array, images: Array) -> Collections:
        """The variables before training."""
        ...

    def run(
        self,
        variables: Mapping[str, Any],
        images: Array,
        key: Array,
        is_training: bool,
        is_dropping: bool = False,
    ) -> tuple[Any, Collections]:
        """The outputs, and the collections after the call, all but "params".

        Args:
          key: draws what is random.
          is_dropping: whether dropout is active in any case.
        """
        ...


def modes_of(parameters: Container[str], is_training: bool) -> dict[str, Any]:
    """The arguments, of those that a module takes, that tell it its mode."""
    return {name: is_training == when for name, when in MODES.items() if name in parameters}
