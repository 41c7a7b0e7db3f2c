"""Specs: names with arguments as text, `name`, `name(key=value, ...)`, and lists of them.

A value is a number, `[numbers]`, a string in quotes, True, False or None. A spec is taken apart by
a small grammar; no part of it is evaluated.
"""

import importlib
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from jaxact.errors import ConfigError, did_you_mean

# What a spec can bind a parameter to.
Number = int | float
Value = Number | bool | str | tuple[Number, ...] | None

LONGEST = 500

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_DOTTED = rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})*"
_SPEC = re.compile(rf"({_DOTTED}(?::{_DOTTED})?)\s*(?:\((.*)\))?", re.DOTALL)
_ARGUMENT = re.compile(rf"({_IDENTIFIER})\s*=\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf)|nan")
_STRING = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
_WORDS: dict[str, Value] = {"True": True, "False": False, "None": None}


class Spec(NamedTuple):
    """A parsed spec: what it names, and the values it binds, in the order of the text."""

    target: str
    arguments: dict[str, Value]


def split_list(text: str) -> list[str]:
    """The parts between the commas outside brackets and quotes, without the blanks around them.

    >>> split_list("pairs:chain(outer='elu(alpha=2)', inner='relu'), tanh")
    ["pairs:chain(outer='elu(alpha=2)', inner='relu')", 'tanh']
    """
    ends, depth, quote = [], 0, ""
    for place, char in enumerate(text):
        if quote or char in "'\"":
            quote = "" if char == quote else quote or char
        elif char == "," and not depth:
            ends.append(place)
        else:
            depth = max(depth + (char in "([") - (char in ")]"), 0)
    starts = [0, *(end + 1 for end in ends)]
    return [text[a:b].strip() for a, b in zip(starts, [*ends, len(text)], strict=True)]


def take_apart(text: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The name of a spec, and its keys and the texts of their values; None for another text.

    A text between commas that is not `key=value` has the key "".
    """
    match = _SPEC.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    target, inside = match.groups(default="")
    arguments = split_list(inside)
    if not arguments[-1]:  # a comma may be the last
        del arguments[-1]
    matches = map(_ARGUMENT.fullmatch, arguments)
    return target, [(match[1], match[2]) if match else ("", "") for match in matches]


def parse(text: str, kind: str, examples: str, error: type[ConfigError] = ConfigError) -> Spec:
    """The parts of a spec.

    Args:
      kind: of things the spec names, for messages, such as "activation".
      examples: right specs, for messages.
      error: the class of what is raised.

    Raises:
      error: of one line, for text that is no spec.
    """
    if not isinstance(text, str):
        given = type(text).__name__
        raise error(f"an {kind} is given as text, such as {examples}; got a {given}")
    name = f"{kind} {quote(text)}"
    parts = take_apart(text)
    if parts is None:
        raise error(f"{name} is no spec; write {examples}")
    target, texts = parts
    arguments: dict[str, Value] = {}
    for key, value_text in texts:
        try:
            value = _value(value_text)
        except ValueError:
            allowed = "a number, [numbers], a string, True, False or None"
            raise error(f"{name}: arguments are key=value, with {allowed}") from None
        if key in arguments:
            raise error(f"{name} gives {key} twice")
        arguments[key] = value
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(n, float) and not math.isfinite(n) for n in numbers):
            raise error(f"{name}: {key} must be a finite number")
    return Spec(target, arguments)


def imported(target: str, kind: str, error: type[ConfigError] = ConfigError) -> Any:
    """The object of a `package.module:attribute`.

    Args:
      kind: of things that specs name, for messages, such as "activation".
      error: the class of what is raised.

    Raises:
      error: of one line: there is none.
    """
    module_name, _, attributes = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as failure:  # a user's module may raise anything on import
        reason = quote(f"{type(failure).__name__}: {failure}")
        raise error(f"cannot import {module_name} for {kind} {target}: {reason}") from failure
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            hint = did_you_mean(attribute, dir(found))
            raise error(f"{module_name} has no {quote(attribute)} (in {target}){hint}")
        found = getattr(found, attribute)
    return found


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


def _value(text: str) -> Value:
    """The value that a text stands for; raises ValueError for another text."""
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("[") and text.endswith("]"):
        return tuple(map(_number, split_list(text[1:-1])))
    return text[1:-1] if _STRING.fullmatch(text) else _number(text)


def _number(text: str) -> Number:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else float(text)
