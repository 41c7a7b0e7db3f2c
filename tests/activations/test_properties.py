"""What holds for every registered activation: limits, NaN, dtypes, kinks, transformations."""

import functools
import inspect
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.exactness.references import REFERENCES
from benchmarks.exactness.truth import evaluate
from jaxact import activations
from jaxact.activations.verification import points
from jaxact.activations.verification.checks import check_activation
from tests.support.groups import op_by_op

NAMES = activations.names()
ELEMENTWISE = [name for name in NAMES if activations.get(name).elementwise]
VARIANTS = [
    "leaky_relu(negative_slope=0.2)",
    "leaky_relu(negative_slope=-0.5)",
    "prelu(alpha=0.1)",
    "prelu(alpha=-0.2)",
    "linear(slope=-2)",
    "elu(alpha=0.5)",
    "elu(alpha=2)",
    "celu(alpha=0.3)",
    "swish(beta=1.5)",
    "swish(beta=-1)",
    "squareplus(b=0.01)",
    "soft_shrink(threshold=0.25)",
    "hard_shrink(threshold=2)",
    "isru(alpha=3)",
    "isrlu(alpha=0.01)",
    "snake(a=5)",
    "learned_swish(beta=1.5)",
    "arelu(alpha=0.5, beta=-1)",
    "srs(alpha=5, beta=2)",
    "pdelu(alpha=0.5)",
    "pdelu(alpha=2, t=0.6)",
    "pau(numerator=[0.5, 0.25, 0.05], denominator=[-0.3])",
    "apl(slopes=[0.5, -0.3], hinges=[-1, 2])",
    "apl(slopes=[-0.25], hinges=[0])",
    "affine_combination(weights=[1, -1, 1])",
    "affine_combination(weights=[-1, 3, 0.5])",
    "convex_combination(logits=[1, 2, -1])",
    "golu(alpha=2, beta=0.5, gamma=1.5)",
    "laplace(mu=-0.5, sigma=2)",
    "clipped_gelu(low=-0.2, high=6)",
    "xielu(alpha_p=1, alpha_n=-2, beta=0.25)",
    "hard_tanh(low=-2, high=3)",
    "softplus(beta=0.3)",
    "threshold(threshold=-0.5, value=-2)",
    "threshold(threshold=-1, value=2)",
    "clipped_leaky_relu(negative_slope=0.3, threshold=0.5, high=4)",
    "clipped_leaky_relu(negative_slope=0, threshold=-1, high=2)",
    "smelu(beta=0.5)",
    "rrelu(lower=-0.25, upper=0.5)",
    "sine(w0=30)",
    "xatlu(alpha=0.3)",
    "xatlu(alpha=-0.5)",
    "xgelu(alpha=0.3)",
    "xgelu(alpha=-0.5)",
    "xsilu(alpha=0.3)",
    "xsilu(alpha=-0.5)",
    "poly_relu(coefficients=[0.5])",
    "star_relu(scale=2, bias=0.5)",
    "poly_relu(coefficients=[0.5, -1, 1.25])",
]
FLAT = ["leaky_relu(negative_slope=0)", "prelu(alpha=0)", "linear(slope=0)", "swish(beta=0)"]


SPECS = [*ELEMENTWISE, *VARIANTS, *FLAT]


@pytest.mark.slow
@pytest.mark.parametrize("spec", [*NAMES, *VARIANTS, *FLAT])
def test_passes_its_own_check(spec):
    """The whole check; what it asks of a function is asked of all below and in other files."""
    results = check_activation(activations.get(spec))
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("name", NAMES)
def test_keeps_dtype_and_shape(name):
    activation = activations.get(name)

    def all_of(x):
        return activation(x), activation.derivative(x), *jax.vjp(activation, x)[1](x)

    for shape, dtype in (((2,), jnp.float64), ((2, 3, 4), jnp.bfloat16)):
        with jax.enable_x64(True):
            x = jax.ShapeDtypeStruct(shape, dtype)
            y = jax.eval_shape(all_of, x)
        assert [(each.dtype, each.shape) for each in y] == 3 * [(x.dtype, x.shape)]


def forward(function):
    """The derivative of an elementwise function by forward mode."""
    return lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),))[1]


def reverse(function):
    """The derivative of an elementwise function by reverse mode."""
    return lambda x: jax.vjp(function, x)[1](jnp.ones_like(x))[0]


GRID = np.concatenate([np.linspace(-9.03, 9.01, 201), [0.0]])


KINKS = sorted({kink.at for spec in SPECS for kink in activations.get(spec).kinks})
RANGE = points.whole_range(activations.get("relu"))
PARTS = (GRID, RANGE, [-np.inf, np.inf], [np.nan], KINKS)


@op_by_op(np.concatenate(PARTS).astype(np.float32))
def in_float32(activation, x):
    """Value and derivative at `PARTS`; at the defaults gradient and second derivative, too."""
    results = [activation(x), activation.derivative(x)]
    if activation.spec in NAMES:
        gradient, pull_back = jax.vjp(reverse(activation), x)
        results += [gradient, pull_back(jnp.ones_like(x))[0]]
    return [jnp.split(each, np.cumsum([len(part) for part in PARTS])[:-1]) for each in results]


@pytest.mark.parametrize("spec", SPECS)
def test_limits_at_the_infinities(spec):
    """Values and derivatives there are those at the largest numbers, or grow on."""
    (_, values, infinite, *_), (_, slopes, last, *_), *_ = in_float32(spec)
    largest = values[[0, -1]]
    grows = np.abs(largest) > 1e30
    np.testing.assert_array_equal(infinite[grows], np.copysign(np.inf, largest[grows]))
    np.testing.assert_allclose(infinite[~grows], largest[~grows], atol=1e-30)
    np.testing.assert_allclose(last, slopes[[0, -1]], atol=1e-30)


@pytest.mark.parametrize("spec", SPECS)
def test_there_is_a_number_for_every_number(spec):
    """Numbers of all sizes, infinities too; nothing is infinite but where the value is."""
    (_, *values), *others = ([*parts[:3]] for parts in in_float32(spec))
    values = np.concatenate(values)
    assert not np.isnan(values).any()
    for _, *results in others:
        results = np.concatenate(results)
        assert not np.isnan(results).any()
        assert np.isfinite(results[np.isfinite(values)]).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_gradient_is_the_closed_form(name):
    _, derivative, gradient, _ = in_float32(name)
    np.testing.assert_array_equal(np.concatenate(gradient), np.concatenate(derivative))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_stays_nan(name):
    *parts, _ = in_float32(name)
    assert all(np.isnan(part[3]) for part in parts)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if activations.get(spec).kinks])
def test_a_derivative_at_a_kink_is_the_declared_one(spec):
    for at, declared in activations.get(spec).kinks:
        for slopes in in_float32(spec)[1:3]:
            assert slopes[-1][KINKS.index(at)] == pytest.approx(declared, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_kinks_are_where_the_derivative_jumps(name):
    """Left and right of a declared kink the slopes (or values) differ; nowhere else do they."""
    declared = [kink.at for kink in activations.get(name).kinks]
    for at in np.arange(-8.0, 9.0):
        slopes = evaluate(REFERENCES[name].derivative, np.asarray([at - 1e-9, at + 1e-9]))
        ends = evaluate(REFERENCES[name].value, np.asarray([at - 1e-9, at + 1e-9]))
        jumps = any(abs(b - a) > 1e-6 * max(1, abs(a)) for a, b in (slopes, ends))
        assert jumps == (at in declared), at


# Where the second derivative jumps, but the first does not (of `isrlu`, the third).
SECOND_JUMPS = {
    "soft_sign": [0.0],
    "sparse_plus": [-1.0, 1.0],
    "elu": [0.0],
    "celu": [0.0],
    "sqnl": [-2.0, 0.0, 2.0],
    "squared_relu": [0.0],
    "hard_mish": [0.0],
    "isrlu": [0.0],
    "elish": [0.0],
    "hard_elish": [0.0],
    "pdelu": [0.0],
    "xielu": [0.0],
    "smelu": [-2.0, 2.0],
    "star_relu": [0.0],
}


def smooth(spec, jumps=()) -> Any:
    """Which points of `GRID` are no kinks."""
    kinks = [kink.at for kink in activations.get(spec).kinks] + list(jumps)
    return np.asarray([all(abs(x - kink) > 1e-3 for kink in kinks) for x in GRID])


STEP = 1e-5


@op_by_op(GRID)
def values_around(activation, x):
    return activation(x - STEP), activation(x), activation(x + STEP), activation.derivative(x)


@pytest.mark.parametrize("spec", [*VARIANTS, *FLAT])
def test_with_other_parameters(spec):
    """The derivative is the difference of values, and they turn or not, as they say."""
    before, value, after, derivative = values_around(spec)
    is_smooth = smooth(spec, SECOND_JUMPS.get(activations.get(spec).name, []))
    rise = (after - before) / (2 * STEP)
    np.testing.assert_allclose(derivative[is_smooth], rise[is_smooth], rtol=1e-6, atol=1e-6)
    steps = np.diff(value[np.argsort(GRID)])
    turns = (steps > 1e-12).any() and (steps < -1e-12).any()
    monotonic = activations.get(spec).monotonic
    assert monotonic is None or turns != monotonic


@op_by_op(GRID)
def second_derivatives(activation, x):
    """The difference of first derivatives, and the derivative of their closed form."""
    rise = activation.derivative(x + STEP) - activation.derivative(x - STEP)
    return rise / (2 * STEP), forward(activation.derivative)(x)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_second_derivative_is_that_of_the_closed_form(name):
    """Against the difference of first derivatives, in float64, also across switches of formulas."""
    is_smooth = smooth(name, SECOND_JUMPS.get(name, []))
    expected, second = (result[is_smooth] for result in second_derivatives(name))
    *_, (narrow, *_) = in_float32(name)
    assert_close(second, expected, 1e-8, GRID[is_smooth])
    assert_close(narrow[is_smooth], expected, 1e-4, GRID[is_smooth], relative=1e-6)


def assert_close(second, expected, tolerance, x, relative=1e-7):
    worst = x[np.abs(second - expected).argmax()]
    where = f"worst at x = {worst:g}; where it jumps at a switch of formulas, SECOND_JUMPS says so"
    np.testing.assert_allclose(second, expected, relative, tolerance, err_msg=where)


@pytest.mark.parametrize("name", NAMES)
def test_integers_are_refused_with_the_remedy(name):
    activation = activations.get(name)
    for function in (activation, activation.derivative):
        with pytest.raises(TypeError, match=r"got int32: cast it"):
            function(jnp.arange(3, dtype=jnp.int32))


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_function_of_that_name(name):
    """Its defaults are the values of the record."""
    activation = activations.get(name)
    function = getattr(activations, name)
    assert function is activation.function
    assert function.__doc__
    assert activation.derivative_function is not None
    assert activation.derivative_function.__doc__
    parameters = inspect.signature(function).parameters
    defaults = {key: one.default for key, one in list(parameters.items())[1:] if key != "key"}
    assert defaults == {**dict(activation.constants), **activation.params}
    assert list(parameters) == list(inspect.signature(activation.derivative_function).parameters)


def parameters_of(spec):
    """Each parameter in the brackets of a spec: all of the values there."""
    activation = activations.get(spec)
    values = {**dict(activation.constants), **activation.params}
    values = {name: at for name, at in values.items() if f"{name}=" in spec}
    return {(activation.name, name): values for name in values}


PARAMETERS = {of: at for spec in reversed(VARIANTS) for of, at in parameters_of(spec).items()}


def at_parameter(name, parameter):
    """A function and its derivative but for one parameter, and the value of that."""
    rest = dict(PARAMETERS[name, parameter])
    at, act = np.asarray(rest.pop(parameter)), activations.get(name)
    assert act.derivative_function is not None
    derivative = functools.partial(act.derivative_function, **rest)
    return functools.partial(act.function, **rest), derivative, at


def test_every_parameter_is_tested():
    found = {
        (name, parameter)
        for name in ELEMENTWISE
        for parameter in list(inspect.signature(getattr(activations, name)).parameters)[1:]
        if not (parameter == "key" and activations.get(name).random)
    }
    assert not found - PARAMETERS.keys(), "VARIANTS has no spec with such a parameter"


@pytest.mark.usefixtures("without_programs")
@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_gradient_of_a_parameter(name, parameter):
    """A parameter a channel, along a random direction, and x at the same time."""
    function, derivative, at = at_parameter(name, parameter)
    with jax.enable_x64(True):
        x = np.random.default_rng(0).normal(0, 3, (2, 5, 2))

        def loss(value, x):
            return jnp.sum(jnp.sin(function(x, **{parameter: value})))

        value = np.stack([at, at * 1.5], axis=-1)
        gradient, gradient_x = jax.grad(loss, argnums=(0, 1))(value, x)
        slope, upstream = derivative(x, **{parameter: value}), function(x, **{parameter: value})
        np.testing.assert_allclose(gradient_x, np.cos(upstream) * slope, rtol=1e-12)
        direction = np.random.default_rng(1).normal(size=value.shape)
        ahead, behind = (loss(value + way * STEP * direction, x) for way in (1, -1))
        rise = float(ahead - behind) / (2 * STEP)
        assert np.sum(gradient * direction) == pytest.approx(rise, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("name", "parameter"), dict(PARAMETERS.keys()).items())
def test_a_float32_parameter_with_a_bfloat16_input(name, parameter):
    function, _, at = at_parameter(name, parameter)
    x = jax.ShapeDtypeStruct((4, 3), jnp.bfloat16)
    value = jax.ShapeDtypeStruct((*at.shape, 3), jnp.float32)

    def loss(value, x):
        return jnp.sum(function(x, **{parameter: value}).astype(jnp.float32))

    gradients = jax.eval_shape(jax.grad(loss, argnums=(0, 1)), value, x)
    assert (gradients[0].dtype, gradients[0].shape) == (value.dtype, value.shape)
    assert (gradients[1].dtype, gradients[1].shape) == (x.dtype, x.shape)


def test_reverse_mode_keeps_one_residual():
    """What a training step stores is no more than the derivative, of the dtype of x."""
    x = jax.ShapeDtypeStruct((8, 8), jnp.bfloat16)
    for name in ELEMENTWISE:
        pull_back = jax.eval_shape(functools.partial(jax.vjp, activations.get(name)), x)[1]
        residuals = [leaf for leaf in jax.tree.leaves(pull_back) if leaf.size > 1]
        stored = sum(leaf.size * leaf.dtype.itemsize for leaf in residuals)
        assert stored <= x.size * x.dtype.itemsize, name


def test_hinges_of_one_a_channel_at_the_infinities():
    """Terms of either sign are infinite there, but their sum is not."""
    slopes = jnp.asarray([[1.0, 2.0, 0.0], [-1.0, -1.0, 0.0]])
    hinges = jnp.asarray([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]])
    x = jnp.asarray([[-jnp.inf] * 3, [-3.4e38] * 3, [jnp.inf] * 3])
    at = activations.apl(x, slopes, hinges)
    np.testing.assert_array_equal(at[0], [0, jnp.inf, 0])
    np.testing.assert_array_equal(at[2], jnp.inf)
    assert jnp.isfinite(at[1]).all()
    np.testing.assert_allclose(activations.apl(jnp.full((1, 3), -5.0), slopes, hinges), [[2, 8, 0]])


def test_srs_has_its_minimum_where_beta_says():
    x = jnp.linspace(-8, 8, 1601)
    assert x[activations.srs(x, 3.0, 2.0).argmin()] == pytest.approx(-2)
    assert float(activations.srs(jnp.float32(1e30), 3.0, 2.0)) == pytest.approx(3)


def test_pdelu_tends_to_elu():
    x = jnp.linspace(-4, 4, 33)
    np.testing.assert_allclose(
        activations.pdelu(x, 0.7, 0.9999), activations.elu(x, 0.7), atol=1e-3
    )


def test_pau_starts_near_a_leaky_relu():
    x = jnp.linspace(-3, 3, 61)
    np.testing.assert_allclose(activations.pau(x), activations.leaky_relu(x), atol=0.03)


def test_learned_weights_add_up_to_one():
    """Far out on the right, where tanh is 1, identity and ReLU both are x."""
    x = jnp.float32(50)
    for act in (activations.affine_combination, activations.convex_combination):
        for weights in ((0.3, -0.2, 2.0), (1.0, 5.0, -1.0)):
            tanh = 2 * float(act(x, weights)) - float(act(2 * x, weights))
            assert (float(act(x, weights)) + tanh * 49) / 50 == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_pau_of_any_degree_is_its_quotient(degree):
    rng = np.random.default_rng(degree)
    above, below = rng.normal(size=degree + 2), rng.normal(size=degree)
    x = np.concatenate([rng.normal(0, 3, 50), [-1, 1, 1e4, -1e4]])
    quotient = np.polyval(above[::-1], x)
    quotient /= 1 + np.polyval([*abs(below[::-1]), 0], abs(x))
    with jax.enable_x64(True):
        got = activations.pau(jnp.asarray(x), jnp.asarray(above), jnp.asarray(below))
    np.testing.assert_allclose(got, quotient, rtol=1e-10)


def nearest_in_the_simplex(x):
    """Sparsemax of a row of float64 by bisection of its threshold."""
    low, high = x.max() - 1, x.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(x - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(x - low, 0)


# By what stands for truth.
ALONG_AN_AXIS = {
    "softmax": jax.nn.softmax,
    "softmin": lambda x, axis: jax.nn.softmax(-x, axis),
    "log_softmax": jax.nn.log_softmax,
    "sparsemax": lambda x, axis: np.apply_along_axis(nearest_in_the_simplex, axis, x),
}


def test_all_that_normalise_are_tried():
    assert set(ALONG_AN_AXIS) == set(NAMES) - set(ELEMENTWISE)


@pytest.mark.parametrize("name", ALONG_AN_AXIS)
def test_along_any_axis(name):
    x = np.random.default_rng(0).normal(0, 2, (2, 3, 4)).astype(np.float32)

    def along(axis, x):
        function = functools.partial(getattr(activations, name), axis=axis)
        diagonal = jnp.diagonal(jax.jacrev(function)(x).reshape(x.size, x.size))
        derivative = activations.get(f"{name}(axis={axis})").derivative(x)
        return function(x), derivative, diagonal.reshape(x.shape)

    axes = (1, -1)
    along_each = jax.jit(lambda x: [along(axis, x) for axis in axes])
    for axis, (value, derivative, diagonal) in zip(axes, along_each(x), strict=True):
        expected = ALONG_AN_AXIS[name](x, axis)
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=5e-7)
        np.testing.assert_allclose(derivative, diagonal, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "far", "large"),
    [
        ("softmax", [1, 0, 0], [1, 0]),
        ("softmin", [0, 0, 1], [0, 1]),
        ("log_softmax", [0, -3.4028235e38, -np.inf], [0, -1e38]),
        ("sparsemax", [1, 0, 0], [1, 0]),
    ],
)
def test_normalising_at_the_infinities(name, far, large):
    function = getattr(activations, name)
    x = jnp.asarray([jnp.inf, 0.0, -jnp.inf])
    np.testing.assert_array_equal(function(x), np.asarray(far, np.float32))
    np.testing.assert_allclose(function(jnp.asarray([3e38, 2e38])), large, rtol=1e-6)
    assert jnp.isnan(function(jnp.asarray([jnp.nan, 0.0]))).all()


def test_log_softmax_of_a_sure_class_is_precise():
    """Its logarithm is minus the sum of the others, which 1 minus it would lose."""
    x = jnp.asarray([30.0, 0.0, 1.0], jnp.float32)
    expected = -math.log1p(math.exp(-30) + math.exp(-29))
    assert float(activations.log_softmax(x)[0]) == pytest.approx(expected, rel=1e-6)


def test_sparsemax_gives_zeros_that_carry_no_gradient():
    x = jnp.asarray([0.5, 0.2, -0.6, -3.0])
    y, pull_back = jax.vjp(activations.sparsemax, x)
    np.testing.assert_allclose(y, [0.65, 0.35, 0, 0], rtol=1e-6)
    (gradient,) = pull_back(jnp.asarray([1.0, 0.0, 5.0, 5.0]))
    np.testing.assert_allclose(gradient, [0.5, -0.5, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(("name", "base"), [("xatlu", None), ("xgelu", "gelu"), ("xsilu", "silu")])
def test_an_expanded_gate_reaches_beyond_0_and_1(name, base):
    """x ((1 + 2 a) g - a): a below 0 and 1 + a above it times x, and the gate's own at a = 0."""
    act = activations.get(name)
    x = jnp.asarray([-1e4, -1.5, -0.3, 0.0, 0.7, 1e4])
    at = act(x, alpha=0.25)
    assert float(at[0]) == pytest.approx(0.25e4, rel=1e-3)
    assert float(at[-1]) == pytest.approx(1.25e4, rel=1e-3)
    plain = activations.get(base)(x) if base else x * (jnp.arctan(x) / jnp.pi + 0.5)
    np.testing.assert_allclose(act(x), plain, rtol=1e-3)
    np.testing.assert_allclose(at, 1.5 * plain - 0.25 * x, rtol=1e-5)


def test_star_relu_standardises_a_normal_input():
    x = np.random.default_rng(0).normal(size=2**20).astype(np.float32)
    y = np.asarray(activations.star_relu(x), np.float64)
    assert y.mean() == pytest.approx(0, abs=5e-3)
    assert y.var() == pytest.approx(1, abs=2e-2)


KEY = jax.random.key(3)
RANDOM = [name for name in NAMES if activations.get(name).random]


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_one_draws_from_its_key_alone(name):
    """The derivative draws what the value drew; without a key nothing is drawn."""
    act = activations.get(name)
    x = jnp.linspace(-3, 3, 600).reshape(2, 3, 100)
    drawn = jax.jit(lambda key, x: act(x, key=key))
    y, pull_back = jax.vjp(lambda x: act(x, key=KEY), x)
    np.testing.assert_array_equal(y, drawn(KEY, x))
    np.testing.assert_array_equal(act.derivative(x, key=KEY), pull_back(jnp.ones_like(x))[0])
    assert (y != drawn(jax.random.key(4), x)).any()
    np.testing.assert_array_equal(act(x), act(x, key=None))
    assert (y != act(x)).any()
    stored = [leaf for leaf in jax.tree.leaves(pull_back) if leaf.size > 1]
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in stored) <= x.nbytes
    for dtype in (jnp.float64, jnp.bfloat16):
        with jax.enable_x64(True):
            narrow = jax.eval_shape(drawn, KEY, jax.ShapeDtypeStruct((2, 3), dtype))
        assert (narrow.shape, narrow.dtype) == ((2, 3), dtype)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(RANDOM)))
def test_another_one_takes_no_key(name):
    act = activations.get(name)
    for function in (act, act.derivative):
        with pytest.raises(TypeError, match="draws nothing"):
            function(jnp.ones(2), key=KEY)


def test_rrelu_draws_its_slopes_uniformly():
    x = jnp.full(2**16, -2.0)
    slopes = np.asarray(activations.rrelu(x, 0.1, 0.5, key=KEY)) / -2
    assert 0.1 <= slopes.min() < 0.101
    assert 0.499 < slopes.max() < 0.5
    quartiles = np.quantile(slopes, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [0.2, 0.3, 0.4], atol=0.005)
    np.testing.assert_array_equal(activations.rrelu(-x, 0.1, 0.5, key=KEY), -x)
    np.testing.assert_allclose(activations.rrelu(x, 0.1, 0.5), -0.6, rtol=1e-6)


@pytest.mark.parametrize(
    "spec", ["rrelu(upper=0)", "hard_tanh(low=1)", "clipped_leaky_relu(high=-1)"]
)
def test_bounds_in_the_wrong_order_are_refused(spec):
    with pytest.raises(
        activations.ActivationError, match=r"(high must be above|upper must be at least)"
    ):
        activations.get(spec)
