"""JAX's strict modes: refused before a run begins, or named as the cause."""

import jax
import jax.numpy as jnp
import pytest

from jaxact import command
from jaxact.config import Config
from jaxact.errors import ConfigError, NonFiniteLossError
from jaxact.runs import setup
from jaxact.runs.loading import run_data
from jaxact.runs.process import modes

STRICT = {
    "JAX_NUMPY_RANK_PROMOTION=raise": lambda: jax.numpy_rank_promotion("raise"),
    "JAX_NUMPY_DTYPE_PROMOTION=strict": lambda: jax.numpy_dtype_promotion("strict"),
    "JAX_DISABLE_JIT=1": jax.disable_jit,
    "JAX_TRANSFER_GUARD_HOST_TO_DEVICE=disallow_explicit": lambda: (
        jax.transfer_guard_host_to_device("disallow_explicit")
    ),
}


@pytest.fixture(params=STRICT)
def strict(request):
    """A mode of JAX, as a variable of the environment sets it."""
    with STRICT[request.param]():
        yield request.param


@pytest.mark.parametrize("prepare", [run_data.load, setup.prepare])
def test_a_run_is_refused_in_a_line(strict, prepare):
    with pytest.raises(ConfigError, match=f"^{strict} .* unset it") as refused:
        prepare(Config())
    assert "\n" not in str(refused.value)


def test_what_else_fails_under_one_is_one_line(strict, capsys):
    def fail():
        raise TypeError("ranks\ndiffer")

    assert command.exit_code(fail) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"jaxact: {strict}, which is set, may be the cause of ")
    assert "TypeError: ranks differ; unset it" in said
    assert said.count("\n") == 1


def test_a_value_that_jax_stops_at_is_one_line(capsys):
    with jax.debug_nans(True):
        assert command.exit_code(lambda: int(jnp.log(-jnp.ones(())))) == 4
    said = capsys.readouterr().err
    assert said.startswith("jaxact: JAX_DEBUG_NANS stopped the program")
    assert said.count("\n") == 1
    assert modes.explanation(FloatingPointError("x")) is None
    assert NonFiniteLossError.exit_code == 4


@pytest.mark.parametrize("mode", ["jax_debug_nans", "jax_check_tracer_leaks", "jax_enable_checks"])
def test_other_modes_are_taken(mode):
    before = getattr(jax.config, mode)
    jax.config.update(mode, True)
    try:
        modes.refuse_strict()
    finally:
        jax.config.update(mode, before)
