"""Checkpoints as files: their names for whoever has Orbax alone, and those of the old form."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

from jaxact import data
from jaxact.errors import WorkdirError
from jaxact.runs.records import checkpoint, checksums
from jaxact.runs.records.checkpoint import Checkpoints
from jaxact.runs.records.snapshot import Snapshot
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import Totals, TrainState

PARAMS = {"Conv_0": {"kernel": jnp.arange(4.0).reshape(2, 2)}}
STATE = TrainState(
    step=jnp.int32(7),
    params=PARAMS,
    collections={"batch_stats": {"BatchNorm_0": {"mean": jnp.zeros(2), "var": jnp.ones(2)}}},
    opt_state=create_optimizer(1e-3, "constant", 0.0, 10).init(PARAMS),
)
BEST = jax.tree.map(lambda leaf: leaf + 1, STATE.variables)
FITTED = data.Preprocessing(jnp.array([0.5]), jnp.array([0.25]), jnp.eye(4))
SNAPSHOT = Snapshot(STATE, Totals.zero(), {"rows": [{"epoch": 1}]}, BEST, FITTED)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(SNAPSHOT)
    return folder


def equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_orbax_alone_reads_everything_by_its_name(saved):
    with ocp.StandardCheckpointer() as checkpointer:
        arrays = checkpointer.restore(saved / "7" / "state")
    names = {"params", "batch_stats", "opt_state", "step", "totals", "best", "preprocessing"}
    assert arrays.keys() == names
    equal(arrays["params"], STATE.params)
    equal(arrays["batch_stats"], STATE.collections["batch_stats"])
    equal(arrays["opt_state"]["0"]["mu"], STATE.opt_state[0].mu)
    equal(arrays["best"], BEST)
    equal(arrays["preprocessing"], FITTED._asdict())
    assert arrays["step"] == 7
    assert arrays["totals"].keys() == {"loss", "correct", "examples", "nonfinite_step"}


def test_what_was_saved_is_restored(saved):
    like = jax.tree.map(jnp.zeros_like, SNAPSHOT.arrays)
    blank = Snapshot(
        TrainState(
            like["step"], like["params"], {"batch_stats": like["batch_stats"]}, like["opt_state"]
        ),
        like["totals"],
        {},
        like["best"],
        like["preprocessing"],
    )
    with Checkpoints(saved) as checkpoints:
        back = checkpoints.restore(blank)
    assert back.progress == SNAPSHOT.progress
    assert jax.tree.structure(back.arrays) == jax.tree.structure(SNAPSHOT.arrays)
    equal(back.arrays, SNAPSHOT.arrays)


def test_random_keys_in_an_optimizers_state_are_restored(tmp_path):
    keys = {"key": jax.random.key(3), "keys": jax.random.split(jax.random.key(4), 2)}
    snapshot = dataclasses.replace(
        SNAPSHOT, state=dataclasses.replace(STATE, opt_state=(keys, jnp.int32(5)))
    )
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        checkpoints.save(snapshot)
        other = {"key": jax.random.key(0), "keys": jax.random.split(jax.random.key(1), 2)}
        like = dataclasses.replace(
            snapshot, state=dataclasses.replace(STATE, opt_state=(other, jnp.int32(0)))
        )
        back, count = checkpoints.restore(like).state.opt_state
    assert int(count) == 5
    assert jax.tree.map(lambda leaf: leaf.dtype, back) == {name: keys[name].dtype for name in keys}
    equal(jax.tree.map(jax.random.key_data, back), jax.tree.map(jax.random.key_data, keys))


def test_who_seeks_a_loss_that_is_not_finite_needs_no_best_epoch(saved):
    with Checkpoints(saved) as checkpoints:
        back = checkpoints.restore(Snapshot(STATE, Totals.zero(), {}))
    equal(back.state, STATE)
    assert back.best is None


def test_a_state_that_does_not_fit_is_told_by_its_name(saved):
    other = dataclasses.replace(STATE, params={"Conv_0": {"kernel": jnp.zeros((3, 2))}})
    with (
        Checkpoints(saved) as checkpoints,
        pytest.raises(WorkdirError, match=r"params/Conv_0/kernel is float32\[2, 2\], not float32"),
    ):
        checkpoints.restore(dataclasses.replace(SNAPSHOT, state=other))


def resume(folder):
    with Checkpoints(folder) as checkpoints:
        checkpoints.restore(SNAPSHOT)


@pytest.mark.parametrize("read", [resume, checkpoint.newest])
def test_one_without_names_is_refused_with_what_to_do(tmp_path, read):
    folder = tmp_path / "7"
    with ocp.Checkpointer(
        ocp.CompositeCheckpointHandler("state", "progress")
    ) as old:  # as it was until names came
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(SNAPSHOT.arrays)]
        old.save(
            folder,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(leaves), progress=ocp.args.JsonSave({})
            ),
        )
    checksums.seal(folder)
    with pytest.raises(WorkdirError, match=r"without names: go on with that one") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    assert folder.is_dir()


def test_the_newest_is_read_without_a_trace(saved):
    before = {path: path.stat().st_mtime_ns for path in [saved, *saved.rglob("*")]}
    found = checkpoint.newest(saved)
    assert (found.step, found.damaged) == (7, {})
    equal(found.content.arrays["params"], STATE.params)
    assert found.content.progress == SNAPSHOT.progress
    assert {path: path.stat().st_mtime_ns for path in [saved, *saved.rglob("*")]} == before


def test_a_run_without_a_checkpoint_yet_is_told(tmp_path):
    with pytest.raises(WorkdirError, match="holds no checkpoint yet"):
        checkpoint.newest(tmp_path / "checkpoints")
