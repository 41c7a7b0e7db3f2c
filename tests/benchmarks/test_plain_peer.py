"""A plain jitted step beside jaxact, and modules of one's own on both sides."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from benchmarks import shared, train_step
from benchmarks.contenders import jaxact_worker, plain_networks, plain_peer, workers
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.workers import Worker
from benchmarks.timing.alternation import Alternation
from jaxact import models
from jaxact.errors import ConfigError
from tests.support.networks import PUBLISHED, SHAPES
from tests.support.own_networks import nnx_or_skip

TINY = Job("train_step", batch_size=4, examples=8, seconds=0.001, image_shape=(6, 5, 3))
NETWORKS = plain_networks.__name__


class TinyLinen(plain_networks.Plain):
    @nn.compact
    def __call__(self, x, deterministic):
        x = self.activation(self.norm(plain_networks.conv(2, 3)(x), not deterministic))
        x = nn.Dropout(0.5, deterministic=deterministic)(x)
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


@pytest.fixture(autouse=True)
def precision_of_this_process():
    """A peer has a process of its own, and sets the precision of all of it."""
    before = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
    yield
    jax.config.update("jax_default_matmul_precision", before)


def parameters(job, shape):
    images = jnp.zeros((1, *shape))
    params = jax.eval_shape(lambda images: plain_peer.initial(job, images)[0], images)
    return models.count_parameters(params)


@pytest.mark.parametrize("name", plain_networks.PLAIN)
def test_the_plain_form_is_the_same_network(name):
    assert parameters(Job("train_step", model=name), SHAPES[name]) == PUBLISHED[name].parameters


def test_the_nnx_form_is_the_same_network():
    nnx_or_skip()
    job = Job("train_step", model="tests.benchmarks.plain_nnx:ResNet20", image_shape=(32, 32, 3))
    assert parameters(job, (32, 32, 3)) == PUBLISHED["resnet20"].parameters
    assert shared.products(job) == shared.products(Job("train_step", model="resnet20"))


@pytest.mark.parametrize(("plain", "name"), [("SmallCNN", "small_cnn"), ("MLP", "mlp")])
def test_products_are_counted_alike(plain, name):
    own = Job("train_step", model=f"{NETWORKS}:{plain}", image_shape=SHAPES[name])
    assert shared.products(own) == shared.products(Job("train_step", model=name))


@pytest.mark.parametrize(
    ("worker", "name"),
    [(plain_peer, "TinyLinen"), (jaxact_worker, "TinyNnx")],
)
def test_a_module_of_ones_own_is_measured(worker, name):
    place = __name__
    if name == "TinyNnx":
        nnx_or_skip()
        place = "tests.benchmarks.plain_nnx"
    job = dataclasses.replace(TINY, model=f"{place}:{name}")
    prepared = worker.prepare(job)
    assert prepared.details["parameters"] == 27 * 2 + 2 * 2 + 2 * 10 + 10
    assert prepared.measure()["seconds"] > 0
    (row,) = train_step.rows(Alternation(job, {"jaxact": {}}, {"jaxact": {"seconds": [1e-6]}}))
    assert row["GFLOP/s"] == pytest.approx(6 * 4 * (6 * 5 * 27 * 2 + 2 * 10) / 1e3)


@pytest.mark.parametrize("name", ["TinyLinen", "TinyNnx"])
def test_the_plain_pass_is_that_of_training(name):
    images = jax.random.normal(jax.random.key(1), (4, 6, 5, 3))
    place = __name__
    if name == "TinyNnx":
        nnx_or_skip()
        place = "tests.benchmarks.plain_nnx"
    job = dataclasses.replace(TINY, model=f"{place}:{name}")
    params, others, forward = plain_peer.initial(job, images)
    _, after = forward(params, others, images, jax.random.key(2))
    assert jax.tree.structure(after) == jax.tree.structure(others)
    statistics = [leaf for leaf in jax.tree.leaves(after) if leaf.shape == (2,)]
    before = [leaf for leaf in jax.tree.leaves(others) if leaf.shape == (2,)]
    assert len(statistics) == 2
    assert all((a != b).all() for a, b in zip(statistics, before, strict=True))


def test_the_plain_peer_is_one_more_process():
    ours, plain = workers.contenders("plain", "relu", "")
    assert ours.name == "jaxact"
    assert plain.command[-1] == plain_peer.__name__
    options = train_step.COMMAND.parse([f"--model={__name__}:TinyLinen", "--image_shape=9,8,1"])
    job = shared.job("train_step", options)
    assert job.image_shape == (9, 8, 1)
    assert job.examples <= 50_000


def test_another_checkout_is_told_nothing_that_it_may_not_know(monkeypatch):
    asked = []
    monkeypatch.setattr(Worker, "ask", lambda self, request: asked.append(request))
    for shape in (None, (9, 8, 1)):
        Worker.prepare(object.__new__(Worker), Job("train_step", image_shape=shape))
    before, own = (json.loads(json.dumps(request))["prepare"] for request in asked)
    assert own.pop("image_shape") == [9, 8, 1]
    assert "image_shape" not in before
    assert before == own


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model=vgg12"], "vgg11"),
        (["--model=benchmarks.contenders.plain_networks:VGG12"], "VGG12"),
        ([f"--model={NETWORKS}:VGG11", "--image_shape=32x32x3"], "as in 32,32,3"),
        ([f"--model={NETWORKS}:VGG11", "--peer=torch"], "--peer=plain"),
        (["--model=alexnet", "--peer=plain"], "no plain form"),
        (["--activation=prelu", "--peer=plain"], "parameters"),
        (["--activation=swiglu", "--peer=plain"], "sees channels"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, told):
    options = train_step.COMMAND.parse(words)
    with pytest.raises(ConfigError, match=told):
        shared.job("train_step", options)
