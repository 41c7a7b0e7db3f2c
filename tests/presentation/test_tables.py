"""Cells of tables, and numbers as text: how each kind reads."""

import math

import pytest

from jaxact.presentation import numbers, tables

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("quartiles", "cell"),
    [
        ((3.0, 2.0, 4.0), [3, 2, 4]),
        ((3.0, 2.5, INF), "3 (2.5-never)"),
        ((INF, 3.0, INF), None),
        ((NAN, NAN, NAN), None),
    ],
)
def test_a_spread_with_misses_says_where_they_are(quartiles, cell):
    assert tables.spread(quartiles, "never") == cell


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((1.934, 1.807, 2.104), "s"), "1.93 s [1.81, 2.10]"),
        (((1.934, 1.807, 2.104),), "1.93 [1.81, 2.10]"),
        (((1.934, NAN, NAN), "s"), "1.93 s"),
        (((1.934, 1.807, INF), "s"), "1.93 s [1.81, never]"),
        (((0.5, -0.25, 1), "", numbers.SIGNED, numbers.FROM_TO), "+0.50 (-0.25 to +1.00)"),
        (((INF, 3, INF), "", numbers.number, numbers.DASH, "> 9"), "> 9 (3-> 9)"),
    ],
)
def test_an_estimate_stands_with_its_interval(arguments, text):
    assert numbers.estimate(*arguments) == text


@pytest.mark.parametrize(
    ("value", "alone", "named"),
    [
        (0.00099, "<0.001", "p < 0.001"),
        (0.001, "0.001", "p = 0.001"),
        (0.0456, "0.046", "p = 0.046"),
        (1.0, "1.000", "p = 1.000"),
    ],
)
def test_p_values_have_three_decimals(value, alone, named):
    assert numbers.p_value(value) == alone
    assert numbers.p_value(value, "p") == named


def test_cells_read_as_their_kind():
    cells = (NAN, INF, None, "a", 1234.5, 0.012345, [3.0, 2.0, 4.0], [3.0, 3.0, 3.0])
    assert [tables.text(cell) for cell in cells] == [
        "-", "-", "-", "a", "1,234", "0.0123", "3 (2-4)", "3",
    ]  # fmt: skip
