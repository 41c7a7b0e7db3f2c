"""PYTHONPATH=. python docs/names_page.py: writes docs/names.md, the names of other libraries.

From the tables of `jaxact.activations.libraries`; a test holds the page to them.
"""

import inspect
from pathlib import Path

from jaxact import activations
from jaxact.activations.libraries.lookup import LIBRARIES, Library
from jaxact.activations.libraries.rows import Missing, Row

PAGE = Path(__file__).with_name("names.md")
INTRODUCTION = """# What other libraries call it

Wherever jaxact takes an activation, a name of PyTorch, Keras, Hugging Face transformers, timm or
jax.nn will do, with that library's parameters: `torch.nn.LeakyReLU(negative_slope=0.2)` is
`leaky_relu(negative_slope=0.2)`, and runs are named so. Nothing of those libraries is imported, and
none needs to be installed. Two conventions may differ: the derivative at a kink, and a parameter
that one library learns and another does not.

This page is made by `PYTHONPATH=. python docs/names_page.py` from the tables in
`jaxact/activations/libraries`.
"""


def signature(name: str, row: Row) -> str:
    """A name with the library's parameters and their defaults."""
    if not callable(row):
        return name
    shown = [
        parameter
        for parameter in inspect.signature(row).parameters.values()
        if parameter.name not in ("inplace", "device", "dtype")
    ]
    inside = ", ".join(
        one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in shown
    )
    return f"{name}({inside})" if inside else name


def ours(row: Row) -> str:
    """Our spec at the library's defaults; the function's name where it has none for them."""
    if isinstance(row, str | Missing):
        return row if isinstance(row, str) else row.reason
    required = [p.name for p in inspect.signature(row).parameters.values() if p.default is p.empty]
    spec = activations.get(row(**dict.fromkeys(required, 0.5))).spec
    return spec.partition("(")[0] if required else spec


def section(library: Library) -> str:
    """A library's two tables: what there is, and what is missing."""
    there = {name: row for name, row in library.rows.items() if not isinstance(row, Missing)}
    lines = [f"## {library.title} {library.version}", "", "| name | here |", "|---|---|"]
    lines += [f"| `{signature(name, row)}` | `{ours(row)}` |" for name, row in there.items()]
    missing = {name: row for name, row in library.rows.items() if name not in there}
    if missing:
        lines += ["", "Missing, and why:", "", "| name | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {ours(row)} |" for name, row in missing.items()]
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, "\n\n".join(map(section, LIBRARIES.values())), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
