"""The passes of the user's module, traced with its activation marked: what it calls, and where."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations import ChannelActivation, registry
from jaxact.activations.own import cause
from jaxact.errors import ConfigError, JaxactError
from jaxact.models.convolution.rewriting import equations
from jaxact.models.layers import given_activation
from jaxact.models.layers.given_activation import GivenActivation, Kind
from jaxact.models.own import creation
from jaxact.models.own.factories import Factory
from jaxact.models.own.modules import Module

BATCH = 2  # images of a trace
# Parts of a checkpoint beside the collections of variables.
RESERVED = frozenset(("step", "opt_state", "average", "totals", "best", "preprocessing"))


class Traced(NamedTuple):
    """The passes of a module whose activation is marked, not computed."""

    variables: Any  # shapes
    programs: tuple[Any, Any, Any]  # initialisation, training, evaluation
    channels: tuple[int, ...]  # of the calls in training that count
    kinds: tuple[Kind, ...]  # of the calls in evaluation
    calls_alike: bool  # whether those in training are of the same kinds
    carried: tuple[str, ...]


@functools.lru_cache(maxsize=16)
def traced(
    factory: Factory,
    num_classes: int,
    image_shape: tuple[int, ...],
    dtype: str | None,
    activation: ChannelActivation | None = None,
) -> Traced:
    """The passes of a factory's module, whatever its activation.

    Args:
      activation: one that decides how many channels there are; None: it keeps their number.
    """
    marker = GivenActivation(activation or registry.get("relu"))
    module = module_of(factory, marker, num_classes, dtype)
    images = jax.ShapeDtypeStruct((BATCH, *image_shape), jnp.float32)
    one_image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    key = jax.eval_shape(lambda: jax.random.key(0))

    def in_both_modes(variables: Any) -> Iterator[tuple[Any, Any, tuple[Array, ...]]]:
        """The program, the results and the activation's inputs in training and in evaluation."""
        for is_training in (True, False):
            run = functools.partial(module.run, is_training=is_training)
            with given_activation.marked(activation) as inputs:
                program, results = jax.make_jaxpr(run, return_shape=True)(variables, images, key)
            yield program, results, tuple(inputs)

    try:
        with given_activation.marked(activation):
            init, variables = jax.make_jaxpr(module.init, return_shape=True)(key, one_image)
        reserved_names(factory, variables)
        train, evaluate = in_both_modes(variables)
    except JaxactError:
        raise
    except Exception as error:  # whatever a user's module raises
        text = f"fails on images {[BATCH, *image_shape]}: {cause(error)}"
        raise ConfigError(f"{factory.spec} {text}") from error
    logits, after = train[1]
    check_logits(factory, logits, num_classes)
    if not jax.tree.leaves(variables["params"]):
        raise ConfigError(f"{factory.spec} has no parameters: there is nothing to train")
    carried = tuple(
        name
        for name, collection in variables.items()
        if name != "params" and _shapes(after.get(name)) == _shapes(collection)
    )
    kept = {name: variables[name] for name in ("params", *carried)}
    if kept.keys() != variables.keys():
        try:
            train, evaluate = in_both_modes(kept)
        except Exception as error:  # whatever a user's module raises
            raise ConfigError(
                f"{factory.spec}: the variables {', '.join(sorted(variables.keys() - kept.keys()))}"
                " change their shapes in training, and it fails without them: give them a shape "
                f"that stays the same, whatever the batch ({cause(error)})"
            ) from error
    of_training, of_evaluation = (
        _kinds(program, inputs) for program, _, inputs in (train, evaluate)
    )
    return Traced(
        variables,
        (init, train[0], evaluate[0]),
        tuple(
            int(x.shape[-1]) if x.shape else 1
            for x, kind in zip(train[2], of_training, strict=True)
            if kind is not Kind.DROPPED
        ),
        of_evaluation,
        of_training == of_evaluation,
        carried,
    )


def _kinds(program: Any, inputs: tuple[Array, ...]) -> tuple[Kind, ...]:
    """The kinds of the calls that had these inputs while a program was traced."""

    def marks(found: Iterable[Any]) -> dict[str, tuple[int, ...]]:
        named = ((str(e.params.get("name")), e) for e in found if e.primitive.name == "name")
        return {name: equation.outvars[0].aval.shape for name, equation in named}

    outer, all_of_them = marks(program.jaxpr.eqns), marks(equations(program))

    def kind(place: int, shape: tuple[int, ...]) -> Kind:
        name = f"{given_activation.MARK}{place}"
        if name not in all_of_them:
            return Kind.DROPPED
        is_layer = outer.get(name) == shape and len(shape) > 1  # `vmap` adds an axis
        return Kind.LAYER if is_layer else Kind.WITHIN

    return tuple(kind(place, x.shape) for place, x in enumerate(inputs))


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
    ours = given_activation.layer_name("")
    if taken := sorted(name for name in variables["params"] if name.startswith(ours)):
        raise ConfigError(
            f"{factory.spec} has a layer named {taken[0]!r}, as jaxact calls those of the "
            "activation under test: give it or its class another name"
        )
    for name, collection in variables.items():
        if any(jnp.issubdtype(x.dtype, jax.dtypes.prng_key) for x in jax.tree.leaves(collection)):
            raise ConfigError(
                f"{factory.spec} keeps a key of jax.random in its variables {name!r}, which a "
                "checkpoint cannot hold: draw from make_rng, or keep jax.random.key_data of it"
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
