"""The benchmark of convolutions: the shapes, the ways, and how far the choice is from the best."""

import pytest

from benchmarks import convolutions
from benchmarks.convolutions import IN_LOOP, OURS, PLAIN, Case
from jaxact.models.convolution import choice

IN_BLOCKS = (choice.NATIVE, choice.TAPS, choice.PATCHES)
DENSE = (*IN_BLOCKS, choice.WINOGRAD, choice.BANDED)
DILATED = Case((4, 4, 2), (3, 3, 2, 3), dilation=(2, 2))
GROUPED = Case((4, 4, 2), (3, 3, 1, 2), groups=2)
TINY = convolutions.COMMAND.parse(["--batch_size=2", "--rounds=3", "--steps=1"])


def test_the_shapes_of_a_network_are_those_of_its_layers():
    shapes = {
        (case.size, case.kernel, case.strides) for case in convolutions.of_network("resnet20")
    }
    expected = {((32, 32, 3), (3, 3, 3, 16), (1, 1))}
    expected |= {((32 // n, 32 // n, 16 * n), (3, 3, 16 * n, 16 * n), (1, 1)) for n in (1, 2, 4)}
    expected |= {((32 // n, 32 // n, 16 * n), (3, 3, 16 * n, 32 * n), (2, 2)) for n in (1, 2)}
    assert shapes == expected


def test_the_shapes_of_several_kinds_are_measured_each_once():
    both = convolutions.cases("resnet18,preact_resnet18,convnext")
    assert len(set(both.values())) == len(both)
    for name in ("resnet18", "convnext"):
        assert set(convolutions.cases(name)) < set(both)


@pytest.mark.parametrize(
    ("case", "ways"),
    [
        (Case((4, 4, 2), (3, 3, 2, 3)), DENSE),
        (Case((4, 4, 2), (3, 3, 2, 3), strides=(2, 2)), (*IN_BLOCKS, choice.STRIDED)),
        (DILATED, (choice.NATIVE, choice.PATCHES)),
        (GROUPED, (OURS,)),
    ],
    ids=str,
)
def test_every_way_of_a_shape_is_known(case, ways):
    known, chosen = convolutions.ours(case, 2)
    assert {*known} == {*ways}
    assert chosen in ways


@pytest.mark.parametrize(
    ("case", "ways"), [(DILATED, (choice.NATIVE, choice.PATCHES)), (GROUPED, (OURS,))], ids=str
)
def test_every_way_is_measured_beside_xlas(case, ways):
    known = convolutions.measure(case, TINY)
    assert set(known["figures"]) == {PLAIN, IN_LOOP, *ways}
    assert known["chosen"] in ways
    assert all(len(figures["seconds"]) == 3 for figures in known["figures"].values())


def test_the_choice_is_compared_with_the_fastest_in_a_loop():
    seconds = {PLAIN: 0.001, IN_LOOP: 0.2, choice.PATCHES: 0.01, choice.WINOGRAD: 0.004}
    figures = {way: {"seconds": [value] * 3} for way, value in seconds.items()}
    (row,) = convolutions.rows({"3x3": {"chosen": choice.PATCHES, "figures": figures}})
    assert row["best"] == choice.WINOGRAD
    assert row["chosen / best"] == pytest.approx(2.5)
    assert row[PLAIN].value == pytest.approx(1.0)
