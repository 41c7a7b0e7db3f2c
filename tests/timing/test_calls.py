"""Times of calls in turn: what is called, how often. Never how fast."""

import gc

import pytest

from jaxact.timing import calls as timing


def test_calls_are_interleaved_after_warm_up_without_garbage_collection():
    calls = []
    spies = {
        name: (lambda i, name=name: calls.append((name, i, gc.isenabled()))) for name in ("a", "b")
    }
    times = timing.interleaved(spies, samples=3, warmups=2)
    warm, timed = calls[:4], calls[4:]
    assert [call[:2] for call in warm] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert [call[:2] for call in timed] == [(n, i) for i in range(3) for n in ("a", "b")]
    assert not any(enabled for *_, enabled in timed)
    assert gc.isenabled()
    assert all(series.shape == (3,) and (series > 0).all() for series in times.values())


def test_garbage_collection_is_enabled_again_after_an_error():
    with pytest.raises(ZeroDivisionError):
        timing.interleaved({"a": lambda i: 1 / 0 if gc.isenabled() is False else None}, 1, 1)
    assert gc.isenabled()
