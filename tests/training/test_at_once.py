"""The programs of several runs at once, lowered for an accelerator; and what they are made of."""

import dataclasses
import functools
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models
from jaxact.compilation.ahead_of_time import AheadOfTime
from jaxact.compilation.clock import Clock
from jaxact.models.convolution import lowering
from jaxact.runs.setup import initial_state, prepare
from jaxact.training import at_once, program
from jaxact.training.state import Totals
from jaxact.training.steps import Examples, Keys

LANES, BATCH, IMAGES = 3, 4, 12


def shape(*sizes, dtype=jnp.float32) -> Any:
    return jax.ShapeDtypeStruct(sizes, dtype)


@functools.cache
def train_text(model, by_patches, precision="float32"):
    """The training steps of three runs, as they are lowered for a CUDA GPU."""
    network = models.create_model(model, "relu", precision=precision)
    recipe = program.Recipe(network, "none", BATCH, 1e-3, "constant", 0.0, 0)
    together = at_once.at_once(program.build(recipe), by_patches)
    image = network.image_shape
    keys = jax.eval_shape(lambda: at_once.stacked(*map(Keys.from_seed, range(LANES))))
    state = jax.eval_shape(together.init.function, keys.init, shape(1, *image))
    examples = Examples(
        shape(IMAGES, *image, dtype=jnp.uint8),
        shape(IMAGES, dtype=jnp.int32),
        shape(image[-1]),
        shape(image[-1]),
    )
    totals = jax.eval_shape(lambda: Totals.zero((LANES,)))
    order = shape(LANES, IMAGES, dtype=jnp.int32)
    train = cast(AheadOfTime, together.train)
    return train.lower(3, state, totals, order, examples, keys, platform="cuda").as_text()


def lines(text, name):
    return [line for line in text.splitlines() if f"stablehlo.{name}" in line]


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_narrow_convolutions_are_products_of_patches_on_a_gpu(precision):
    text = train_text("small_cnn", True, precision)
    assert not lines(text, "convolution")
    products = lines(text, "dot_general")
    # Two convolutions and two dense layers, with their gradients; none of the images.
    assert len(products) == 3 * 4 - 1
    assert all("batching_dims = [0] x [0]" in line for line in products)
    assert [("HIGHEST" in line) for line in products] == [precision == "float32"] * len(products)
    assert [("bf16" in line) for line in products] == [precision == "bfloat16"] * len(products)
    for word in ("callback", "select_and_scatter", "stablehlo.scatter"):
        assert word not in text


def test_they_can_be_groups():
    text = train_text("small_cnn", False)
    groups = [line for line in lines(text, "convolution") if f"_group_count = {LANES}" in line]
    assert len(groups) == 3 * 2 - 1


@pytest.mark.usefixtures("thin_networks")
def test_wide_ones_stay_groups_on_a_gpu(monkeypatch):
    monkeypatch.setattr(lowering.choice, "WIDE", 8)  # of thin networks
    train_text.cache_clear()
    text = train_text("vgg11", True)
    train_text.cache_clear()
    # Of four convolutions two see 3 and 4 channels; there is one dense layer.
    assert len(lines(text, "convolution")) == 3 * 2
    assert len(lines(text, "dot_general")) == 3 * 2 - 1 + 3


def test_a_run_alone_keeps_the_convolution_of_its_platform():
    images, kernel = jnp.ones((2, 9, 9, 1)), jnp.ones((3, 3, 1, 4))

    def convolve(images, kernel):
        numbers = ("NHWC", "HWIO", "NHWC")
        return lowering.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=numbers
        )

    def text():  # a function of its own each time
        with lowering.traced_for("cuda"):
            return str(jax.make_jaxpr(lambda *given: convolve(*given))(images, kernel))

    with lowering.each_its_kernel():
        within = text()
    assert "conv_general_dilated" not in within
    assert "conv_general_dilated" in text()


@pytest.mark.parametrize(
    ("strides", "dilation", "size", "pools"),
    [
        ((1, 1), (1, 1), 3, True),
        ((1, 1), (2, 2), 3, False),
        ((2, 1), (1, 1), 3, False),
        ((2, 2), (1, 1), 1, False),
        ((2, 1), (2, 2), 3, True),
    ],
)
def test_patches_compute_what_the_platform_does(strides, dilation, size, pools):
    key = jax.random.key(0)
    images = jax.random.normal(key, (2, 10, 9, 3))
    kernel = jax.random.normal(key, (size, size, 3, 4))
    options = {
        "numbers": lowering._NHWC,
        "strides": strides,
        "padding": ((1, 2), (0, 1)),
        "dilation": dilation,
        "groups": 1,
        "pools": pools,
        "precision": "highest",
    }
    expected = lowering._by_xla(images, kernel, **options)
    actual = lowering._narrow_by_patches(images, kernel, **options)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_lanes_are_put_together_and_taken_apart(tiny):
    setup, clock = prepare(tiny), Clock()
    states = [
        dataclasses.replace(initial_state(setup.with_seed(seed), clock), step=jnp.int32(7))
        for seed in range(LANES)
    ]
    together = at_once.stacked_states(*states)
    assert together.step.shape == ()
    for place, state in enumerate(states):
        own = at_once.lane_of_state(together, place)
        jax.tree.map(np.testing.assert_array_equal, own, state)
    is_new = jnp.array([False, True, False])
    mixed = at_once.where(is_new, at_once.stacked(*[states[0].params] * LANES), together.params)
    for place, seed in enumerate((0, 0, 2)):
        own = at_once.lane(mixed, place)
        jax.tree.map(np.testing.assert_array_equal, own, states[seed].params)


def test_recipes_share_their_programs(tiny):
    first, second = (prepare(dataclasses.replace(tiny, seed=seed)) for seed in (0, 1))
    assert at_once.at_once(first.program) is at_once.at_once(second.program)
    assert at_once.at_once(first.program) is not at_once.at_once(first.program, False)


def test_begin_states_are_those_of_each_seed_alone(tiny):
    setup, clock = prepare(tiny), Clock()
    keys = at_once.stacked(*map(Keys.from_seed, range(LANES)))
    group = dataclasses.replace(setup, program=at_once.at_once(setup.program), keys=keys)
    assert (setup.lanes, group.lanes) == ((), (LANES,))
    together = initial_state(group, clock)
    for seed in range(LANES):
        alone = initial_state(setup.with_seed(seed), clock)
        own = at_once.lane_of_state(together, seed)
        jax.tree.map(np.testing.assert_array_equal, own, alone)
