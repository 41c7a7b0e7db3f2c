"""BatchNorm folded into the convolutions gives the same logits."""

from typing import ClassVar

import jax
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.inference.folding import fold_batch_norm
from jaxact.models.layers.common import flatten
from tests.support.variables import drawn


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_folded_vgg_gives_the_same_logits(activation):
    model = models.create_model("vgg11", activation)
    variables = drawn(model, 32, 32, 3)
    images = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype(np.float32)
    predict = jax.jit(models.predict, static_argnums=0)
    expected = np.asarray(predict(model, variables, images))
    folded_models = []

    @jax.jit
    def fold(variables):
        folded, variables = fold_batch_norm(model, variables)
        folded_models.append(folded)
        return variables

    folded_variables = fold(variables)
    assert "batch_stats" not in folded_variables
    assert not any(name.startswith("BatchNorm") for name in folded_variables["params"])
    actual = predict(folded_models[0], folded_variables, images)
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
    images = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype(np.float32)
    folded, folded_variables = fold_batch_norm(model, variables)
    conv, norm = variables["params"]["Conv_0"], variables["params"]["BatchNorm_0"]
    divisors = np.sqrt(np.array([1e-5, 2e-5, 0.3 + 1e-5]))
    bias = folded_variables["params"]["FoldedConv_0"]["bias"]
    expected = (conv["bias"] - statistics["mean"]) * norm["scale"] / divisors + norm["bias"]
    np.testing.assert_allclose(bias, expected, rtol=1e-5)
    predict = jax.jit(models.predict, static_argnums=0)
    logits = predict(model, variables, images), predict(folded, folded_variables, images)
    np.testing.assert_allclose(*logits, rtol=1e-3, atol=1e-3)


def test_a_model_without_batch_norm_stays_as_it_is():
    model = models.create_model("small_cnn")
    variables = drawn(model, 28, 28, 1)
    folded, folded_variables = fold_batch_norm(model, variables)
    assert folded == model
    assert folded_variables == variables


def test_a_model_that_hides_its_batch_norm_is_told_what_to_say():
    class Hiding(models.SmallCNN):
        def conv_and_pool(self, *arguments):
            return self.batch_norm(super().conv_and_pool(*arguments), train=False)

    with pytest.raises(TypeError, match="normalizes = True"):
        drawn(Hiding(activations.get("relu")), 28, 28, 1)
