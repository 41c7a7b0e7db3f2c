"""Arrays by name: what a checkpoint holds of training, and the way back."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxact.runs.records.snapshot import named, restored
from jaxact.training import optimizer

PARAMS = {
    "Dense_0": {"bias": np.ones(2, np.float32), "kernel": np.ones((3, 2), np.float32)},
    "alpha": np.full((), 0.25, np.float32),
}
OPTIMIZERS = {
    "adam": optimizer.create_optimizer(1e-3, "constant", 0.0, 10),
    "adamw, which masks": optimizer.create_optimizer(1e-3, "one_cycle", 0.1, 10),
    "muon": optimizer.create_optimizer(1e-3, "cosine", 0.1, 10, spec="muon", warmup_steps=2),
    "chain": optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1, momentum=0.9)),
    "more than ten": optax.chain(*(optax.trace(k / 20) for k in range(12))),
    "partition": optax.partition(
        {"kernels": optax.adam(0.1), "others": optax.sgd(0.1, momentum=0.5)},
        lambda params: jax.tree_util.tree_map_with_path(
            lambda path, _: "kernels" if path[-1].key == "kernel" else "others", params
        ),
    ),
    "wrapped in a schedule": optax.inject_hyperparams(optax.rmsprop)(
        learning_rate=optax.linear_schedule(0.1, 0.0, 9)
    ),
}


def on_host(tree):
    return jax.tree.map(np.asarray, tree)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_any_optimizer_comes_back_from_its_names(name):
    state = OPTIMIZERS[name].init(PARAMS)
    leaves, structure = jax.tree.flatten(state)
    numbered = [leaf + number for number, leaf in enumerate(leaves, 1)]  # none is like another
    state = jax.tree.unflatten(structure, numbered)
    names = named({"opt_state": state})
    is_plain = [isinstance(key, str) for key in jax.tree.leaves(list(_keys(names)))]
    assert is_plain
    assert all(is_plain)
    back = restored(on_host(names), {"opt_state": jax.tree.map(jnp.zeros_like, state)})
    assert jax.tree.structure(back["opt_state"]) == structure
    jax.tree.map(np.testing.assert_array_equal, back["opt_state"], state)


def _keys(names):
    for key, value in names.items():
        yield key
        if isinstance(value, dict):
            yield from _keys(value)


def test_names_are_those_that_lead_to_a_leaf():
    names = named({"opt_state": OPTIMIZERS["adam"].init(PARAMS), "params": PARAMS, "empty": {}})
    assert names.keys() == {"opt_state", "params"}
    assert names["params"].keys() == PARAMS.keys()
    assert names["opt_state"]["0"].keys() == {"count", "mu", "nu"}
    assert names["opt_state"]["0"]["mu"]["Dense_0"].keys() == PARAMS["Dense_0"].keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Dense_0": {"kernel": np.ones((3, 2), np.float32)}}, "params/Dense_0/bias is missing"),
        (PARAMS | {"more": np.ones(2)}, "params/more is unknown"),
        (
            PARAMS | {"Dense_0": PARAMS["Dense_0"] | {"bias": np.ones(3, np.float32)}},
            r"params/Dense_0/bias is float32\[3\], not float32\[2\]",
        ),
        (
            PARAMS | {"Dense_0": PARAMS["Dense_0"] | {"bias": np.ones(2, np.int32)}},
            r"params/Dense_0/bias is int32\[2\], not float32\[2\]",
        ),
    ],
)
def test_names_that_do_not_fit_are_told(change, message):
    like = {"params": jax.tree.map(jnp.asarray, PARAMS)}
    with pytest.raises(ValueError, match=message):
        restored({"params": change}, like)


def test_parts_that_nobody_asks_for_may_be_there():
    like = {"params": jax.tree.map(jnp.asarray, PARAMS), "best": None}
    back = restored({"params": PARAMS, "best": PARAMS, "totals": {"loss": np.float32(1)}}, like)
    assert back["best"] is None
    jax.tree.map(np.testing.assert_array_equal, back["params"], PARAMS)
