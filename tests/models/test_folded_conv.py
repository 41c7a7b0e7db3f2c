"""The convolution of folded networks is that of Flax, its kernel stored otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact.models.folded_conv import FoldedConv


@pytest.mark.parametrize(
    ("padding", "stride", "groups", "dtype", "tolerance"),
    [
        ("SAME", 1, 1, "float32", 1e-5),
        ("VALID", 1, 1, "float32", 1e-5),
        ("SAME", 2, 1, "float32", 1e-5),
        ("SAME", 1, 2, "float32", 1e-5),
        ("SAME", 1, 1, "bfloat16", 2e-2),
    ],
)
@pytest.mark.parametrize("batch", [1, 16])
def test_folded_convolution_is_flaxs(batch, padding, stride, groups, dtype, tolerance):
    settings = {"padding": padding, "dtype": jnp.dtype(dtype)}
    keys = jax.random.split(jax.random.key(0), 3)
    images = jax.random.normal(keys[0], (batch, 9, 8, 4))
    stock = nn.Conv(6, (3, 3), strides=stride, feature_group_count=groups, **settings)
    layer = stock.init(keys[1], images)["params"]
    layer = {**layer, "bias": jax.random.normal(keys[2], (6,))}
    expected = jnp.asarray(stock.apply({"params": layer}, images))
    folded = FoldedConv(
        6, 3, stride=stride, groups=groups, precision=jax.lax.Precision.HIGHEST, **settings
    )
    stored = {**layer, "kernel": layer["kernel"].transpose(3, 0, 1, 2)}
    actual = jnp.asarray(folded.apply({"params": stored}, images))
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(
        actual.astype(np.float32),
        expected.astype(np.float32),
        rtol=tolerance,
        atol=tolerance * float(jnp.abs(expected).max()),
    )
