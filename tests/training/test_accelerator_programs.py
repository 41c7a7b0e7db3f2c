"""The programs of every network lowered for a CUDA GPU, on a machine that has none."""

import functools
import itertools
import re
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from jaxact import data, models
from jaxact.training import losses, program
from jaxact.training.state import Totals
from jaxact.training.steps import Examples, Keys
from tests.support import networks

CLASSES, BATCH, IMAGES = 10, 4, 12
# What XLA's GPU compiler knows by name: JAX's random bits.
CUSTOM_CALLS = {"cu_threefry2x32_ffi"}
# A host callback, and what runs in no fixed order or one thread at a time on a GPU.
UNWANTED = ("callback", "select_and_scatter", "stablehlo.scatter", "infeed", "outfeed")
BEFORE = {"convnext": 2, "mlp": 0}  # convolutions before the first activation; of the others one
ACTIVATIONS = {"small_cnn": "prelu", "vgg11": "mish", "alexnet32": "selu"}


def shape(*sizes, dtype=jnp.float32) -> Any:
    return jax.ShapeDtypeStruct(sizes, dtype)


@functools.cache
class Lowered:
    """The texts of a network's programs, lowered for a platform when they are asked for."""

    def __init__(self, model, precision="float32"):
        self.model = models.create_model(model, ACTIVATIONS.get(model, "relu"), precision=precision)
        recipe = program.Recipe(self.model, "none", BATCH, 1e-3, "constant", 0.0, 0)
        self.program = program.build(recipe)
        size = models.input_size(model)
        image = (size, size, 1 if model == "small_cnn" else 3)
        fitted = (shape(image[-1]), shape(image[-1]), None, shape(image[-1], image[-1]))
        self.keys = jax.eval_shape(lambda: Keys.from_seed(0))
        self.image = image
        self.state = jax.eval_shape(self.program.init.function, self.keys.init, shape(1, *image))
        self.train_examples = self.examples(IMAGES, image, fitted)
        self.probe = self.examples(BATCH, image, fitted[:3])
        self.batches = self.examples((2, BATCH), image, fitted[:3])

    @staticmethod
    def examples(count, image, fitted):
        counts = count if isinstance(count, tuple) else (count,)
        images = shape(*counts, *image, dtype=jnp.uint8)
        return Examples(images, shape(*counts, dtype=jnp.int32), *fitted)

    @property
    def convolutions(self):
        kernels = [leaf for leaf in jax.tree.leaves(self.state.params) if leaf.ndim == 4]
        return len(kernels)

    def text(self, name, platform):
        totals = jax.eval_shape(Totals.zero)
        order = shape(IMAGES, dtype=jnp.int32)
        arguments = {
            "init": (self.keys.init, shape(1, *self.image)),
            "order": (self.keys.order, shape(dtype=jnp.int32), self.train_examples.labels),
            "train": (3, self.state, totals, order, self.train_examples, self.keys),
            "evaluate": (self.state, self.batches),
            "health": (self.state, self.probe),
        }
        if name == "latency":
            fitted = self.probe.preprocessing
            image = shape(1, *self.image, dtype=jnp.uint8)
            variables = jax.eval_shape(self.program.fold, self.state, image, *fitted)
            traced = self.program.classifier.logits.trace(variables, image)
            return traced.lower(lowering_platforms=(platform,)).as_text()
        function = getattr(self.program, name)
        return function.lower(*arguments[name], platform=platform).as_text()


def expected_convolutions(name, model, layers):
    """The forward pass has one a layer; training two more, for the gradients of kernel and input.

    The first layer's input is the images, of which no gradient is taken; health wants none of
    kernels, and begins behind the first activation.
    """
    return {
        "init": 0,  # the forward pass is for shapes alone, and dropped
        "order": 0,
        "train": max(3 * layers - 1, 0),
        "evaluate": layers,
        "health": 2 * layers - BEFORE.get(model, 1),
        "latency": layers,
    }[name]


def assert_fit_for_a_gpu(text):
    assert not [word for word in UNWANTED if word in text]
    assert set(re.findall(r"stablehlo.custom_call @(\w+)", text)) <= CUSTOM_CALLS


def products(text):
    """The lines of matrix products and convolutions."""
    names = "stablehlo.convolution", "stablehlo.dot_general"
    return [line for line in text.splitlines() if any(name in line for name in names)]


# All evaluate what all of their other programs are made of.
@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("model", "name"),
    [
        *itertools.product(networks.PUBLISHED, ["evaluate"]),
        *itertools.product(["small_cnn", "preact_resnet18", "convnext"], ["health", "latency"]),
        ("convnext", "init"),
        ("small_cnn", "order"),
    ],
)
def test_programs_are_fit_for_a_gpu(model, name):
    lowered = Lowered(model)
    text = lowered.text(name, "cuda")
    assert_fit_for_a_gpu(text)
    count = text.count("stablehlo.convolution")
    assert count == expected_convolutions(name, model, lowered.convolutions)
    assert all("HIGHEST" in line for line in products(text))


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("model", "precision"),
    [
        *itertools.product(networks.OF_EACH_KIND, ["float32"]),
        *itertools.product(["small_cnn", "preact_resnet18", "convnext"], ["bfloat16"]),
        ("small_cnn", "tf32"),
    ],
)
def test_training_is_fit_for_a_gpu(model, precision):
    lowered = Lowered(model, precision)
    text = lowered.text("train", "cuda")
    assert_fit_for_a_gpu(text)
    found = products(text)
    count = text.count("stablehlo.convolution")
    assert count == expected_convolutions("train", model, lowered.convolutions)
    is_highest = ["HIGHEST" in line for line in found]
    assert all(is_highest) if precision == "float32" else not any(is_highest)
    in_bfloat16 = ["bf16" in line for line in found]
    assert all(in_bfloat16) if precision == "bfloat16" else not any(in_bfloat16)


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_no_loss_scatters(loss):
    def mean(logits, labels):
        return losses.Objective(loss).losses(logits, labels).mean()

    soft, hard = shape(BATCH, CLASSES), shape(BATCH, dtype=jnp.int32)
    for labels in (soft, hard):
        traced = jax.jit(jax.value_and_grad(mean)).trace(shape(BATCH, CLASSES), labels)
        assert_fit_for_a_gpu(traced.lower(lowering_platforms=("cuda",)).as_text())


@pytest.mark.parametrize("augment", data.augmentations())
def test_augmentations_are_fit_for_a_gpu(augment):
    function = jax.jit(functools.partial(data.augment_examples, augment, CLASSES))
    images, labels = shape(BATCH, 32, 32, 3, dtype=jnp.uint8), shape(BATCH, dtype=jnp.int32)
    keys = jax.eval_shape(lambda: Keys.from_seed(0))
    traced = function.trace(keys.augmentation, images, labels, shape(3, 3))
    assert_fit_for_a_gpu(traced.lower(lowering_platforms=("cuda",)).as_text())


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("model", "name"),
    [
        *itertools.product(networks.OF_EACH_KIND, ["train"]),
        *itertools.product(sorted(networks.PUBLISHED.keys() - networks.OF_EACH_KIND), ["evaluate"]),
    ],
)
def test_what_is_float32_stays_so_on_a_cpu(model, name):
    text = Lowered(model).text(name, "cpu")
    assert "stablehlo.convolution" not in text
    assert products(text)
    assert all("HIGHEST" in line for line in products(text))


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("model", networks.OF_EACH_KIND)
def test_convolution_is_that_of_the_platform_wherever_it_is_traced(model):
    lowered = Lowered(model)
    variables = lowered.state.variables

    @jax.jit
    def logits(variables, images):
        return models.predict(lowered.model, variables, images)

    traced = logits.trace(variables, shape(BATCH, *lowered.image))
    for platform in ("cpu", "cuda", "tpu"):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        expected = 0 if platform == "cpu" else lowered.convolutions
        assert text.count("stablehlo.convolution") == expected
