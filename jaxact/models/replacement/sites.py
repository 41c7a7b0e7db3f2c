"""The names under which loaded modules hold a function, and other things put there for a while.

Code that says `nn.relu(x)` looks `relu` up when it runs. While any replacement is under way, a
`Place` stands there, which is the function itself but for threads whose calls are replaced.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from jaxact.models.replacement.functions import Known, name_in
from jaxact.models.replacement.under_way import Place

# What holds a function, by which key, and the text by which it is listed.
Site = tuple[Any, Any, str]
# Of these packages what is private calls the functions of others for ends of its own.
_PACKAGES = ("jax", "jaxlib", "jaxact")
_PUBLIC = ("jax.nn", "jax.numpy", "jax.lax")
_LONGEST = 100  # of a table of functions

_LOCK = threading.RLock()
_found: tuple[Any, list[Site]] = (None, [])  # for what, and which
_blocks = 0  # that are under way, in all threads
_installed: list[tuple[Any, Any, Any, Any]] = []  # holder, key, what stood there, what stands there


def find(known: Known) -> list[Site]:
    """The sites of functions: globals, tables and defaults of functions in loaded modules."""
    return [
        site
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
        and (name.partition(".")[0] not in _PACKAGES or name in _PUBLIC)
        for site in _of_module(name, module, known)
    ]


def _kept(known: Known) -> list[Site]:
    """The sites found when so many modules were loaded; kept, as it takes tens of milliseconds."""
    global _found
    key = (len(sys.modules), [function for function, _ in known.values()])
    if _found[0] != key:
        _found = (key, find(known))
    return _found[1]


@contextlib.contextmanager
def installed(known: Known) -> Iterator[None]:
    """A block in which the sites of functions hold a `Place`."""
    global _blocks
    with _LOCK:
        _blocks += 1
    try:
        with _LOCK:
            _install(known)
        yield
    finally:
        with _LOCK:
            _blocks -= 1
            if not _blocks:
                while _installed:
                    holder, key, old, new = _installed.pop()
                    if _get(holder, key) is new:  # nobody set it meanwhile
                        _set(holder, key, old)


def _install(known: Known) -> None:
    main = _of_module("__main__", sys.modules["__main__"], known)  # of a notebook: it changes
    for holder, key, path in [*_kept(known), *main]:
        value = _get(holder, key)
        if (name := name_in(known, value)) is not None:
            new = Place(path, value, name)
            _installed.append((holder, key, value, new))
            _set(holder, key, new)


def _of_module(name: str, module: ModuleType, known: Known) -> Iterator[Site]:
    for key, value in list(vars(module).items()):
        path = f"{name}.{key}"
        if _is_known(known, value):
            yield vars(module), key, path
        elif type(value) is dict and len(value) <= _LONGEST and not key.startswith("__"):
            for entry, one in list(value.items()):
                if _is_known(known, one):
                    yield value, entry, f"{path}[{entry!r}]"
        elif type(value) is list and len(value) <= _LONGEST:
            for entry, one in enumerate(value):
                if _is_known(known, one):
                    yield value, entry, f"{path}[{entry}]"
        elif type(value) is FunctionType:
            for entry, one in enumerate(value.__defaults__ or ()):
                if _is_known(known, one):
                    yield value, entry, f"{path}, a default"
            for entry, one in (value.__kwdefaults__ or {}).items():
                if _is_known(known, one):
                    yield value.__kwdefaults__, entry, f"{path}, {entry}="


def _is_known(known: Known, value: Any) -> bool:
    """Whether it is such a function, or what stands for one at the moment."""
    return name_in(known, value.function if type(value) is Place else value) is not None


def _get(holder: Any, key: Any) -> Any:
    try:
        return ((holder.__defaults__ or ()) if type(holder) is FunctionType else holder)[key]
    except LookupError:  # gone meanwhile
        return None


def _set(holder: Any, key: Any, value: Any) -> None:
    if type(holder) is FunctionType:
        defaults = list(holder.__defaults__ or ())
        defaults[key] = value
        holder.__defaults__ = tuple(defaults)
    else:
        holder[key] = value
