"""The persistent cache of compiled programs, in a block of a user's program."""

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jaxact.compilation import compiler

NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture
def without_cache():
    """A program that has none any more: what it compiled so far is kept elsewhere."""
    before = {name: jax.config.values[name] for name in NAMES}
    compile_new(1.5)
    jax.config.update(NAMES[0], None)
    jax.config.update(NAMES[1], 1.0)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def compile_new(factor):
    jax.jit(lambda x: factor * x).lower(jnp.ones(3)).compile()


def programs(folder):
    return len(list(folder.glob(compiler.PROGRAMS)))


def test_a_block_keeps_what_it_compiles_and_leaves_the_program_as_it_was(tmp_path, without_cache):
    with compiler.kept(str(tmp_path)):
        compile_new(2.5)
    kept = programs(tmp_path)
    assert kept
    assert jax.config.values[NAMES[0]] is None
    assert jax.config.values[NAMES[1]] == 1.0
    compile_new(3.5)
    own = tmp_path / "own"
    jax.config.update(NAMES[0], str(own))
    jax.config.update(NAMES[1], 0.0)
    compile_new(5.5)
    assert programs(own)
    assert programs(tmp_path) == kept


def test_a_cache_of_the_programs_own_stays(tmp_path):
    own = jax.config.values[NAMES[0]]
    with compiler.kept(str(tmp_path)):
        assert jax.config.values[NAMES[0]] == own
        compile_new(4.5)
    assert not programs(tmp_path)
