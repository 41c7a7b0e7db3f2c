"""A look at the user's network before it is trained, from traces alone; nothing is computed."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp

from jaxact.activations import Activation, ChannelActivation, channel_names, get
from jaxact.activations.program_hash import Opaque, program_hash
from jaxact.errors import ConfigError
from jaxact.models.convolution.lowering import traced_for
from jaxact.models.convolution.rewriting import (
    CONVOLUTION,
    equations,
    holds_slow_convolution,
    programs,
)
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.given_activation import GivenActivation, Kind
from jaxact.models.own import passes
from jaxact.models.own.factories import Factory
from jaxact.models.own.model import OwnModel
from jaxact.models.own.passes import Traced

# What a traced program calls activations that a module has hard-coded. A sigmoid or a softmax is as
# often a gate, or attention.
OTHERS = frozenset(
    (
        "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish",
        "softplus", "hard_tanh", "hard_swish", "hard_silu", "squareplus", "tanh",
    )
)  # fmt: skip


class Examined(NamedTuple):
    """A network that can be trained, and what its user should know.

    Attributes:
      model: the network.
      notes: sentences.
      fingerprint: what it computes, as `change` compares it; None of jaxact's own.
    """

    model: ConvNet | OwnModel
    notes: tuple[str, ...]
    fingerprint: Mapping[str, Any] | None


def examined(
    factory: Factory,
    activation: Activation,
    num_classes: int,
    image_shape: tuple[int, ...],
    sharing: str = "layer",
    precision: str = "float32",
) -> Examined:
    """The network of a factory, once its passes have been traced.

    Args:
      image_shape: `(height, width, channels)` of its images.
      sharing, precision: as `jaxact.models.create_model` takes them.

    Raises:
      ConfigError: of one line: it cannot be made, fails, never calls its activation, or gives
        something else than logits.
    """
    dtype = precision if precision == "bfloat16" else None
    traced = passes.traced(factory, num_classes, image_shape, dtype)
    if isinstance(activation, ChannelActivation):
        traced = _with_channels(factory, activation, traced, num_classes, image_shape, dtype)
    if not traced.channels:
        raise ConfigError(
            f"{factory.spec} never calls its {factory.activation_argument}: call it wherever the "
            "activation under test belongs"
        )
    evaluated = sum(kind is not Kind.DROPPED for kind in traced.kinds)
    if activation.learns and not traced.calls_alike:
        raise ConfigError(
            f"{factory.spec} calls its activation {len(traced.channels)} times in training and "
            f"{evaluated} in evaluation; {activation.spec} has parameters of its "
            "own for each call: call it as often in both"
        )
    model = OwnModel(
        factory.spec,
        passes.module_of(factory, GivenActivation(activation), num_classes, dtype),
        activation,
        num_classes,
        sharing,
        precision,
        channels=traced.channels,
        kinds=traced.kinds,
        carried=traced.carried,
    )
    is_lowered = _is_lowered(model, image_shape)
    model = dataclasses.replace(model, is_lowered=is_lowered)
    return Examined(model, _notes(factory, traced, activation), _fingerprint(traced))


def _with_channels(
    factory: Factory,
    activation: ChannelActivation,
    plain: Traced,
    num_classes: int,
    image_shape: tuple[int, ...],
    dtype: str | None,
) -> Traced:
    """The passes with a function that sees channels, if the module makes room for it.

    Args:
      plain: those with one that keeps the number of channels.
    """
    if not activation.is_pointwise:
        known = [name for name in channel_names() if _is_pointwise(get(name))]
        raise ConfigError(
            f"{factory.spec} cannot hold {activation.spec}, which sees whole images: choose a "
            f"network of jaxact's own, or one of {', '.join(known)}"
        )
    if activation.ratio == 1:
        return plain
    argument = factory.activation_argument
    unprepared = ConfigError(
        f"{factory.spec} leaves no room for {activation.spec}, which takes {activation.ratio} "
        f"channels for each that it gives: make the layer before it as wide as "
        f"{argument}.input_channels(n), where n channels come out of the activation"
    )
    try:
        traced = passes.traced(factory, num_classes, image_shape, dtype, activation)
    except ConfigError as error:
        raise unprepared from error
    if traced.channels != tuple(map(activation.input_channels, plain.channels)):
        raise unprepared
    return traced


def _is_pointwise(activation: Activation) -> bool:
    return isinstance(activation, ChannelActivation) and activation.is_pointwise


def _is_lowered(model: OwnModel, image_shape: tuple[int, ...]) -> bool:
    """Whether no slow convolution is left in its gradient; tells faults of the activation, too."""
    images = jax.ShapeDtypeStruct((passes.BATCH, *image_shape), jnp.float32)
    key = jax.eval_shape(lambda: jax.random.key(0))

    def loss(params: Any, collections: Any, images: Any, key: Any) -> Any:
        return model.forward({"params": params, **collections}, images, key)[0].sum()

    variables = jax.eval_shape(model.initial, key, images)
    params = variables.pop("params")
    with traced_for(jax.default_backend()):
        program = jax.make_jaxpr(jax.grad(loss))(params, variables, images, key)
    return not holds_slow_convolution(program)


def _notes(factory: Factory, traced: Traced, activation: Activation) -> tuple[str, ...]:
    _, _, evaluate = traced.programs
    beside = Counter(_other_activations(evaluate))
    times = ", ".join(f"{name} ({n}x)" for name, n in beside.items())
    hard_coded = (
        f"{factory.spec} calls {times} itself, beside the activation under test, which it calls "
        f"{len(traced.channels)}x: those stay as they are"
    )
    lost = sorted(traced.variables.keys() - {"params", *traced.carried})
    dropped = (
        f"{factory.spec}: the variables {', '.join(lost)} change their structure in training, and "
        "are left out"
    )
    within = sum(kind is Kind.WITHIN for kind in traced.kinds)
    unseen = (
        f"{factory.spec}: {within} of the {len(traced.channels)} calls of its activation are "
        "inside remat, scan, vmap or jit, or take no batch: no health is recorded of those"
        + (
            ", and what JAX traces once, as the rounds of a loop, shares its parameters"
            if activation.learns
            else ""
        )
    )
    told = ((hard_coded, beside), (dropped, lost), (unseen, within))
    return tuple(sentence for sentence, holds in told if holds)


def _other_activations(program: Any) -> Iterator[str]:
    """The names of the activations that a traced program calls by themselves."""
    for equation in getattr(program, "jaxpr", program).eqns:
        name = equation.params.get("name", equation.primitive.name)
        if name in OTHERS:
            yield name
        else:
            for inner in programs(equation):
                yield from _other_activations(inner)


def _fingerprint(traced: Traced) -> dict[str, Any]:
    """The record of what a network computes, whatever its activation."""
    names = jax.tree_util.tree_leaves_with_path(traced.variables)
    shapes = [(jax.tree_util.keystr(path), leaf.shape, str(leaf.dtype)) for path, leaf in names]
    products = Counter(
        (equation.primitive.name, *(tuple(v.aval.shape) for v in equation.invars))
        for equation in equations(traced.programs[2])
        if equation.primitive.name in (CONVOLUTION, "dot_general")
    )
    try:
        program = "".join(map(program_hash, traced.programs))
    except Opaque:  # it calls Python: nobody can tell
        program = None
    return {
        "jax": jax.__version__,
        "flax": flax.__version__,
        "program": program and _hash(program),
        "variables": _hash(shapes),
        "products": _hash(sorted(products.items())),
    }


def _hash(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def change(stored: Any, now: Mapping[str, Any]) -> str:
    """The difference from the network of which `stored` was made, in a few words; "" if none.

    Under another version of JAX or Flax, whose programs differ, it is the same if its variables,
    convolutions and products are.
    """
    try:
        if stored["variables"] != now["variables"]:
            return "its variables are others"
        if stored["products"] != now["products"]:
            return "its convolutions or products are others"
        same_versions = all(stored[name] == now[name] for name in ("jax", "flax"))
        if same_versions and stored["program"] != now["program"]:
            return "it computes something else"
    except (KeyError, TypeError):
        return "its stored fingerprint cannot be read"
    return ""
