"""The pages: every link leads somewhere, every page is in the contents, pictures are the data's."""

import importlib.util
import re

import pytest

from jaxact import __main__ as command, activations, errors
from jaxact.evidence import reading
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *(ROOT / name for name in ("experiments/README.md", "results/README.md")),
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts),
]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(path):
    """A page without its blocks of code and what is code within a line."""
    return re.sub(r"`[^`\n]*`", "", FENCED.sub("", path.read_text(encoding="utf-8")))


def anchors(path):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_anchors_are_those_of_the_headings():
    assert "how-many-seeds" in anchors(DOCS / "statistics.md")
    assert "what-misses-the-goal-and-why" in anchors(DOCS / "exactness.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    for link in re.findall(r"\]\(([^()\s]+)\)", prose(path)):
        if "://" in link or link.startswith("mailto:"):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), f"{link} is not there"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: {target.name} has no such heading"


def test_every_page_is_in_the_contents():
    contents = re.findall(r"^[\w./-]+$", (DOCS / "index.md").read_text("utf-8"), re.MULTILINE)
    listed = {(DOCS / f"{entry}.md").resolve() for entry in contents}
    pages = {path for path in PAGES if path not in (DOCS / "index.md", ROOT / "README.md")}
    assert pages <= listed
    assert all(path.exists() for path in listed)


def script(name):
    """A program of docs/, as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_results_and_the_data_set_are_those_of_the_folders():
    maker = script("results_page")
    made = maker.gathered()
    assert reading.PUBLISHED.read_text(encoding="utf-8") == maker.as_json(made)
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(made)
    without = [row["study"] for row in maker.rows(made, "studies") if row["command"] is None]
    assert not without, "results/README.md names no command of theirs"


def test_the_readme_says_what_its_picture_shows():
    picture = script("headline_picture")
    study = picture.load()
    chart = picture.picture(study)
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert chart.title in readme
    assert chart.y.rows[-1] == "tanh"
    assert len(study.plan.shown_seeds) >= 10


def test_the_reference_has_every_command_and_exit_code():
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert {*re.findall(r"^\| `jaxact ([\w-]+)` ", page, re.MULTILINE)} == {*command.ENTRIES}
    codes = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    told = {int(code) for code in re.findall(r"^\| (\d+) \| ", page, re.MULTILINE)}
    assert told == codes | {0}


def test_the_sheet_shows_every_activation():
    """matplotlib writes each text as outlines, below a comment that has it."""
    sheet = (DOCS / "figures" / "activations.svg").read_text(encoding="utf-8")
    names = (*activations.names(), *activations.channel_names())
    (note,) = re.findall(r"<!-- .* Without a curve, .*: (.*)\. -->", sheet)
    without = note.split(", ")
    lacking = {name for name in names if f"<!-- {name} -->" not in sheet} - {*without}
    assert all(getattr(activations.get(name), "learned", ()) for name in without)
    way = "python -m experiments.plot_activations --sets=sheet --out=docs/figures"
    assert not lacking, f"draw it anew: {way}"
