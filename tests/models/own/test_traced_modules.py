"""Modules that JAX or Flax trace by parts of their own, and those that have a mode in many ways."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations
from jaxact.errors import ConfigError
from jaxact.models.inspection.observation import observe
from jaxact.models.own import examination
from jaxact.models.own.factories import Factory
from jaxact.models.replacement.replace import replace_activation
from tests.support.own_networks import nnx_or_skip
from tests.support.variables import drawn

SHAPE = (2, 2, 1)
IMAGES: Any = np.random.default_rng(0).normal(size=(3, *SHAPE)).astype(np.float32)


def examined(target, activation="prelu", sharing="layer"):
    factory = Factory(getattr(target, "__name__", "net"), target)
    return examination.examined(factory, activations.get(activation), 10, SHAPE, sharing)


class Layer(nn.Module):
    act: Any

    @nn.compact
    def __call__(self, x, _=None):
        y = self.act(nn.Dense(4)(x))
        return y if _ is None else (y, None)


class Net(nn.Module):
    """Two layers, wrapped; the head's activation is never wrapped."""

    activation: Any
    wrap: str = ""

    @nn.compact
    def __call__(self, x):
        x, act = nn.Dense(4)(x.reshape(x.shape[0], -1)), self.activation
        if self.wrap == "scan":
            stack = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True},
                            length=2)  # fmt: skip
            x, _ = stack(act)(x, jnp.zeros(2))
        elif self.wrap == "cond":
            x = jax.lax.cond(x.sum() > 0, act, lambda x: act(-x), x)
        elif self.wrap == "jit":
            x = jitted(act, jitted(act, x)[:, :3])
        elif self.wrap:
            wrapped = nn.remat(Layer)(act) if self.wrap == "remat" else jax.vmap(act)
            for _ in range(2):
                x = wrapped(x)
        return nn.Dense(10)(act(nn.Dense(5)(x)))


@functools.partial(jax.jit, static_argnums=0)
def jitted(act, x):
    return 1.0 * act(x)


@pytest.mark.parametrize(
    ("wrap", "layers"),
    [("remat", 3), ("vmap", 3), ("scan", 2), ("jit", 3), ("cond", 3)],
)
def test_calls_within_programs_of_their_own_count_once_and_are_learnt(wrap, layers):
    found = examined(functools.partial(Net, wrap=wrap))
    model = found.model
    assert len(model.channels) == layers
    assert any(f"{layers - 1} of the {layers} calls" in note for note in found.notes)

    @jax.jit
    def look(variables, key):
        logits, seen = observe(model, variables, IMAGES)

        def loss(params):
            return (model.forward({"params": params}, IMAGES, key)[0] ** 2).sum()

        return logits, model.predict(variables, IMAGES), seen, jax.grad(loss)(variables["params"])

    logits, expected, seen, gradients = look(drawn(model, *SHAPE), jax.random.key(1))
    np.testing.assert_allclose(logits, expected, rtol=1e-5)
    assert [layer.name for layer in seen] == [f"ActivationLayer_{layers - 1}"]
    learned = [name for name in gradients if name.startswith("ActivationLayer")]
    assert len(learned) == layers
    used = [float(abs(gradients[name]["alpha"])) for name in learned]
    assert sum(x > 0 for x in used) >= layers - (wrap == "cond")  # one branch is not taken


def test_a_number_without_a_batch_is_no_layer_of_health():
    class Gated(nn.Module):
        activation: Any

        @nn.compact
        def __call__(self, x):
            gate = self.activation(self.param("gate", nn.initializers.ones, ()))
            return nn.Dense(10)(self.activation(x.reshape(x.shape[0], -1)) * gate)

    model = examined(Gated, "mish").model
    _, seen = jax.eval_shape(
        lambda key: observe(model, model.initial(key, IMAGES), IMAGES), jax.random.key(0)
    )
    assert [layer.inputs.shape for layer in seen] == [(3, 4)]


class Merging(nn.Module):
    activation: Any
    deterministic: bool | None = None

    @nn.compact
    def __call__(self, x, deterministic: bool | None = None):
        is_still = nn.merge_param("deterministic", self.deterministic, deterministic)
        x = nn.Dropout(0.5, deterministic=is_still)(x.reshape(x.shape[0], -1))
        return nn.Dense(10)(self.activation(x))


class Told(nn.Module):
    activation: Any
    train: bool = True

    @nn.compact
    def __call__(self, x, *, train: bool):
        x = nn.Dropout(0.5, deterministic=not train)(x.reshape(x.shape[0], -1))
        return nn.Dense(10)(self.activation(x))


def nnx_net(name):
    nnx = nnx_or_skip()

    class Attribute(nnx.Module):
        def __init__(self, activation, rngs):
            self.act, self.dense = activation, nnx.Linear(4, 10, rngs=rngs)
            self.drop, self.shift = nnx.Dropout(0.5, rngs=rngs), nnx.data(jnp.full(4, -3.0))
            setattr(self, name, False)

        def __call__(self, x):
            is_training = getattr(self, name) == (name != "deterministic")
            x = x.reshape(x.shape[0], -1) - self.shift
            return self.dense(self.act(self.drop(x, deterministic=not is_training)))

    return Attribute


@pytest.mark.parametrize("target", [Merging, Told, "train", "training", "deterministic"])
def test_the_mode_is_told_by_fields_attributes_and_arguments(target):
    target = nnx_net(target) if isinstance(target, str) else target
    model = examined(target, "relu").model

    @jax.jit
    def run(variables):
        draws = [model.forward(variables, IMAGES, jax.random.key(k))[0] for k in (1, 2)]
        return *draws, model.predict(variables, IMAGES)

    first, second, still = run(drawn(model, *SHAPE))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, still)


def test_arrays_of_an_nnx_module_are_carried():
    model = examined(nnx_net("train"), "relu").model
    assert model.carried == ("arrays",)
    variables = model.initial(jax.random.key(0), IMAGES)
    np.testing.assert_array_equal(variables["arrays"]["shift"], np.full(4, -3, np.float32))


class Fixed(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(nn.relu(nn.Dense(3)(x.reshape(x.shape[0], -1))))


def fixed_nnx(rngs):
    nnx = nnx_or_skip()

    class Fixed(nnx.Module):
        def __init__(self):
            self.first, self.act = nnx.Linear(4, 3, rngs=rngs), nnx.relu
            self.head = nnx.Linear(3, 10, rngs=rngs)

        def __call__(self, x):
            return self.head(self.act(self.first(x.reshape(x.shape[0], -1))))

    return Fixed()


@pytest.mark.parametrize("activation", ["mish", "prelu"])
@pytest.mark.parametrize("api", ["linen", "nnx"])
def test_a_network_whose_activation_is_replaced_is_one_of_ones_own(api, activation):
    def linen(activation):
        return replace_activation(Fixed(), activation)

    def nnx(activation, rngs):
        return replace_activation(fixed_nnx(rngs), activation)

    if api == "nnx":
        nnx_or_skip()
    model = examined({"linen": linen, "nnx": nnx}[api], activation).model
    assert model.channels == (3,)
    relu = examined({"linen": linen, "nnx": nnx}[api], "relu").model

    def logits(model):
        return model.predict(drawn(model, *SHAPE), IMAGES)

    assert np.abs(jax.jit(lambda: logits(model) - logits(relu))()).max() > 1e-3


def handing_on(activation, num_classes, **options):
    return Merging(activation, **options)


def test_a_function_that_hands_on_any_argument_makes_a_linen_module():
    assert examined(handing_on, "relu").model.channels == (4,)


def lazy(activation, rngs):
    nnx = nnx_or_skip()

    class Lazy(nnx.Module):
        def __init__(self):
            self.head, self.rngs = nnx.data(None), rngs

        def __call__(self, x):
            if self.head is None:
                self.head = nnx.Linear(4, 10, rngs=self.rngs)
            return self.head(activation(x.reshape(x.shape[0], -1)))

    return Lazy()


class ActivationLayer(nn.Module):
    act: Any

    @nn.compact
    def __call__(self, x):
        return self.param("gain", nn.initializers.ones, ()) * self.act(x)


class Named(nn.Module):
    activation: Any

    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(ActivationLayer(self.activation)(x.reshape(x.shape[0], -1)))


class Remembering(nn.Module):
    activation: Any
    keeps: str = "batch"

    @nn.compact
    def __call__(self, x):
        if self.keeps == "batch":
            last = self.variable("memory", "last", lambda: jnp.zeros((x.shape[0], 1)))
            last.value = x.mean((1, 2))
        else:
            self.variable("memory", "key", lambda: jax.random.key(0))
        return nn.Dense(10)(self.activation(x.reshape(x.shape[0], -1)))


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (lazy, "makes parameters when it is called.* in its __init__"),
        (Named, "layer named 'ActivationLayer_0'.* another name"),
        (Remembering, "the variables memory change their shapes.* stays the same"),
        (
            functools.partial(Remembering, keeps="key"),
            "key of jax.random in its variables 'memory'",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_line(target, text):
    if target is lazy:
        nnx_or_skip()
    with pytest.raises(ConfigError, match=text) as caught:
        examined(target)
    assert "\n" not in str(caught.value)
