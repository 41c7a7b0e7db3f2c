"""Runs of a user's own network and optimizer: trained, stopped, resumed and loaded."""

import dataclasses
import functools
import importlib
import math
import sys

import jax
import numpy as np
import pytest

from jaxact import data
from jaxact.config import check, default_config
from jaxact.errors import ConfigError, Interrupted
from jaxact.models import count_parameters
from jaxact.runs import fit
from jaxact.runs.load import load
from jaxact.runs.records import checkpoint, record_files, workdirs
from jaxact.runs.setup import prepare
from jaxact.training.unlooped import StepByStep
from tests.support.own_networks import NNX, spec
from tests.support.stopping import StopAfter
from tests.support.trained import images

OWN = {"activation": "prelu", "health_examples": 0, "steps_per_dispatch": 1}
# The second with a convolution that is left to XLA.
NETWORKS = {
    "Flat": {"ema": 0.9, "health_examples": 8},
    "PreActivation": {"optimizer": "optax:adabelief(b1=0.8)"},
    **{name: {"optimizer": "sgd(momentum=0.9)", "learning_rate": 0.1} for name in NNX[:1]},
}


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    return tmp_path


def arrays(workdir):
    return checkpoint.newest(workdir / record_files.CHECKPOINTS).content.arrays


@pytest.mark.parametrize("name", NETWORKS)
def test_one_that_is_stopped_and_resumed_is_the_same_bit_for_bit(tiny, tmp_path, name):
    config = dataclasses.replace(tiny, model=spec(name), **OWN | NETWORKS[name])
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    summary = fit.fit(config, whole)
    with pytest.raises(Interrupted):
        fit.fit(config, stopped, stop=StopAfter(3))
    resumed = fit.fit(config, stopped)
    jax.tree.map(np.testing.assert_array_equal, arrays(whole), arrays(stopped))
    assert resumed["test_accuracy"] == summary["test_accuracy"]
    if config.health_examples:
        rows = [record_files.read_rows(run / record_files.HEALTH) for run in (whole, stopped)]
        assert rows[0] == rows[1]
        assert len(rows[0][0]["layers"]) == 1

    network = load(whole)
    assert network.config.model == spec(name)
    assert ("average" in arrays(whole)) == ("ema" in NETWORKS[name])
    evaluated = arrays(whole).get("average", arrays(whole))
    jax.tree.map(np.testing.assert_array_equal, network.params, evaluated["params"])
    jax.tree.map(np.testing.assert_array_equal, network.batch_stats, evaluated["batch_stats"])
    assert summary["parameters"] == count_parameters(network.params)
    dataset = data.load("digits")
    splits = data.subset(dataset.test, config.test_examples, 0)
    right = (network(splits.images).argmax(-1) == splits.labels).mean()
    assert math.isclose(right, summary["test_accuracy"])


def test_a_network_whose_convolutions_loops_make_slow_is_not_looped(tiny):
    config = dataclasses.replace(tiny, model=spec("PreActivation"))
    assert isinstance(prepare(config).program.train, StepByStep)
    config = dataclasses.replace(tiny, model=spec("Compact"))
    assert not isinstance(prepare(config).program.train, StepByStep)


MODULE = """
from tests.support.own_networks import linen_networks
import jax.numpy as jnp, optax

class Net(linen_networks.WithSetup):
    def __call__(self, x):
        return super().__call__({scale} * x)

def descent(learning_rate, factor=1.0):
    return optax.chain(optax.scale({scale} * factor), optax.sgd(learning_rate))
"""


@pytest.mark.parametrize("field", ["model", "optimizer"])
def test_one_that_has_changed_is_refused(tiny, modules, tmp_path, monkeypatch, field):
    def write(scale):
        (modules / "of_user.py").write_text(MODULE.format(scale=scale))
        monkeypatch.delitem(sys.modules, "of_user", raising=False)

    value = {"model": "of_user:Net", "optimizer": "of_user:descent(factor=2)"}[field]
    config = dataclasses.replace(tiny, **{field: value}, epochs=1, health_examples=0)
    workdir = tmp_path / "run"
    write("1.5")
    first = fit.fit(config, workdir)
    write("(3 / 2)")
    assert fit.fit(config, workdir) == first
    write("1.75")
    with pytest.raises(ConfigError, match=rf"^of_user:.* has changed since --workdir={workdir}"):
        fit.fit(dataclasses.replace(config, epochs=2), workdir)
    if field == "model":
        with pytest.raises(ConfigError, match=r"^of_user:Net has changed since .*old module back"):
            load(workdir)


def test_a_wrong_network_leaves_nothing(tiny, tmp_path):
    config = dataclasses.replace(tiny, model=spec("WrongShape"))
    with pytest.raises(ConfigError, match=r"^config\.model: .*must give logits \[batch, 10\]"):
        fit.fit(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fields_of_jaxacts_networks_are_refused(tiny):
    def checked(**fields):
        config = default_config()
        config.update(dataclasses.asdict(tiny) | fields)
        return check(config)

    for field, value in {"kernel_init": "zeros", "dropout_rate": 0.1, "bias_init": 0.0}.items():
        with pytest.raises(ConfigError, match=rf"^config\.{field}=.* is of jaxact's own networks"):
            checked(model=spec("WithSetup"), **{field: value})
    own = spec("WithSetup")
    assert checked(model=f"{own}( width = 6 )").model == f"{own}(width=6)"
    with pytest.raises(ConfigError, match=r"^config\.model='tests\..*has no 'WithSetp'.*; did you"):
        checked(model=spec("WithSetp"))


def test_load_takes_the_network_that_cannot_be_imported(tiny, modules, tmp_path, monkeypatch):
    (modules / "gone.py").write_text(MODULE.format(scale="1.5"))
    fit.fit(dataclasses.replace(tiny, model="gone:Net", epochs=1), tmp_path / "run")
    net = importlib.import_module("gone").Net
    (modules / "gone.py").unlink()
    expected = load(tmp_path / "run")(images(3))
    monkeypatch.delitem(sys.modules, "gone")
    with pytest.raises(ConfigError, match=r"was trained with gone:Net, which cannot.*model=Net\)"):
        load(tmp_path / "run")
    give = functools.partial(lambda activation, made: made(activation), made=net)
    np.testing.assert_array_equal(load(tmp_path / "run", model=give)(images(3)), expected)
    assert workdirs.MODEL in record_files.read_json(tmp_path / "run" / record_files.CONFIG)
