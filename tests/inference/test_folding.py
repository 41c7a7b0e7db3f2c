"""BatchNorm folded into the convolutions gives the same logits."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.inference.folding import fold_batch_norm, predict
from jaxact.models.layers.common import flatten
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")


def logits_of(model, variables, images):
    """The network's own, those after folding, and what was folded."""
    found = []

    @jax.jit
    def both(variables, images):
        folded = fold_batch_norm(model, variables, images)
        found.append(folded)
        return models.predict(model, variables, images), predict(model, folded, images)

    return *jax.device_get(both(variables, images)), found[0]


def random_images(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("name", "activation"),
    [("vgg11", "prelu"), ("resnet18", "relu"), ("mobilenet_v2", "relu")],
)
def test_a_folded_network_gives_the_same_logits(name, activation):
    model = models.create_model(name, activation)
    variables = drawn(model, 32, 32, 3)
    expected, actual, folded = logits_of(model, variables, random_images(3, 32, 32, 3))
    assert folded["folded"].keys() == {layer for layer in variables["params"] if "Conv" in layer}
    assert not folded["batch_stats"]
    assert not any(name.startswith(("BatchNorm", "Conv")) for name in folded["params"])
    np.testing.assert_allclose(
        actual, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max())
    )
    assert "BatchNorm_0" in variables["params"]


class Normalized(models.ConvNet):
    """A convolution with BatchNorm, and a dense layer."""

    input_size: ClassVar[int] = 8
    normalizes: ClassVar[bool] = True

    @nn.compact
    def __call__(self, images, *, train):
        x = self.batch_norm(self.conv(images, 3, 3, "SAME"), train)
        return self.logits(flatten(self.activate(x)))


def test_channels_that_hardly_vary_are_divided_by_what_batch_norm_divides_them_by():
    model = Normalized(activations.get("tanh"))
    variables = drawn(model, 8, 8, 1)
    statistics = variables["batch_stats"]["BatchNorm_0"]
    statistics["var"] = np.array([0, 1e-5, 0.3], np.float32)
    expected, actual, folded = logits_of(model, variables, random_images(2, 8, 8, 1))
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)
    assert list(folded["folded"]) == ["Conv_0"]


class Block(nn.Module):
    """A convolution and BatchNorm, in the order and with the settings that are asked for."""

    conv: dict
    norm: dict
    is_first: bool = False  # whether BatchNorm is
    between: bool = False  # whether something lies between them
    skips: bool = False  # whether the convolution's outputs are used once more

    @nn.compact
    def __call__(self, x):
        conv = nn.Conv(4, (3, 3), **self.conv)
        norm = nn.BatchNorm(use_running_average=True, **self.norm)
        if self.is_first:
            return conv(nn.relu(norm(x)))
        y = conv(x)
        z = norm(nn.relu(y) if self.between else y)
        return z + y if self.skips else z


class Mixed(models.ConvNet):
    """A convolution that is not normalised, then a block twice."""

    input_size: ClassVar[int] = 8
    normalizes: ClassVar[bool] = True
    block: tuple = ()

    @nn.compact
    def __call__(self, images, *, train):
        x = self.activate(self.conv(images, 4, 3, "SAME"))
        for _ in range(2):
            x = self.activate(Block(**{"conv": {}, "norm": {}, **dict(self.block)})(x))
        return self.logits(flatten(x))


@pytest.mark.parametrize(
    ("block", "is_folded"),
    [
        ({}, True),
        ({"conv": {"use_bias": False}}, True),
        ({"norm": {"use_scale": False}}, True),
        ({"norm": {"use_bias": False, "epsilon": 0.1}}, True),
        ({"conv": {"strides": 2, "padding": 1, "feature_group_count": 2}}, True),
        ({"conv": {"padding": ((2, 0), (1, 1))}}, True),
        ({"conv": {"kernel_dilation": 2}}, False),
        ({"conv": {"padding": "CIRCULAR"}}, False),
        ({"norm": {"axis": 1}}, False),
        ({"is_first": True}, False),
        ({"between": True}, False),
        ({"skips": True}, False),
    ],
    ids=str,
)
def test_batch_norm_is_folded_into_the_convolution_that_it_follows_alone(block, is_folded):
    model = Mixed(activations.get("swish"), block=tuple(block.items()))
    variables = drawn(model, 8, 8, 1)
    expected, actual, folded = logits_of(model, variables, random_images(2, 8, 8, 1))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    names = [f"Block_{k}/Conv_0" for k in range(2)] if is_folded else []
    assert list(folded.get("folded", {})) == names
    assert "Conv_0" in folded["params"]


def test_a_convolution_that_is_called_twice_is_not_folded():
    class Twice(models.ConvNet):
        input_size: ClassVar[int] = 8
        normalizes: ClassVar[bool] = True

        @nn.compact
        def __call__(self, images, *, train):
            conv, norm = nn.Conv(1, (3, 3)), nn.BatchNorm(use_running_average=True)
            return self.logits(flatten(conv(self.activate(norm(conv(images))))))

    model = Twice(activations.get("swish"))
    expected, actual, folded = logits_of(model, drawn(model, 8, 8, 1), random_images(2, 8, 8, 1))
    np.testing.assert_array_equal(actual, expected)
    assert "folded" not in folded


class Normed(nn.Module):
    """A convolution with BatchNorm, as modules of one's own have them."""

    @nn.compact
    def __call__(self, x):
        return nn.BatchNorm(use_running_average=True)(nn.Conv(4, (3, 3))(x))


class Standardized(nn.Conv):
    """Weight standardisation."""

    def param(self, name, *arguments, **options):
        value = super().param(name, *arguments, **options)
        return value - value.mean((0, 1, 2)) if name == "kernel" else value


class ScaledByTwo(nn.BatchNorm):
    def param(self, name, *arguments, **options):
        return super().param(name, *arguments, **options) * 2


def normed_by_maps(x):
    vmap: Any = nn.vmap
    axes = {"params": 0, "batch_stats": 0}
    many = vmap(Normed, axes, split_rngs={"params": True}, in_axes=None, axis_size=2)
    return many()(x).sum(0)


def normed_and(use):
    """A network's layers, of whose variables the network itself makes use."""

    def layers(x):
        conv, norm = nn.Conv(4, (3, 3)), nn.BatchNorm(use_running_average=True)
        return use(norm(conv(x)), conv, norm, x)

    return layers


def normed(conv, norm=nn.BatchNorm):
    return lambda x: norm(use_running_average=True)(conv(x))


@pytest.mark.parametrize(
    "layers",
    [
        normed(lambda x: Standardized(4, (3, 3))(x)),
        normed(lambda x: nn.WeightNorm(nn.Conv(4, (3, 3)))(x)),
        normed(lambda x: nn.SpectralNorm(nn.Conv(4, (3, 3)))(x, update_stats=False)),
        normed(
            lambda x: nn.Conv(
                4,
                (3, 3),
                conv_general_dilated=lambda *a, **o: 2 * jax.lax.conv_general_dilated(*a, **o),
            )(x)
        ),
        normed(lambda x: nn.Conv(4, (3, 3))(x), ScaledByTwo),
        normed_by_maps,
        normed_and(lambda y, conv, norm, x: y + conv.variables["params"]["kernel"].sum()),
        normed_and(lambda y, conv, norm, x: y * norm.variables["batch_stats"]["var"]),
        normed_and(lambda y, conv, norm, x: y + conv(inputs=x)),
    ],
    ids=[
        *("kernel", "weight_norm", "spectral_norm", "convolution", "scale", "vmap"),
        *("kernel_used", "variance_used", "called_by_keyword"),
    ],
)
def test_what_is_not_as_it_seems_is_not_folded(layers):
    class Own(models.ConvNet):
        input_size: ClassVar[int] = 8
        normalizes: ClassVar[bool] = True

        @nn.compact
        def __call__(self, images, *, train):
            return self.logits(flatten(self.activate(layers(images))))

    model = Own(activations.get("swish"))
    variables = jax.tree.map(abs, drawn(model, 8, 8, 1))
    expected, actual, folded = logits_of(model, variables, random_images(2, 8, 8, 1))
    np.testing.assert_array_equal(actual, expected)
    assert "folded" not in folded


@pytest.mark.parametrize("dtype", [None, jnp.bfloat16])
def test_what_follows_a_folded_batch_norm_keeps_its_dtype(dtype):
    seen = []

    class Rounding(models.ConvNet):
        input_size: ClassVar[int] = 8
        normalizes: ClassVar[bool] = True

        @nn.compact
        def __call__(self, images, *, train):
            x = nn.Conv(4, (3, 3), dtype=jnp.bfloat16)(images)
            x = nn.BatchNorm(use_running_average=True, dtype=dtype)(x)
            seen.append(x.dtype)
            return self.logits(flatten(self.activate(x)))

    model = Rounding(activations.get("swish"))
    with jax.numpy_dtype_promotion("standard"):
        *_, folded = logits_of(model, drawn(model, 8, 8, 1), random_images(2, 8, 8, 1))
    assert list(folded["folded"]) == ["Conv_0"]
    assert set(seen) == {jnp.dtype(dtype or jnp.float32)}


def test_a_model_without_batch_norm_stays_as_it_is():
    model = models.create_model("small_cnn")
    variables = drawn(model, 28, 28, 1)
    assert fold_batch_norm(model, variables, random_images(1, 28, 28, 1)) == variables


def test_a_model_that_hides_its_batch_norm_is_told_what_to_say():
    class Hiding(models.SmallCNN):
        def conv_and_pool(self, *arguments):
            return self.batch_norm(super().conv_and_pool(*arguments), train=False)

    with pytest.raises(TypeError, match="normalizes = True"):
        drawn(Hiding(activations.get("relu")), 28, 28, 1)
