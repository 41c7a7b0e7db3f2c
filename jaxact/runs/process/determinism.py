"""`config.deterministic`: the same numbers from the same seed, on a GPU too."""

import os
import sys

import jax

from jaxact.errors import ConfigError

FLAG = "--xla_gpu_deterministic_ops=true"


def ensure(wanted: bool) -> None:
    """Has XLA choose deterministic operations alone, if wanted; call it before JAX's first use.

    On a CPU they all are, whatever the flag says; a line on stderr tells.

    Raises:
      ConfigError: a GPU is in use already without the flag.
    """
    ask(wanted)
    if wanted and jax.default_backend() == "cpu":
        print(
            "config.deterministic: on a CPU results are deterministic without it", file=sys.stderr
        )


def ask(wanted: bool) -> None:
    """Sets XLA's flag, if wanted; raises as `ensure`."""
    flags = os.environ.get("XLA_FLAGS", "")
    if wanted and FLAG not in flags.split():
        if backend_is_up() and jax.default_backend() != "cpu":
            raise ConfigError(
                "config.deterministic=True comes too late: this process uses its "
                f"{jax.default_backend()} already; start it with XLA_FLAGS={FLAG}"
            )
        os.environ["XLA_FLAGS"] = f"{flags} {FLAG}".strip()


def backend_is_up() -> bool:
    """Whether JAX has started; it tells by refusing to change an option that it has read then."""
    option, given = "jax_num_cpu_devices", jax.config.jax_num_cpu_devices  # pyright: ignore[reportAttributeAccessIssue]
    try:
        jax.config.update(option, given + 1)
    except RuntimeError:
        return True
    jax.config.update(option, given)
    return False


def describe(wanted: bool) -> str:
    """The entries of `environment.json`."""
    if jax.default_backend() == "cpu":
        return "always, as on every CPU"
    return f"yes, by {FLAG}" if wanted else "not asked for"
