"""BatchNorm folded into the convolution before it: exact in evaluation, a pass less a layer."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxact.models import ConvNet
from jaxact.models.layers.conv_net import BATCH_NORM_EPSILON


def fold_batch_norm(model: ConvNet, variables: Mapping[str, Any]) -> tuple[ConvNet, dict[str, Any]]:
    """The same network without BatchNorm, and its parameters; a model without any stays as it is.

    Evaluated, BatchNorm is `scale (x - mean) / sqrt(var + epsilon) + bias` with constants, and `x`
    is linear in the kernel and bias of the convolution before it: `Conv_i` for `BatchNorm_i`.

    Args:
      model: as trained.
      variables: "params" and "batch_stats".

    Returns:
      A model and variables for `jaxact.models.predict`; training them is no use. `Conv_i` is now
      `FoldedConv_i`, its kernel stored output-major.
    """
    if not variables.get("batch_stats"):
        return model, dict(variables)
    params = dict(variables["params"])
    for norm, statistics in variables["batch_stats"].items():
        conv = norm.replace("BatchNorm", "Conv")
        params[conv] = _folded(params[conv], params.pop(norm), statistics)
    for conv in [name for name in params if name.startswith("Conv_")]:
        layer = params.pop(conv)
        params[f"Folded{conv}"] = {**layer, "kernel": layer["kernel"].transpose(3, 0, 1, 2)}
    return model.clone(folded=True), {"params": params}


def _folded(
    conv: Mapping[str, Array], norm: Mapping[str, Array], statistics: Mapping[str, Array]
) -> dict[str, Array]:
    factor = norm["scale"] / jnp.sqrt(statistics["var"] + BATCH_NORM_EPSILON)
    return {
        "kernel": conv["kernel"] * factor,
        "bias": (conv["bias"] - statistics["mean"]) * factor + norm["bias"],
    }
