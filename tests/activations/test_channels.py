"""Functions that see channels: their definitions, gradients, records and checks."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import ActivationError, ChannelActivation, aliases, callables
from jaxact.activations.channel_activation import Learned
from jaxact.activations.verification import channel_checks
from jaxact.activations.verification.checks import check_activation

NAMES = activations.channel_names()
VARIANTS = ["maxout(pieces=3)", "maxout(pieces=1)", "swiglu(beta=1.5)"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def halves(x):
    return np.split(x, 2, -1)


def phi(x):
    return np.vectorize(math.erf)(x / math.sqrt(2)) / 2 + 0.5


def smooth_maximum(x, p1, p2, beta):
    return (p1 - p2) * x * sigmoid(beta * (p1 - p2) * x) + p2 * x


def mean(x):
    """Over pixels, with an axis for each."""
    return x.mean((1, 2), keepdims=True) if x.ndim == 4 else x


def told_by_the_image(x, **weights):
    inner = mean(x) @ weights["squeeze_kernel"] + weights["squeeze_bias"]
    return lambda act: act(inner) @ weights["excite_kernel"] + weights["excite_bias"]


def meta_acon(x, p1, p2, **weights):
    return smooth_maximum(x, p1, p2, sigmoid(told_by_the_image(x, **weights)(lambda z: z)))


def dynamic_relu(x, **weights):
    theta = 2 * sigmoid(told_by_the_image(x, **weights)(lambda z: np.maximum(z, 0))) - 1
    a1, a2, b1, b2 = np.split(theta, 4, -1)
    return np.maximum((1.0 + 1.0 * a1) * x + 0.5 * b1, (0.0 + 1.0 * a2) * x + 0.5 * b2)


def frelu(x, kernel):
    if x.ndim == 2:
        return np.maximum(x, x * kernel)
    funnel = np.zeros_like(x)
    for i, j in np.ndindex(3, 3):
        for row, column in np.ndindex(x.shape[1:3]):
            at = row + i - 1, column + j - 1
            if 0 <= at[0] < x.shape[1] and 0 <= at[1] < x.shape[2]:
                funnel[:, row, column] += x[:, *at] * kernel[i, j]
    return np.maximum(x, funnel)


DEFINITIONS = {
    "glu": lambda x: halves(x)[0] * sigmoid(halves(x)[1]),
    "reglu": lambda x: halves(x)[0] * np.maximum(halves(x)[1], 0),
    "geglu": lambda x: halves(x)[0] * halves(x)[1] * phi(halves(x)[1]),
    "swiglu": lambda x: halves(x)[0] * halves(x)[1] * sigmoid(halves(x)[1]),
    "swiglu(beta=1.5)": lambda x: halves(x)[0] * halves(x)[1] * sigmoid(1.5 * halves(x)[1]),
    "maxout": lambda x: np.maximum(*halves(x)),
    "maxout(pieces=1)": lambda x: x,
    "maxout(pieces=3)": lambda x: np.max(np.split(x, 3, -1), 0),
    "crelu": lambda x: np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], -1),
    "acon": smooth_maximum,
    "meta_acon": meta_acon,
    "frelu": frelu,
    "dynamic_relu": dynamic_relu,
}


def is_traced(x):
    try:
        np.asarray(x)
    except jax.errors.TracerArrayConversionError:
        return True
    return False


def channel_activation(spec) -> ChannelActivation:
    act = activations.get(spec)
    assert isinstance(act, ChannelActivation)
    return act


def of_shapes(act, shape):
    """The parameters for an input, their shapes alone."""
    return jax.eval_shape(lambda key: act.drawn(key, shape), jax.random.key(0))


@pytest.mark.parametrize("spec", [*NAMES, *VARIANTS])
def test_it_computes_its_definition(spec):
    act = channel_activation(spec)
    with jax.enable_x64(True):
        for shape in channel_checks.shapes(act):
            x, params = channel_checks.inputs(act, shape)
            expected = DEFINITIONS[spec](np.asarray(x), **jax.device_get(params))
            got = jax.jit(act)(x, **params)
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


# Gates as SwiGLU, and those told by the image: the others' definitions and training are seen.
ALIKE = {"glu", "reglu", "geglu", "meta_acon", "dynamic_relu"}


@pytest.mark.parametrize(
    "spec",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in ALIKE)) for name in NAMES],
)
def test_it_passes_its_own_check(spec):
    assert [result for result in check_activation(activations.get(spec)) if not result.passed] == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "gradient is the finite difference",
            {"function": jax.custom_jvp(lambda x: x * x)},
        ),
        ("shape and dtype", {"function": lambda x: jnp.concatenate([x, x], -1)}),
        ("shape and dtype", {"function": lambda x: jnp.tanh(x).astype(jnp.float32)}),
        ("jit and vmap", {"function": lambda x: x if is_traced(x) else -x}),
        ("finite whatever the scale", {"function": lambda x: jnp.log(1 + jnp.exp(x))}),
        ("NaN in, NaN out", {"function": lambda x: jnp.where(jnp.isnan(x), 0.0, x)}),
        ("NaN in, NaN out", {"function": lambda x: x + jnp.mean(x)}),
        (
            "learnable parameters",
            {
                "function": lambda x, a: jax.lax.stop_gradient(a) * x,
                "learned": (Learned("a", lambda shape: (), jax.nn.initializers.ones),),
            },
        ),
    ],
)
def test_each_check_can_fail(name, fields):
    function = fields["function"]
    if isinstance(function, jax.custom_jvp):
        function.defjvp(lambda primals, tangents: (function(*primals), primals[0] * tangents[0]))
    results = check_activation(ChannelActivation(name="tried", **fields), [name])
    assert [result.passed for result in results] == [False]


def test_the_gradient_of_a_gate_is_its_closed_form():
    """In the tail too, where Phi(x) + x phi(x), written so, cancels."""
    gate = jnp.asarray([-9.0, -5.0, -0.7517916, 0.0, 3.0])
    value = jnp.asarray([2.0, -1.0, 4.0, 1.0, 0.5])
    for spec, inner in (("geglu", "gelu"), ("swiglu", "swish"), ("glu", "sigmoid")):
        y, pull_back = jax.vjp(activations.get(spec), jnp.concatenate([value, gate]))
        of_value, of_gate = np.split(pull_back(jnp.ones_like(y))[0], 2)
        act = activations.get(inner)
        np.testing.assert_array_equal(of_value, act(gate))
        np.testing.assert_array_equal(of_gate, value * act.derivative(gate))
        assert of_gate[0] != 0


def test_the_gradient_of_maxout_goes_to_the_largest_piece():
    gradient = jax.grad(lambda x: (activations.maxout(x) * jnp.asarray([1.0, 10.0])).sum())
    np.testing.assert_array_equal(gradient(jnp.asarray([3.0, -1.0, 2.0, 5.0])), [1, 0, 0, 10])


def test_special_cases_are_the_functions_that_they_are_said_to_be():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 3, 3, 8)), jnp.float32)
    ones, zeros = jnp.ones(8), jnp.zeros(8)
    np.testing.assert_array_equal(
        activations.acon(x, ones, zeros, 1.5 * ones), activations.swish(x, 1.5)
    )
    dynamic = channel_activation("dynamic_relu")
    still = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), of_shapes(dynamic, x.shape))
    np.testing.assert_array_equal(dynamic(x, **still), activations.relu(x))
    np.testing.assert_array_equal(activations.frelu(x, jnp.zeros((3, 3, 8))), activations.relu(x))


def test_a_window_on_one_pixel_is_its_middle():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((4, 8)), jnp.float32)
    kernel = jnp.asarray(np.random.default_rng(1).standard_normal((3, 3, 8)), jnp.float32)
    image = activations.frelu(x[:, None, None], kernel)[:, 0, 0]
    np.testing.assert_array_equal(activations.frelu(x, kernel[1, 1]), image)


@pytest.mark.parametrize("name", NAMES)
def test_each_one_is_found_and_is_no_activation_of_the_other_kind(name):
    act = channel_activation(name)
    assert act.name == act.spec == name
    assert name not in activations.names()
    assert activations.get(act) is act
    assert activations.get(getattr(activations, name)) == act
    assert callables.spec_of(getattr(activations, name)) == name
    assert act.reference
    assert hash(act) == hash(activations.get(name))
    with pytest.raises(TypeError, match="sees channels, so it has no derivative of one number"):
        act.derivative(jnp.ones(4))


def test_specs_bind_constants_alone():
    assert activations.get("maxout(pieces=2)") == activations.get("maxout")
    assert activations.get("maxout(pieces=3)").input_channels(5) == 15
    for spec, message in (
        ("maxout(pieces=0)", "pieces must be a whole number from 1 to 64, not '0'"),
        ("maxout(peices=2)", "did you mean pieces"),
        ("acon(beta=2)", "acon has no parameter 'beta'; it takes none"),
        ("frelu(normalize=1)", "frelu has no parameter 'normalize'"),
        ("swigl", "did you mean swiglu"),
    ):
        with pytest.raises(ActivationError, match=message):
            activations.get(spec)


def test_none_is_the_twin_of_another():
    assert aliases.twins([*NAMES, "relu", "maxout(pieces=1)", "identity"]) == ()
    assert aliases.twins(["swiglu", "jaxact.activations:swiglu"]) == (
        ("jaxact.activations:swiglu", "swiglu"),
    )


def test_channels_that_do_not_fit_are_told():
    for name, x in (("glu", jnp.ones(3)), ("maxout", jnp.ones((2, 5))), ("crelu", jnp.float32(1))):
        with pytest.raises(ActivationError, match=f"{name} takes . channels"):
            activations.get(name)(x)
    with pytest.raises(ActivationError, match="crelu gives a multiple of 2 channels, not 5"):
        activations.get("crelu").input_channels(5)
    with pytest.raises(TypeError, match="swiglu needs a floating-point x"):
        activations.swiglu(jnp.arange(4))


def test_parameters_that_are_lacking_or_unknown_are_told():
    acon, x = activations.get("acon"), jnp.ones((1, 4))
    with pytest.raises(TypeError, match=r"acon needs p1, beta: act\(x, \*\*act.drawn"):
        acon(x, p2=jnp.ones(4))
    with pytest.raises(TypeError, match="acon has no learnable 'alpha'; learnable: p1, p2, beta"):
        acon(x, alpha=1)
    with pytest.raises(TypeError, match="no learnable 'normalize'"):
        acon(x, normalize=jnp.sin)


MINE = ChannelActivation("mine", lambda x: x)  # a spec names it


def test_a_record_of_ones_own_is_refused():
    with pytest.raises(ActivationError, match="choose among those that see channels, glu, reglu"):
        activations.get(f"{__name__}:MINE")


def test_parameters_begin_as_published():
    params = channel_activation("acon").drawn(jax.random.key(0), (2, 3, 3, 4000))
    assert {name: leaf.shape for name, leaf in params.items()} == dict.fromkeys(params, (4000,))
    np.testing.assert_array_equal(params["beta"], 1)
    for name in ("p1", "p2"):
        assert abs(params[name].mean()) < 0.1
        assert params[name].std() == pytest.approx(1, abs=0.05)
    assert not np.allclose(params["p1"], params["p2"])
    meta, dynamic = channel_activation("meta_acon"), channel_activation("dynamic_relu")
    assert of_shapes(meta, (2, 512))["squeeze_kernel"].shape == (512, 32)
    assert of_shapes(meta, (2, 512))["excite_kernel"].shape == (32, 512)
    assert of_shapes(meta, (2, 64))["squeeze_bias"].shape == (16,)
    assert of_shapes(dynamic, (2, 64))["squeeze_kernel"].shape == (64, 8)
    assert of_shapes(dynamic, (2, 64))["excite_kernel"].shape == (8, 256)
