"""A user's module is trained as it is written, with any activation."""

import functools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations
from jaxact.errors import ConfigError
from jaxact.models.convolution import lowering
from jaxact.models.convolution.rewriting import equations
from jaxact.models.inspection.observation import observe
from jaxact.models.own import examination, factories
from tests.support.own_networks import LINEN, NNX, linen_networks, spec
from tests.support.variables import drawn, xlas_convolution

SHAPE = (12, 12, 1)
IMAGES = jnp.asarray(np.random.default_rng(0).normal(size=(5, *SHAPE)), jnp.float32)
CALLS = {"WithSetup": 2, "Compact": 2, "PreActivation": 2, "Residual": 4, "Next": 1}


@functools.cache
def examined(name, activation="relu", **options) -> Any:
    factory = factories.get(spec(name)) if isinstance(name, str) else name
    return examination.examined(factory, activations.get(activation), 10, SHAPE, **options)


def made(name, activation="relu", **options):
    model = examined(name, activation, **options).model
    return model, jax.tree.map(jnp.asarray, drawn(model, *SHAPE))


@pytest.mark.parametrize("name", ["WithSetup", "Compact"])
def test_it_computes_what_the_module_does(name):
    model, variables = made(name)
    factory = factories.get(spec(name))
    module = factory(activation=jax.nn.relu, num_classes=10)
    key = jax.random.key(3)
    still, training = ({"train": mode} if name == "Compact" else {} for mode in (False, True))

    def loss(forward, params):
        return (forward({**variables, "params": params}) ** 2).sum()

    def of_module(variables):
        rngs = {"params": key, "dropout": jax.random.fold_in(key, 0)}
        mutable = ["batch_stats"]
        return module.apply(variables, IMAGES, rngs=rngs, mutable=mutable, **training)[0]

    @jax.jit
    def both(params):
        ours = functools.partial(loss, lambda v: model.forward(v, IMAGES, key)[0])
        ours = model.predict({**variables, "params": params}, IMAGES), jax.grad(ours)(params)
        with xlas_convolution():
            theirs = module.apply({**variables, "params": params}, IMAGES, **still)
            return ours, (theirs, jax.grad(functools.partial(loss, of_module))(params))

    # The largest of a window may be another one of several that are equal: none here is.
    close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4)
    jax.tree.map(close, *both(variables["params"]))


@pytest.mark.usefixtures("quick_convolution")
@pytest.mark.parametrize(
    ("name", "activation"),
    [("WithSetup", "relu"), *((name, "prelu") for name in (*LINEN[2:], *NNX))],
)
def test_each_call_is_a_layer_with_parameters_of_its_own(name, activation):
    model, variables = made(name, activation)
    layers = [f"ActivationLayer_{k}" for k in range(CALLS[name.partition("(")[0]])]
    learned = [name for name in variables["params"] if name.startswith("ActivationLayer")]
    assert sorted(learned) == (layers if activation == "prelu" else [])
    if activation == "prelu":
        alphas_of = lambda key: [model.initial(key, IMAGES)["params"][k]["alpha"] for k in layers]  # noqa: E731
        assert jax.device_get(jax.jit(alphas_of)(jax.random.key(0))) == [0.25] * len(layers)

    @jax.jit
    def look(variables):
        logits, seen = observe(model, variables, IMAGES)
        return logits, model.predict(variables, IMAGES), seen

    logits, expected, seen = look(variables)
    np.testing.assert_allclose(logits, expected, rtol=1e-5)
    assert [layer.name for layer in seen] == layers
    for layer in seen:
        again = layer.activation(layer.inputs, **layer.learned)
        np.testing.assert_allclose(layer.outputs, again, rtol=1e-6)
        np.testing.assert_equal(
            jax.device_get(dict(layer.learned)),
            jax.device_get(variables["params"].get(layer.name, {})),
        )


@pytest.mark.usefixtures("quick_convolution")
@pytest.mark.parametrize("name", ["Compact", *NNX[:1]])
def test_training_moves_statistics_and_draws_from_its_key(name):
    model, variables = made(name)
    assert model.carried == ("batch_stats",)
    forward = jax.jit(model.forward)
    logits, collections = forward(variables, IMAGES, jax.random.key(1))
    assert jax.tree.structure(collections) == jax.tree.structure(
        {"batch_stats": variables["batch_stats"]}
    )
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), collections["batch_stats"],
                         variables["batch_stats"])  # fmt: skip
    assert min(jax.tree.leaves(moved)) > 1e-4
    np.testing.assert_array_equal(forward(variables, IMAGES, jax.random.key(1))[0], logits)
    assert np.abs(forward(variables, IMAGES, jax.random.key(2))[0] - logits).max() > 1e-3
    predict = jax.jit(model.predict)
    np.testing.assert_array_equal(predict(variables, IMAGES), predict(variables, IMAGES))
    dropping = jax.jit(model.predict_dropping)
    draws = [dropping(variables, IMAGES, jax.random.key(k)) for k in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.abs(draws[0] - draws[2]).max() > 1e-3


@pytest.mark.usefixtures("quick_convolution")
@pytest.mark.parametrize("name", ["WithSetup", *NNX[:1]])
def test_a_random_activation_draws_in_training_alone(name):
    """Beside the same network with the mean slope, whose other draws are the same."""
    mean = "leaky_relu(negative_slope=0.22916666666666666)"
    (model, variables), (plain, _) = made(name, "rrelu"), made(name, mean)
    key = jax.random.key(1)

    @jax.jit
    def of_both(key):
        both = (model, plain)
        return (
            [each.forward(variables, IMAGES, key)[0] for each in both],
            [each.predict(variables, IMAGES) for each in both],
            [each.predict_dropping(variables, IMAGES, key) for each in both],
        )

    trained, evaluated, dropping = of_both(key)
    assert np.abs(trained[0] - trained[1]).max() > 1e-3
    np.testing.assert_array_equal(of_both(key)[0][0], trained[0])
    np.testing.assert_array_equal(*evaluated)
    np.testing.assert_array_equal(*dropping)


@pytest.mark.usefixtures("quick_convolution")
@pytest.mark.parametrize("name", ["Compact", *NNX[:1]])
def test_seeds_begin_with_other_weights_and_a_seed_with_the_same(name):
    initial = jax.jit(examined(name).model.initial)
    first, again, other = (initial(jax.random.key(k), IMAGES)["params"] for k in (0, 0, 1))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    kernels = [x for x in jax.tree.leaves(jax.tree.map(lambda a, b: a - b, first, other))
               if x.ndim > 1]  # fmt: skip
    assert min(float(jnp.abs(x).max()) for x in kernels) > 0


def test_channels_have_parameters_of_their_own_where_asked_for():
    model, variables = made("Compact", "prelu", sharing="channel")
    assert model.channels == (4, 6)
    shapes = [variables["params"][f"ActivationLayer_{k}"]["alpha"].shape for k in (0, 1)]
    assert shapes == [(4,), (6,)]


WRONG = {
    "NeverCalls": r"never calls its activation: call it wherever",
    "TakesNone": r"takes neither `activation` nor `act`, only width: give it an argument",
    "WrongShape": r"gives float32\[2, 7\] for 2 images of 10 classes.*logits \[batch, 10\]",
    "Raises": r"fails on images \[2, 12, 12, 1\]: RuntimeError: no such layer \(linen_networks\.py",
    "WithSetup(wdith=3)": r"unexpected keyword argument 'wdith'.*did you mean width",
    "WithSetup(width='a')": r"fails on images .*TypeError",
    "nn": r"is an object of module: give its class",
    "Missing": r"linen_networks has no 'Missing'",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_module_is_refused_in_a_line(name):
    with pytest.raises(ConfigError, match=WRONG[name]) as caught:
        examined.__wrapped__(name)
    assert "\n" not in str(caught.value)


def relu_net(activation):
    return linen_networks.WithSetup(activation, width=3)


BOUND = linen_networks.WithSetup(activation=jnp.tanh, width=5)


@pytest.mark.parametrize(
    ("model", "name", "width"),
    [
        (linen_networks.WithSetup, spec("WithSetup"), 4),
        (functools.partial(linen_networks.WithSetup, width=6), spec("WithSetup(width=6)"), 6),
        (relu_net, "tests.models.own.test_own_modules:relu_net", 3),
        (lambda activation: linen_networks.WithSetup(activation, width=7), "network", 7),
        (BOUND, "WithSetup", 5),
    ],
)
def test_python_gives_classes_functions_and_modules(model, name, width):
    assert factories.spec_of(model, ("vgg11",)) == name
    assert factories.is_own(name)
    model, variables = made(factories.get(name))
    assert variables["params"]["first"]["kernel"].shape == (3, 3, 1, width)
    assert model.activation.spec == "relu"


def test_a_network_that_calls_another_activation_is_noted():
    (note,) = examined("PreActivation").notes
    assert re.search(r"calls relu \(1x\) itself, beside the activation under test.* 2x", note)
    assert examined("Compact").notes == ()


class Counting(nn.Module):
    """A counter and an average that are carried, and what is sown, which is not."""

    activation: nn.Module

    @nn.compact
    def __call__(self, x, training):
        count = self.variable("counts", "calls", lambda: jnp.zeros((), jnp.int32))
        if training:
            count.value += 1
        self.sow("losses", "size", jnp.abs(x).sum())
        return nn.Dense(10)(self.activation(x.reshape(len(x), -1)))


@pytest.mark.usefixtures("quick_convolution")
def test_every_collection_that_keeps_its_structure_is_carried():
    model, variables = made(factories.Factory("Counting", Counting))
    assert model.carried == ("counts",)
    assert (
        examined(factories.Factory("Counting", Counting))
        .notes[0]
        .startswith("Counting: the variables losses change their structure")
    )
    _, collections = jax.jit(model.forward)(variables, IMAGES, jax.random.key(0))
    assert int(collections["counts"]["calls"]) == int(variables["counts"]["calls"]) + 1


def test_a_fingerprint_tells_what_is_computed():
    taken = [examined(name).fingerprint for name in ("WithSetup", "WithSetup(width=6)", "Compact")]
    assert [examination.change(taken[0], other) for other in taken[1:]] == [
        "its variables are others"
    ] * 2
    assert examination.change(taken[0], examined("WithSetup", "mish").fingerprint) == ""
    own = linen_networks.WithSetup

    class Otherwise(own):
        def __call__(self, x):
            return super().__call__(2 * x)

    changed = examined(factories.Factory("Otherwise", Otherwise)).fingerprint
    assert examination.change(taken[0], changed) == "it computes something else"
    assert examination.change(taken[0] | {"jax": "0.1"}, changed) == ""
    assert "cannot be read" in examination.change({}, changed)


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_products_have_the_precision_that_is_asked_for(precision):
    model, variables = made("WithSetup", precision=precision)
    with lowering.traced_for("cuda"):
        program = jax.make_jaxpr(model.predict)(variables, IMAGES)
    highest = {
        str(e.params["precision"]).count("HIGHEST") == 2
        for e in equations(program)
        if "precision" in e.params
    }
    assert highest == {precision == "float32"}


def test_bfloat16_needs_a_dtype():
    with pytest.raises(ConfigError, match=r"takes no `dtype`, by which it would compute in bfloat"):
        examined("WithSetup", precision="bfloat16")
