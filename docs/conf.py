"""The documentation's settings: `make docs` builds it with Sphinx, MyST-NB and sphinx-book-theme.

The source folder is the repository itself, so that pages link to results, figures and sources as
they do where the repository is read; `include_patterns` says which files are pages.
"""

import dataclasses
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import jaxact

project = "jaxact"
author = "the jaxact developers"
copyright = "the jaxact developers, Apache-2.0"
release = jaxact.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
root_doc = "docs/index"
include_patterns = [
    "docs/**/*.md",
    "docs/*.md",
    "benchmarks/README.md",
    "experiments/README.md",
    "results/README.md",
    "results/*/table.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = ["docs/_build", ".venv*", ".git", "runs", "build", "dist"]

# Links: a reference to nothing is a warning, and `make docs` has warnings be errors.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!jaxact\.).*"),  # the types of other packages
    ("py:.*", r"jaxact\.(comparison|data|models\.(layers|own))\..*"),  # rooms without a page
]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.header",  # a study's table begins with its answer, and its headings at level 2
]

# Tutorials: text notebooks, run anew each time in a folder of their own.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True

default_role = "code"  # `name` in a docstring is code
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "sphinx_book_theme"
html_title = "jaxact"
html_static_path = ["_static"]
html_css_files = ["jaxact.css"]
html_extra_path = ["_extra"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
}


def fields() -> str:
    """Every field of a configuration in tables, a group each."""
    groups: dict[str, list[str]] = {}
    for field in dataclasses.fields(jaxact.Config):
        default = "" if field.default is dataclasses.MISSING else f"`{field.default}`"
        default = "`null`" if field.default is None else default
        row = f"| `{field.name}` | {default} | {field.metadata['meaning']} |"
        groups.setdefault(field.metadata["group"], []).append(row)
    head = ["", "| field | default | meaning |", "|---|---|---|"]
    return "\n".join("\n".join([f"\n### {name}", *head, *rows]) for name, rows in groups.items())


def complete(app, docname: str, source: list[str]) -> None:
    """Fills a page's tables in; the table of a study is reached by links, not by the contents."""
    if docname == "docs/reference/commands":
        source[0] = source[0].replace("<!-- fields -->", fields())
    if docname.startswith("results/") and docname.endswith("/table"):
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def as_restructured_text(app, what, name, obj, options, lines: list[str]) -> None:
    """Mends what napoleon makes of a docstring: bars of |x|, and "The study: ..." as a type."""
    lines[:] = [re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or r"\|", line) for line in lines]
    started = {}
    for k, line in enumerate(lines):
        if match := re.match(r":(returns|rtype): ", line):
            started[match[1]] = k
    if started.keys() == {"returns", "rtype"}:
        before = lines.pop(started["rtype"]).removeprefix(":rtype: ")
        after = lines[started["returns"]].removeprefix(":returns: ")
        lines[started["returns"]] = f":returns: {before}: {after}"


def setup(app) -> None:
    app.connect("source-read", complete)
    app.connect("autodoc-process-docstring", as_restructured_text)
