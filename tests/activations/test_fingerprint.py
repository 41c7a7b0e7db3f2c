"""The fingerprint of what a function computes: what changes it, and what does not."""

import json
import os
import subprocess
import sys
import types

import jax
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations.fingerprint import change, fingerprint, inputs
from tests.support.paths import ROOT, python_path

HEAD = "import jax, jax.numpy as jnp, numpy as np\nfrom jaxact.activations import Activation\n"
CUSTOM = """
@jax.custom_jvp
def act(x):
    return jnp.where(x > 0, x, 0.1 * x)
@act.defjvp
def act_jvp(x, t):
    return act(*x), t[0] * jnp.where(x[0] > 0, 1.0, {slope})
"""
CUSTOM_VJP = """
@jax.custom_vjp
def act(x):
    return jnp.tanh(x)
act.defvjp(lambda x: (jnp.tanh(x), x), lambda x, g: (g * {slope} * (1 - jnp.tanh(x) ** 2),))
"""
HELPER = "def helper(x):\n    return {body}\ndef act(x):\n    return helper(x)\n"
TABLE = "TABLE = jnp.asarray([0.1, {second}])\ndef act(x):\n    return x * TABLE[0] + TABLE[1]\n"
LEARNED = """
def f(x, a):
    return jnp.where(x > 0, x, {slope} * x)
act = Activation("f", f, initial=(("a", {initial}),))
"""
CLOSURE = "def make(k):\n    return lambda x: jnp.sin(k * x)\nact = make({k})\n"
CALLBACK = """
def act(x):
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    y = jax.pure_callback(lambda v: np.tanh(v) * {k}, shape, jax.lax.stop_gradient(x))
    return x + jax.lax.stop_gradient(y)
"""
LEAKY = "def act(x):\n    return jnp.where(x > 0, x, 0.1 * x)\n"

SAME = {
    "a comment and a docstring": (LEAKY, LEAKY.replace("\n    ", "\n    'It leaks.'  # yes\n    ")),
    "names": (LEAKY, LEAKY.replace("(x)", "(value)").replace("x", "value").replace("valuen", "xn")),
    "a helper": (LEAKY, HELPER.format(body="jnp.where(x > 0, x, 0.1 * x)")),
    "jit": (LEAKY, LEAKY.replace("def act", "@jax.jit\ndef act")),
    "what is not used": (LEAKY, LEAKY.replace("\n    ", "\n    unused = jnp.exp(x)\n    ")),
    "the order of lines": (
        "def act(x):\n    a = jnp.sin(x)\n    b = jnp.cos(x)\n    return a * b\n",
        "def act(x):\n    b = jnp.cos(x)\n    a = jnp.sin(x)\n    return a * b\n",
    ),
    "numbers that are equal": (
        "def act(x):\n    return 0.5 * x\n",
        "def act(x):\n    return x / 2\n",
    ),
    "a custom derivative's names": (
        CUSTOM.format(slope=0.1),
        CUSTOM.format(slope=0.1).replace("act_jvp", "other"),
    ),
}
CHANGED = {
    "another function": (LEAKY, "def act(x):\n    return jnp.tanh(x)\n", "values"),
    "a constant": (LEAKY, LEAKY.replace("0.1", "0.11"), "values"),
    "a helper": (HELPER.format(body="x * 2"), HELPER.format(body="x * 3"), "values"),
    "a table": (TABLE.format(second=0.2), TABLE.format(second=0.3), "values"),
    "a closure": (CLOSURE.format(k=1.0), CLOSURE.format(k=1.5), "values"),
    "a custom_jvp": (CUSTOM.format(slope=0.1), CUSTOM.format(slope=0.2), "gradient"),
    "a custom_vjp": (CUSTOM_VJP.format(slope=1.0), CUSTOM_VJP.format(slope=2.0), "gradient"),
    "the derivative at 0": (
        "def act(x):\n    return jnp.where(x > 0, x, 0)\n",
        "def act(x):\n    return jnp.where(x >= 0, x, 0)\n",
        "gradient",
    ),
    "a learned parameter's start": (
        LEARNED.format(slope="a", initial=0.1),
        LEARNED.format(slope="a", initial=0.2),
        "begin elsewhere",
    ),
    "a learned parameter's use": (
        LEARNED.format(slope="a", initial=0.1),
        LEARNED.format(slope="jax.lax.stop_gradient(a)", initial=0.1),
        "gradient",
    ),
    "Python that is called": (CALLBACK.format(k=1.0), CALLBACK.format(k=2.0), "values"),
    "a normalised axis": (
        "def act(x):\n    return jax.nn.softmax(x, -1)\n",
        "def act(x):\n    return jax.nn.softmax(x, 0)\n",
        "values",
    ),
}
# Other programs that give the same; in that of a product's gradient a sum has its terms swapped.
SAME_NUMBERS = ("numbers that are equal", "the order of lines")
ELSEWHERE = {
    "a dense layer": "def act(x):\n    return x if x.ndim == 4 else 2 * x\n",
    "many channels": "def act(x):\n    return x if x.shape[-1] < 64 else 2 * x\n",
    "larger images": "def act(x):\n    return x if x.shape[1] != 32 else 2 * x\n",
    "bfloat16": "def act(x):\n    return (x.astype('float32') * 0.3 + 0.1).astype(x.dtype)\n",
}


def act_of(text, name="mine"):
    module = types.ModuleType(name)
    exec(compile(HEAD + text, f"{name}.py", "exec"), module.__dict__)
    sys.modules[name] = module
    try:
        return activations.get(f"{name}:act")
    finally:
        del sys.modules[name]


def taken(text):
    """A fingerprint as a file gives it back."""
    return json.loads(json.dumps(fingerprint(act_of(text))))


def in_another_jax(mark):
    """The fingerprint as another version of JAX might have made it: other programs, other bits."""
    keys = ("program", "other_programs", "values", "gradients")
    return mark | {"jax": "0.0.1"} | dict.fromkeys(keys, "0" * 64)


@pytest.mark.parametrize("case", SAME)
def test_what_is_computed_counts_and_not_how_it_is_written(case):
    old, new = map(taken, SAME[case])
    assert change(old, new) == ""
    assert (old == new) is (case not in SAME_NUMBERS)
    assert change(in_another_jax(old), new) == ""


@pytest.mark.parametrize("case", CHANGED)
def test_a_change_is_told(case):
    *texts, told = CHANGED[case]
    old, new = map(taken, texts)
    assert told in change(old, new)
    assert told in change(new, old)
    assert change(in_another_jax(old), new)
    assert change(new, new) == ""


@pytest.mark.parametrize("case", ELSEWHERE)
def test_other_inputs_of_networks_count(case):
    """Layers of other shapes, and mixed precision."""
    text = "x * 0.3 + 0.1" if "bfloat16" in case else "x"
    plain = f"def act(x):\n    return {text}\n"
    assert "dense layer, on inputs of another size, or in bfloat16" in change(
        taken(plain), taken(ELSEWHERE[case])
    )


def test_another_jax_may_round_otherwise_and_no_more():
    old = taken("def act(x):\n    return jnp.exp(-x * x)\n")
    rounded = taken("def act(x):\n    return jnp.exp(-x * x) * (1 + 1e-6)\n")
    assert "values" in change(old, rounded)
    assert change(in_another_jax(old), rounded) == ""


@pytest.mark.parametrize("stored", [None, 3, "", {}, {"jax": "0.0"}, {"initial": {}, "jax": 1}])
def test_a_damaged_fingerprint_is_a_change(stored):
    assert "cannot be read" in change(stored, taken(LEAKY))


def test_a_function_for_images_alone_has_one():
    text = "def act(x):\n    return x * jax.nn.sigmoid(x.mean((1, 2), keepdims=True))\n"
    assert change(taken(text), taken(text.replace("sigmoid", "tanh")))


def test_inputs_are_exact_and_hold_the_kinks():
    near, everywhere = inputs()
    assert near.shape == everywhere.shape == (4096,)
    assert near.dtype == everywhere.dtype == np.float32
    assert {0, 1, -1, 3, -3, 0.5} <= set(near.tolist())
    assert np.isfinite(everywhere).all()
    assert everywhere.max() == np.finfo(np.float32).max


def test_another_process_takes_the_same(tmp_path):
    text = CUSTOM.format(slope=0.1) + "\nplain = act\ndef act(x):\n    return plain(x) + TABLE[1]\n"
    text = "TABLE = jnp.asarray([0.1, 0.2])\n" + text
    (tmp_path / "mine.py").write_text("# elsewhere\n\n" + HEAD + text)
    code = (
        "import json; from jaxact import activations; from jaxact.activations import fingerprint\n"
        "print(json.dumps(fingerprint.fingerprint(activations.get('mine:act'))))"
    )
    environment = os.environ | {"PYTHONPATH": python_path(tmp_path), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == taken(text)
    assert json.loads(done.stdout)["jax"] == jax.__version__
