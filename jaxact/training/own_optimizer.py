"""Optimizers of the user's own, and Optax's: by their place, such as `optax:adabelief(b1=0.8)`."""

import inspect
from collections.abc import Mapping
from typing import Any

import jax
import optax

from jaxact.activations.own import cause
from jaxact.activations.program_hash import Opaque, program_hash
from jaxact.errors import ConfigError
from jaxact.specs import Value, imported, parse
from jaxact.training.kernels import kernels

EXAMPLES = "optax:adabelief(b1=0.8) or package.module:function"


def made(
    target: str,
    arguments: Mapping[str, Value],
    schedule: optax.Schedule,
    weight_decay: float = 0.0,
) -> optax.GradientTransformation:
    """The optimizer that a function of the user's, or of Optax, gives.

    Args:
      target: its place, `package.module:function`.
      arguments: those in the spec's brackets.
      schedule: step -> learning rate, given as `learning_rate`.
      weight_decay: of kernels; 0: none.

    Raises:
      ConfigError: of one line: it is not there, takes no learning rate, no decay where there is
          one, or fails.
    """
    function = imported(target, "optimizer")
    try:
        takes = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{target} is no function that can be called ({error})") from None
    if "learning_rate" not in takes:
        raise ConfigError(
            f"{target} takes no `learning_rate`, only {', '.join(takes) or 'nothing'}: give it "
            "one, to which it gets a function of the step, as Optax's own do"
        )
    for name in ("learning_rate", "weight_decay"):
        if name in arguments and (name == "learning_rate" or weight_decay):
            raise ConfigError(
                f"{target}: its {name} is config.{name}: leave it out of the brackets"
            )
    given: dict[str, Any] = {"learning_rate": schedule, **arguments}
    if weight_decay:
        if "weight_decay" not in takes:
            raise ConfigError(
                f"{target} takes no `weight_decay`: leave config.weight_decay out, or give it one"
            )
        given["weight_decay"] = weight_decay
    elif "weight_decay" in takes and "weight_decay" not in arguments:
        given["weight_decay"] = 0.0  # where Optax has a default of its own
    if "mask" in takes:
        given.setdefault("mask", kernels)
    try:
        optimizer = function(**given)
    except Exception as error:  # whatever a user's function raises
        raise ConfigError(f"{target} cannot be made: {cause(error)}") from error
    if not isinstance(optimizer, optax.GradientTransformation):
        kind = type(optimizer).__name__
        # As that of `optax.MultiSteps` is called.
        hint = "; its `gradient_transformation()` is one" * hasattr(
            optimizer, "gradient_transformation"
        )
        raise ConfigError(
            f"{target} gives a {kind}: it must be an optax.GradientTransformation{hint}"
        )
    return optimizer


def is_own(spec: str) -> bool:
    """Whether an optimizer is one of the user's, or Optax's, by its place."""
    return ":" in spec.partition("(")[0]


def fingerprint(spec: str, params: Any) -> dict[str, Any]:
    """The record of what an optimizer of the user's computes.

    Args:
      params: of the network, or their shapes.

    Raises:
      ConfigError: it cannot be used.
    """
    target, arguments = parse(spec, "optimizer", EXAMPLES)
    optimizer = made(target, arguments, optax.constant_schedule(1e-3))

    def steps(params: Any, gradients: Any) -> Any:
        state, results = optimizer.init(params), []
        for _ in range(2):
            changes, state = optimizer.update(gradients, state, params)
            params = optax.apply_updates(params, changes)
            results.append((params, state))
        return results

    try:
        program = program_hash(jax.make_jaxpr(steps)(params, params))
    except Opaque:  # it calls Python: nobody can tell
        program = None
    except Exception as error:  # whatever a user's function raises
        raise ConfigError(f"{target} fails in its steps: {cause(error)}") from error
    return {"jax": jax.__version__, "optax": optax.__version__, "program": program}


def change(stored: Any, now: Mapping[str, Any]) -> str:
    """The difference from the optimizer of which `stored` was made; "" if none can be seen.

    Under another version of JAX or Optax programs differ, and nothing is said.
    """
    try:
        is_comparable = all(stored[name] == now[name] for name in ("jax", "optax"))
        if is_comparable and stored["program"] != now["program"]:
            return "its steps differ"
    except (KeyError, TypeError):
        return "its stored fingerprint cannot be read"
    return ""
