"""BatchNorm folded into the convolutions gives the same logits."""

import jax
import numpy as np
import pytest

from jaxact import activations, models
from jaxact.inference.folding import fold_batch_norm
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
