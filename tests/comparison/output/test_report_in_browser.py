"""The report in a browser: no network, no errors, by mouse and by keyboard, wide, narrow, dark."""

import re

import numpy as np
import pytest

from jaxact import activations
from jaxact.comparison import compare_results, results_file
from jaxact.comparison.output import report, report_content as content
from tests.comparison.output import browsers
from tests.comparison.output.browsers import opened, wait_until
from tests.support.studies import synthetic_study

SPECS = ("relu", "tanh", "leaky_relu(negative_slope=0.1)", "elu")
WIDE = {"width": 1200, "height": 900}
HOSTILE = ("<script>fooled()</script>", '"><img src=x onerror=fooled()>', "<b>%{x}</b>")

pytestmark = browsers.NEEDED


@pytest.fixture(scope="module")
def browser():
    with browsers.launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    study = synthetic_study(
        SPECS, 5, 6, datasets=("mnist", "cifar10"), diverged={("elu", 1)}, never_reach={"tanh"}
    )
    path = report.write_report(study, tmp_path_factory.mktemp("report"))
    page, errors, requests = opened(browser, path, viewport=WIDE)
    yield page
    assert errors == []
    assert {url for url in requests if not url.startswith("data:")} == {path.as_uri()}
    page.close()


@pytest.fixture(autouse=True)
def usual_view(page):
    """Every test leaves light paper, wide, with the first workload."""
    yield
    if page.viewport_size != WIDE:
        page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light", media="screen")
    if page.locator("#workload").input_value() != "0":
        page.select_option("#workload", "0")


def column(page, number):
    return page.locator('[data-workload="0"] table.results tbody tr').evaluate_all(
        f"rows => rows.map(row => row.cells[{number}].dataset.value)"
    )


def header(page, name):
    return page.locator('[data-workload="0"] table.results th', has_text=name).first


def lines(page, chart):
    """How many lines a chart of the workload that is shown has."""
    box = page.locator(f"[data-workload]:visible [data-chart={chart}]")
    return box.locator("path.line").count()


def test_charts_are_drawn(page):
    for chart in ("accuracy", "loss", "times", "reached"):
        assert page.locator(f"[data-workload]:visible [data-chart={chart}] svg").count()
    assert lines(page, "accuracy") == len(SPECS)
    assert page.locator("[data-workload]:visible [data-map] svg .cell").count()


def test_a_click_sorts_and_another_turns_round(page):
    position = header(page, "s to target").evaluate("th => th.cellIndex")
    header(page, "s to target").locator("button").click()
    assert header(page, "s to target").get_attribute("aria-sort") == "ascending"
    values = [float(value) for value in column(page, position) if value]
    assert values == sorted(values)
    assert len(values) > 1
    assert column(page, position)[-1] == ""  # never there: last
    header(page, "s to target").locator("button").click()
    assert header(page, "s to target").get_attribute("aria-sort") == "descending"
    values = [float(value) for value in column(page, position) if value]
    assert values == sorted(values, reverse=True)
    assert column(page, position)[-1] == ""


def test_the_keyboard_sorts(page):
    header(page, "activation").locator("button").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    first = column(page, 0)
    page.keyboard.press("Space")
    assert column(page, 0) == first[::-1]
    assert header(page, "activation").get_attribute("aria-sort") == "descending"
    sorted_headers = page.locator('[data-workload="0"] table.results th[aria-sort=descending]')
    assert sorted_headers.count() == 1


def test_every_control_can_be_reached_by_keyboard(page):
    unreachable = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a[href], summary, .scroll")]
        .filter(e => e.tabIndex < 0).map(e => e.outerHTML)"""
    )
    assert unreachable == []
    unnamed = page.locator(":is(button, input, select):visible").evaluate_all(
        """all => all.filter(e => !(e.innerText || e.labels?.length)).map(e => e.outerHTML)"""
    )
    assert unnamed == []


def test_the_x_axis_turns_to_seconds(page):
    def axis():
        box = page.locator("[data-workload]:visible [data-chart=accuracy]")
        return box.locator(".title").first.text_content()

    assert axis() == "epoch"
    page.get_by_label("training seconds").first.check()
    assert axis() == "training time (s)"
    page.get_by_label("epochs").first.check()


def test_a_legend_takes_a_line_out_of_every_chart(page):
    chip = page.locator('[data-workload="0"] [data-series="1"]')
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    assert lines(page, "accuracy") == len(SPECS) - 1
    assert page.locator('[data-function="1"]').is_hidden()
    assert page.locator('[data-workload="0"] [data-map="1"]').is_hidden()
    chip.click()
    assert lines(page, "accuracy") == len(SPECS)


def test_the_selector_shows_another_workload(page):
    page.select_option("#workload", "1")
    assert page.locator('[data-workload="0"]').is_hidden()
    assert page.locator('[data-workload="1"] [data-chart=accuracy] svg').count()


def read_out(page):
    """x at the cursor, and f(x) and f'(x) as the table shows them."""

    def number(text):
        return float(text.replace("\u2212", "-").removeprefix("x = "))

    x = number(page.locator("#cursor-at").inner_text())
    rows = page.locator("table.readout tbody tr").all()
    return x, [[number(cell) for cell in row.locator("td").all_inner_texts()] for row in rows]


def assert_read_out_is_right(page, x):
    at, values = read_out(page)
    assert at == pytest.approx(x)
    for spec, (value, slope) in zip(SPECS, values, strict=True):
        act = activations.get(spec)
        point = np.float32(at)
        assert value == pytest.approx(float(act(point, **act.params)), rel=1e-5, abs=1e-6)
        assert slope == pytest.approx(
            float(act.derivative(point, **act.params)), rel=1e-5, abs=1e-6
        )


def test_the_explorer_reads_out_what_jaxact_computes(page):
    slider = page.locator("#cursor")
    slider.focus()
    x, _ = read_out(page)
    page.keyboard.press("ArrowLeft")
    assert_read_out_is_right(page, x - 0.1)
    page.keyboard.press("Shift+ArrowRight")
    assert_read_out_is_right(page, x - 0.09)
    page.keyboard.press("Home")
    assert_read_out_is_right(page, -6)
    assert slider.get_attribute("aria-valuetext") == "x = -6.00"


def test_the_explorer_follows_the_mouse(page):
    chart = page.locator("#explorer-values")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    x, _ = read_out(page)
    assert -3 < x < -1
    assert_read_out_is_right(page, x)
    assert page.locator(".cursor-line").count() == 2
    line = page.locator(".cursor-line").first.bounding_box()
    assert line["x"] == pytest.approx(box["x"] + box["width"] / 3, abs=3)


def test_a_phone_scrolls_tables_not_the_page(page):
    page.set_viewport_size({"width": 360, "height": 740})
    wait_until(page, "document.querySelector('#explorer-values svg').clientWidth < 360")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    scroll = page.locator('[data-workload="0"] .scroll').first
    assert scroll.evaluate("box => box.scrollWidth > box.clientWidth")


def hexadecimal(color):
    """Of `rgb(...)` as the browser computes it."""
    return "#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", color)[:3]))


# Every text that is shown, its colour and what is behind it.
TEXTS = """() => [...document.querySelectorAll(
    "p, li, th, td, a, h1, h2, h3, dt, dd, span, button, label, legend, output, svg text")]
  .filter(e => e.checkVisibility() && e.textContent.trim())
  .map(e => {
    const style = getComputedStyle(e);
    let behind = e, paper;
    do { paper = getComputedStyle(behind).backgroundColor; behind = behind.parentElement; }
    while (behind && paper === "rgba(0, 0, 0, 0)");
    return [e.textContent.trim(), e.ownerSVGElement ? style.fill : style.color, paper];
  })"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_as_drawn(page, scheme):
    page.emulate_media(color_scheme=scheme)
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert hexadecimal(body) == {"light": content.LIGHT, "dark": content.DARK}[scheme]
    faint = []
    for _ in range(50):  # charts are drawn again soon after the change
        texts = page.evaluate(TEXTS)
        assert len(texts) > 100
        faint = [
            (text, color, paper)
            for text, color, paper in texts
            if content.contrast(hexadecimal(color), hexadecimal(paper)) < 4.5
        ]
        if not faint:
            break
        page.wait_for_timeout(50)
    assert faint == []


def strokes(page):
    """The colours of the lines of the accuracies, as drawn."""
    lines = page.locator("[data-workload]:visible [data-chart=accuracy] path.line")
    colors = lines.evaluate_all("all => all.map(line => getComputedStyle(line).stroke)")
    return [hexadecimal(color).upper() for color in colors]


def test_charts_follow_the_light(page):
    drawn = content.drawn(SPECS)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert strokes(page) == [item[scheme].upper() for item in drawn]


def test_nothing_moves_while_the_page_is_drawn(page):
    page.reload()
    shift = page.evaluate(
        """() => new Promise(done => {
          let sum = 0;
          new PerformanceObserver(list => list.getEntries().forEach(e => { sum += e.value; }))
            .observe({ type: "layout-shift", buffered: true });
          requestAnimationFrame(() => setTimeout(() => done(sum), 200));
        })"""
    )
    assert shift < 0.01


def test_on_paper_charts_fit_and_are_light(page):
    page.emulate_media(color_scheme="dark", media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    wait_until(
        page, "document.querySelector('[data-chart=accuracy] svg').viewBox.baseVal.width === 680"
    )
    assert strokes(page) == [item["light"].upper() for item in content.drawn(SPECS)]
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert hexadecimal(body) == "#ffffff"
    assert page.locator(".selector").is_hidden()
    sides = page.locator(".chart svg:visible").evaluate_all(
        "all => all.map(svg => svg.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert all(0 <= left < right <= 680 for left, right in sides)


def test_hostile_names_are_shown_not_run(browser, tmp_path):
    path = report.write_report(synthetic_study(HOSTILE, 2, 3), tmp_path)
    page, errors, requests = opened(browser, path)
    assert errors == []
    assert {url for url in requests if not url.startswith("data:")} == {path.as_uri()}
    assert page.locator("img").count() == 0
    chips = page.locator("[data-workload] .chip.series").all_inner_texts()
    assert chips == list(HOSTILE)
    # what a chart says of a name
    labels = page.locator("[data-chart=times] .row").all_text_contents()
    assert [label.rpartition(" (")[0] for label in labels] == list(HOSTILE)
    page.close()


NAMES = ("$x^2$", "<b>|", "GELU (ours)")
TIMED = ",".join(["seed", "activation", "error", "seconds"])


@pytest.mark.parametrize("header", [TIMED, TIMED.removesuffix(",seconds")])
def test_results_made_elsewhere_have_charts_of_what_is_known(browser, tmp_path, header):
    lines = [f"{k},{name},{2 + k},{9 + k}" for k in range(3) for name in NAMES]
    is_timed = header == TIMED
    text = "\n".join([header, *(line if is_timed else line.rpartition(",")[0] for line in lines)])
    study = compare_results.study_of(results_file.read("my.csv", text.encode()), "Mine")
    page, errors, _ = opened(browser, report.write_report(study, tmp_path))
    charts = page.locator("[data-chart]").evaluate_all("all => all.map(e => e.dataset.chart)")
    assert charts == ["error", *["times", "reached"] * is_timed]
    assert page.locator("[data-chart=error] .marker").count() == 3 * len(NAMES)
    assert page.locator("[data-chart=error] .row").all_text_contents() == list(NAMES)
    page.locator(".chip.series").first.click()
    assert page.locator("[data-chart=error] .row").all_text_contents() == [*NAMES[1:]]
    assert page.locator("#functions").count() == 0
    assert errors == []
    page.close()
