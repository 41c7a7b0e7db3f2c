"""What is compiled ahead of time: once for each signature, on its own clock."""

import gc

import jax.numpy as jnp
import pytest

from jaxact.training.ahead_of_time import WITHOUT_COLLECTION, AheadOfTime
from jaxact.training.clock import Clock


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
def test_collection_comes_back_with_the_last_thread_that_compiles():
    gc.enable()
    with WITHOUT_COLLECTION:
        with WITHOUT_COLLECTION:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
