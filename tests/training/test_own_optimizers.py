"""Optimizers of the user's own and Optax's, by their place."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxact.errors import ConfigError
from jaxact.training import own_optimizer
from jaxact.training.optimizer import canonical, create_optimizer

PARAMS: Any = {
    "Dense_0": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)},
    "LayerNorm_0": {"scale": jnp.ones(3)},
    "ActivationLayer_0": {"coefficients": jnp.ones((4, 3))},
    "mix": {"table": jnp.ones((5, 2))},
}
HERE = "tests.training.test_own_optimizers"


def plain(learning_rate, factor=2.0):
    return optax.chain(optax.scale(factor), optax.sgd(learning_rate))


def no_rate(speed):
    return optax.sgd(speed)


def fails(learning_rate):
    raise RuntimeError("not today")


def gives_nothing(learning_rate):
    return None


def accumulates(learning_rate):
    return optax.MultiSteps(optax.sgd(learning_rate), 2)


def fails_in_its_step(learning_rate):
    def update(gradients, state, params=None):
        raise RuntimeError("no step")

    return optax.GradientTransformation(lambda params: (), cast(Any, update))


def after(spec, steps=3, decay=0.0, **options):
    """The parameters after some steps whose gradient is 1."""
    made = create_optimizer(0.1, "constant", decay, 10, spec=spec, **options)
    params: Any = PARAMS
    state = made.init(PARAMS)
    for _ in range(steps):
        gradients = jax.tree.map(jnp.ones_like, params)
        changes, state = made.update(gradients, state, params)
        params = optax.apply_updates(params, changes)
    return params


def test_it_gets_the_learning_rate_and_its_arguments():
    params = after(f"{HERE}:plain(factor=3)")
    np.testing.assert_allclose(params["Dense_0"]["bias"], 1 - 3 * 0.1 * 3, rtol=1e-5)
    params = after(f"{HERE}:plain", warmup_steps=2)
    np.testing.assert_allclose(params["Dense_0"]["bias"], 1 - 2 * (0.05 + 0.1 + 0.1), rtol=1e-5)


@pytest.mark.parametrize("spec", ["optax:adamw", "adamw", "optax:lion", "sgd"])
def test_kernels_and_matrices_alone_are_decayed(spec):
    without, decayed = after(spec), after(spec, decay=0.1)
    moved = jax.tree.map(lambda a, b: bool(jnp.abs(a - b).max() > 1e-6), without, decayed)
    assert moved == {
        "Dense_0": {"kernel": True, "bias": False},
        "LayerNorm_0": {"scale": False},
        "ActivationLayer_0": {"coefficients": False},
        "mix": {"table": True},
    }


def test_optaxs_own_default_of_decay_does_not_hold():
    jax.tree.map(np.testing.assert_array_equal, after("optax:adamw"), after("optax:adam"))


WRONG = {
    "no_rate": "takes no `learning_rate`, only speed: give it one",
    "fails": r"cannot be made: RuntimeError: not today \(test_own_optimizers\.py",
    "gives_nothing": "gives a NoneType: it must be an optax.GradientTransformation",
    "accumulates": r"gives a MultiSteps: .* its `gradient_transformation\(\)` is one",
    "PARAMS": "is no function that can be called",
    "plain(speed=1)": "cannot be made: TypeError: .*speed",
    "fails_in_its_step": "fails in its steps: RuntimeError: no step",
    "missing": "has no 'missing'",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_is_refused_in_a_line(name):
    with pytest.raises(ConfigError, match=WRONG[name]) as caught:
        own_optimizer.fingerprint(f"{HERE}:{name}", PARAMS)
    assert "\n" not in str(caught.value)


def test_one_without_decay_is_refused_where_there_is_one():
    with pytest.raises(ConfigError, match=r"takes no `weight_decay`: leave config\.weight_decay"):
        after(f"{HERE}:plain", decay=0.1)


def test_its_fingerprint_is_of_its_steps():
    two, three, again = (
        own_optimizer.fingerprint(f"{HERE}:plain{arguments}", PARAMS)
        for arguments in ("", "(factor=3)", "(factor=2.0)")
    )
    assert own_optimizer.change(two, again) == ""
    assert own_optimizer.change(two, three) == "its steps differ"
    assert own_optimizer.change(two | {"optax": "0.1"}, three) == ""
    assert "cannot be read" in own_optimizer.change(None, three)
    assert [own_optimizer.is_own(spec) for spec in ("adam", "optax:sgd(momentum=0.9)")] == [
        False,
        True,
    ]


def test_its_spec_is_kept():
    assert canonical(" optax:adabelief( b1 = 0.8 ) ") == "optax:adabelief(b1=0.8)"
