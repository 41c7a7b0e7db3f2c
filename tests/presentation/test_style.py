"""Styles: told apart with and without colour, the same in every study, on paper and on pages."""

import itertools
import re

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D

from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.presentation import style
from tests.support.studies import specs


def test_thirty_five_activations_look_different():
    styles = style.style_of(specs(35)).values()
    assert len({(s.color, s.dash) for s in styles}) == 35


def test_without_colour_neighbours_still_differ():
    styles = list(style.style_of(specs(25)).values())
    for window in range(len(styles) - 10):
        grey = [(s.dash, s.marker) for s in styles[window : window + 11]]
        assert len(set(grey)) == 11


@pytest.mark.parametrize("name", PAPER_ACTIVATIONS)
def test_the_papers_activations_look_the_same_in_every_study(name):
    alone = style.style_of([name])[name]
    assert alone == style.style_of(["gelu", *specs(20)])[name]
    assert alone != style.style_of(["gelu", name])["gelu"]


def test_colours_contrast_with_white():
    """At least 2:1, of relative luminance as WCAG defines it."""

    def luminance(color):
        channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for s in style.style_of(specs(7)).values():
        assert 1.05 / (luminance(s.color) + 0.05) >= 2


def test_a_page_has_the_markers_and_dashes_of_the_figures():
    outlines = {}
    for s in style.style_of(specs(35)).values():
        line = Line2D([], [], color=s.color, linestyle=s.line_style, marker=s.marker)
        assert line.get_marker() == s.marker
        assert tuple(float(length) / 2 for length in s.svg_dash.split()) == s.dash
        corners = np.array(re.findall(r"-?(?:\d+\.?\d*|\.\d+)", s.outline), float)
        assert s.outline.startswith("M")
        assert s.outline.endswith("z")
        assert 3 <= np.abs(corners).max() <= 9.1
        outlines[s.marker] = s.outline
    assert len({*outlines.values()}) == len(outlines) > 7


def test_labels_are_short_and_different():
    heads = ("a" * 60 + ".module:f", "b" * 60 + ".module:f", "c" * 60 + ".module:g")
    names = ["relu", "snake(a='\u4e2d\u0007')", *heads, "β-Swish (ä)"]
    labels = style.labels_of(names)
    assert labels["relu"] == "relu"
    assert labels[names[1]] == "snake(a='\\u4e2d\\x07')"
    assert labels[names[-1]] == names[-1]
    assert labels[heads[2]] == "..." + heads[2][-37:]
    assert all(a != b for a, b in itertools.combinations(labels.values(), 2))


def test_letters_that_labels_keep_are_in_the_font_of_the_figures():
    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    letters = [chr(code) for code in range(0x20, 0x3000)]
    labels = style.labels_of(letters)
    kept = [letter for letter in letters if labels[letter] == letter]
    assert {"a", "ß", "β", "Ж"} <= set(kept)
    assert not [letter for letter in kept if ord(letter) not in font.get_charmap()]
