"""The arithmetic of measurements in turn."""

import pytest

from benchmarks.timing import alternation, pairing


def test_a_ratio_is_taken_pair_by_pair():
    # The machine is ten times slower in one round: the ratio of medians would not be 0.5.
    ours, theirs = [1.0, 10.0, 1.0, 1.0, 1.0], [2.0, 20.0, 2.0, 2.0, 2.0]
    assert pairing.ratio(ours, theirs) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="zip"):
        pairing.ratio([1.0], [1.0, 2.0])


def test_contenders_take_turns():
    turns = []

    def measure(name):
        turns.append(name)
        return {"seconds": float(len(turns))}

    figures = pairing.alternate({name: lambda name=name: measure(name) for name in "ABC"}, 3)
    assert "".join(turns) == "ABCABCABC"
    assert figures["B"] == {"seconds": [2.0, 5.0, 8.0]}


def test_several_turns_are_joined_in_order():
    parts = [{"a": {"ms": [1.0, 2.0]}}, {"a": {"ms": [3.0]}}]
    assert pairing.joined(parts) == {"a": {"ms": [1.0, 2.0, 3.0]}}


@pytest.mark.parametrize(
    ("pairs", "processes", "expected"), [(7, 3, [3, 2, 2]), (6, 3, [2, 2, 2]), (5, 9, [1] * 5)]
)
def test_processes_share_all_pairs(pairs, processes, expected):
    assert alternation.shares(pairs, processes) == expected
