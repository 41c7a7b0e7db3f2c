"""BatchNorm folded into the convolution before it: exact in evaluation, a pass less a layer."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn, traverse_util
from flax.linen.linear import canonicalize_padding
from jax import Array, lax
from jax.ad_checkpoint import checkpoint_name

from jaxact.models import ConvNet
from jaxact.models.convolution import lowering
from jaxact.models.inspection.tracing import Call, each_layer
from jaxact.models.protocol import Model

FOLDED = "folded"  # the collection that holds the kernels and biases of folded convolutions
_COMPUTED = (None, lax.conv_general_dilated, lowering.conv_general_dilated)  # what `nn.Conv` calls


def fold_batch_norm(model: Model, variables: Mapping[str, Any], images: Any) -> dict[str, Any]:
    """The variables of the same network without the BatchNorm that can be folded.

    Evaluated, BatchNorm is `scale (x - mean) / sqrt(var + epsilon) + bias` with constants, and `x`
    is linear in the kernel and bias of a convolution before it. It is folded where the traced
    network shows that its inputs are a convolution's outputs, and that nothing else sees these.

    Args:
      model: as trained.
      variables: "params" and "batch_stats".
      images: what has the shape and dtype of normalised images.

    Returns:
      Variables for `predict` of this module; training them is no use. "folded" holds the kernels,
      stored output-major `[features, height, width, channels]`, and biases, by the convolution's
      path; where nothing can be folded, or the network asks for variables of what would be
      folded, it is not there, and the others stay as they are. So they do of the user's modules.
    """
    if not isinstance(model, ConvNet) or not variables.get("batch_stats"):
        return dict(variables)
    layers = _layers_to_fold(model, variables, images)
    if not layers:
        return dict(variables)
    params, statistics = (_by_layer(variables[name]) for name in ("params", "batch_stats"))
    folded = {
        conv: _folded(params.pop(conv), params.pop(path, {}), statistics.pop(path), norm.epsilon)
        for path, (norm, conv) in layers.items()
    }
    left = {"params": params, "batch_stats": statistics}
    result = {
        **variables,
        **{name: traverse_util.unflatten_dict(of, sep="/") for name, of in left.items()},
        FOLDED: folded,
    }
    try:
        jax.eval_shape(functools.partial(predict, model), result, images)
    except Exception:  # whatever a network does with what is not there any more
        return dict(variables)
    return result


def predict(model: Model, variables: Mapping[str, Any], images: Array) -> Array:
    """`jaxact.models.predict` of a network whose BatchNorm may have been folded."""
    folded = variables.get(FOLDED, {})
    if not folded:
        return model.predict(variables, images)
    normalized = _by_layer(variables["batch_stats"])

    def run(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
        if isinstance(layer, nn.Conv) and name in folded:
            return _convolution(layer, folded[name], inputs)
        if isinstance(layer, nn.BatchNorm) and name not in normalized:
            return inputs.astype(_dtype_of_outputs(layer, inputs))
        return call(inputs)

    with each_layer(run):
        left = {name: of for name, of in variables.items() if name != FOLDED}
        return model.predict(left, images)


def _by_layer(collection: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of each layer, by its path; those beside layers by their own."""

    def is_layer(_: tuple[str, ...], value: Mapping[str, Any]) -> bool:
        return not any(isinstance(entry, Mapping) for entry in value.values())

    return traverse_util.flatten_dict(collection, sep="/", is_leaf=is_layer)


def _layers_to_fold(
    model: ConvNet, variables: Mapping[str, Any], images: Any
) -> dict[str, tuple[nn.BatchNorm, str]]:
    """The BatchNorm layers to fold, by path: each with the path of its convolution."""
    norms: dict[str, nn.BatchNorm] = {}
    calls: Counter[str] = Counter()
    given: dict[str, dict[str, Any]] = {}

    def is_as_given(layer: nn.Module, name: str) -> bool:
        """Not so within `vmap`, or where a wrapper such as `nn.WeightNorm` makes its kernel."""
        return all(
            layer.get_variable(collection, key) is value
            for collection, layers in given.items()
            for key, value in layers.get(name, {}).items()
        )

    def mark(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
        calls[name] += 1
        # A class derived from them may compute anything.
        if type(layer) not in (nn.BatchNorm, nn.Conv) or not is_as_given(layer, name):
            return call(inputs)
        if isinstance(layer, nn.BatchNorm) and layer.axis in (-1, inputs.ndim - 1):
            norms[name] = layer.clone(parent=None, name=None)
            return call(checkpoint_name(inputs, name))
        if isinstance(layer, nn.Conv) and _is_plain(layer, inputs):
            return checkpoint_name(call(inputs), name)
        return call(inputs)

    def trace(variables: Mapping[str, Any], images: Array) -> Array:
        given.update({name: _by_layer(variables[name]) for name in ("params", "batch_stats")})
        with each_layer(mark):
            return model.clone(fuses_pooling=False).predict(variables, images)

    found = dict(_followed(jax.make_jaxpr(trace)(variables, images).jaxpr))
    return {
        norm: (norms[norm], conv)
        for conv, norm in found.items()
        if norm in norms and conv not in norms and calls[conv] == calls[norm] == 1
    }


def _followed(jaxpr: Any) -> Iterator[tuple[str, str]]:
    """Pairs of marks: the second one's input is the first one's output, which it alone sees.

    What is traced within another function of JAX is left out: a loop calls a layer many times.
    """
    uses: Counter[Any] = Counter()
    for inputs in (*(equation.invars for equation in jaxpr.eqns), jaxpr.outvars):
        uses.update(v for v in inputs if not hasattr(v, "val"))
    marks = {}
    for equation in jaxpr.eqns:
        if equation.primitive.name == "name":
            (before,) = equation.invars
            if before in marks and uses[before] == 1:
                yield marks[before], equation.params["name"]
            marks[equation.outvars[0]] = equation.params["name"]


def _is_plain(layer: nn.Conv, inputs: Array) -> bool:
    """Whether `_convolution` computes it: of images, not dilated, masked or wrapped around."""
    dilated = {*_pair(layer.input_dilation), *_pair(layer.kernel_dilation)} != {1}
    computes = layer.conv_general_dilated
    return (
        inputs.ndim == 4
        and layer.conv_general_dilated_cls is None
        and getattr(computes, "func", computes) in _COMPUTED
        and layer.mask is None
        and not dilated
        and not (isinstance(layer.padding, str) and layer.padding not in ("SAME", "VALID"))
    )


def _dtype_of_outputs(norm: nn.BatchNorm, inputs: Array) -> Any:
    """The dtype of what BatchNorm gives: where it is not said, its parameters' if that is wider."""
    if norm.dtype is not None or not (norm.use_scale or norm.use_bias):
        return norm.dtype or inputs.dtype
    return jnp.promote_types(inputs.dtype, norm.param_dtype)


def _pair(value: Any) -> tuple[int, ...]:
    """A setting of both axes as Flax takes it: one number, one each, or None."""
    return (value or 1,) * 2 if isinstance(value, int | None) else tuple(value)


def _folded(
    conv: Mapping[str, Array],
    norm: Mapping[str, Array],
    statistics: Mapping[str, Array],
    epsilon: float,
) -> dict[str, Array]:
    factor = norm.get("scale", 1.0) / jnp.sqrt(statistics["var"] + epsilon)
    return {
        "kernel": (conv["kernel"] * factor).transpose(3, 0, 1, 2),
        "bias": (conv.get("bias", 0.0) - statistics["mean"]) * factor + norm.get("bias", 0.0),
    }


def _convolution(layer: nn.Conv, folded: Mapping[str, Array], images: Array) -> Array:
    """The convolution that `nn.Conv` computes, by a kernel that is stored output-major.

    The product of one image's few pixels takes as long as to read the kernel, and reads this one in
    order.
    """
    promoted: Any = layer.promote_dtype(images, folded["kernel"], folded["bias"], dtype=layer.dtype)
    x, kernel, bias = promoted
    outputs = lowering.conv_general_dilated(
        x,
        kernel,
        _pair(layer.strides),
        canonicalize_padding(layer.padding, 2),
        dimension_numbers=lowering.OUTPUT_MAJOR,
        feature_group_count=layer.feature_group_count,
        precision=layer.precision,
    )
    return outputs + bias
