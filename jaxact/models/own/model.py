"""A network of the user's own as training takes it: a module, and the layers of its activation."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations import Activation
from jaxact.models.convolution.rewriting import lowered
from jaxact.models.layers import given_activation
from jaxact.models.layers.common import wide_dtype, widened
from jaxact.models.layers.given_activation import Kind
from jaxact.models.own.modules import Module


@dataclasses.dataclass(frozen=True)
class OwnModel:
    """A module of the user's own, with one activation wherever it calls that.

    Attributes:
      spec: the text that names what makes it.
      module: as functions of its variables.
      activation: the function under test.
      num_classes: number of logits.
      sharing: whether a "layer" or each "channel" has learnable parameters of its own.
      precision: of matrix products and convolutions; in bfloat16 the module computes so itself, in
        float64 it is given parameters and images of that dtype.
      channels: of each layer of the activation, in the order of its calls.
      kinds: of each call of the activation.
      carried: the collections that training carries on, all but "params".
      is_lowered: whether it has no convolution left that XLA would compute on a CPU.
    """

    spec: str
    module: Module
    activation: Activation
    num_classes: int
    sharing: str
    precision: str
    channels: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()
    carried: tuple[str, ...] = ()
    is_lowered: bool = True

    input_size: ClassVar[int] = 1

    @property
    def normalizes(self) -> bool:
        return "batch_stats" in self.carried

    def initial(self, key: Array, images: Any) -> dict[str, Any]:
        variables = self.module.init(key, images)
        learned = given_activation.initial(self.activation, self.sharing, self.channels, key)
        params = variables["params"] | jax.tree.map(jnp.asarray, learned)
        carried = {name: variables[name] for name in self.carried}
        return widened({"params": params, **carried}, self.precision)

    def predict(self, variables: Mapping[str, Any], images: Array) -> Array:
        return self._run(variables, images, jax.random.key(0), False)[0]

    def predict_dropping(self, variables: Mapping[str, Any], images: Array, key: Array) -> Array:
        return self._run(variables, images, key, False, True)[0]

    def forward(
        self, variables: Mapping[str, Any], images: Array, key: Array
    ) -> tuple[Array, dict[str, Any]]:
        logits, collections = self._run(variables, images, key, True)
        return logits, widened(collections, self.precision)

    def _run(
        self,
        variables: Mapping[str, Any],
        images: Array,
        key: Array,
        is_training: bool,
        is_dropping: bool = False,
    ) -> tuple[Array, dict[str, Any]]:
        def run(
            variables: Mapping[str, Any], images: Array, key: Array
        ) -> tuple[Array, dict[str, Any]]:
            params = variables["params"]
            with (
                given_activation.computed(
                    self.activation, params, self.kinds, key if is_training else None
                ),
                jax.default_matmul_precision(_PRODUCTS[self.precision]),
            ):
                own_variables = _without_layers(variables)
                return self.module.run(own_variables, images, key, is_training, is_dropping)

        logits, collections = lowered(run)(variables, images, key)
        return logits.astype(wide_dtype(self.precision)), collections


_PRODUCTS = {
    "float32": "highest",
    "float64": "highest",
    "tf32": "default",
    "bfloat16": "default",
}


def _without_layers(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The module's own variables: those without the parameters of activation layers."""
    prefix = given_activation.layer_name("")
    params = {k: v for k, v in variables["params"].items() if not k.startswith(prefix)}
    return {**variables, "params": params}
