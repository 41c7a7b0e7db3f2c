"""Networks as users have them, of both of Flax's APIs, by their specs."""

LINEN = ("WithSetup", "WithSetup(width=6)", "Compact", "PreActivation")
try:
    from tests.support.own_networks import nnx_networks as nnx_networks

    NNX = ("Residual", "Next(width=4)")
except ImportError:  # flax.nnx does not go with every version of JAX
    NNX = ()


def spec(name: str) -> str:
    """The spec of one of them, arguments included."""
    file = "nnx_networks" if name in NNX else "linen_networks"
    return f"tests.support.own_networks.{file}:{name}"
