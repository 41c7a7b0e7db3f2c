"""Packages that only some commands need: one that is missing is said in one line.

They are imported where they are used, in a block of `needed_for`. A command that cannot do without
says so with `exit_without` before its own imports.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator

from jaxact.errors import ConfigError, JaxactError

# What pip calls a package, where that is not its own name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "jax2onnx": '"jaxact[onnx]"',
    "mlflow": '"jaxact[mlflow]"',
    "onnx": '"jaxact[onnx]"',
    "ray": '"jaxact[ray]"',
    "sklearn": "scikit-learn",
    "submitit": '"jaxact[slurm]"',
    "tensorflow_datasets": "tensorflow-datasets",
    "trackio": '"jaxact[trackio]"',
    "wandb": '"jaxact[wandb]"',
}
OWN = ("jaxact", "experiments", "benchmarks", "configs")


@contextlib.contextmanager
def needed_for(what: str, error_class: type[JaxactError] = ConfigError) -> Iterator[None]:
    """A block of imports that `what` needs, such as "the report".

    Raises:
      error_class: a package is not installed; says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if not package or package in OWN:  # a mistake of ours
            raise
        name = DISTRIBUTIONS.get(package, package)
        raise error_class(
            f"{what} needs {name}, which is not installed: pip install {name}, then give the same "
            "command again"
        ) from error


def exit_without(*names: str) -> None:
    """Ends a command in one line if one of the packages that it needs cannot be imported."""
    try:
        with needed_for("this command"):
            for name in names:
                importlib.import_module(name)
    except ValueError as error:  # JAX, of a variable of the environment
        print(f"jaxact: JAX cannot start: {error}; mend or unset that variable", file=sys.stderr)
        sys.exit(ConfigError.exit_code)
    except ConfigError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
