"""Verifies one activation, your own too: `python -m jaxact.check SPEC`."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxact.activations import Activation, ActivationError, get
from jaxact.activations.verification.checks import CheckResult, check_activation
from jaxact.runs.process import devices

_HELP = """\
verify one activation: its derivative against jax.grad and finite differences, its value at kinks,
that it is finite over the whole float range, keeps its dtype, and works under jit, vmap and grad"""
_EXAMPLES = """\
examples:
  python -m jaxact.check relu
  python -m jaxact.check 'leaky_relu(negative_slope=0.05)'
  python -m jaxact.check my_module:my_function        (my_module.py in the current directory)

exit codes: 0 every check passed, 1 one failed, 2 the spec is wrong"""


def render(activation: Activation, results: Sequence[CheckResult], console: Console) -> None:
    """Prints the results as a table."""
    table = Table("check", "result", "detail", title=Text(activation.spec), title_justify="left")
    for result in results:
        verdict = Text("pass", "green") if result.passed else Text("FAIL", "bold red")
        table.add_row(result.name, verdict, Text(result.detail))
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jaxact.check",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("spec", metavar="SPEC", help="the activation")
    spec = parser.parse_args(arguments).spec
    try:
        activation = get(spec)
    except ActivationError as error:
        print(f"jaxact.check: {error}", file=sys.stderr)
        return error.exit_code
    devices.take_one()
    results = check_activation(activation)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    render(activation, results, console)
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
