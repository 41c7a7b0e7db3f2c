"""A network as training and evaluation see it: pure functions of its variables."""

from collections.abc import Mapping
from typing import Any, Protocol

from jax import Array

Variables = Mapping[str, Any]  # "params" and other collections, such as "batch_stats"


class Model(Protocol):
    """A network, one of jaxact's or the user's own: hashable, without arrays in it."""

    @property
    def num_classes(self) -> int:
        """The number of logits."""
        ...

    def initial(self, key: Array, images: Any) -> dict[str, Any]:
        """The variables before training.

        Args:
          key: draws them.
          images: float `[batch, height, width, channels]`, or what has their shape.
        """
        ...

    def predict(self, variables: Variables, images: Array) -> Array:
        """The logits in evaluation: normalised images to `[batch, num_classes]`."""
        ...

    def forward(
        self, variables: Variables, images: Array, key: Array
    ) -> tuple[Array, dict[str, Any]]:
        """The logits in training, and the collections after it, all but "params".

        Args:
          key: draws what training draws, such as dropout's masks.
        """
        ...

    def predict_dropping(self, variables: Variables, images: Array, key: Array) -> Array:
        """Logits with dropout masks drawn from `key`, all else as in evaluation."""
        ...
