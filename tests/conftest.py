"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import jax
import pytest

from tests.commands import Commands


@pytest.fixture(autouse=True, scope="session")
def own_compilation_cache(tmp_path_factory):
    """Commands that tests start keep what they compile to themselves, and share it."""
    folder = tmp_path_factory.getbasetemp() / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def commands(own_compilation_cache):
    """Starts commands as `python -m` does, without the seconds that imports take."""
    with Commands() as commands:
        yield commands


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    with jax.numpy_dtype_promotion("strict"):
        yield
