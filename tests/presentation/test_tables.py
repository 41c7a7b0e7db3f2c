"""Cells of tables: spreads, and how each kind of cell reads."""

import math
import statistics

import numpy as np
import pytest

from jaxact.presentation import tables
from jaxact.presentation.tables import spread


def test_a_spread_is_the_median_with_quartiles_in_a_unit():
    assert spread([0.03, 0.01, 0.02, 0.05, 0.04], unit=100) == pytest.approx([3, 2, 4])
    assert spread([1.0, 2.0]) == [1.5, 1.25, 1.75]


def test_a_spread_leaves_out_what_was_not_seen():
    assert spread([3.0, math.nan, 1.0, 2.0]) == [2, 1.5, 2.5]
    assert spread([math.nan]) is spread([]) is None


def test_a_spread_with_misses_says_where_they_are():
    assert spread([3, math.inf, 2], miss="never") == "3 (2.5-never)"
    assert spread([3, 5, 4, 6, math.inf]) == [5, 4, 6]
    assert spread([3, math.inf]) is spread([3, math.inf, math.inf]) is None


@pytest.mark.parametrize("count", range(1, 8))
def test_the_median_is_that_of_the_standard_library_whatever_misses(count):
    for missed in range(count + 1):
        values = [*range(1, count - missed + 1), *[math.inf] * missed]
        median = statistics.median(values)
        cell = spread(values)
        assert (cell is None) == math.isinf(median)
        if isinstance(cell, list):
            assert cell[0] == median
            if not missed:
                assert cell == pytest.approx(np.percentile(values, [50, 25, 75]))
        elif cell is not None:
            assert cell.startswith(f"{tables.number(median)} (")


def test_cells_read_as_their_kind():
    cells = (None, "a", 1234.5, 0.012345, [3.0, 2.0, 4.0], [3.0, 3.0, 3.0])
    assert [tables.text(cell) for cell in cells] == [
        "-", "a", "1,234", "0.0123", "3 (2-4)", "3",
    ]  # fmt: skip
