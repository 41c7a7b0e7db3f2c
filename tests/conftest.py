"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jaxact.models import AlexNet
from tests.commands import Commands


@pytest.fixture(autouse=True, scope="session")
def own_compilation_cache(tmp_path_factory):
    """What tests compile they keep to themselves, and so do the commands that they start."""
    folder = tmp_path_factory.getbasetemp()
    jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
    compilation_cache.reset_cache()  # it may have been looked for before
    with pytest.MonkeyPatch.context() as patch:
        # Another folder: a command that is killed may leave half a program.
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "compiled_by_commands"))
        yield


@pytest.fixture(scope="session")
def commands(own_compilation_cache):
    """Starts commands as `python -m` does, without the seconds that imports take."""
    # Not the `quick_compilation` of whichever test comes first: it outlives that.
    with Commands({"JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}) as commands:
        yield commands


@pytest.fixture(scope="module")
def quick_compilation():
    """For tests of what happens around compiled programs, not of their numbers: XLA is quicker.

    It leaves most optimisations of machine code out, also in processes that a test itself starts.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        jax.config.update("jax_disable_most_optimizations", True)
        yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    with jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def thin_alexnet(monkeypatch):
    """AlexNet with a sixteenth of its width; the 61 million parameters would take seconds."""
    monkeypatch.setattr(AlexNet, "widths", (6, 16, 24, 24, 16))
    monkeypatch.setattr(AlexNet, "hidden", 256)
