"""Verifies and describes one activation, your own too: `python -m jaxact.check SPEC`."""

if __name__ == "__main__":  # before the imports that may fail
    from jaxact.runs.process import start

    start.begin()

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxact.activations import Activation, get, own
from jaxact.activations.verification.checks import CheckResult, check_activation
from jaxact.activations.verification.description import (
    NO_PARAMETERS,
    Fact,
    describe,
    lacks_parameters,
)
from jaxact.command import Command, Option, Options
from jaxact.presentation import tables
from jaxact.presentation.numbers import DASH, estimate, number
from jaxact.runs.process import devices
from jaxact.timing.cost import PASSES, Cost, costs

COMMAND = Command(
    "python -m jaxact.check",
    """\
Verifies one activation: that it can be trained, its derivative against jax.grad and finite
differences, its value at kinks, that it is finite over the whole float range, keeps its dtype, and
works under jit, vmap and grad; of one that sees channels its gradients, and how many it gives.
Then tells what it is: its errors, its range and slope, what it makes of normal inputs, the
registered functions nearest to it, and what it costs beside ReLU.""",
    {"format": Option("table", "JSON is an object, with every figure", ("table", "json"))},
    arguments=("SPEC",),
    examples=(
        "relu",
        "'leaky_relu(negative_slope=0.05)'",
        "my_module:my_function        (my_module.py in the current directory)",
        "mish --format=json",
    ),
    notes="exit codes: 0 every check passed, 1 one failed, 2 the spec is wrong",
)

_UNITS = (
    "ULP: units in the last place; results below 1e-36, and those below 1 near a root other than "
    "0, are counted absolutely"
)
_NAMES_WIDTH = 26  # columns; the names of what is lacking go on in the next line


def render(activation: Activation, results: Sequence[CheckResult], console: Console) -> None:
    """Prints the results as a table."""
    table = Table("check", "result", "detail", title=Text(activation.spec), title_justify="left")
    for result in results:
        verdict = Text("pass", "green") if result.passed else Text("FAIL", "bold red")
        table.add_row(result.name, verdict, Text(result.detail))
    console.print(table)


def render_facts(facts: Sequence[Fact], console: Console) -> None:
    """Prints the facts as a table; those that lack for one reason share a row."""
    table = Table("what it is", "measured", caption=_UNITS, caption_justify="left")
    table.columns[0].max_width = _NAMES_WIDTH
    for fact in facts:
        if fact.figures is not None:
            table.add_row(fact.name, Text(fact.detail))
    lacking: dict[str, list[str]] = {}
    for fact in facts:
        if fact.figures is None:
            lacking.setdefault(fact.detail, []).append(fact.name)
    for detail, names in lacking.items():
        table.add_row(Text(", ".join(names)), Text(detail))
    console.print(table)


def timed(activation: Activation) -> list[Fact]:
    """Measures the time of an activation beside ReLU's, on this machine."""
    if lacks_parameters(activation):
        return [Fact(f"time, {name}", f"not measured: {NO_PARAMETERS}", None) for name in PASSES]
    try:
        measured = costs(activation)
    except Exception as error:  # whatever a user's function raises
        detail = f"not measured: {own.cause(error)}"
        return [Fact(f"time, {name}", detail, None) for name in PASSES]
    return [Fact(f"time, {name}", _told(cost), _figures(cost)) for name, cost in measured.items()]


def _told(cost: Cost) -> str:
    ratio, ms = (estimate(each, form=number, ends=DASH) for each in (cost.ratio, cost.ms))
    return f"{ratio} times ReLU's; {ms} ms for {cost.elements:,} float32 numbers"


def _figures(cost: Cost) -> dict[str, Any]:
    ends = ("median", "lower_quartile", "upper_quartile")
    return {
        "elements": cost.elements,
        "ms": dict(zip(ends, cost.ms, strict=True)),
        "ratio_to_relu": dict(zip(ends, cost.ratio, strict=True)),
    }


def as_json(
    activation: Activation, results: Sequence[CheckResult], facts: Sequence[Fact]
) -> dict[str, Any]:
    """All that is known of an activation, for scripts; a figure that is not finite is null."""
    return {
        "activation": activation.spec,
        "passed": all(result.passed for result in results),
        "checks": [result._asdict() for result in results],
        "facts": {
            fact.name: {"detail": fact.detail, "figures": _finite(fact.figures)} for fact in facts
        },
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check(options: Options) -> int:
    """Prints the results of all checks, and what was measured; returns 1 if a check failed."""
    devices.start()  # or each check would say that it failed
    activation = get(options.spec)
    console, is_table = tables.console(width_of_a_file=120), options.format == "table"
    results = check_activation(activation)
    if is_table:
        render(activation, results, console)  # while the rest is measured
    facts = [*describe(activation), *timed(activation)]
    if is_table:
        render_facts(facts, console)
    else:
        print(json.dumps(as_json(activation, results, facts), indent=2, allow_nan=False))
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(COMMAND.run(check))
