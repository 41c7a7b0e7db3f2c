"""Networks as users have them, of both of Flax's APIs, by their specs."""

from typing import Any

import pytest

LINEN = ("WithSetup", "WithSetup(width=6)", "Compact", "PreActivation")
try:
    from tests.support.own_networks import nnx_networks as nnx_networks

    NNX = ("Residual", "Next(width=4)")
except (ImportError, AttributeError):  # flax.nnx does not go with every version of JAX
    NNX = ()


def spec(name: str) -> str:
    """The spec of one of them, arguments included."""
    file = "nnx_networks" if name in NNX else "linen_networks"
    return f"tests.support.own_networks.{file}:{name}"


def nnx_or_skip() -> Any:
    """The module flax.nnx; skips the test where this Flax's does not go with this JAX."""
    try:
        from flax import nnx
    except (ImportError, AttributeError) as error:
        pytest.skip(f"this Flax's NNX is not for this JAX: {error}")
    return nnx
