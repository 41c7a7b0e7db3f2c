"""The persistent compilation cache: what is torn goes, what is whole stays."""

import functools
import os
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jaxact.compilation import compiler
from jaxact.compilation.compiler import RUNS_ONCE
from jaxact.models import create_model
from jaxact.training.state import create_state


@pytest.fixture
def folder(tmp_path):
    """Some programs of JAX, kept."""
    before = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    compiler.keep_compiled(str(tmp_path / "kept"))
    compilation_cache.reset_cache()
    compile_some()
    yield tmp_path / "kept"
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


def compile_some():
    images = jax.ShapeDtypeStruct((3, 5), jnp.float32)
    for function in (jnp.tanh, jnp.sin, jnp.sqrt):
        jax.jit(lambda x, f=function: f(x) @ f(x).T).lower(images).compile()


def programs(folder):
    return sorted(folder.glob(compiler.PROGRAMS))


@pytest.mark.parametrize("length", [0, 1, 300, -1])
def test_torn_programs_go_and_are_made_again(folder, length):
    whole = programs(folder)
    assert len(whole) >= 3
    torn = whole[0]
    content = torn.read_bytes()
    torn.write_bytes(content[:length])
    compiler.keep_compiled(str(folder))
    assert programs(folder) == whole[1:]
    jax.clear_caches()
    with warnings.catch_warnings(action="error"):  # JAX warns of what it can't read
        compile_some()
    assert programs(folder) == whole


def test_programs_are_looked_at_once(folder):
    compiler.keep_compiled(str(folder))
    old, new = programs(folder)[:2]
    checked = (folder / compiler.CHECKED).stat().st_mtime_ns
    for path, changed in ((old, checked - 1), (new, checked)):
        path.write_bytes(b"")
        os.utime(path, ns=(changed, changed))
    compiler.keep_compiled(str(folder))
    assert old.exists()
    assert not new.exists()


def test_other_formats_stay(folder):
    compiler.keep_compiled(str(folder))
    other = folder / "jit_other-0-cache"
    other.write_bytes(b"\x28\xb5\x2f\xfd and more")
    compiler.keep_compiled(str(folder))
    assert other.exists()


def test_without_a_folder_nothing_is_made(tmp_path):
    compiler.remove_torn(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("optimized")
def test_the_first_parameters_are_the_same_however_they_are_compiled():
    model, optimizer = create_model("thin_cnn", "prelu"), optax.adam(1e-3)
    arguments = jax.random.key(3), jnp.zeros((1, 8, 8, 1))
    create = functools.partial(create_state, model, optimizer)
    states = [
        jax.jit(create, compiler_options=options)(*arguments) for options in (None, RUNS_ONCE)
    ]
    jax.tree.map(np.testing.assert_array_equal, *states)


@pytest.fixture
def options_restored():
    """JAX's options after the test are those before it."""
    quick = jax.config.read("jax_disable_most_optimizations")
    folder = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    yield
    jax.config.update("jax_disable_most_optimizations", quick)
    jax.config.update("jax_compilation_cache_dir", folder)


@pytest.mark.usefixtures("options_restored")
@pytest.mark.parametrize(("is_quick", "expected"), [(False, RUNS_ONCE), (True, None)])
def test_what_runs_once_is_never_optimized_more_than_the_rest(is_quick, expected):
    jax.config.update("jax_disable_most_optimizations", is_quick)
    assert compiler.runs_once() == expected


@pytest.mark.usefixtures("options_restored")
def test_no_folder_turns_the_cache_off():
    compiler.keep_compiled("")
    assert str(compiler.CacheUse()) == "off"


def products():
    """A program of a batch of small matrix products."""
    matrices = jax.ShapeDtypeStruct((8, 64, 64), jnp.float32)
    options = compiler.without_ynnpack()
    return jax.jit(jnp.matmul, compiler_options=options).lower(matrices, matrices).compile()


@pytest.mark.usefixtures("optimized")
def test_products_of_small_matrices_are_not_left_to_ynnpack():
    assert "__ynn_fusion" not in str(products().as_text())


def test_an_option_that_xla_does_not_know_is_left_out(monkeypatch):
    monkeypatch.setattr(compiler, "WITHOUT_YNNPACK", {"xla_cpu_no_such_option": "1"})
    compiler.without_ynnpack.cache_clear()
    try:
        assert compiler.without_ynnpack() is None
        products()
    finally:
        compiler.without_ynnpack.cache_clear()
