"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import os
import tempfile

import jax
import pytest
from jax._src import compiler, lru_cache
from jax._src.compiler import get_compile_options
from jax.experimental.compilation_cache import compilation_cache

from jaxact.models import AlexNet, vgg
from tests.commands import Commands


def put_at_once(cache, key, value):
    """Instead of JAX's: whoever reads at the same time reads all of it, or nothing."""
    with tempfile.NamedTemporaryFile(dir=str(cache.path), delete=False) as file:
        file.write(value)
    os.replace(file.name, str(cache.path / f"{key}-cache"))


@pytest.fixture(autouse=True, scope="session")
def own_compilation_cache(tmp_path_factory):
    """What tests compile they keep to themselves, and so do the commands that they start.

    Workers share a folder: what one has compiled the others need not.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    compilation_cache.reset_cache()  # it may have been looked for before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lru_cache.LRUCache, "put", put_at_once)
        # Another folder: a command that is killed may leave half a program.
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder / "compiled_by_commands"))
        yield


GIVEN_XLA_FLAGS = os.environ.get("XLA_FLAGS", "")
FUSION_EMITTERS = "xla_cpu_use_fusion_emitters"  # without them XLA compiles twice as fast


def quick_options(*args, **kwargs):
    """JAX's compiler options; where optimisations are left out, without these emitters."""
    options = get_compile_options(*args, **kwargs)
    if jax.config.read("jax_disable_most_optimizations"):
        options.env_option_overrides = [*options.env_option_overrides, (FUSION_EMITTERS, False)]
    return options


@pytest.fixture(autouse=True, scope="session")
def quick_compilation():
    """XLA leaves most optimisations of machine code out, also in processes that a test starts.

    Most tests ask what happens around compiled programs, or what any compiler must keep.
    """
    jax.devices()  # this process has read its XLA_FLAGS: what follows is for those it starts
    with pytest.MonkeyPatch.context() as patch:
        flags = f"{GIVEN_XLA_FLAGS} --{FUSION_EMITTERS}=false"
        patch.setenv("XLA_FLAGS", flags.strip())
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        patch.setattr(compiler, "get_compile_options", quick_options)
        jax.config.update("jax_disable_most_optimizations", True)
        yield


@pytest.fixture(scope="module")
def optimized(quick_compilation):
    """For tests of digits, tolerances and speed: programs are compiled as users' are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")
        patch.setenv("XLA_FLAGS", GIVEN_XLA_FLAGS)
        jax.config.update("jax_disable_most_optimizations", False)
        jax.clear_caches()
        yield
    jax.config.update("jax_disable_most_optimizations", True)
    jax.clear_caches()


@pytest.fixture(scope="session")
def commands(own_compilation_cache, quick_compilation):
    """Starts commands as `python -m` does, without the seconds that imports take."""
    with Commands() as commands:
        yield commands


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    with jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def thin_networks(monkeypatch):
    """VGG-11 and AlexNet of a sixteenth of their width; all their parameters take seconds."""
    stages = tuple(tuple(width // 16 for width in stage) for stage in vgg.STAGES)
    monkeypatch.setattr(vgg, "STAGES", stages)
    monkeypatch.setattr(AlexNet, "widths", (6, 16, 24, 24, 16))
    monkeypatch.setattr(AlexNet, "hidden", 256)
