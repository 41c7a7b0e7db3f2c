"""The registry: names, records, the user's own functions."""

import dataclasses
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import Activation, ActivationError, Kink, registry
from tests.support.groups import in_groups

NAMES = activations.names()

# Public in jax.nn, but not activation functions of one array, element by element.
NOT_ELEMENTWISE = {
    "dot_product_attention": "attention",
    "get_scaled_dot_general_config": "a configuration of products",
    "glu": "halves an axis",
    "initializers": "a module",
    "log1mexp": "a helper, undefined below 0",
    "log_softmax": "normalises an axis",
    "logmeanexp": "reduces an axis",
    "logsumexp": "reduces an axis",
    "one_hot": "an encoding of integers",
    "scaled_dot_general": "a product",
    "scaled_matmul": "a product",
    "softmax": "normalises an axis",
    "standardize": "normalises an axis",
}


def test_covers_every_elementwise_function_of_jax_nn():
    public = {name for name in dir(jax.nn) if not name.startswith("_")}
    assert public - set(NOT_ELEMENTWISE) <= set(NAMES)
    assert set(NOT_ELEMENTWISE) <= public


OF_JAX_NN = [name for name in NAMES if hasattr(jax.nn, name)]


@in_groups(OF_JAX_NN, np.linspace(-4, 4, 81, dtype=np.float32))
def ours_and_theirs(activation, x):
    options = {"approximate": False} if activation.name == "gelu" else {}
    return activation(x), getattr(jax.nn, activation.name)(x, **options)


@pytest.mark.parametrize("name", OF_JAX_NN)
def test_agrees_with_jax_nn_where_that_is_exact(name):
    np.testing.assert_allclose(*ours_and_theirs(name), rtol=2e-6, atol=1e-6)


def test_names_are_unique_and_all_exported():
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) <= set(activations.__all__) & set(dir(activations))
    assert not hasattr(activations, "rellu")


@pytest.mark.parametrize("name", NAMES)
def test_records_are_complete_and_round_trip(name):
    act = activations.get(name)
    assert act.name == act.spec == name
    assert act.reference
    assert isinstance(act.monotonic, bool)
    assert isinstance(act.elementwise, bool)
    assert all(isinstance(kink, Kink) for kink in act.kinks)
    again = activations.get(act.spec)
    assert again == act
    assert hash(again) == hash(act)
    assert len({act, again}) == 1
    assert activations.get(act) is act


def test_a_constant_is_bound():
    act = activations.get("leaky_relu(negative_slope=0.05)")
    assert act.params == {}
    assert act.kinks == (Kink(0.0, 0.05),)
    assert float(act(jnp.float32(-2))) == pytest.approx(-0.1)
    assert float(act.derivative(jnp.float32(-2))) == pytest.approx(0.05)
    assert act != activations.get("leaky_relu")
    assert act.spec == "leaky_relu(negative_slope=0.05)"
    assert activations.get("leaky_relu(negative_slope=0.01)") == activations.get("leaky_relu")
    assert float(activations.leaky_relu(jnp.float32(-2), negative_slope=0.05)) == pytest.approx(
        -0.1
    )


def test_a_learnable_parameter_starts_where_the_spec_says():
    act = activations.get("prelu(alpha=0.1)")
    assert act.params == {"alpha": 0.1}
    assert activations.get("prelu").params == {"alpha": 0.25}
    assert act.kinks == (Kink(0.0, 0.1),)
    x = jnp.asarray([[-1.0, -1.0, 3.0]])
    np.testing.assert_allclose(act(x), [[-0.1, -0.1, 3]])
    per_channel = jnp.asarray([0.5, 1.0, 2.0])
    np.testing.assert_allclose(act(x, alpha=per_channel), [[-0.5, -1, 3]])
    np.testing.assert_allclose(act.derivative(x, alpha=per_channel), [[0.5, 1, 1]])
    act.params["alpha"] = 9.0
    assert act.params == {"alpha": 0.1}


def test_a_learnable_parameter_may_be_a_list():
    act = activations.get("apl(slopes=[0.5, -2], hinges=[1, 0])")
    assert act.params == {"slopes": (0.5, -2.0), "hinges": (1.0, 0.0)}
    assert act.spec == "apl(slopes=[0.5, -2.0], hinges=[1.0, 0.0])"
    assert act.kinks == (Kink(0.0, -0.5), Kink(1.0, 1.0))
    assert act.monotonic is True
    x = jnp.asarray([[-2.0, 0.5, 3.0]])
    np.testing.assert_allclose(act(x), [[-2.5, 0.75, 3]])
    np.testing.assert_allclose(act.derivative(x), [[1.5, 0.5, 1]])
    per_channel = jnp.asarray([[1.0, 0.5, 2.0], [0.0, -1.0, 1.0]])
    np.testing.assert_allclose(act(x, slopes=per_channel), [[3, 0.75, 3]])
    np.testing.assert_allclose(act.derivative(x, slopes=per_channel), [[-1, 0.5, 1]])


def test_only_learnable_parameters_can_be_given():
    with pytest.raises(TypeError, match="no learnable 'negative_slope'; learnable: none"):
        activations.get("leaky_relu")(jnp.ones(2), negative_slope=0.1)


@pytest.mark.parametrize(
    ("spec", "monotonic", "kinks"),
    [
        ("elu(alpha=2)", True, (Kink(0.0, 2.0),)),
        ("elu(alpha=-1)", False, (Kink(0.0, -1.0),)),
        ("elu", True, ()),
        ("leaky_relu(negative_slope=-0.5)", False, (Kink(0.0, -0.5),)),
        ("leaky_relu(negative_slope=1)", True, ()),
        ("swish(beta=0)", True, ()),
        ("swish", False, ()),
        ("apl(slopes=[-0.25], hinges=[0])", True, (Kink(0.0, 0.0),)),
        ("apl(slopes=[-1], hinges=[0])", True, ()),
        ("apl(slopes=[1, -1], hinges=[2, 2])", True, (Kink(0.0, 0.0),)),
        ("pau(numerator=[0, 1, 0], denominator=[1])", None, ()),
        ("affine_combination(weights=[1, -1, 1])", True, (Kink(0.0, 2.0),)),
        ("affine_combination(weights=[1, -1.5, 1.5])", False, (Kink(0.0, 2.5),)),
        ("arelu(beta=0)", True, (Kink(0.0, 1.5),)),
        ("pdelu(alpha=-1)", False, (Kink(0.0, -1.0),)),
    ],
)
def test_kinks_and_monotonicity_follow_the_parameters(spec, monotonic, kinks):
    act = activations.get(spec)
    assert (act.monotonic, act.kinks) == (monotonic, kinks)


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A user's module on the path, removed afterwards."""
    (tmp_path / "my_acts.py").write_text(
        '''"""My functions."""
import jax.numpy as jnp
from jaxact.activations import Activation, Kink

def cube(x, scale=1.0):
    """A cube, as in nobody's paper.

    More words."""
    return scale * x**3

def half(x):
    return jnp.where(x > 0, x, 0.5 * x)

def needs(x, power):
    return x**power

def registered(x, gain=2.0):
    return gain * x

def registered_derivative(x, gain=2.0):
    return jnp.full_like(x, gain)

declared = Activation(
    name="half", function=half, kinks=(Kink(0.0, 0.5),), monotonic=True, reference="me"
)
number = 3
'''
    )
    (tmp_path / "broken_acts.py").write_text("raise RuntimeError('two\\nlines')")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("my_acts", "broken_acts"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own_module")
class TestUsersOwn:
    def test_a_plain_function(self):
        act = activations.get("my_acts:cube")
        assert (act.params, act.kinks, act.monotonic, act.elementwise) == ({}, (), None, True)
        assert act.reference == "A cube, as in nobody's paper."
        x = jnp.asarray([[-1.0, 2.0]])
        np.testing.assert_allclose(act(x), [[-1, 8]])
        np.testing.assert_allclose(act.derivative(x), [[3, 12]])
        assert act == activations.get(act.spec)
        assert hash(act) == hash(activations.get(act.spec))

    def test_with_arguments(self):
        act = activations.get("my_acts:cube(scale=2)")
        assert act.spec == "my_acts:cube(scale=2)"
        assert float(act(jnp.float32(2))) == 16

    def test_an_activation(self):
        act = activations.get("my_acts:declared")
        assert act.kinks == (Kink(0.0, 0.5),)
        assert act.spec == "my_acts:declared"
        assert activations.get(act.spec) == act

    def test_a_registered_function_keeps_its_derivative(self, monkeypatch):
        import my_acts  # pyright: ignore[reportMissingImports]

        monkeypatch.setattr(registry, "_definitions", dict(registry._definitions))
        activations.register(
            "gain", my_acts.registered, my_acts.registered_derivative, learnable=("gain",)
        )
        assert activations.names()[-1] == "gain"
        assert activations.gain is my_acts.registered
        assert activations.get("gain(gain=3)").params == {"gain": 3.0}
        own = activations.get("my_acts:registered(gain=3)")
        assert own.derivative_function is my_acts.registered_derivative
        assert own.params == {"gain": 3.0}

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("my_acts:cubic", "my_acts has no 'cubic'"),
            ("my_acts:cub", "did you mean cube"),
            ("my_acts:number", "neither a function nor an Activation, but a int"),
            ("my_acts:cube(scal=2)", "it takes x, scale; did you mean scale"),
            ("my_acts:half(slope=2)", "it takes x alone"),
            ("my_acts:needs", "missing a required argument: 'power'"),
            ("my_acts:declared(slope=2)", "takes no arguments"),
            ("my_actz:cube", "cannot import my_actz"),
            ("broken_acts:f", "RuntimeError: two"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, spec, message):
        with pytest.raises(ActivationError) as caught:
            activations.get(spec)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_name_is_registered_once():
    with pytest.raises(ActivationError, match="taken"):
        activations.register("relu", lambda x: x)
    with pytest.raises(ActivationError, match="no identifier"):
        activations.register("not a name", lambda x: x)


def test_an_activation_is_frozen_and_shows_its_spec():
    act = Activation(name="double", function=lambda x: 2 * x)
    assert repr(act) == "Activation('double')"
    with pytest.raises(dataclasses.FrozenInstanceError):
        act.name = "other"  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(act.derivative(jnp.ones(2)), 2)


def test_an_activation_that_holds_an_array_is_refused(monkeypatch):
    act = Activation("mine", lambda x, a: a * x, initial=(("a", np.ones(2)),))  # pyright: ignore[reportArgumentType]
    monkeypatch.setitem(sys.modules, "holds_array", types.SimpleNamespace(act=act))
    with pytest.raises(ActivationError, match=r"holds_array:act holds .* write arrays as tuples"):
        activations.get("holds_array:act")


def test_without_a_derivative_a_normalising_function_says_so():
    act = Activation(name="norm", function=lambda x: x / jnp.sum(x), elementwise=False)
    with pytest.raises(TypeError, match="norm is not elementwise"):
        act.derivative(jnp.ones(2))


def test_a_module_can_be_of_any_kind(monkeypatch):
    module = types.ModuleType("made_up")
    monkeypatch.setitem(sys.modules, "made_up", module)
    with pytest.raises(ActivationError, match="made_up has no 'f'"):
        activations.get("made_up:f")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("ReLU", "; did you mean relu?"),
        ("SiLU", "; did you mean silu?"),
        ("LeakyReLU(negative_slope=0.2)", "; did you mean leaky_relu?"),
        ("leaky-relu", "; did you mean leaky_relu?"),
        ("Leaky ReLU", "; did you mean leaky_relu?"),
        ("HARDSWISH", "; did you mean hard_swish?"),
        ("flax.linen.relu", "; did you mean relu?"),
        ("torch_geometric.nn.ReLU6", "; did you mean relu6?"),
        ("no_such_package.nn:LogSigmoid", "; did you mean log_sigmoid?"),
        ("jax.nn:ReLU", "; did you mean relu?"),
        ("my.acts.cube", "; one's own is written package.module:function, as in my.acts:cube"),
    ],
)
def test_names_of_other_frameworks_get_a_hint(spec, hint):
    with pytest.raises(ActivationError) as caught:
        activations.get(spec)
    assert str(caught.value).endswith(hint)
