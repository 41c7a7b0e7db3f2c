"""The report: what is in the file, what is escaped, and that it works in a browser."""

import itertools
import json
import re
from html.parser import HTMLParser
from typing import Any, get_args

import numpy as np
import pytest

from jaxact import statistics
from jaxact.comparison import answers, redraw
from jaxact.comparison.output import report, report_content as content
from jaxact.comparison.output.tables import rows as table_rows
from jaxact.comparison.study import Study
from jaxact.presentation import chart
from tests.support.studies import LAYERS, swept_study, synthetic_study, write_study

SPECS = ("relu", "tanh", "leaky_relu(negative_slope=0.1)", "elu")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><b>bold</b>",
    "{{ 7 * 7 }} %{x} &amp; \u2028",
    "__proto__",
)
VOID = {"meta", "link", "input", "br", "wbr", "img", "hr"}


class Page(HTMLParser):
    """Every element with its attributes and its own text, and whether elements nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [
            element
            for element in self.elements
            if element["tag"] == tag and attributes.items() <= element.items()
        ]

    def data(self):
        (script,) = self.all("script", id="data")
        return json.loads(script["text"])


@pytest.fixture(scope="module")
def study():
    return synthetic_study(
        SPECS, seeds=5, epochs=6, diverged={("elu", 1)}, failed={("relu", 2)}, never_reach={"tanh"}
    )


@pytest.fixture(scope="module")
def text(study):
    return report.page(study)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def hostile():
    return report.page(synthetic_study(HOSTILE, seeds=2, epochs=3, failed={(HOSTILE[0], 1)}))


def test_elements_nest_and_ids_are_unique(page):
    assert not page.open
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    targets = {element["href"][1:] for element in page.all("a") if element["href"][0] == "#"}
    assert targets <= set(ids)
    labelled = {
        element["aria-labelledby"]
        for element in page.all("section")
        if "aria-labelledby" in element
    }
    assert labelled <= set(ids)


def test_the_answer_comes_first(page, study):
    (answer,) = page.all("p", **{"class": "answer"})
    assert answers.answer(study, study.workloads()[0]).startswith(answer["text"])
    assert answer["text"].endswith(".")


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch(r"h[1-6]", e["tag"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))


def test_the_table_holds_every_activation_and_marks_the_best(page):
    headers = [e["text"] for e in page.all("th", scope="row")]
    assert set(SPECS) <= set(headers)
    assert page.all("th", **{"aria-sort": "none"})
    assert page.all("span", **{"class": "interval"})


def test_the_best_of_a_column_is_marked_where_seeds_show_it():
    texts = report.page(synthetic_study(3, 12))
    assert 'class="best"' in texts
    assert 'class="best"' not in report.page(synthetic_study(3, 4))


def test_a_comparison_ends_in_its_verdict():
    noise = np.tile([0.01, -0.01], 4)
    steps = {"relu": 0.0, "elu": -1.0, "tanh": 1.0, "selu": noise, "prelu": noise * 30}
    values = {name: (2 + noise * 0.5 + step).tolist() for name, step in steps.items()}
    compared = statistics.compare(values, "relu", 0.2)
    assert {c.name: table_rows.comparison_cells(c)[-1] for c in compared} == {
        "elu": "better", "tanh": "worse", "selu": "equivalent", "prelu": "undecided"
    }  # fmt: skip
    (few,) = statistics.compare({name: of[:3] for name, of in values.items()}, "relu")[:1]
    assert table_rows.comparison_cells(few)[-1].startswith("fewer than")


def test_all_pairs_are_on_the_page_where_they_are_tested():
    text = report.page(synthetic_study(4, 6))
    assert "All pairs" in text
    assert text.count("/0/") >= 4 * 3  # seeds won and lost, of each pair from either side
    assert "All pairs" not in report.page(synthetic_study(4, 4))


def test_lost_runs_are_listed_with_their_notes(page, study):
    items = [e["text"] for e in page.all("li")]
    for run in study.with_status("diverged", "failed"):
        assert any(
            run.activation in item and f"seed {run.seed}" in item and run.note in item
            for item in items
        )


def test_the_paper_s_findings_stand_with_their_verdicts(page, study):
    found = [e["text"] for e in page.all("li")]
    for finding in answers.paper_findings(study):
        assert any(finding.claim in item and finding.verdict in item for item in found)


def test_nothing_comes_from_elsewhere(page):
    for element in page.elements:
        for attribute in ("src", "href"):
            value = element.get(attribute, "#")
            assert value.startswith("#") or value == "data:,"
    assert not page.all("img")


def test_the_policy_names_the_script_that_runs(text, page):
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none';")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert report._script_hash(script) in policy["content"]


def test_the_script_draws_every_kind_of_mark():
    script = (report.PAGE / "marks.js").read_text(encoding="utf-8")
    kinds = {kind.__name__.lower() for kind in get_args(chart.Mark)}
    assert kinds == set(re.findall(r"^  (\w+)\(group, mark, at", script, re.MULTILINE))


def test_a_survey_s_page_is_small():
    study = synthetic_study(25, seeds=5, epochs=10)
    assert len(report.page(study).encode()) < 1e6


def marks_of(drawn, spec, kind):
    """The marks of one kind that an activation has in a chart of the page's data."""
    return [m for m in drawn["marks"] if m["kind"] == kind and m["of"] == SPECS.index(spec)]


def test_curves_are_medians_over_the_seeds(page, study):
    (workload,) = page.data()["workloads"]
    (line,) = marks_of(workload["curves"]["accuracy"]["eval-epoch"], "tanh", "line")
    rows = [run.metrics for run in study.of(study.workloads()[0], "tanh")]
    accuracy = np.median([[row["test_accuracy"] for row in of_run] for of_run in rows], axis=0)
    np.testing.assert_allclose(line["y"], 100 * accuracy, rtol=1e-4)
    assert line["x"] == [1, 2, 3, 4, 5, 6]
    (line,) = marks_of(workload["curves"]["loss"]["train-seconds"], "tanh", "line")
    seconds = np.median([[row["train_seconds"] for row in of_run] for of_run in rows], axis=0)
    np.testing.assert_allclose(line["x"], seconds, rtol=1e-4)
    for low, median, high in zip(line["low"], line["y"], line["high"], strict=True):
        assert low <= median <= high


def test_a_run_that_diverged_ends_in_a_cross(page, study):
    (workload,) = page.data()["workloads"]
    for way, drawn in workload["curves"]["accuracy"].items():
        (end,) = [mark for mark in marks_of(drawn, "elu", "points") if mark.get("is_end")]
        (run,) = study.with_status("diverged")
        (row,) = run.metrics[-1:]
        split = "test" if way.startswith("eval") else "train"
        assert end["y"] == [pytest.approx(100 * row[f"{split}_accuracy"], rel=1e-4)]
        assert run.note in end["notes"][0]


def test_misses_stand_where_no_time_is(page):
    (workload,) = page.data()["workloads"]
    drawn = workload["charts"]["times"]
    (zone,) = [mark for mark in drawn["marks"] if mark["kind"] == "zone"]
    assert zone["text"] == "never"
    (tanh,) = marks_of(drawn, "tanh", "points")
    assert all(zone["low"] < x < zone["high"] for x in tanh["x"])
    assert not marks_of(drawn, "tanh", "centre")
    (elu,) = marks_of(drawn, "elu", "points")
    assert [x > zone["low"] for x in elu["x"]] == [False, True, False, False, False]
    (centre,) = marks_of(drawn, "elu", "centre")
    assert zone["low"] < centre["high"] < zone["high"]
    assert centre["text"].endswith(" to never)")
    (share,) = marks_of(workload["charts"]["reached"], "elu", "line")
    assert share["y"][-1] < 100


def test_health_is_there_only_if_it_was_recorded(page):
    health = page.data()["workloads"][0]["health"]
    assert health["dead"]["rows"] == list(LAYERS)
    assert [e for e in page.elements if "data-map" in e]
    without = Page(report.page(synthetic_study(("relu",), seeds=1, epochs=1, health=False)))
    assert without.data()["workloads"][0]["health"] == {}
    assert not [e for e in without.elements if "data-map" in e]


def test_several_workloads_have_a_section_and_an_answer_each():
    study = synthetic_study(
        ("relu", "elu"), 1, 8, datasets=("mnist", "cifar10"), learning_rates=(1e-3, 1e-2)
    )
    page = Page(report.page(study))
    assert len([e for e in page.elements if "data-workload" in e]) == 4
    assert len(page.all("option")) == 4
    assert len([e for e in page.elements if "data-choose" in e]) == 4
    lines = page.data()["profile"]["marks"]
    assert [line["x"][0] for line in lines] == [1, 1]
    assert max(max(line["y"]) for line in lines) <= 100


@pytest.mark.parametrize("status", ["missing", "failed", "diverged"])
def test_a_study_whose_runs_all_missed_is_reported(status):
    everything: dict[str, Any] = {status: {("relu", 0), ("tanh", 0)}}
    study = synthetic_study(("relu", "tanh"), 1, 2, **everything)
    page = Page(report.page(study))
    charts = page.data()["workloads"][0]["charts"]
    assert ("times" in charts) == (status != "missing")
    assert not [m for drawn in charts.values() for m in drawn["marks"] if m["kind"] == "centre"]


def test_differences_between_environments_are_pointed_out(study):
    other = {**study.runs[0].environment, "cpu_model": "Another <processor>"}
    runs = (study.runs[0].__class__(**{**vars(study.runs[0]), "environment": other}),)
    mixed = Page(report.page(Study(study.plan, runs + study.runs[1:])))
    marked = [e["text"] for e in mixed.all("span", **{"class": "differs"})]
    assert "Another <processor>" in marked
    facts = {fact.field: fact.values for fact in content.environment(Study(study.plan, runs))}
    assert facts["cpu_model"] == [("Another <processor>", ["relu, seed 0"])]


def test_no_name_becomes_markup(hostile):
    page = Page(hostile)
    assert not page.open
    assert not page.all("img")
    assert not page.all("b")
    assert len(page.all("script")) == 2
    assert not [e for e in page.elements if any(key.startswith("on") for key in e)]
    headers = [e["text"] for e in page.all("th", scope="row")]
    for name in HOSTILE:
        assert name in headers


def test_no_name_ends_the_data_s_script(hostile):
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', hostile, re.S)
    assert not re.search("[<>&\u2028\u2029]", data)
    assert [item["spec"] for item in json.loads(data)["series"]] == list(HOSTILE)


def colors(scheme):
    """The colours of page.css by name, on light or dark paper."""
    css = (report.PAGE / "page.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    own = re.findall(r"--(\w+): (#\w{6})", dark if scheme == "dark" else light)
    return dict(own)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(scheme):
    color = colors(scheme)
    assert color["paper"] == {"light": content.LIGHT, "dark": content.DARK}[scheme]
    for text, paper in [
        *(
            (text, paper)
            for text in ("ink", "muted", "accent", "warn")
            for paper in ("paper", "raised")
        ),
        ("ink", "best"),
        ("muted", "best"),
    ]:
        assert content.contrast(color[text], color[paper]) >= 4.5, (text, paper)


def test_the_command_draws_everything_again(commands, tmp_path):
    folder = write_study(synthetic_study(("relu", "tanh"), 1, 2, health=False), tmp_path / "study")
    done = commands.run("experiments.report", str(folder))
    assert done.returncode == 0, done.stderr
    assert str(folder / "report.html") in done.stdout
    for name in ("report.html", "table.md", "table.csv", "figures"):
        assert (folder / name).exists()


def test_a_folder_without_a_comparison_ends_in_one_line(tmp_path, capsys):
    assert redraw.COMMAND.run(redraw.redraw, [str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("jaxact: ")
    assert error.count("\n") == 1
    assert "study.json" in error


def test_a_sweep_says_how_its_rates_were_chosen():
    text = report.page(swept_study({"relu": 1e-3, "tanh": 1e-2}, seeds=1, epochs=2))
    assert Page(text).all("h2", id="rates")
    assert Page(text).all("a", href="#rates")
    assert "lowest validation error was chosen, on seeds of their own" in text
    assert "chosen on the same runs" not in text
