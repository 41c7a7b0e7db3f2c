"""The house: what may import what, and lists that must agree."""

import ast
import doctest
import functools
import importlib
import re
import tomllib

import pytest

from jaxact import activations, data
from jaxact.activations import aliases
from tests.support import networks
from tests.support.paths import ROOT

PACKAGE = sorted((ROOT / "jaxact").rglob("*.py"))
FILES = [
    path
    for folder in ("jaxact", "experiments", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
# The rooms of jaxact, from the ground up: each imports itself, and rooms of floors below it.
FLOORS = (
    {"errors"},
    {"packages", "paths", "specs"},
    {"activations", "data", "presentation", "statistics"},
    {"models", "timing"},
    {"compilation", "inference"},
    {"training"},
    {"config_fields"},
    {"config"},
    {"runs"},
    {"command", "config_file"},
    {"command_line"},
    {"check", "comparison", "export", "main", "predict"},
    {"api", "tracking"},
    {"evidence"},
    {"__main__"},
)
FORBIDDEN = {"tensorflow", "clu", "chex", "torch", "experiments", "configs", "benchmarks"}
MOST_FILES = 15  # of a folder


def module(path):
    """The dotted name of a file; a folder's is that of its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in FILES}


class ForTypesAlone(ast.NodeTransformer):
    """Leaves out what is imported for a type checker: no program runs it."""

    def visit_If(self, node):
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return [self.visit(other) for other in node.orelse] if is_for_types else node


@functools.cache  # all these tests ask for it
def imported(path):
    """Every module that a file imports, wherever in the file: ours whole, others by any name."""
    names = set()
    for node in ast.walk(ForTypesAlone().visit(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in MODULES else node.module)
    return names


def room_of(name):
    return name.split(".")[1] if name.startswith("jaxact.") else None


@pytest.mark.parametrize("path", PACKAGE, ids=module)
def test_imports_run_one_way(path):
    names = imported(path)
    assert not FORBIDDEN & {name.split(".")[0] for name in names}
    room = room_of(module(path))
    if room is not None:
        below = next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)
        allowed = {None, room}.union(*FLOORS[:below])
        if room in ("presentation", "statistics"):  # they know nobody
            allowed = {room}
        assert {room_of(name) for name in names} - {None} <= allowed


def test_no_experiment_imports_another():
    for path in sorted((ROOT / "experiments").glob("*/*.py")):
        names = {name.split(".")[1] for name in imported(path) if name.startswith("experiments.")}
        assert names <= {path.parent.name, "common"}, path


def circle(arrows):
    """One of those in a graph, as a list of its nodes; empty where there is none."""
    path, done = [], set()

    def visit(node):
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        path.append(node)
        found = next(filter(None, map(visit, sorted(arrows.get(node, ())))), [])
        path.pop()
        done.add(node)
        return found

    return next(filter(None, map(visit, sorted(arrows))), [])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_files_import_each_other_in_a_circle():
    arrows = {
        name: {other for other in imported(path) if other in MODULES and other != name}
        for name, path in MODULES.items()
    }
    assert circle(arrows) == []


def test_no_rooms_import_each_other_in_a_circle():
    """A room is a folder without folders; files beside folders stand for themselves."""
    folders = {path.parent for path in FILES}
    parents = {folder.parent for folder in folders}
    room = {
        name: name if path.parent in parents or path.name == "__init__.py" else module(path.parent)
        for name, path in MODULES.items()
    }
    arrows = {}
    for name, path in MODULES.items():
        others = {room[other] for other in imported(path) if other in MODULES}
        arrows.setdefault(room[name], set()).update(others - {room[name]})
    assert circle(arrows) == []


def test_no_folder_is_a_hall():
    counts = {}
    for path in [*FILES, *(ROOT / "tests").rglob("*.py")]:
        counts[path.parent] = counts.get(path.parent, 0) + 1
    halls = {str(folder): count for folder, count in counts.items() if count > MOST_FILES}
    assert not halls, f"at most {MOST_FILES} files a folder: divide {halls}"


def test_flax_stays_with_models_and_orbax_with_checkpoints():
    users = {"flax": set(), "orbax": set(), "tensorflow_datasets": set()}
    for path in PACKAGE:
        for name in imported(path):
            if name.split(".")[0] in users:
                users[name.split(".")[0]].add(str(path.relative_to(ROOT / "jaxact")))
    assert users["orbax"] == {"runs/records/checkpoint.py"}
    assert all(name.startswith("data/published/tfds_") for name in users["tensorflow_datasets"])
    # training and runs name the type of a module in signatures, no more
    rooms = {"models", "inference", "training", "runs"}
    assert {name.split("/")[0] for name in users["flax"]} <= rooms


def normal(name):
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path):
    """The distributions that a file of constraints has versions of."""
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", path.read_text(), re.MULTILINE)}


def test_requirements_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    needed = project["dependencies"] + project["optional-dependencies"]["search"]
    assert sorted(needed) == sorted(required)
    names = {normal(re.split(r"[<>=]", requirement)[0]) for requirement in required}
    common = pinned(ROOT / "constraints" / "common.txt")
    tested = [pinned(path) for path in (ROOT / "constraints").glob("jax-*.txt")]
    assert tested
    for own in tested:
        assert names <= common | own
        assert not common & own  # pip refuses two versions of one


def test_examples_in_docstrings_hold():
    with_examples = [path for path in PACKAGE if ">>>" in path.read_text(encoding="utf-8")]
    results = [doctest.testmod(importlib.import_module(module(path))) for path in with_examples]
    assert all(result.attempted for result in results)
    assert sum(result.failed for result in results) == 0


def test_main_is_short():
    assert len((ROOT / "jaxact" / "main.py").read_text().splitlines()) < 60


REFERENCE = ROOT / "docs" / "reference"
LISTS = {
    "Activations": (REFERENCE / "activations.md", activations.names()),
    "Functions that see channels": (REFERENCE / "activations.md", activations.channel_names()),
    "Data": (REFERENCE / "commands.md", data.names()),
    "Networks": (REFERENCE / "commands.md", networks.PUBLISHED),
}


@pytest.mark.parametrize("heading", LISTS)
def test_the_reference_lists_what_there_is(heading):
    page, names = LISTS[heading]
    words = re.findall(r"\w+", page.read_text("utf-8").split(f"**{heading}.**")[1].split("\n\n")[0])
    lacking = set(names) - set(words)
    assert not lacking, f"{page.name}, the paragraph **{heading}.**, lacks {lacking}"


def test_the_readme_counts_the_activations():
    names = activations.names()
    count = f"{len(names) - len(aliases.twins(names))} activations ({len(names)} names) whose"
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert count in readme, "README.md: their number"


def test_every_experiment_has_its_section_and_what_is_linked_is_there():
    experiments = ROOT / "experiments"
    sections = re.findall(r"^## (\w+)$", (experiments / "README.md").read_text(), re.MULTILINE)
    lacking = {path.parent.name for path in experiments.glob("*/experiment.py")} - set(sections)
    assert not lacking, f"experiments/README.md has no section for {lacking}"
    for page in (experiments / "README.md", ROOT / "results" / "README.md"):
        links = re.findall(r"\]\(([^():]+)\)", page.read_text())
        lost = [link for link in links if not (page.parent / link).exists()]
        assert links
        assert not lost, f"{page}: {lost} are not there"
