"""Convolutions and pooling of any JAX program, in the project's computation.

A network of the user's own calls `nn.Conv`, `nnx.Conv` or `lax.conv_general_dilated` and
`nn.max_pool`. Its traced program is evaluated anew, operation by operation, with ours in the place
of these; nothing of the network changes.
"""

import contextvars
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend import core
from jax.extend.core import ClosedJaxpr  # pyright: ignore[reportPrivateImportUsage]  # Jaxpr in 0.12

from jaxact.models.convolution import lowering, native, pooling

Function = TypeVar("Function", bound=Callable[..., Any])
_is_within: contextvars.ContextVar[bool] = contextvars.ContextVar("is_within", default=False)

CONVOLUTION, MAX_POOL = "conv_general_dilated", "reduce_window_max"


def lowered(function: Function) -> Function:
    """The same function, its convolutions and max-pooling computed as this project does.

    Differentiate the result, not what is given: a gradient's convolutions are left as they are. One
    within another is left to that. Where programs are for accelerators, all stays as it is.
    """

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        if _is_within.get() or lowering.platform() != "cpu":
            return function(*arguments)
        token = _is_within.set(True)
        try:
            program, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
        finally:
            _is_within.reset(token)
        results = _evaluate(program, *jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return cast(Function, run)


def holds_slow_convolution(program: Any) -> bool:
    """Whether a traced program has a convolution of XLA's that a CPU's loops make slow.

    That is every one in another form than `jaxact.models.convolution.native` gives it; a program
    with gradients is to be looked at, for theirs are often such.
    """
    return any(
        equation.primitive.name == CONVOLUTION and not native.is_canonical(**equation.params)
        for equation in equations(program)
    )


def equations(program: Any) -> Iterator[Any]:
    """All operations of a traced program, those of programs within it included."""
    for equation in getattr(program, "jaxpr", program).eqns:
        yield equation
        for inner in programs(equation):
            yield from equations(inner)


def programs(equation: Any) -> Iterator[Any]:
    """The programs that an operation holds, such as a loop's body."""
    for value in equation.params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if hasattr(one, "eqns"):
                yield one


def _evaluate(program: ClosedJaxpr, *arguments: Any) -> list[Any]:
    jaxpr = program.jaxpr
    values = dict(zip(jaxpr.constvars, program.consts, strict=True))
    values |= zip(jaxpr.invars, arguments, strict=True)

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for equation in jaxpr.eqns:
        inputs = list(map(read, equation.invars))
        outputs = _ours(equation, inputs)
        if outputs is None:
            outputs = _bound(jaxpr, equation, inputs)
        values |= zip(equation.outvars, outputs, strict=True)
    return list(map(read, jaxpr.outvars))


def _bound(jaxpr: Any, equation: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    """The operation itself; in programs that it calls, convolutions and pooling are replaced."""
    if not equation.primitive.name.startswith("custom_"):  # which has derivatives of its own
        params = {name: _rewritten(value) for name, value in equation.params.items()}
        equation = equation.replace(params=params)
    pairs = zip(equation.invars, inputs, strict=True)
    values = {place: value for place, value in pairs if not isinstance(place, core.Literal)}
    alone = jaxpr.replace(constvars=[], invars=[*values], eqns=[equation], outvars=equation.outvars)
    return core.jaxpr_as_fun(ClosedJaxpr(alone, []))(*values.values())


def _rewritten(value: Any) -> Any:
    """A parameter of an operation, the programs in it with what this module replaces."""
    if isinstance(value, tuple | list) and any(hasattr(one, "eqns") for one in value):  # branches
        return type(value)(map(_rewritten, value))
    names = (CONVOLUTION, MAX_POOL)
    if not hasattr(value, "eqns") or all(e.primitive.name not in names for e in equations(value)):
        return value
    if isinstance(value, ClosedJaxpr):
        return jax.make_jaxpr(functools.partial(_evaluate, value))(*value.in_avals)
    closed = ClosedJaxpr(cast(Any, value), ())
    made = jax.make_jaxpr(functools.partial(_evaluate, closed))(*closed.in_avals)
    return value if made.consts else made.jaxpr


def _ours(equation: Any, inputs: Sequence[Any]) -> list[Array] | None:
    """The outputs that this project computes in the place of an operation; None: it does not."""
    if equation.primitive.name == CONVOLUTION:
        output = _convolution(equation.params, *inputs)
    elif equation.primitive.name == MAX_POOL:
        output = pooling.reduce_window_max(*inputs, **equation.params)
    else:
        return None
    return None if output is None else [output.astype(equation.outvars[0].aval.dtype)]


def _convolution(params: dict[str, Any], images: Array, kernel: Array) -> Array | None:
    wider = params["preferred_element_type"] not in (None, jnp.result_type(images))
    if images.ndim != 4 or params["batch_group_count"] != 1 or wider:
        return None
    names = ("window_strides", "padding", "lhs_dilation", "rhs_dilation", "dimension_numbers")
    return lowering.conv_general_dilated(
        images,
        kernel,
        **{name: params[name] for name in names},
        feature_group_count=params["feature_group_count"],
        precision=params["precision"],
    )
