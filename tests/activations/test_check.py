"""`python -m jaxact.check`: what it finds, prints and returns."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations, check
from jaxact.activations import Activation, Kink
from jaxact.activations.verification.checks import CHECKS, check_activation
from jaxact.activations.verification.description import FACTS
from jaxact.timing import cost


def failures(*names, **fields):
    """The names of the checks, of all or of those named, that an activation fails."""
    results = check_activation(Activation(name="tried", **fields), names or None)
    assert results
    return {result.name for result in results if not result.passed}


def test_a_good_one_passes():
    assert failures(function=activations.mish, derivative_function=gated_derivative) == set()


def gated_derivative(x):
    return activations.get("mish").derivative(x)


def test_growth_is_no_failure():
    results = check_activation(Activation(name="cube", function=lambda x: x**3))
    assert all(result.passed for result in results)
    assert any("overflows from |x|" in result.detail for result in results)


def test_oscillation_is_no_failure():
    assert failures(function=jnp.sin) == set()


@jax.custom_jvp
def square_of_wrong_slope(x):
    return x * x


@square_of_wrong_slope.defjvp
def _(primals, tangents):
    return square_of_wrong_slope(*primals), primals[0] * tangents[0]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "derivative is jax.grad",
            {"function": jnp.tanh, "derivative_function": lambda x: 1.0001 - jnp.tanh(x) ** 2},
        ),
        (
            "derivative is the finite difference",
            {"function": square_of_wrong_slope, "derivative_function": lambda x: x},
        ),
        ("value at the kinks", {"function": jax.nn.relu, "kinks": (Kink(0.0, 1.0),)}),
        ("finite over the float range", {"function": lambda x: jnp.log(1 + jnp.exp(x))}),
        ("finite over the float range", {"function": lambda x: x / jnp.abs(x)}),
        ("limits at -inf and inf", {"function": jax.nn.silu}),
        ("NaN in, NaN out", {"function": lambda x: jnp.where(x > 0, x, jnp.zeros_like(x))}),
        (
            "second derivative",
            {"function": lambda x: jnp.where(x == 0, 0, x * jnp.abs(x) ** 0.5)},
        ),
        ("dtype and shape kept", {"function": lambda x: jnp.tanh(x).astype(jnp.float32)}),
        ("dtype and shape kept", {"function": lambda x: jnp.atleast_1d(jnp.tanh(x))}),
        ("jit and vmap", {"function": lambda x: x - jnp.mean(x)}),
        ("jit and vmap", {"function": lambda x: x if float(x.sum()) else -x}),
        ("monotonic", {"function": jax.nn.gelu, "monotonic": True}),
        ("monotonic", {"function": jnp.tanh, "monotonic": False}),
        (
            "learnable parameters",
            {
                "function": lambda x, a: jax.lax.stop_gradient(a) * x,
                "initial": (("a", 0.5),),
            },
        ),
    ],
)  # fmt: skip
def test_each_check_can_fail(name, fields):
    assert failures(name, **fields) == {name}


def test_the_spec_check_can_fail():
    other = Activation(name="relu", function=jnp.tanh)
    assert not check_activation(other, ["spec gives it back"])[0].passed


def test_an_undeclared_kink_is_noted():
    [result] = check_activation(activations.get("jax.nn:relu"), ["value at the kinks"])
    assert result.passed
    assert "bends at 0" in result.detail


def test_an_exception_fails_a_check_and_is_shown():
    def picky(x):
        if x.dtype == jnp.bfloat16:
            raise RuntimeError("no bfloat16\nplease")
        return x

    [result] = check_activation(Activation(name="picky", function=picky), ["dtype and shape kept"])
    assert not result.passed
    assert result.detail.startswith("RuntimeError: no bfloat16 (test_check.py, line ")


def test_what_needs_no_gradient_passes_where_jax_has_none():
    def callback(x):
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(np.asarray, shape, x, vmap_method="expand_dims")

    def one(x):
        return jnp.where(jnp.isnan(x), x, jnp.ones_like(x))

    failed = failures(function=callback, derivative_function=one)
    by_gradient = {"can be trained", "derivative is jax.grad", "second derivative"}
    assert failed == by_gradient | {"finite over the float range"}


def test_float64_is_left_off():
    check_activation(activations.get("relu"), ["monotonic"])
    assert jnp.ones(1).dtype == jnp.float32


@pytest.fixture
def few_numbers(monkeypatch):
    """The command takes its times of few numbers."""
    monkeypatch.setattr(cost, "ELEMENTS", {"cpu": 2**10, "gpu": 2**10})


@pytest.mark.usefixtures("few_numbers", "without_programs")
def test_main_passes_and_describes(capsys):
    assert check.COMMAND.run(check.check, ["leaky_relu(negative_slope=0.05)"]) == 0
    printed = capsys.readouterr()
    assert "leaky_relu(negative_slope=0.05)" in printed.out
    assert printed.out.count("pass") == len(CHECKS)
    assert "0.05 at 0" in printed.out
    assert "what it is" in printed.out
    facts = [*FACTS, *(f"time, {name}" for name in cost.PASSES)]
    assert all(name in printed.out for name in facts)
    assert "1.4124 = 1 / sqrt(E[f(z)^2])" in printed.out
    assert "not measured" not in printed.out
    assert printed.err == ""


def test_main_fails(capsys, monkeypatch):
    for name in ("describe", "timed"):
        monkeypatch.setattr(check, name, lambda activation: [])
    assert check.COMMAND.run(check.check, ["jax.nn:silu"]) == 1
    assert "FAIL" in capsys.readouterr().out


@pytest.mark.usefixtures("few_numbers")
def test_what_is_lacking_for_one_reason_is_told_once(capsys):
    assert check.COMMAND.run(check.check, ["softmax"]) == 0
    assert capsys.readouterr().out.count("not measured: it is not elementwise") == 1


@pytest.mark.usefixtures("few_numbers", "without_programs")
def test_json_holds_all_of_it(capsys):
    assert check.COMMAND.run(check.check, ["prelu", "--format=json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["activation"], found["passed"]) == ("prelu", True)
    assert [one["name"] for one in found["checks"]] == list(CHECKS)
    assert list(found["facts"]) == [*FACTS, *(f"time, {name}" for name in cost.PASSES)]
    assert found["facts"]["gain"]["figures"]["gain"] == pytest.approx((2 / (1 + 0.25**2)) ** 0.5)
    ratio = found["facts"]["time, forward"]["figures"]["ratio_to_relu"]
    assert 0 < ratio["lower_quartile"] <= ratio["median"] <= ratio["upper_quartile"]


@pytest.mark.usefixtures("few_numbers", "without_programs")
def test_json_of_what_fails_is_json(capsys):
    """Without a word of NaN or Infinity, which JSON does not have."""
    assert check.COMMAND.run(check.check, ["jax.numpy:log", "--format=json"]) == 1
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert not found["passed"]
    assert found["facts"]["gain"]["figures"] is None


def test_main_refuses_a_bad_spec_in_one_line(capsys):
    assert check.COMMAND.run(check.check, ["rellu"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("jaxact: unknown activation 'rellu'")
    assert printed.err.count("\n") == 1


def test_help_says_how(capsys):
    assert check.COMMAND.run(check.check, ["--help"]) == 0
    assert "my_module:my_function" in capsys.readouterr().out


def test_the_command_finds_a_module_in_the_current_directory(tmp_path, commands):
    """One without the function that is asked for: nothing is computed."""
    (tmp_path / "own.py").write_text("f = None\n")
    ended = commands.run("jaxact.check", "own:g", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("jaxact: own has no 'g'")
    assert "\x1b" not in ended.stderr
