"""One's own functions that are wrong: each told in a line, wherever it is met."""

import functools
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import ActivationError, fingerprint, own
from jaxact.activations.verification.checks import CHECKS, check_activation
from jaxact.models import create_model

WRONG = """
import jax, jax.numpy as jnp, numpy as np

def branches(x): return x if x > 0 else 0.1 * x
def loops(x):
    while x.max() > 1: x = x / 2
    return x
def numpys(x): return np.where(x > 0, x, 0.1 * x)
def floats(x): return x * float(x.mean())
def raises(x): raise ValueError("deep\\ninside")
def mutates(x):
    x[x < 0] = 0
    return x
def forgets(x): jnp.tanh(x)
def pair(x): return x, x
def number(x): return 0.0
def sums(x): return x.sum()
def halves(x): return x[..., ::2]
def doubles(x): return jnp.concatenate([x, -x], -1)
def flat(x): return x.reshape(-1)
def ints(x): return jnp.sign(x).astype(jnp.int32)
def bools(x): return x > 0
def narrow(x): return x.astype(jnp.float16)
def complexes(x): return jnp.sqrt(jax.lax.complex(x, x))
def drops(x): return complexes(x).astype(x.dtype)
def forward_only(x): return jax.lax.while_loop(lambda v: v.max() > 1, lambda v: v / 2, x)
@jax.custom_vjp
def backwards(x): return jnp.tanh(x)
backwards.defvjp(lambda x: (jnp.tanh(x), x), lambda x, g: (g[..., :2],))
"""
CAUSES = {
    "branches": r"use jnp\.where \(wrong\.py, line 4\)",
    "loops": r"use jnp\.where \(wrong\.py, line 6\)",
    "numpys": r"use jax\.numpy \(wrong\.py",
    "floats": r"use jax\.numpy \(wrong\.py",
    "raises": r"fails on float32\[4,8,8,16\]: ValueError: deep \(wrong\.py, line 10\)",
    "mutates": r"TypeError: JAX arrays are immutable .*\(wrong\.py, line 12\)",
    "forgets": "gives no array, but a NoneType: it may lack a return",
    "pair": "gives no array, but a tuple",
    "number": "gives no array, but a float",
    "sums": r"gives float32\[\] for float32\[4,8,8,16\]: it must keep the shape",
    "halves": r"gives float32\[4,8,8,8\] for float32\[4,8,8,16\]",
    "doubles": r"gives float32\[4,8,8,32\] for",
    "flat": "it must keep the shape",
    "ints": r"gives int32\[.*end it with \.astype\(x\.dtype\)",
    "bools": r"gives bool\[",
    "narrow": r"gives float16\[",
    "complexes": r"gives complex64\[.*end it with jnp\.real",
    "drops": r"it drops an imaginary part: use jnp\.real, if that is meant \(wrong\.py",
    "forward_only": "has a gradient that fails: ValueError: Reverse-mode",
    "backwards": "has a gradient that fails: ValueError: Custom VJP bwd rule",
}


@pytest.fixture
def wrong(tmp_path, monkeypatch):
    (tmp_path / "wrong.py").write_text(WRONG)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "wrong", raising=False)


@pytest.mark.parametrize("name", CAUSES)
def test_a_wrong_function_is_told_in_a_line(wrong, name):
    with pytest.raises(ActivationError, match=f"^wrong:{name} .*{CAUSES[name]}") as caught:
        fingerprint.tried(activations.get(f"wrong:{name}"))
    message = str(caught.value)
    assert len(message) < 420
    assert message.endswith(f"; see `python -m jaxact.check wrong:{name}`")


@pytest.mark.parametrize("name", CAUSES)
def test_the_check_tells_it_first(wrong, name):
    first = next(iter(CHECKS))
    (result,) = check_activation(activations.get(f"wrong:{name}"), [first])
    assert not result.passed
    assert re.search(CAUSES[name], result.detail)


@pytest.mark.parametrize("name", ["branches", "halves", "complexes"])
def test_networks_tell_it_too(wrong, name):
    images = jnp.zeros((1, 28, 28, 1))
    network = create_model("small_cnn", f"wrong:{name}")
    with pytest.raises(ActivationError, match=f"^wrong:{name} .*jaxact.check wrong:{name}"):
        jax.eval_shape(functools.partial(network.init, train=False), jax.random.key(0), images)


def test_a_function_that_draws_in_python_is_refused():
    rng = np.random.default_rng(0)
    noisy = activations.Activation("noisy", lambda x: x * rng.uniform(0.5, 1.5))
    with pytest.raises(ActivationError, match="noisy is another function each time"):
        fingerprint.tried(noisy)


def test_what_is_jaxacts_is_not_ones_own():
    pair = "jaxact.activations.pairs:chain(outer='{}', inner='relu')"
    for spec in ("relu", "elu(alpha=0.5)", "jaxact.activations:tanh", pair.format("tanh")):
        assert not own.is_own(activations.get(spec))
        assert fingerprint.fingerprint(activations.get(spec)) is None
    for spec in ("jax.nn:relu", pair.format("jax.nn:relu")):
        assert own.is_own(activations.get(spec))
    for name in ("mine", "relu"):
        assert own.is_own(activations.Activation(name, jnp.sin))


def test_a_class_is_refused_and_its_object_taken(tmp_path, monkeypatch):
    text = "class ReLU:\n    def __call__(self, x):\n        return x.clip(0)\nact = ReLU()\n"
    (tmp_path / "classes.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ActivationError, match=r"is a class: .*; did you mean relu\?$"):
        activations.get("classes:ReLU")
    np.testing.assert_array_equal(
        fingerprint.tried(activations.get("classes:act"))(jnp.asarray([-1.0, 2.0])), [0, 2]
    )
