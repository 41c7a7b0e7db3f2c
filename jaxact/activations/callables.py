"""Functions in the place of specs, as Python and notebooks have them: a lambda, one of a cell."""

import functools
import hashlib
import importlib
import json
import re
from collections.abc import Callable
from typing import Any

from jaxact.activations import fingerprint, registry
from jaxact.activations.activation import Activation, ActivationError
from jaxact.specs import quote, text_of

# Where a function is looked for whose own module is private, as `jax._src.nn.functions` is.
_PUBLIC = ("jax.nn", "jax.numpy", "jax.scipy.special", "jax.lax")
_OF_A_SESSION = ("__main__", "__mp_main__")
_DIGITS = 8  # of a fingerprint, in a name


def get(spec: str | Activation | Callable[..., Any], is_unique: bool = False) -> Activation:
    """The activation that a spec names, or that a function is.

    A function that can be imported is named by its place, as one would write it in a spec. Another
    one, of a notebook or a lambda, is known in this process by its `__name__`: of two with the
    same name by the one that was given last. Where that is a name of jaxact's, or none, the
    fingerprint of what it computes is part of it: `lambda_1c0ffee5`.

    Args:
      spec: as `jaxact.activations.registry.get` takes it, or a pure function of an array.
      is_unique: whether the fingerprint is part of a name of this process in any case.

    Raises:
      ActivationError: as there; or the function fails.

    >>> import jax.numpy as jnp
    >>> get(jnp.sin), get(registry.get("relu").function), get(functools.partial(jnp.clip, max=6.0))
    (Activation('jax.numpy:sin'), Activation('relu'), Activation('jax.numpy:clip(max=6.0)'))
    """
    if isinstance(spec, str | Activation):
        return registry.get(spec)
    if not callable(spec):
        raise ActivationError(
            f"an activation is given as text, such as {registry.EXAMPLES}, or as a function; got "
            f"{quote(repr(spec))}"
        )
    if isinstance(spec, functools.partial) and not spec.args:
        function, arguments = spec.func, spec.keywords
    else:
        function, arguments = spec, {}
    target = registry.name_of(function) or place_of(function)
    if target is not None:
        try:
            return registry.get(text_of(target, arguments.items()))
        except ActivationError:  # arguments that a text cannot hold
            if not arguments:
                raise
    return _of_this_process(spec, is_unique)


def spec_of(spec: str | Activation | Callable[..., Any], is_unique: bool = False) -> str:
    """The text by which this process finds an activation again; arguments as for `get`."""
    activation = get(spec, is_unique)
    try:
        is_known = registry.get(activation.spec) == activation
    except ActivationError:
        is_known = False
    if not is_known or (is_unique and spec is activation and registry.is_given(activation.spec)):
        return _of_this_process(activation, is_unique).spec
    return activation.spec


def place_of(function: Callable[..., Any]) -> str | None:
    """The `package.module:function` by which another process finds a function; None without one."""
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", "")
    if module in _OF_A_SESSION or not re.fullmatch(r"[A-Za-z_][\w.]*", name):
        return None
    is_private = any(part.startswith("_") for part in module.split("."))
    for place in (*_PUBLIC * is_private, module):
        if place and _found(place, name) is function:
            return f"{place}:{name}"
    return None


def _found(place: str, name: str) -> Any:
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(place))
    except (ImportError, AttributeError):
        return None


def _of_this_process(function: Callable[..., Any], is_unique: bool) -> Activation:
    inner = function.func if isinstance(function, functools.partial) else function
    called = inner.name if isinstance(inner, Activation) else getattr(inner, "__name__", "")
    name = re.sub(r"\W", "", called, flags=re.ASCII)
    if is_unique or name != called or not name.isidentifier() or registry.is_registered(name):
        name = name if name.isidentifier() else "function"
        activation = function if isinstance(function, Activation) else Activation(name, function)
        taken = json.dumps(fingerprint.fingerprint(activation), sort_keys=True)
        name = f"{name}_{hashlib.sha256(taken.encode()).hexdigest()[:_DIGITS]}"
    registry.give(name, function)
    return registry.get(name)
