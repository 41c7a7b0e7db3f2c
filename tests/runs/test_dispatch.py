"""How long dispatches get."""

import jax
import pytest

from jaxact.runs import dispatch


def test_a_fixed_length_stays():
    fixed = dispatch.choose(7, 100)
    fixed.after(7, 1e-3)
    assert fixed.steps == 7


def test_on_a_cpu_dispatches_grow_to_a_second_and_shrink_when_steps_slow_down():
    own = dispatch.choose(None, 1000)
    lengths = []
    for _ in range(10):
        lengths.append(own.steps)
        own.after(own.steps, 0.02 * own.steps)
    assert lengths[:6] == [1, 2, 4, 8, 16, 32]
    assert lengths[-1] == 50
    own.after(50, 10.0)
    assert own.steps == 5
    own.after(5, 100.0)
    assert own.steps == 1


def test_the_rest_of_an_epoch_does_not_hold_the_length_back():
    own = dispatch.DispatchLength(None, 1000)
    for _ in range(10):
        own.after(own.steps, 0.02 * own.steps)
    own.after(3, 0.06)
    assert own.steps == 50


def test_no_dispatch_is_longer_than_an_epoch():
    own = dispatch.choose(None, 12)
    for _ in range(10):
        own.after(own.steps, 1e-6)
    assert own.steps == 12


def test_an_accelerator_gets_an_epoch_at_once(monkeypatch):
    monkeypatch.setattr(dispatch.jax, "default_backend", lambda: "gpu")
    assert dispatch.choose(None, 468).steps == 468


@pytest.mark.parametrize(("backend", "kind"), [("cpu", jax.Array), ("gpu", int), ("tpu", int)])
def test_an_accelerator_is_told_the_length_as_a_constant(monkeypatch, backend, kind):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    assert isinstance(dispatch.argument(7), kind)
    assert dispatch.argument(7) == 7
    assert dispatch.choose(None, 468).steps == (1 if backend == "cpu" else 468)
