"""Charts of the report in a browser: their marks stand where the data says, and can be read."""

import itertools
import json
import re

import numpy as np
import pytest

from jaxact.comparison.analysis import measures
from jaxact.comparison.output import report
from tests.comparison.output import browsers
from tests.comparison.output.browsers import opened, wait_until
from tests.support.studies import synthetic_study

pytestmark = browsers.NEEDED
SPECS = ("relu", "tanh", "leaky_relu(negative_slope=0.1)", "elu")
WIDE = {"width": 1200, "height": 900}
STUDY = synthetic_study(
    SPECS, 5, 6, datasets=("mnist", "cifar10"), diverged={("elu", 1)}, never_reach={"tanh"}
)


@pytest.fixture(scope="module")
def browser():
    with browsers.launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return report.write_report(STUDY, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(browser, path):
    page, errors, _ = opened(browser, path, viewport=WIDE)
    yield page
    assert errors == []
    page.close()


@pytest.fixture(autouse=True)
def usual_view(page):
    """Every test leaves a wide page, all of every chart, and no point read."""
    yield
    if page.viewport_size != WIDE:
        page.set_viewport_size(WIDE)
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)


def box_of(page, name):
    return page.locator(f"[data-workload]:visible [data-chart={name}]")


def data_of(page, name):
    """The JSON of a chart of the first workload."""
    workload = json.loads(page.locator("#data").text_content())["workloads"][0]
    return workload["charts"].get(name) or workload["curves"][name]["eval-epoch"]


def markers_of(box):
    """The pixels of the markers of each mark, by its place in the data."""
    found = box.locator("[data-mark]").evaluate_all(
        """groups => groups.map(group => [group.dataset.mark,
          [...group.querySelectorAll(".marker")].map(marker => {
            const { e, f } = marker.transform.baseVal[0].matrix;
            return [e, f];
          })])"""
    )
    return {int(place): pixels for place, pixels in found if pixels}


def ticks_of(box):
    """Texts of the ticks with their pixels, of the x axis (middle) and of the y axis (end)."""
    found = box.locator(".tick").evaluate_all(
        """all => all.map(e => [e.getAttribute("text-anchor"), e.textContent,
          Number(e.getAttribute("x")), Number(e.getAttribute("y"))])"""
    )
    across = {text: x for anchor, text, x, _ in found if anchor == "middle"}
    upright = {text: y for anchor, text, _, y in found if anchor == "end"}
    return across, upright


def line_through(values, pixels):
    """Slope and offset of pixels over values, on which all lie within a tenth of a pixel."""
    slope, offset = np.polyfit(values, pixels, 1)
    np.testing.assert_allclose(slope * np.asarray(values) + offset, pixels, atol=0.1)
    return slope, offset


@pytest.mark.parametrize(
    ("name", "height"), [("accuracy", float), ("loss", np.log10)], ids=["linear", "logarithmic"]
)
def test_a_mark_s_pixels_are_linear_in_its_values(page, name, height):
    chart, box = data_of(page, name), box_of(page, name)
    points = []
    for place, pixels in markers_of(box).items():
        mark = chart["marks"][place]
        marked = mark.get("marked", range(len(mark["x"])))
        points += zip([(mark["x"][k], mark["y"][k]) for k in marked], pixels, strict=True)
    assert len(points) > 20
    x_slope, x_offset = line_through([x for (x, _), _ in points], [x for _, (x, _) in points])
    slope, offset = line_through([height(y) for (_, y), _ in points], [y for _, (_, y) in points])
    assert x_slope > 10  # to the right
    assert slope < -1  # upwards
    across, upright = ticks_of(box)
    assert len(across) > 2
    assert len(upright) > 1
    for text, pixel in across.items():
        assert pixel == pytest.approx(x_slope * float(text) + x_offset, abs=0.2)
    for text, pixel in upright.items():  # texts hang 4 pixels below their middle
        assert pixel - 4 == pytest.approx(slope * height(float(text)) + offset, abs=0.2)


def test_errors_and_intervals_stand_at_their_values(page):
    chart, box = data_of(page, "error"), box_of(page, "error")
    pixels = markers_of(box)
    points = [
        (value, x)
        for place, mark in enumerate(chart["marks"])
        if mark["kind"] == "points"
        for value, (x, _) in zip(mark["x"], pixels[place], strict=True)
    ]
    slope, offset = line_through(*zip(*points, strict=True))
    for place, mark in enumerate(chart["marks"]):
        if mark["kind"] != "centre":
            continue
        group = box.locator(f'[data-mark="{place}"]')
        whisker, bar = (group.locator(f".{name}").get_attribute("d") for name in ("whisker", "bar"))
        ends = [float(number) for number in re.findall(r"[MH](-?[\d.]+)", whisker)]
        assert ends == pytest.approx([slope * mark[e] + offset for e in ("low", "high")], abs=0.1)
        assert float(bar[1:].split()[0]) == pytest.approx(slope * mark["value"] + offset, abs=0.1)
    rows = [pixels[place][0][1] for place, m in enumerate(chart["marks"]) if m["kind"] == "points"]
    assert rows == sorted(rows)


def test_a_band_reaches_from_low_to_high(page):
    chart, box = data_of(page, "accuracy"), box_of(page, "accuracy")
    place = next(k for k, mark in enumerate(chart["marks"]) if mark.get("of") == 0)
    mark, group = chart["marks"][place], box.locator(f'[data-mark="{place}"]')
    slope, offset = line_through(mark["y"], [y for _, y in markers_of(box)[place]])
    path = group.locator(".band").first.get_attribute("d")
    corners = [tuple(map(float, pair.split())) for pair in re.findall(r"[\d.]+ -?[\d.]+", path)]
    expected = [slope * value + offset for value in (*mark["low"], *reversed(mark["high"]))]
    assert [y for _, y in corners] == pytest.approx(expected, abs=0.1)


# The edges of what is drawn: texts of each chart, and the charts themselves.
RECTANGLES = """() => [...document.querySelectorAll(".chart svg")].filter(e => e.checkVisibility())
  .map(svg => [svg, ...svg.querySelectorAll("text")].map(e => {
    const { left, top, right, bottom } = e.getBoundingClientRect();
    return [e.textContent.slice(0, 40), left, top, right, bottom];
  }))"""


def overlap(one, other):
    (_, *a), (_, *b) = one, other
    across = min(a[2], b[2]) - max(a[0], b[0])
    upright = min(a[3], b[3]) - max(a[1], b[1])
    return across > 0.5 and upright > 1.5  # boxes of texts are higher than their letters


@pytest.mark.parametrize("width", [390, 700, 1200, 2000])
def test_nothing_in_a_chart_overlaps(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    wait_until(
        page,
        "[...document.querySelectorAll('.chart svg')].filter(e => e.checkVisibility()).every("
        "e => e.viewBox.baseVal.width === e.clientWidth)",
    )
    drawn = page.evaluate(RECTANGLES)
    assert len(drawn) > 8
    for (_, left, top, right, bottom), *texts in drawn:
        assert len(texts) > 4
        for text, *box in texts:
            assert box[0] >= left - 1, text
            assert box[1] >= top - 1, text
            assert box[2] <= right + 1, text
            assert box[3] <= bottom + 1, text
        crossed = [(a[0], b[0]) for a, b in itertools.combinations(texts, 2) if overlap(a, b)]
        assert crossed == []
    charts = [svg for svg, *_ in drawn]
    assert not [pair for pair in itertools.combinations(charts, 2) if overlap(*pair)]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def tip(box):
    return box.locator(".tip > div").all_text_contents()


def pixels_of(box, place, point=0):
    """Where a marker stands on the screen."""
    frame = box.bounding_box()
    x, y = markers_of(box)[place][point]
    return frame["x"] + x, frame["y"] + y


def test_a_pointer_reads_all_values_of_a_point(page):
    box = box_of(page, "accuracy")
    box.scroll_into_view_if_needed()
    chart = data_of(page, "accuracy")
    mark = chart["marks"][0]
    page.mouse.move(*pixels_of(box, 0, 2))
    name, value, where = tip(box)
    assert name == SPECS[mark["of"]]
    numbers = [float(number) for number in re.findall(r"[\d.]+", value)]
    assert numbers == pytest.approx([mark[end][2] for end in ("y", "low", "high")], rel=1e-3)
    assert where.startswith("epoch 3, ")
    assert box.locator(".ring").count() == 1
    page.mouse.move(0, 0)
    assert tip(box) == []
    assert box.locator(".ring").count() == 0


def test_a_mark_of_a_run_says_which(page):
    box = box_of(page, "error")
    box.scroll_into_view_if_needed()
    marks = data_of(page, "error")["marks"]
    place = next(k for k, mark in enumerate(marks) if mark["kind"] == "points")
    page.mouse.move(*pixels_of(box, place, 4))
    error = measures.error_percent(STUDY.of(STUDY.workloads()[0], SPECS[0])[4])
    name, seed, value = tip(box)
    assert (name, seed) == (SPECS[0], "seed 4")
    assert float(value.removesuffix(" %")) == pytest.approx(error, rel=1e-3)


def test_a_miss_is_read_as_one(page):
    box = box_of(page, "times")
    box.scroll_into_view_if_needed()
    marks = data_of(page, "times")["marks"]
    place = next(k for k, m in enumerate(marks) if m["kind"] == "points" and m["of"] == 1)
    page.mouse.move(*pixels_of(box, place))
    assert tip(box) == ["tanh (0/5)", "seed 0", "never"]


def test_a_finger_reads_a_point(browser, path):
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    box = box_of(page, "loss")
    box.scroll_into_view_if_needed()
    x, y = pixels_of(box, 0, 1)
    page.touchscreen.tap(x + 6, y - 6)
    assert tip(box)[0] in SPECS
    assert "nats" in tip(box)[1]
    context.close()


def test_the_keyboard_reads_point_by_point(page):
    box = box_of(page, "accuracy")
    box.focus()
    for key, expected in (
        ("ArrowRight", (SPECS[0], "epoch 1")),
        ("ArrowRight", (SPECS[0], "epoch 2")),
        ("ArrowDown", (SPECS[1], "epoch 2")),
        ("End", (SPECS[1], "epoch 6")),
        ("ArrowLeft", (SPECS[1], "epoch 5")),
        ("ArrowUp", (SPECS[0], "epoch 5")),
        ("Home", (SPECS[0], "epoch 1")),
    ):
        page.keyboard.press(key)
        name, _, where = tip(box)
        assert (name, where.split(",")[0]) == expected
    assert box.locator(".tip").get_attribute("role") == "status"
    page.keyboard.press("Tab")
    assert tip(box) == []


def test_heat_maps_are_read_by_mouse_and_keyboard(page):
    maps = page.locator("[data-workload]:visible .maps")
    maps.scroll_into_view_if_needed()
    panel = maps.locator('[data-map="3"] .chart')
    cell = panel.locator(".cell").nth(7).bounding_box()
    page.mouse.move(cell["x"] + cell["width"] / 2, cell["y"] + cell["height"] / 2)
    name, where, value = tip(panel)
    assert name.startswith("elu")
    assert where == "activation_2, epoch 2"
    health = json.loads(page.locator("#data").text_content())["workloads"][0]["health"]["dead"]
    shown = next(p for p in health["panels"] if p["of"] == 3)["values"][1][1]
    assert float(value.removesuffix(" %")) == pytest.approx(shown, rel=1e-3)
    page.mouse.move(0, 0)
    assert tip(panel) == []
    maps.focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    first = maps.locator(".chart:has(.ring)")
    assert tip(first)[1] == "activation_1, epoch 2"


def limits(page, name):
    """The numbers at the first and last tick of both axes."""
    return [[float(text) for text in axis] for axis in ticks_of(box_of(page, name))]


def test_a_drag_zooms_and_a_double_click_shows_all(page):
    box = box_of(page, "accuracy")
    box.scroll_into_view_if_needed()
    whole = limits(page, "accuracy")
    across, upright = ticks_of(box)
    frame = box.bounding_box()
    low, high = (frame["x"] + across[text] for text in ("2", "4"))
    top = frame["y"] + min(upright.values()) - 4
    page.mouse.move(low, top)
    page.mouse.down()
    page.mouse.move(high, top + 60)
    assert box.locator(".frame").count() == 1
    page.mouse.up()
    assert box.locator(".frame").count() == 0
    zoomed, above = limits(page, "accuracy")
    assert 2 <= min(zoomed) <= max(zoomed) <= 4
    assert min(above) > min(whole[1])
    assert np.ptp(above) < np.ptp(whole[1])
    box.dblclick(position={"x": 200, "y": 100})
    assert limits(page, "accuracy") == whole


def test_the_keyboard_zooms_too(page):
    box = box_of(page, "loss")
    whole = limits(page, "loss")
    box.focus()
    page.keyboard.press("End")
    page.keyboard.press("End")
    page.keyboard.press("+")
    assert min(limits(page, "loss")[0]) > min(whole[0])
    page.keyboard.press("Escape")
    assert limits(page, "loss") == whole


def test_near_the_target_the_axis_is_shorter(page):
    whole = limits(page, "accuracy")[1]
    page.get_by_label("near the target").first.check()
    near = limits(page, "accuracy")[1]
    assert np.ptp(near) < np.ptp(whole)
    page.get_by_label("everything").first.check()
    assert limits(page, "accuracy")[1] == whole


def test_rows_close_up_where_an_activation_is_hidden(page):
    box = box_of(page, "error")
    chip = page.locator('[data-workload="0"] [data-series="1"]')
    chip.click()
    labels = box.locator(".row").all_text_contents()
    assert labels == ["relu", SPECS[2], "elu (1 of 5 diverged)"]
    rows = [np.mean([y for _, y in pixels]) for pixels in markers_of(box).values()]
    assert np.diff(rows) == pytest.approx([rows[1] - rows[0]] * 2, abs=2)
    chip.click()
    assert box.locator(".row").count() == len(SPECS)


def test_nothing_moves_for_those_who_want_no_motion(browser, path):
    context = browser.new_context(reduced_motion="reduce", viewport=WIDE)
    page = context.new_page()
    page.goto(path.as_uri())
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(e => {
          const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(e);
          return animationName !== "none" || !/^(0s(, )?)+$/.test(transitionDuration)
            || scrollBehavior === "smooth";
        }).length"""
    )
    assert moving == 0
    context.close()
