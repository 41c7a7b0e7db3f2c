"""The tutorials: text notebooks whose code is whole, and runs in a kernel where it is asked for.

JAXACT_TUTORIALS=initialisation,dying_relu names those that run; `make docs` runs all.
"""

import os
import re

import pytest

from tests.support.paths import ROOT

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
WANTED = [name for name in os.environ.get("JAXACT_TUTORIALS", "").split(",") if name]
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def cells(path):
    return CELL.findall(path.read_text(encoding="utf-8"))


def test_those_to_run_are_there():
    assert {*WANTED} <= {path.stem for path in TUTORIALS}


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_the_code_of_a_tutorial_is_whole(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("---\nfile_format: mystnb\n")
    assert len(cells(path)) == text.count("{code-cell}") > 3
    compile("\n".join(cells(path)), path.name, "exec")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs(path, tmp_path, monkeypatch):
    if path.stem not in WANTED:
        pytest.skip("JAXACT_TUTORIALS does not name it")
    nbformat = pytest.importorskip("nbformat", reason="needs nbclient and ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")  # training takes most of the time
    book = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells(path))])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=600, resources=resources).execute()
    kinds = {
        kind for cell in book.cells for output in cell.outputs for kind in output.get("data", {})
    }
    assert {"text/html", "image/png"} <= kinds  # a table and a figure are shown
