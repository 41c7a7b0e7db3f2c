"""The replacement in Linen modules, against the same networks written with the other function."""

import dataclasses
import functools
import threading
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.nn import relu

import jaxact
from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.models.layers.activation_layer import ActivationLayer
from jaxact.models.replacement.functions import HIDDEN, OTHERS

X = np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4)
KEY = jax.random.key(0)
MISH = activations.get("mish")
TABLE = {"relu": nn.relu}
LEAKY = functools.partial(nn.leaky_relu, negative_slope=0.2)


def direct(x):
    """A function that code calls by a name; the twin of a network calls another one."""
    return nn.relu(x)


@jax.jit
def jitted(x):
    return jax.nn.relu(x)


def by_default(x, act=nn.relu):
    return act(x)


@dataclasses.dataclass(frozen=True)
class Settings:
    act: Callable[..., Any] = nn.relu


class Block(nn.Module):
    act: Callable[..., Any] = nn.relu

    @nn.compact
    def __call__(self, x):
        return self.act(nn.Dense(4)(x))


class WithSetup(nn.Module):
    act: Callable[..., Any] = nn.relu

    def setup(self):
        self.dense = nn.Dense(4)
        self.acts = [self.act, nn.tanh]

    def __call__(self, x):
        return self.acts[1](self.acts[0](self.dense(x)))


class Fields(nn.Module, kw_only=True):
    settings: Settings = Settings()
    acts: Any = dataclasses.field(default_factory=lambda: {"a": [nn.relu]})

    @nn.compact
    def __call__(self, x):
        return self.acts["a"][0](nn.Dense(4)(self.settings.act(x)))


class Compact(nn.Module):
    """Submodules that are made in the call: one with the default of a field."""

    direct: Callable[..., Any] = direct
    act: Any = None

    @nn.compact
    def __call__(self, x):
        own = {} if self.act is None else {"act": self.act}
        x = self.direct(Block(**own)(x))
        x = nn.remat(Block)(**own)(x)
        batched = nn.vmap(Block, variable_axes={"params": 0}, split_rngs={"params": True})
        return batched(**own)(x)


class Step(nn.Module):
    act: Callable[..., Any] = nn.relu

    @nn.compact
    def __call__(self, x, _):
        return self.act(nn.Dense(4)(x)), None


class Scanned(nn.Module):
    act: Callable[..., Any] = nn.relu

    @nn.compact
    def __call__(self, x):
        loop = nn.scan(Step, variable_axes={"params": 0}, split_rngs={"params": True}, length=2)
        return loop(act=self.act)(x, None)[0]


class Around(nn.Module):
    inner: nn.Module
    direct: Callable[..., Any] = direct

    @nn.compact
    def __call__(self, x):
        return self.direct(self.inner(x))


NETWORKS = {  # a network, its twin, and the places
    "setup": (WithSetup(), WithSetup(MISH), {"act": 1}),
    "fields": (
        Fields(),
        Fields(settings=Settings(MISH), acts={"a": [MISH]}),
        {"acts['a'][0]": 1, "settings.act": 1},
    ),
    "compact": (
        Compact(),
        Compact(MISH, MISH),
        {"Block_0.act": 1, "CheckpointBlock_0.act": 1, "VmapBlock_0.act": 1, "flax.linen.relu": 1},
    ),
    "scan": (Scanned(), Scanned(MISH), {"act": 2}),  # JAX traces the step twice
    "sequential": (
        nn.Sequential([nn.Dense(4), nn.relu, Block(), nn.gelu]),
        nn.Sequential([nn.Dense(4), MISH, Block(MISH), MISH]),
        {"layers[1]": 1, "layers[3]": 1, "layers_2.act": 1},
    ),
    "field of a submodule": (
        Around(Around(Block())),
        Around(Around(Block(MISH), MISH), MISH),
        {"inner.inner.act": 1, "flax.linen.relu": 2},
    ),
}
CALLS = {  # code, and the name under which it is listed
    "flax.linen": (lambda x: nn.relu(x), "flax.linen.relu"),
    "jax.nn": (lambda x: jax.nn.silu(x), "jax.nn.silu"),
    "exact gelu": (lambda x: nn.gelu(x, approximate=False), "flax.linen.gelu"),
    "imported": (lambda x: relu(x), f"{__name__}.relu"),
    "table": (lambda x: TABLE["relu"](x), f"{__name__}.TABLE['relu']"),
    "partial": (lambda x: LEAKY(x), f"{__name__}.LEAKY"),
    "default": (by_default, f"{__name__}.by_default, a default"),
    "jitted": (jitted, "jax.nn.relu"),
    "getattr": (lambda x: getattr(nn, "relu")(x), "flax.linen.relu"),  # noqa: B009
}


def places(records):
    return {one.path: one.calls for one in records}


def initial(network):
    """Variables of a network, drawn by NumPy: JAX's draws take long to compile."""
    shapes = jax.eval_shape(network.init, KEY, X)
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape, np.float32) + 0.1, shapes)


def losses(network):
    """Value and gradient as a compiled function of variables."""
    return jax.jit(jax.value_and_grad(lambda v: (network.apply(v, X) ** 2).sum()))


def held():
    """The objects that stand where functions are looked for."""
    defaults = by_default.__defaults__ or ()
    return [nn.relu, jax.nn.relu, jax.nn.silu, nn.gelu, relu, TABLE["relu"], LEAKY, *defaults]


@pytest.mark.parametrize("name", NETWORKS)
def test_computes_what_the_network_with_the_other_function_does(name):
    network, twin, where = NETWORKS[name]
    before = repr(network), held()
    replaced = jaxact.replace_activation(network, "mish")
    assert not replaced.replaced
    variables = initial(replaced)
    assert places(replaced.replaced) == where
    assert jax.tree.map(np.shape, variables) == jax.tree.map(np.shape, initial(twin))
    got, expected = (losses(one)(variables) for one in (replaced, twin))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-6, 1e-7), got, expected)
    plain = jax.jit(network.apply)(variables, X)
    assert abs((plain**2).sum() - got[0]) > 1e-4
    assert (repr(network), held()) == before
    assert isinstance(replaced, type(network))


@pytest.mark.parametrize("name", CALLS)
def test_code_that_calls_by_a_name(name):
    code, path = CALLS[name]
    network: Any = nn.Sequential([code])
    before, expected = held(), np.asarray(network.apply({}, X))
    for spec in ("mish", "elu") if name == "jitted" else ("mish",):
        replaced = jaxact.replace_activation(network, spec, X)
        assert places(replaced.replaced) == {path: 1}
        y = jax.jit(functools.partial(replaced.apply, {}))(X)
        np.testing.assert_allclose(y, activations.get(spec)(X), 1e-6)
    # what is kept of one is not taken for the other
    np.testing.assert_array_equal(network.apply({}, X), expected)
    assert held() == before


@pytest.mark.parametrize("name", NETWORKS)
def test_learned_parameters_lie_in_the_module_that_calls(name):
    network, _, where = NETWORKS[name]
    replaced = jaxact.replace_activation(network, "prelu")
    params = jax.eval_shape(replaced.init, KEY, X)["params"]
    assert places(replaced.replaced) == where
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    slopes = [path for path in paths if path[-1].key == "alpha"]
    assert len(slopes) == (1 if name == "scan" else sum(where.values()))


def test_learned_parameters_of_a_compact_network():
    replaced = jaxact.replace_activation(Compact(), "prelu")
    variables = initial(replaced)
    value, gradient = losses(replaced)(variables)
    assert np.isfinite(value)
    slopes = gradient["params"]
    for layer, shape in [("Block_0", ()), ("CheckpointBlock_0", ()), ("VmapBlock_0", (2,))]:
        assert slopes[layer]["activation_0"]["alpha"].shape == shape
        assert slopes[layer]["activation_0"]["alpha"].any()
    assert slopes["activation_0"]["alpha"].shape == ()


def test_flaxs_prelu_goes_with_its_parameter():
    network = nn.Sequential([nn.Dense(4), nn.PReLU()])
    replaced = jaxact.replace_activation(network, "mish")
    variables = initial(replaced)
    assert list(variables["params"]) == ["layers_0"]
    assert places(replaced.replaced) == {"layers_1": 1}
    twin: Any = nn.Sequential([nn.Dense(4), MISH])
    np.testing.assert_allclose(replaced.apply(variables, X), twin.apply(variables, X), 1e-6)


def test_inside_another_network_with_other_methods_and_bound():
    replaced = jaxact.replace_activation(Block(), "mish")
    outer: Any = Around(replaced, MISH)
    variables = initial(outer)
    twin: Any = Around(Block(MISH), MISH)
    expected = twin.apply(variables, X)
    np.testing.assert_allclose(outer.apply(variables, X), expected, 1e-6)
    np.testing.assert_allclose(outer.bind(variables)(X), expected, 1e-6)
    np.testing.assert_allclose(
        replaced.apply({"params": variables["params"]["inner"]}, X, method=Block.__call__),
        twin.inner.apply({"params": variables["params"]["inner"]}, X),
        1e-6,
    )
    assert list(initial(twin)["params"]) == list(variables["params"])
    _, seen = replaced.apply(
        {"params": variables["params"]["inner"]}, X, capture_intermediates=True
    )
    assert len(seen["intermediates"]["__call__"]) == 1  # the call is one call


def test_twice():
    network = nn.Sequential([nn.relu, nn.tanh])
    first = jaxact.replace_activation(network, "mish")
    both = jaxact.replace_activation(first, "elu", only="tanh")
    expected = activations.get("elu")(MISH(X))
    np.testing.assert_allclose(both.apply({}, X), expected, 1e-6)


def test_an_activation_made_of_what_it_replaces():
    replaced = jaxact.replace_activation(nn.Sequential([jitted]), lambda x: x - 2 * jitted(x), X)
    np.testing.assert_allclose(replaced.apply({}, X), -abs(X), 1e-6)


def test_gates_and_outputs_are_left_alone_and_listed():
    network = nn.Sequential([nn.relu, nn.sigmoid, nn.softmax, nn.tanh])
    replaced = jaxact.replace_activation(network, "mish", X)
    left = {"layers[1]": 1, "layers[2]": 1, "layers[3]": 1}
    assert places(replaced.left_alone) == left
    assert repr(replaced.left_alone).splitlines()[0] == "layers[1]  sigmoid, once"
    expected = nn.tanh(nn.softmax(nn.sigmoid(MISH(X))))
    np.testing.assert_allclose(replaced.apply({}, X), expected, 1e-6)


def soft(x):
    return x / (1 + abs(x))


@pytest.mark.parametrize(
    ("only", "left"),
    [
        ("tanh", [0, 2]),
        ("relu, tanh", [2]),
        (["relu"], [1, 2]),
        (nn.tanh, [0, 2]),
        ([jnp.tanh, "relu"], [2]),
        (soft, [0, 1]),
    ],
)
def test_only_some(only, left):
    functions = [nn.relu, nn.tanh, soft]
    replaced = jaxact.replace_activation(nn.Sequential(functions), "elu", X, only=only)
    assert set(places(replaced.replaced)) == {f"layers[{i}]" for i in {0, 1, 2} - set(left)}
    y = X
    for i, function in enumerate(functions):
        y = function(y) if i in left else activations.get("elu")(y)
    np.testing.assert_allclose(replaced.apply({}, X), y, 1e-6)


def test_threads_do_not_see_each_others():
    """One trace halts within the call until the other thread has run the plain network."""
    inside, done = threading.Event(), threading.Event()

    def slow(x):
        inside.set()
        assert done.wait(60)
        return x

    network: Any = nn.Sequential([direct])
    expected, found = np.asarray(network.apply({}, X)), {}
    slowly = jaxact.replace_activation(nn.Sequential([slow, direct]), "mish")
    other = jaxact.replace_activation(network, "elu")
    before = held()
    thread = threading.Thread(target=lambda: found.update(slow=slowly.apply({}, X)))
    thread.start()
    try:
        assert inside.wait(60)
        assert nn.relu is not before[0]  # what stands there meanwhile
        np.testing.assert_array_equal(network.apply({}, X), expected)
        np.testing.assert_array_equal(nn.relu(X), expected)
        np.testing.assert_allclose(other.apply({}, X), activations.get("elu")(X), 1e-6)
    finally:
        done.set()
        thread.join()
    np.testing.assert_allclose(found["slow"], MISH(X), 1e-6)
    assert held() == before


def test_a_call_that_fails_puts_everything_back():
    def fails(x):
        raise RuntimeError("on purpose")

    before = held()
    replaced = jaxact.replace_activation(nn.Sequential([direct, fails]), "mish")
    with pytest.raises(RuntimeError, match="on purpose"):
        replaced.apply({}, X)
    assert held() == before
    np.testing.assert_array_equal(direct(X), np.maximum(X, 0))


class Own(nn.Module):
    def __call__(self, x):
        return nn.tanh(jnp.maximum(x, 0))

    def features(self, x):
        return x


RUNS = {
    "inputs": lambda network: jaxact.replace_activation(Own(), "mish", X),
    "init": lambda network: network.init(KEY, X),
    "apply": lambda network: network.apply({}, X),
    "bound": lambda network: network.bind({})(X),
}


@pytest.mark.parametrize("run", RUNS)
def test_nothing_found(run):
    replaced = jaxact.replace_activation(Own(), "mish")
    assert replaced.apply({}, X, method="features") is X  # a part of the network
    assert repr(replaced.replaced).startswith("none; a Linen module's are known once")
    with pytest.raises(ConfigError) as error:
        RUNS[run](replaced)
    text = str(error.value)
    assert text.startswith("Own calls no relu, relu6, leaky_relu, ")
    assert "it calls tanh: only=['tanh'] replaces them; " in text
    assert "such as jnp.maximum(x, 0), is not seen: have it call jax.nn.relu" in text


@pytest.mark.parametrize(
    ("module", "options", "text"),
    [
        (Block, {}, "takes a module, and Block is a class: give Block"),
        (nn.relu, {}, "takes a flax.linen or flax.nnx module, not a custom_jvp"),
        (Block(), {"only": "rely"}, "only='rely' is unknown; did you mean relu"),
        (Block(), {"only": []}, "only= names no function"),
        (Block(), {"only": 3}, "only=3 is unknown"),
        (Block(), {"activation": "mush"}, "mish"),
        (models.create_model("small_cnn"), {}, "create_model"),
        (Block().bind({}), {}, "bound to its variables"),
    ],
)
def test_wrong_arguments_are_told_in_a_line(module, options, text):
    options = {"activation": "mish"} | options
    with pytest.raises(ConfigError, match=text):
        jaxact.replace_activation(module, **options)


def test_every_name_is_a_function_of_flax_or_jax():
    names = sorted({*HIDDEN, *OTHERS} - {"prelu"})
    functions = [getattr(jax.nn, name, None) or getattr(nn, name) for name in names]
    replaced = jaxact.replace_activation(nn.Sequential(functions), "elu", X, only=names)
    assert sorted(one.function for one in replaced.replaced) == names


def test_its_layers_are_those_that_health_is_measured_on():
    seen = []

    def keep(method, args, kwargs, context):
        seen.append(type(context.module))
        return method(*args, **kwargs)

    replaced = jaxact.replace_activation(Block(), "prelu")
    with nn.intercept_methods(keep):
        jax.eval_shape(replaced.init, KEY, X)
    assert ActivationLayer in seen
