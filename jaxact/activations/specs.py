"""The text of a spec: `name`, `name(key=value, ...)`, `package.module:function(key=[1, 2])`.

A spec is matched against a small grammar; no part of it is evaluated.
"""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from jaxact.activations.activation import ActivationError, Number, Value

LONGEST = 500
_EXAMPLES = "relu, leaky_relu(negative_slope=0.05) or package.module:function"

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_DOTTED = rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})*"
_SPEC = re.compile(rf"({_DOTTED}(?::{_DOTTED})?)\s*(?:\((.*)\))?", re.DOTALL)
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WORDS: dict[str, Value] = {"True": True, "False": False, "None": None}
_WORD = "|".join([*_WORDS, r"[+-]?inf\b", r"nan\b"])
_ARGUMENT = re.compile(
    rf"""\s*({_IDENTIFIER})\s*=\s*
    (?:({_NUMBER})|({_WORD})|\[\s*({_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*\]|'([^'\\]*)'|"([^"\\]*)")
    \s*(,|$)""",
    re.VERBOSE,
)


class Spec(NamedTuple):
    """A parsed spec: what it names, and the values it binds, in the order of the text."""

    target: str
    arguments: dict[str, Value]


def parse(text: str) -> Spec:
    """The parts of a spec; raises ActivationError, of one line, for text that is none."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise ActivationError(f"an activation is given as text, such as {_EXAMPLES}; got a {kind}")
    match = _SPEC.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        raise ActivationError(f"activation {quote(text)} is no spec; write {_EXAMPLES}")
    target, inside = match.groups()
    arguments: dict[str, Value] = {}
    position, rest = 0, (inside or "").strip()
    while position < len(rest):
        argument = _ARGUMENT.match(rest, position)
        if argument is None:
            message = (
                "arguments are key=value, with a number, [numbers], a string, True, False or None"
            )
            raise ActivationError(f"activation {quote(text)}: {message}")
        key = argument.group(1)
        if key in arguments:
            raise ActivationError(f"activation {quote(text)} gives {key} twice")
        arguments[key] = value = _value(*argument.group(2, 3, 4, 5, 6))
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(n, float) and not math.isfinite(n) for n in numbers):
            raise ActivationError(f"activation {quote(text)}: {key} must be a finite number")
        position = argument.end()
    return Spec(target, arguments)


def text_of(target: str, arguments: Iterable[tuple[str, Value]]) -> str:
    """The canonical text of a spec, which `parse` takes apart again."""
    inside = ", ".join(f"{key}={text_of_value(value)}" for key, value in arguments)
    return f"{target}({inside})" if inside else target


def text_of_value(value: Value) -> str:
    """A value as a spec has it."""
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def quote(text: str) -> str:
    """`text` for a message: escaped to one line, and cut if it is long."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")


def _value(
    number: str | None, word: str | None, numbers: str | None, *strings: str | None
) -> Value:
    if number is not None:
        return _number(number)
    if word is not None:
        return _WORDS[word] if word in _WORDS else float(word)
    if numbers is not None:
        return tuple(_number(n.strip()) for n in numbers.split(","))
    return next(s for s in strings if s is not None)


def _number(text: str) -> Number:
    is_integer = re.fullmatch(r"[+-]?[0-9]{1,18}", text)
    return int(text) if is_integer else float(text)
