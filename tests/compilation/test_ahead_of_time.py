"""What is compiled ahead of time: once for each signature, on its own clock, in any thread."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.compilation.ahead_of_time import AheadOfTime, without_collection
from jaxact.compilation.clock import Clock


def test_each_signature_is_compiled_once_and_on_the_clock():
    traced = []

    def double(x):
        traced.append(x.shape)
        return 2 * x

    program, clock = AheadOfTime(double), Clock()
    readings = []
    for shape in ((3,), (3,), (2, 2), (3,)):
        x = jnp.ones(shape)
        assert (program.prepare(clock, x)(x) == 2).all()
        readings.append(clock.compile_seconds)
    assert 0 < readings[0] == readings[1] < readings[2] == readings[3]
    assert traced == [(3,), (2, 2)]


@pytest.fixture
def collection():
    yield
    gc.enable()


@pytest.mark.usefixtures("collection")
@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_off_in_a_trace_and_then_as_before(enabled):
    (gc.enable if enabled else gc.disable)()
    seen = []

    def function(x):
        seen.append(gc.isenabled())
        if x.shape == (2,):
            raise ValueError("not this shape")
        return x

    program = AheadOfTime(function)
    program.prepare(Clock(), jnp.ones(3))
    with pytest.raises(ValueError, match="not this shape"):
        program.prepare(Clock(), jnp.ones(2))
    assert seen == [False, False]
    assert gc.isenabled() == enabled


@pytest.mark.usefixtures("collection")
@pytest.mark.parametrize("enabled", [True, False])
def test_collection_is_as_before_whichever_thread_leaves_first(enabled):
    (gc.enable if enabled else gc.disable)()
    first, second = without_collection(), without_collection()
    first.__enter__()
    second.__enter__()
    assert not gc.isenabled()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled() == enabled


def test_a_python_int_is_a_constant_of_the_program():
    program, x = (
        AheadOfTime(lambda n, x: jax.lax.fori_loop(0, n, lambda _, y: 2 * y, x)),
        jnp.ones(2),
    )
    for steps in (3, 5, 3):
        assert (program.prepare(Clock(), steps, x)(steps, x) == 2**steps).all()
    text = program.lower(3, x).as_text()
    assert "dense<3> : tensor<i32>" in text
    assert text.count("%arg") == program.lower(5, x).as_text().count("%arg")
    variable = program.prepare(Clock(), jnp.int32(4), x)
    assert (variable(jnp.int32(4), x) == 16).all()


def test_what_another_thread_compiles_is_waited_for_and_paid_once():
    traced, may_go_on = [], threading.Event()

    def slow(x):
        traced.append(threading.current_thread().name)
        may_go_on.wait()
        return x + 1

    program, x, clocks = AheadOfTime(slow), jnp.ones(3), (Clock(), Clock())
    with ThreadPoolExecutor(3) as pool:
        ahead = pool.submit(program.compile, x)
        runs = [pool.submit(lambda clock=clock: program.prepare(clock, x)(x)) for clock in clocks]
        may_go_on.set()
        assert all((run.result() == 2).all() for run in runs)
        assert (ahead.result()(x) == 2).all()
    assert len(traced) == 1
    paid = sorted(clock.compile_seconds for clock in clocks)
    assert paid[0] == 0 < paid[1]


def test_a_failed_compilation_is_tried_again():
    is_broken = [True]

    def function(x):
        if is_broken.pop():
            raise ValueError("not yet")
        return x

    program = AheadOfTime(function)
    with pytest.raises(ValueError, match="not yet"):
        program.compile(jnp.ones(3))
    is_broken.append(False)
    assert (program.prepare(Clock(), jnp.ones(3))(jnp.ones(3)) == 1).all()


def test_shapes_are_those_of_the_result():
    program = AheadOfTime(lambda x: {"sum": x.sum(), "twice": (x, x)})
    result = program.prepare(Clock(), jnp.ones((2, 3)))(jnp.ones((2, 3)))
    shapes = program.shapes(jax.ShapeDtypeStruct((2, 3), np.float32))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), shapes) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), result
    )


def test_memory_is_that_of_the_executables_for_an_argument():
    add = AheadOfTime(lambda x, y: x + y)
    small, large, scalar = jnp.zeros(10), jnp.zeros(100_000), jnp.zeros(())
    for x in (large, small):
        add.compile(x, scalar)
    of_small, of_large = add.memory_bytes(small), add.memory_bytes(large)
    assert of_small is not None
    assert of_large is not None
    assert of_small < 10_000 < 2 * large.nbytes <= of_large
    assert add.memory_bytes(jax.eval_shape(lambda: small)) == of_small
    assert add.memory_bytes(scalar) == of_large
    assert add.memory_bytes(jnp.zeros(11)) is None
