"""The convolution of folded networks is that of Flax, its kernel stored otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact.models.convolution.folded import FoldedConv


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
def test_folded_convolution_is_flaxs(padding, stride, groups, dtype, tolerance):
    settings = {"padding": padding, "dtype": jnp.dtype(dtype)}
    rng = np.random.default_rng(0)
    images, kernel, bias = (
        rng.standard_normal(shape, np.float32)
        for shape in ((2, 9, 8, 4), (3, 3, 4 // groups, 6), 6)
    )
    stock = nn.Conv(6, (3, 3), strides=stride, feature_group_count=groups, **settings)
    folded = FoldedConv(
        6, 3, stride=stride, groups=groups, precision=jax.lax.Precision.HIGHEST, **settings
    )

    @jax.jit
    def both(images, kernel, bias):
        layers = (folded, kernel.transpose(3, 0, 1, 2)), (stock, kernel)
        return [
            layer.apply({"params": {"kernel": stored, "bias": bias}}, images)
            for layer, stored in layers
        ]

    actual, expected = jax.device_get(both(images, kernel, bias))
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(
        actual.astype(np.float32),
        expected.astype(np.float32),
        rtol=tolerance,
        atol=tolerance * float(np.abs(expected).max()),
    )
