"""Published copies: small, with the tables that the whole result has; and those committed."""

import importlib
import json
import re
import shutil

import pytest

from experiments import publish as command
from experiments.augmentations import figures as augmentations
from experiments.common import outcomes, published
from experiments.preprocessing import figures as preprocessing
from jaxact import data
from jaxact.comparison import study as studies
from jaxact.comparison.output import files
from jaxact.data.transforms.augmentation import AUGMENTATIONS
from jaxact.errors import DataError
from jaxact.presentation import drawing
from jaxact.runs.records import record_files
from tests.support.paths import ROOT
from tests.support.studies import synthetic_study

RESULTS = ROOT / "results"
MOST_BYTES = 10_000_000
RECORDS = [
    path
    for name in ("study.json", "result.json", "table.json")
    for path in sorted(RESULTS.rglob(name))
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a comparison with tables and two figures, one of them with pixels."""
    folder = tmp_path_factory.mktemp("whole")
    study = synthetic_study()
    study.save(folder)
    files.write_tables(study, folder)
    with drawing.house_style():
        line, axes = drawing.new_axes("a line")
        axes.plot([1, 2])
        pixels, axes = drawing.new_axes("pixels")
        axes.imshow([[0, 1]])
        drawing.save(line, folder / "figures", "line", [*drawing.FORMATS, drawing.PDF])
        drawing.save(pixels, folder / "figures", "pixels")
    return folder


@pytest.fixture
def comparison(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "whole")


def tables_of(folder):
    study = studies.load(folder)
    (folder / "again").mkdir(exist_ok=True)
    files.write_tables(study, folder / "again")
    return {name: (folder / "again" / name).read_bytes() for name in published.SHOWN_TABLES}


def test_a_comparison_keeps_its_tables_and_one_format_of_each_figure(comparison, tmp_path):
    before = tables_of(comparison)
    copy = tmp_path / "copy"
    written = published.publish(comparison, copy)
    assert {path.relative_to(copy).as_posix() for path in written} == {
        *("study.json", *published.TABLES),
        *("figures/line.svg", "figures/pixels.png"),
    }
    assert tables_of(copy) == before
    assert (copy / "table.md").read_bytes() == (comparison / "table.md").read_bytes()
    stored = json.loads((copy / "study.json").read_text())
    assert not any(run["health"] for run in stored["runs"])
    assert any(run.health for run in studies.load(comparison).runs)
    assert "\n" not in (copy / "study.json").read_text().strip()
    assert (copy / "study.json").stat().st_size < 0.7 * (comparison / "study.json").stat().st_size


def test_a_folder_can_be_made_small_itself_and_stays_so(comparison, capsys):
    (comparison / "runs.tgz").write_bytes(b"other files stay")
    words = [str(comparison), str(comparison)]
    assert command.COMMAND.run(command.publish, words) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("bytes")
    names = {path.name for path in (comparison / "figures").iterdir()}
    assert names == {"line.svg", "pixels.png"}
    once = {path: path.read_bytes() for path in comparison.rglob("*") if path.is_file()}
    assert command.COMMAND.run(command.publish, words) == 0
    assert {path: path.read_bytes() for path in comparison.rglob("*") if path.is_file()} == once
    assert (comparison / "runs.tgz").exists()


def test_figures_of_an_older_copy_are_removed(comparison, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(comparison, copy)
    shutil.copy(copy / "figures" / "line.png", copy / "figures" / "older.png")
    published.publish(comparison, copy)
    assert {path.name for path in (copy / "figures").iterdir()} == {"line.svg", "pixels.png"}


def test_a_large_svg_gives_way_to_its_png(tmp_path):
    for end, size in (("svg", published.LARGEST_SVG_BYTES + 1), ("png", 1)):
        (tmp_path / f"one.{end}").write_bytes(b" " * size)
    assert published.kept(tmp_path / "one") == tmp_path / "one.png"
    (tmp_path / "one.png").unlink()
    assert published.kept(tmp_path / "one") == tmp_path / "one.svg"


def result(folder, rows, pictures=()):
    content = {
        "command": "python -m experiments.example",
        "seconds": 1.5,
        "machine": "a machine",
        "environment": {"python": "3", "jax": "0"},
        "title": "Counting",
        "claim": "c",
        "source": "s",
        "answer": "a",
        "settings": {},
        "rows": rows,
        "findings": [],
        "details": {"raw": [1 / 3]},
    }
    record_files.write_json(folder / outcomes.RESULT, content)
    record_files.write_text(folder / outcomes.PAGE, outcomes.as_markdown(content, pictures))
    for name in pictures:
        (folder / name).write_bytes(b"")
        (folder / name).with_suffix(".svg").write_bytes(b"<svg/>")


def test_a_page_links_to_the_figures_that_are_kept(tmp_path):
    result(tmp_path, [{"a": 1.0}], ["one.png", "two.png"])
    (tmp_path / "two.svg").write_bytes(b"<svg><image/></svg>")
    published.publish(tmp_path, tmp_path)
    page = (tmp_path / outcomes.PAGE).read_text()
    assert "![Counting](one.svg)\n![Counting](two.png)" in page
    assert {path.name for path in tmp_path.glob("*.*g")} == {"one.svg", "two.png"}
    assert json.loads((tmp_path / outcomes.RESULT).read_text())["details"] == {"raw": [0.333333]}


def test_digits_that_a_table_needs_are_kept():
    content = {"figures": [0.1234565, 1 / 3]}
    told = lambda content: f"{content['figures'][0]:.7f}"  # noqa: E731
    assert published.shortened(content, told) == {"figures": [0.1234565, 0.333333333]}
    assert published.shortened(content, lambda content: 0)["figures"][1] == 0.333333
    told = lambda content: content["figures"][1]  # noqa: E731
    assert published.shortened(content, told) == content


@pytest.mark.parametrize("content", [None, '{"command": "x"}'])
def test_a_folder_without_a_result_is_told(content, tmp_path, capsys):
    if content:
        (tmp_path / outcomes.RESULT).write_text(content)
    assert command.COMMAND.run(command.publish, [str(tmp_path), str(tmp_path / "copy")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "copy").exists()


def test_the_committed_results_are_small():
    total = sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file())
    assert total < MOST_BYTES, "make them small: python -m experiments.publish DIR DIR"


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: str(path.relative_to(RESULTS)))
def test_committed_records_have_no_indent(path):
    assert path.read_text(encoding="utf-8").count("\n") == 1


def test_no_committed_figure_is_there_twice():
    figures = [
        path.with_suffix("") for end in ("png", "svg", "pdf") for path in RESULTS.rglob(f"*.{end}")
    ]
    assert figures
    assert sorted({*figures}) == sorted(figures)


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/result.json")), ids=lambda p: p.parent.name)
def test_committed_figures_are_those_that_their_data_give(path, monkeypatch):
    # Of pictures that no data decide, a few.
    monkeypatch.setattr(augmentations, "AUGMENTATIONS", {"flip": AUGMENTATIONS["flip"]})
    monkeypatch.setattr(preprocessing, "SHOWN", 1)
    content = json.loads(path.read_text(encoding="utf-8"))
    name = content["command"].split()[2]
    draw = importlib.import_module(f"{name}.figures").draw
    settings = {**content["settings"], "data_dir": str(data.default_data_dir())}
    try:
        figures = draw({**content, "settings": settings})
    except DataError as error:
        pytest.skip(f"the figures show data that are not there ({error})")
    committed = {
        figure.stem: figure.suffix
        for end in drawing.FORMATS
        for figure in path.parent.glob(f"*.{end}")
    }
    assert {*figures} == {*committed}
    for stem, figure in figures.items():
        if committed[stem] == ".svg":
            texts = comments(path.parent / f"{stem}.svg")
            assert set(figure.get_suptitle().split("\n")) - {""} <= texts


def comments(svg):
    """The texts of a figure, which matplotlib writes as outlines below comments."""
    return {
        line
        for text in re.findall(r"<!-- (.*?) -->", svg.read_text("utf-8"), re.DOTALL)
        for line in text.split("\n")
    }
