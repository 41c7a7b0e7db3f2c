"""Headlines of figures: whole, within the figure, and beside the legend, not under it."""

from typing import Any

import pytest

from experiments.common.headlines import add_headline, told
from jaxact.presentation import drawing

LONG = "words of a finding that go on and on, " * 6 + "up to 12 %"


@pytest.mark.parametrize("legend", [False, True])
@pytest.mark.parametrize("width", [4.0, 10.0])
def test_a_headline_stands_above_the_panels_and_beside_the_legend(width, legend):
    with drawing.house_style():
        figure = drawing.new_figure(width, 4)
        axes = figure.subplots()
        (line,) = axes.plot([1, 2])
        if legend:
            drawing.add_legend(figure, [line], ["a line with a name"])
        add_headline(figure, LONG, "the set-up, " * 20)
        figure.draw_without_rendering()
    assert told(figure) == LONG
    title: Any = vars(figure)["_suptitle"]
    above, (below,) = title.get_window_extent(), figure.artists
    boxes = [above, below.get_window_extent()]
    right = figure.legends[0].get_window_extent().x0 if legend else figure.bbox.x1
    assert all(box.x0 >= 0 and box.x1 <= right for box in boxes)
    assert axes.get_window_extent().y1 < boxes[1].y0
    assert boxes[1].y0 == pytest.approx(above.y0)
    lines = figure.get_suptitle().rstrip().count("\n") + 1
    first = above.y1 - lines * 1.3 * 11 / 72 * figure.dpi
    assert boxes[1].y1 <= first + 6  # the set-up is below the last line of the finding


def test_a_number_stays_with_its_unit():
    with drawing.house_style():
        figure = drawing.new_figure(3, 3)
        add_headline(figure, "12 % " * 30, "")
    assert all(line.startswith("12") for line in figure.get_suptitle().strip().split("\n"))
