"""What holds for every registered activation: limits, NaN, dtypes, kinks, transformations."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.references import REFERENCES
from benchmarks.truth import evaluate
from jaxact import activations
from jaxact.activations.checks import check_activation

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
    "srs(alpha=5)",
    "pdelu(alpha=0.5)",
    "pdelu(alpha=2, t=0.5)",
    "pau(numerator=[0.5, 0.25, 0.05], denominator=[-0.3])",
    "apl(slopes=[0.5, -0.3], hinges=[-1, 2])",
    "apl(slopes=[-0.25], hinges=[0])",
    "affine_combination(weights=[1, -1, 1])",
    "affine_combination(weights=[-1, 3, 0.5])",
    "convex_combination(logits=[1, 2, -1])",
]
FLAT = ["leaky_relu(negative_slope=0)", "prelu(alpha=0)", "linear(slope=0)", "swish(beta=0)"]


@pytest.mark.parametrize("spec", [*NAMES, *VARIANTS, *FLAT])
def test_passes_its_own_check(spec):
    failures = [result for result in check_activation(activations.get(spec)) if not result.passed]
    assert failures == []


def of_all(specs, function, x):
    """`function(activation)(x)` by spec, in one program: it compiles in half the time of many."""
    functions = {spec: function(activations.get(spec)) for spec in specs}
    results = jax.jit(lambda x: {spec: f(x) for spec, f in functions.items()})(x)
    return jax.tree.map(np.asarray, results)


@functools.cache
def at_the_ends():
    """Values, derivatives and second derivatives at the largest numbers and at the infinities."""

    def at(activation):
        second = jax.vmap(jax.grad(jax.grad(activation)))
        return lambda x: (activation(x), activation.derivative(x), second(x))

    x = jnp.asarray([-3.4e38, 3.4e38, -jnp.inf, jnp.inf])
    return of_all([*ELEMENTWISE, *VARIANTS, *FLAT], at, x)


@pytest.mark.parametrize("spec", [*ELEMENTWISE, *VARIANTS, *FLAT])
def test_limits_at_the_infinities(spec):
    value, slope, second = at_the_ends()[spec]
    grows = np.abs(value[:2]) > 1e30
    np.testing.assert_array_equal(value[2:][grows], np.copysign(np.inf, value[:2][grows]))
    np.testing.assert_allclose(value[2:][~grows], value[:2][~grows], atol=1e-30)
    np.testing.assert_allclose(slope[2:], slope[:2], atol=1e-30)
    assert np.isfinite(second).all()


@functools.cache
def at_nan(dtype):
    def at(activation):
        functions = activation, activation.derivative, jax.grad(activation)
        return lambda x: [function(x) for function in functions]

    return of_all(ELEMENTWISE, at, jnp.asarray(jnp.nan, dtype))


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_nan_stays_nan(name, dtype):
    assert all(np.isnan(result) for result in at_nan(dtype)[name])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_kinks_are_where_the_derivative_jumps(name):
    """Left and right of a declared kink the slopes (or values) differ; nowhere else do they."""
    activation = activations.get(name)
    declared = {kink.at: kink.derivative for kink in activation.kinks}
    for at in np.arange(-8.0, 9.0):
        slopes = evaluate(REFERENCES[name].derivative, np.asarray([at - 1e-9, at + 1e-9]))
        ends = evaluate(REFERENCES[name].value, np.asarray([at - 1e-9, at + 1e-9]))
        jumps = abs(slopes[1] - slopes[0]) > 1e-6 or abs(ends[1] - ends[0]) > 1e-6
        assert jumps == (at in declared), at
    for at, derivative in declared.items():
        assert activation.derivative(at) == pytest.approx(derivative, rel=1e-6)
        assert jax.grad(activation)(at) == pytest.approx(derivative, rel=1e-6)


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
}


GRID = np.concatenate([np.linspace(-9.03, 9.01, 201), [0.0]])


@functools.cache
def second_derivatives():
    """At `GRID`: differences of first derivatives and two modes, in float64; one in float32."""

    def in_float64(activation):
        modes = jax.jacfwd(jax.grad(activation)), jax.grad(jax.jacfwd(activation))
        step = 1e-5
        return lambda x: (
            (activation.derivative(x + step) - activation.derivative(x - step)) / (2 * step),
            *(jax.vmap(mode)(x) for mode in modes),
        )

    with jax.enable_x64(True):
        wide = of_all(ELEMENTWISE, in_float64, jnp.asarray(GRID))
    in_float32 = lambda activation: jax.vmap(jax.grad(jax.grad(activation)))  # noqa: E731
    narrow = of_all(ELEMENTWISE, in_float32, jnp.asarray(GRID, jnp.float32))
    return wide, narrow


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_second_derivative_is_that_of_the_closed_form(name):
    """Against the difference of first derivatives, in float64, also across switches of formulas."""
    kinks = [kink.at for kink in activations.get(name).kinks] + SECOND_JUMPS.get(name, [])
    smooth = [all(abs(v - kink) > 1e-3 for kink in kinks) for v in GRID]
    wide, narrow = (results[name] for results in second_derivatives())
    expected, *seconds = (result[smooth] for result in wide)
    for second in seconds:
        assert second.dtype == np.float64
        np.testing.assert_allclose(second, expected, atol=1e-8)
    np.testing.assert_allclose(narrow[smooth], expected, atol=1e-4)


@functools.cache
def jacobians():
    """Forward and in reverse, and the derivative."""
    return of_all(
        ELEMENTWISE,
        lambda activation: (
            lambda x: (
                jax.jacfwd(activation)(x),
                jax.jacrev(activation)(x),
                activation.derivative(x),
            )
        ),
        jnp.linspace(-4, 4, 7),
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_forward_and_reverse_mode_agree(name):
    forward, reverse, derivative = jacobians()[name]
    np.testing.assert_allclose(forward, reverse, rtol=1e-6)
    np.testing.assert_allclose(np.diagonal(forward), derivative, rtol=1e-6)
    assert np.count_nonzero(forward - np.diag(np.diagonal(forward))) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32, jnp.float16, jnp.bfloat16])
def test_dtype_and_shape_are_kept(name, dtype):
    activation = activations.get(name)
    with jax.enable_x64(True):
        for shape in [(2, 3, 4), (5,), (0, 3)]:
            x = jax.ShapeDtypeStruct(shape, dtype)
            for function in (activation, activation.derivative, _gradient_of_sum(activation)):
                y = jax.eval_shape(functools.partial(function, **activation.params), x)
                assert (y.dtype, y.shape) == (x.dtype, x.shape)


@pytest.mark.parametrize("name", NAMES)
def test_integers_are_refused_with_the_remedy(name):
    activation = activations.get(name)
    for function in (activation, activation.derivative):
        with pytest.raises(TypeError, match=r"got int32: cast it"):
            function(jnp.arange(3, dtype=jnp.int32))


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_function_of_that_name(name):
    activation = activations.get(name)
    function = getattr(activations, name)
    assert function is activation.function
    x = jnp.linspace(-2, 2, 5)
    np.testing.assert_array_equal(function(x), activation(x))
    assert function.__doc__
    assert activation.derivative_function is not None
    assert activation.derivative_function.__doc__
    parameters = list(inspect.signature(function).parameters)
    assert parameters == list(inspect.signature(activation.derivative_function).parameters)


def _gradient_of_sum(activation):
    return jax.grad(lambda x, **params: jnp.sum(activation(x, **params)).astype(jnp.float32))


PARAMETERS = [
    ("linear", "slope", 0.7),
    ("leaky_relu", "negative_slope", 0.1),
    ("prelu", "alpha", 0.25),
    ("elu", "alpha", 1.3),
    ("celu", "alpha", 0.8),
    ("swish", "beta", 1.2),
    ("squareplus", "b", 2.0),
    ("soft_shrink", "threshold", 0.6),
    ("hard_shrink", "threshold", 0.6),
    ("isru", "alpha", 1.3),
    ("isrlu", "alpha", 0.7),
    ("snake", "a", 1.2),
    ("learned_swish", "beta", 1.2),
    ("arelu", "alpha", 0.6),
    ("arelu", "beta", 1.5),
    ("srs", "alpha", 4.0),
    ("srs", "beta", 2.0),
    ("pdelu", "alpha", 0.8),
    ("pdelu", "t", 0.45),
    ("pau", "numerator", (0.1, 0.6, 2.3, 3.1, -1.5, 0.3)),
    ("pau", "denominator", (1.1, -4.4, 0.9, 0.3)),
    ("apl", "slopes", (0.1, -0.2, 0.3, 0.4, -0.5)),
    ("apl", "hinges", (-1.5, -0.7, 0.1, 0.6, 2.0)),
    ("affine_combination", "weights", (0.5, 0.3, -0.1)),
    ("convex_combination", "logits", (0.1, -0.4, 0.3)),
]


def test_every_parameter_is_tested():
    found = {
        (name, parameter)
        for name in ELEMENTWISE
        for parameter in list(inspect.signature(getattr(activations, name)).parameters)[1:]
    }
    assert found == {(name, parameter) for name, parameter, _ in PARAMETERS}


@pytest.mark.parametrize(("name", "parameter", "at"), PARAMETERS)
def test_gradient_of_a_parameter(name, parameter, at):
    """Of one for all and of one a channel, against finite differences; x at the same time."""
    function = getattr(activations, name)
    at = np.asarray(at)
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).normal(0, 3, (2, 5, 3)))

        def loss(value, x):
            return jnp.sum(jnp.sin(function(x, **{parameter: value})))

        @jax.jit
        def gradients(value):
            derivative = getattr(activations.get(name), "derivative_function")  # noqa: B009
            slope = derivative(x, **{parameter: value})
            upstream = jnp.cos(function(x, **{parameter: value}))
            return jax.grad(loss, argnums=(0, 1))(value, x), upstream * slope

        step = 1e-6
        rise = jax.jit(lambda value, move: loss(value + move, x) - loss(value - move, x))
        for value in (jnp.asarray(at), jnp.stack([at, at / 2, at * 2], axis=-1)):
            (gradient, gradient_x), expected_x = gradients(value)
            assert gradient.shape == value.shape
            np.testing.assert_allclose(gradient_x, expected_x, rtol=1e-12)
            for i in np.ndindex(value.shape):
                move = np.zeros(value.shape)
                move[i] = step
                expected = float(rise(value, move)) / (2 * step)
                assert gradient[i] == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("name", "parameter", "at"), PARAMETERS)
def test_a_float32_parameter_with_a_bfloat16_input(name, parameter, at):
    function = getattr(activations, name)
    x = jnp.linspace(-3, 3, 12, dtype=jnp.bfloat16).reshape(4, 3)
    value = jnp.stack([jnp.asarray(at, jnp.float32)] * 3, axis=-1)

    @jax.jit
    def loss(value, x):
        return jnp.sum(function(x, **{parameter: value}).astype(jnp.float32))

    y, gradients = jax.value_and_grad(loss, argnums=(0, 1))(value, x)
    assert jnp.isfinite(y)
    assert (gradients[0].dtype, gradients[0].shape) == (value.dtype, value.shape)
    assert (gradients[1].dtype, gradients[1].shape) == (x.dtype, x.shape)


def test_reverse_mode_keeps_one_residual():
    """What a training step stores is no more than the derivative, of the dtype of x."""
    x = jnp.ones((8, 8), jnp.bfloat16)
    for name in ELEMENTWISE:
        _, pullback = jax.vjp(activations.get(name), x)
        residuals = [leaf for leaf in jax.tree.leaves(pullback) if leaf.size > 1]
        assert sum(leaf.nbytes for leaf in residuals) <= x.nbytes, name


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


def test_softmax_along_any_axis():
    x = jnp.asarray(np.random.default_rng(0).normal(0, 2, (3, 4, 5)), jnp.float32)
    for axis in (0, 1, 2, -1):
        np.testing.assert_allclose(
            activations.softmax(x, axis=axis), jax.nn.softmax(x, axis), rtol=1e-6
        )
        jacobian = jax.jacrev(lambda x, axis=axis: activations.softmax(x, axis))(x)
        diagonal = jnp.diagonal(jacobian.reshape(x.size, x.size)).reshape(x.shape)
        got = activations.get(f"softmax(axis={axis})").derivative(x)
        np.testing.assert_allclose(got, diagonal, rtol=1e-5)


def test_softmax_at_the_infinities():
    x = jnp.asarray([jnp.inf, 0.0, -jnp.inf])
    np.testing.assert_array_equal(activations.softmax(x), [1, 0, 0])
    np.testing.assert_array_equal(activations.softmax(jnp.asarray([3e38, 2e38])), [1, 0])
    assert jnp.isnan(activations.softmax(jnp.asarray([jnp.nan, 0.0]))).all()
