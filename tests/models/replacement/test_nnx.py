"""The replacement in NNX modules, against the same networks written with the other function."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

import jaxact
from jaxact import activations
from jaxact.errors import ConfigError

try:
    from flax import nnx
except AttributeError as error:  # Flax 0.12.8 with JAX 0.11 has none
    pytest.skip(f"this Flax's NNX is not for this JAX: {error}", allow_module_level=True)

X = np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4)
MISH = activations.get("mish")


class Block(nnx.Module):
    def __init__(self, rngs, act=nnx.relu):
        self.linear = nnx.Linear(4, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.act = act

    def __call__(self, x):
        return self.act(self.norm(self.linear(x)))


class Net(nnx.Module):
    """Functions in attributes of itself, of a list, a table, a Sequential and of its class."""

    last = staticmethod(nnx.elu)

    def __init__(self, act: Any = None):
        rngs, given = nnx.Rngs(0), act is not None
        self.blocks = nnx.List([Block(rngs, act or nnx.relu), Block(rngs, act or nnx.silu)])
        self.head = nnx.Sequential(nnx.Linear(4, 4, rngs=rngs), act or nnx.gelu)
        self.table = {"a": act or nnx.relu}
        self.pair = (act or nnx.relu6, nnx.tanh)
        if given:
            self.last = act

    def __call__(self, x):
        for block in self.blocks:
            x = block(x)
        x = self.pair[0](self.table["a"](self.head(x)))
        return self.pair[1](self.last(x))


class Direct(nnx.Module):
    def __init__(self, direct: Any = None):
        self.block, self.direct = Block(nnx.Rngs(0)), direct

    def __call__(self, x):
        x = nnx.remat(lambda block, x: block(x))(self.block, x)
        return (self.direct or nnx.relu)(x)

    def features(self, x):
        return nnx.relu(x)


WHERE = {
    *("blocks.0.act", "blocks.1.act", "head.layers.1", "table['a']", "pair[0]", "last"),
}


def loss(module):
    return (module(X) ** 2).sum()


@nnx.jit
def step(module):
    """Value and gradient; the module's statistics move."""
    return nnx.value_and_grad(loss)(module)


def test_attributes():
    network, twin = Net(), Net(MISH)
    before = nnx.graphdef(network)
    replaced = jaxact.replace_activation(network, "mish")
    assert {one.path for one in replaced.replaced} == WHERE
    assert {one.calls for one in replaced.replaced} == {0}
    assert [one.path for one in replaced.left_alone] == ["pair[1]"]
    assert repr(replaced.left_alone) == "pair[1]  tanh, no call seen"
    got, expected = step(replaced), step(twin)
    np.testing.assert_allclose(got[0], expected[0], 1e-6)
    for a, b in zip(jax.tree.leaves(got[1]), jax.tree.leaves(expected[1]), strict=True):
        np.testing.assert_allclose(a, b, 1e-5, 1e-6)
    means = [net.blocks[1].norm.mean[...] for net in (replaced, twin, network)]
    np.testing.assert_allclose(means[0], means[1], 1e-6)
    assert not np.any(means[2])  # the original's
    assert nnx.graphdef(network) == before
    assert {one.calls for one in replaced.replaced} == {1}
    assert isinstance(replaced, Net)
    replaced.eval()
    assert replaced.blocks[0].norm.use_running_average
    assert not network.blocks[0].norm.use_running_average


def test_direct_calls():
    network, twin = Direct(), Direct(MISH)
    twin.block.act = MISH
    replaced = jaxact.replace_activation(network, "mish", X)
    assert repr(replaced.replaced) == "block.act      relu, once\nflax.nnx.relu  relu, once"
    plain = step(nnx.clone(network))[0]
    np.testing.assert_allclose(step(replaced)[0], step(twin)[0], 1e-6)
    np.testing.assert_allclose(replaced.features(X), MISH(X), 1e-6)
    assert step(nnx.clone(network))[0] == plain != step(replaced)[0]
    np.testing.assert_array_equal(network.features(X), np.maximum(X, 0))
    definition, state = nnx.split(replaced)
    np.testing.assert_allclose(nnx.merge(definition, state).features(X), MISH(X), 1e-6)


def test_learned_parameters_lie_in_the_attributes():
    network = Net()
    replaced = jaxact.replace_activation(network, "prelu", X)
    assert {(one.path, one.calls) for one in replaced.replaced} == {(path, 1) for path in WHERE}
    assert float(replaced.blocks[0].act.alpha[...]) == 0.25
    count = [len(jax.tree.leaves(nnx.state(net, nnx.Param))) for net in (replaced, network)]
    assert count[0] == count[1] + len(WHERE)
    value, gradient = step(replaced)
    slopes = [gradient.blocks[0].act.alpha, gradient.last.alpha]
    assert all(float(slope[...]) for slope in slopes)
    replaced.last.alpha[...] = np.float32(0.9)
    assert step(replaced)[0] != value


def test_flaxs_prelu_goes_with_its_parameter():
    network = nnx.Sequential(nnx.Linear(4, 4, rngs=nnx.Rngs(0)), nnx.PReLU())
    replaced = jaxact.replace_activation(network, "mish", X)
    twin = nnx.Sequential(network.layers[0], MISH)
    np.testing.assert_allclose(step(replaced)[0], step(twin)[0], 1e-6)
    assert len(jax.tree.leaves(nnx.state(replaced))) == 2


@dataclasses.dataclass
class Pair(nnx.Module):
    """A module that is a dataclass, as values of configurations are."""

    block: Block
    again: Any = None

    def __call__(self, x):
        return self.block(x)


def test_modules_within_are_modules_still():
    block = Block(nnx.Rngs(0))
    replaced = jaxact.replace_activation(Pair(block, Pair(block)), "mish", X)
    assert replaced.again.block is replaced.block  # shared as before
    assert [one.function for one in replaced.replaced] == ["relu"]


class Part(nnx.Module):
    def __call__(self, x):
        return x


class Parts(nnx.Module):
    def __init__(self):
        self.part, self.first, self.last = Part(), nnx.relu, nnx.tanh

    def __call__(self, x):
        return self.last(self.first(self.part(x)))


def test_twice_and_a_part_alone():
    network = Parts()
    first = jaxact.replace_activation(network, "mish")
    np.testing.assert_array_equal(first.part(X), X)  # calls none, and is not the network
    both = jaxact.replace_activation(first, "elu", X, only=["tanh", "relu"])
    assert [one.path for one in both.replaced] == ["last"]
    np.testing.assert_allclose(both(X), activations.get("elu")(MISH(X)), 1e-6)


def test_a_learned_one_has_no_place_where_code_calls_the_function():
    with pytest.raises(ConfigError, match=r"Direct calls flax\.nnx\.relu itself; let its"):
        jaxact.replace_activation(Direct(), "prelu", X)


def test_nothing_found():
    network = nnx.Sequential(nnx.tanh)
    replaced = jaxact.replace_activation(network, "mish")
    with pytest.raises(ConfigError, match=r"^Sequential calls no relu, .* it calls tanh: only="):
        replaced(X)
    found = jaxact.replace_activation(network, "mish", X, only="tanh")
    np.testing.assert_allclose(found(X), MISH(X), 1e-6)
