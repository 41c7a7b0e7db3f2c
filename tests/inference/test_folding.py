"""BatchNorm folded into the convolutions gives the same logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations, models
from jaxact.inference.folding import fold_batch_norm


def random_like(tree, key):
    leaves, structure = jax.tree.flatten(tree)
    keys = jax.random.split(key, len(leaves))
    drawn = [
        jax.random.uniform(k, leaf.shape, minval=0.5) for k, leaf in zip(keys, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, drawn)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_folded_vgg_gives_the_same_logits(activation):
    model = models.create_model("vgg11", activation)
    images = jax.random.normal(jax.random.key(1), (3, 32, 32, 3))
    variables = dict(model.init(jax.random.key(0), images, train=False))
    variables["batch_stats"] = random_like(variables["batch_stats"], jax.random.key(2))
    params = dict(variables["params"])
    for name in params:
        if name.startswith("BatchNorm"):
            params[name] = random_like(params[name], jax.random.key(3))
    variables["params"] = params
    expected = models.predict(model, variables, images)
    folded, folded_variables = fold_batch_norm(model, variables)
    assert "batch_stats" not in folded_variables
    assert not any(name.startswith("BatchNorm") for name in folded_variables["params"])
    actual = models.predict(folded, folded_variables, images)
    np.testing.assert_allclose(
        actual, expected, rtol=1e-4, atol=1e-4 * float(jnp.abs(expected).max())
    )
    assert "BatchNorm_0" in variables["params"]


def test_a_model_without_batch_norm_stays_as_it_is():
    model = models.create_model("small_cnn")
    variables = model.init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)), train=False)
    folded, folded_variables = fold_batch_norm(model, variables)
    assert folded == model
    assert folded_variables == dict(variables)


def test_a_model_that_hides_its_batch_norm_is_told_what_to_say():
    class Hiding(models.SmallCNN):
        def conv_and_pool(self, *arguments):
            return self.batch_norm(super().conv_and_pool(*arguments), train=False)

    with pytest.raises(TypeError, match="normalizes = True"):
        Hiding(activations.get("relu")).init(
            jax.random.key(0), jnp.zeros((1, 28, 28, 1)), train=False
        )
