"""A look at the user's network before it is trained, from traces alone; nothing is computed."""

import dataclasses
import functools
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp

from jaxact.activations import Activation, registry
from jaxact.activations.own import cause
from jaxact.activations.program_hash import Opaque, program_hash
from jaxact.errors import ConfigError, JaxactError
from jaxact.models.convolution.lowering import traced_for
from jaxact.models.convolution.rewriting import (
    CONVOLUTION,
    equations,
    holds_slow_convolution,
    programs,
)
from jaxact.models.layers import given_activation
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.given_activation import GivenActivation
from jaxact.models.own import creation
from jaxact.models.own.factories import Factory
from jaxact.models.own.model import OwnModel
from jaxact.models.own.modules import Module

BATCH = 2  # images of a trace
# Parts of a checkpoint beside the collections of variables.
RESERVED = frozenset(("step", "opt_state", "average", "totals", "best", "preprocessing"))
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


class _Traced(NamedTuple):
    """The passes of a module whose activation is marked, not computed."""

    variables: Any  # shapes
    programs: tuple[Any, Any, Any]  # initialisation, training, evaluation
    channels: tuple[int, ...]  # of the calls in training
    calls_in_evaluation: int
    carried: tuple[str, ...]


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
    traced = _traced(factory, num_classes, image_shape, dtype)
    if not traced.channels:
        raise ConfigError(
            f"{factory.spec} never calls its {factory.activation_argument}: call it wherever the "
            "activation under test belongs"
        )
    if activation.params and traced.calls_in_evaluation != len(traced.channels):
        raise ConfigError(
            f"{factory.spec} calls its activation {len(traced.channels)} times in training and "
            f"{traced.calls_in_evaluation} in evaluation; {activation.spec} has parameters of its "
            "own for each call: call it as often in both"
        )
    model = OwnModel(
        factory.spec,
        module_of(factory, GivenActivation(activation), num_classes, dtype),
        activation,
        num_classes,
        sharing,
        precision,
        channels=traced.channels,
        carried=traced.carried,
    )
    is_lowered = _is_lowered(model, image_shape)
    model = dataclasses.replace(model, is_lowered=is_lowered)
    return Examined(model, _notes(factory, traced), _fingerprint(traced))


@functools.lru_cache(maxsize=16)
def _traced(
    factory: Factory, num_classes: int, image_shape: tuple[int, ...], dtype: str | None
) -> _Traced:
    """The passes of a factory's module, whatever its activation."""
    marker = GivenActivation(registry.get("relu"))
    module = module_of(factory, marker, num_classes, dtype)
    images = jax.ShapeDtypeStruct((BATCH, *image_shape), jnp.float32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    run = functools.partial(jax.make_jaxpr, return_shape=True)
    try:
        with given_activation.marked():
            init, variables = run(module.init)(key, images)
        reserved_names(factory, variables)
        with given_activation.marked() as calls:
            train, (logits, after) = run(functools.partial(module.run, is_training=True))(
                variables, images, key
            )
        with given_activation.marked() as calls_in_evaluation:
            evaluate, _ = run(functools.partial(module.run, is_training=False))(
                variables, images, key
            )
    except JaxactError:
        raise
    except Exception as error:  # whatever a user's module raises
        text = f"fails on images {[BATCH, *image_shape]}: {cause(error)}"
        raise ConfigError(f"{factory.spec} {text}") from error
    check_logits(factory, logits, num_classes)
    if not jax.tree.leaves(variables["params"]):
        raise ConfigError(f"{factory.spec} has no parameters: there is nothing to train")
    carried = tuple(
        name
        for name, collection in variables.items()
        if name != "params" and _shapes(after.get(name)) == _shapes(collection)
    )
    return _Traced(
        variables,
        (init, train, evaluate),
        tuple(int(x.shape[-1]) if x.shape else 1 for x in calls),
        len(calls_in_evaluation),
        carried,
    )


def module_of(
    factory: Factory, activation: GivenActivation, num_classes: int, dtype: str | None
) -> Module:
    """The module of a factory with an activation; computing in a dtype, where one is asked for.

    Raises:
      ConfigError: it cannot be made.
    """
    given: dict[str, Any] = {"activation": activation, "num_classes": num_classes}
    if dtype is not None:
        if not factory.takes("dtype"):
            raise ConfigError(
                f"{factory.spec} takes no `dtype`, by which it would compute in {dtype}: give it "
                "one, or choose precision=float32 or tf32"
            )
        given["dtype"] = jnp.dtype(dtype)
    return creation.create(factory, **given)


def reserved_names(factory: Factory, variables: Mapping[str, Any]) -> None:
    """Refuses collections that a checkpoint could not tell from its other parts."""
    if taken := sorted(RESERVED & variables.keys()):
        raise ConfigError(
            f"{factory.spec} has a collection of variables named {taken[0]!r}, as a part of "
            "checkpoints is: give it another name"
        )


def check_logits(factory: Factory, logits: Any, num_classes: int) -> None:
    """Refuses outputs that are no logits of so many classes."""
    leaves = jax.tree.leaves(logits)
    if len(leaves) == 1 and logits is leaves[0] and logits.shape == (BATCH, num_classes):
        return
    given = ", ".join(f"{leaf.dtype}{list(leaf.shape)}" for leaf in leaves) or "nothing"
    hint = "" if factory.takes("num_classes") else "; with an argument num_classes it is told them"
    raise ConfigError(
        f"{factory.spec} gives {given} for {BATCH} images of {num_classes} classes: it must give "
        f"logits [batch, {num_classes}]{hint}"
    )


def _shapes(tree: Any) -> Any:
    return jax.tree.structure(tree), [(x.shape, x.dtype) for x in jax.tree.leaves(tree)]


def _is_lowered(model: OwnModel, image_shape: tuple[int, ...]) -> bool:
    """Whether no slow convolution is left in its gradient; tells faults of the activation, too."""
    images = jax.ShapeDtypeStruct((BATCH, *image_shape), jnp.float32)
    key = jax.eval_shape(lambda: jax.random.key(0))

    def loss(params: Any, collections: Any, images: Any, key: Any) -> Any:
        return model.forward({"params": params, **collections}, images, key)[0].sum()

    variables = jax.eval_shape(model.initial, key, images)
    params = variables.pop("params")
    with traced_for(jax.default_backend()):
        program = jax.make_jaxpr(jax.grad(loss))(params, variables, images, key)
    return not holds_slow_convolution(program)


def _notes(factory: Factory, traced: _Traced) -> tuple[str, ...]:
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
    return ((hard_coded,) if beside else ()) + ((dropped,) if lost else ())


def _other_activations(program: Any) -> Iterator[str]:
    """The names of the activations that a traced program calls by themselves."""
    for equation in getattr(program, "jaxpr", program).eqns:
        name = equation.params.get("name", equation.primitive.name)
        if name in OTHERS:
            yield name
        else:
            for inner in programs(equation):
                yield from _other_activations(inner)


def _fingerprint(traced: _Traced) -> dict[str, Any]:
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
