"""Verifies one activation, your own too: `python -m jaxact.check SPEC`."""

if __name__ == "__main__":  # before the imports that may fail
    from jaxact.runs.process import start

    start.begin()

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxact.activations import Activation, get
from jaxact.activations.verification.checks import CheckResult, check_activation
from jaxact.command import Command, Options
from jaxact.presentation import tables
from jaxact.runs.process import devices

COMMAND = Command(
    "python -m jaxact.check",
    """\
Verifies one activation: that it can be trained, its derivative against jax.grad and finite
differences, its value at kinks, that it is finite over the whole float range, keeps its dtype, and
works under jit, vmap and grad; of one that sees channels its gradients, and how many it gives.""",
    arguments=("SPEC",),
    examples=(
        "relu",
        "'leaky_relu(negative_slope=0.05)'",
        "my_module:my_function        (my_module.py in the current directory)",
    ),
    notes="exit codes: 0 every check passed, 1 one failed, 2 the spec is wrong",
)


def render(activation: Activation, results: Sequence[CheckResult], console: Console) -> None:
    """Prints the results as a table."""
    table = Table("check", "result", "detail", title=Text(activation.spec), title_justify="left")
    for result in results:
        verdict = Text("pass", "green") if result.passed else Text("FAIL", "bold red")
        table.add_row(result.name, verdict, Text(result.detail))
    console.print(table)


def check(options: Options) -> int:
    """Prints the results of all checks; returns 1 if one failed."""
    devices.start()  # or each check would say that it failed
    activation = get(options.spec)
    results = check_activation(activation)
    render(activation, results, tables.console(width_of_a_file=120))
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(COMMAND.run(check))
