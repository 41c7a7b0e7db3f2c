"""Functions that see channels in a user's own network: which have a place, and how they get it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn, nnx

from jaxact import activations, replace_activation
from jaxact.errors import ConfigError
from jaxact.models.own import examination, factories
from tests.support.variables import drawn

SHAPE = (8, 8, 1)


class Roomy(nn.Module):
    """A network with room for functions that see channels."""

    activation: Any

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(self.activation.input_channels(6))(x.reshape(len(x), -1))
        x = nn.Dense(self.activation.input_channels(4))(self.activation(x))
        return nn.Dense(3)(self.activation(x))


class Narrow(nn.Module):
    """A network without."""

    activation: Any

    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(self.activation(nn.Dense(6)(x.reshape(len(x), -1))))


class NarrowNnx(nnx.Module):
    def __init__(self, activation, rngs: nnx.Rngs):
        self.activation = activation
        self.first, self.last = nnx.Linear(64, 6, rngs=rngs), nnx.Linear(6, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(self.activation(self.first(x.reshape(len(x), -1))))


def examined(network, spec):
    factory = factories.get(factories.spec_of(network))
    return examination.examined(factory, activations.get(spec), 3, SHAPE)


@pytest.mark.parametrize(("spec", "first"), [("relu", 6), ("swiglu", 12), ("crelu", 3)])
def test_one_with_room_computes_what_the_module_does(spec, first):
    model = examined(Roomy, spec).model
    variables = jax.tree.map(jnp.asarray, drawn(model, *SHAPE))
    assert variables["params"]["Dense_0"]["kernel"].shape == (64, first)
    images = jnp.asarray(np.random.default_rng(0).standard_normal((5, *SHAPE)), jnp.float32)
    expected: Any = Roomy(activations.get(spec)).apply(variables, images)
    np.testing.assert_allclose(model.predict(variables, images), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("network", [Roomy, NarrowNnx])
def test_acon_learns_parameters_of_each_channel(network):
    model = examined(network, "acon").model
    variables = model.initial(jax.random.key(0), jnp.ones((1, *SHAPE)))
    layers = [name for name in variables["params"] if name.startswith("ActivationLayer")]
    widths = [6, 4] if network is Roomy else [6]
    assert [variables["params"][name]["p1"].shape for name in layers] == [(n,) for n in widths]
    first = variables["params"]["ActivationLayer_0"]
    assert len(np.unique([*first["p1"], *first["p2"]])) == 12
    images = jnp.asarray(np.random.default_rng(0).standard_normal((5, *SHAPE)), jnp.float32)
    gradient = jax.grad(
        lambda params: (model.forward({"params": params}, images, jax.random.key(0))[0] ** 2).sum()
    )(variables["params"])
    assert all(np.any(leaf) for leaf in jax.tree.leaves(gradient["ActivationLayer_0"]))


@pytest.mark.parametrize("network", [Narrow, NarrowNnx])
@pytest.mark.parametrize("spec", ["glu", "crelu"])
def test_one_without_room_is_told_how_to_make_it(network, spec):
    with pytest.raises(ConfigError, match=rf"no room for {spec}.*as wide as activation.input_chan"):
        examined(network, spec)


def test_those_that_see_images_are_told_their_place():
    with pytest.raises(
        ConfigError, match=r"sees whole images: choose a network of jaxact's own, or"
    ):
        examined(Roomy, "frelu")


def test_a_replacement_keeps_the_shape():
    with pytest.raises(ConfigError, match=r"replace_activation keeps the shape.*swiglu sees"):
        replace_activation(nn.Sequential([nn.Dense(4), nn.relu]), "swiglu")
