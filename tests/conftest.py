"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import gc

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from tests.support import networks, variables  # before any configuration
from tests.support.commands import Commands
from tests.support.paths import ROOT
from tests.support.tiny import TINY

# Rooms that train: optax's Adam relies on dtype promotion.
TRAINING = {
    "api",
    "benchmarks",
    "comparison",
    "compilation",
    "experiments",
    "faults",
    "runs",
    "training",
}


def pytest_collection_finish():
    """Python looks for garbage rarely, and never among what the imports made.

    A tenth of the time of tests goes to that otherwise: most of what tracing makes lives on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def own_compilation_cache(tmp_path_factory):
    """A folder for the programs that tests, and the commands they start, compile.

    Each worker has a folder: JAX writes a program bit by bit, and who reads meanwhile reads half.
    """
    folder = str(tmp_path_factory.getbasetemp() / "compiled")
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    compilation_cache.reset_cache()  # it may have been looked for before
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", folder)
        yield


@pytest.fixture(autouse=True, scope="session")
def own_kept_results(tmp_path_factory):
    """A folder for what tests, and the commands they start, keep of decoded images and fits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXACT_CACHE", str(tmp_path_factory.getbasetemp() / "kept"))
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_compilation():
    """XLA leaves most optimisations of machine code out, also in processes that a test starts.

    Most tests ask what happens around compiled programs, or what any compiler must keep.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        jax.config.update("jax_disable_most_optimizations", True)
        yield


@pytest.fixture(scope="module")
def optimized(quick_compilation):
    """For tests of digits, tolerances and speed: programs are compiled as users' are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")
        jax.config.update("jax_disable_most_optimizations", False)
        jax.clear_caches()
        yield
    jax.config.update("jax_disable_most_optimizations", True)
    jax.clear_caches()


@pytest.fixture
def without_programs():
    """Functions are computed operation by operation: for tests of many functions.

    Operations on arrays of one shape are compiled once for all functions, and programs for each.
    """
    with jax.disable_jit():
        yield


@pytest.fixture
def quick_convolution():
    """Convolutions are XLA's, which compile in a fifth of the time of ours on a CPU."""
    with variables.xlas_convolution():
        yield


@pytest.fixture(scope="session")
def commands(own_compilation_cache, quick_compilation):
    """Starts commands as `python -m` does, without the seconds that imports take."""
    with Commands() as commands:
        yield commands


@pytest.fixture(autouse=True)
def strict_dtype_promotion(request):
    room = request.path.relative_to(ROOT / "tests").parts[0]
    with jax.numpy_dtype_promotion("standard" if room in TRAINING else "strict"):
        yield


@pytest.fixture
def tiny():
    return TINY


@pytest.fixture
def thin_networks(monkeypatch):
    """The networks of `tests.support.networks.make_thin`."""
    networks.make_thin(monkeypatch)
