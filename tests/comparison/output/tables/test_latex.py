"""LaTeX: texts that read as they are, and tables whose every row has the columns of the first."""

import re
import shutil
import subprocess

import pytest

from jaxact.comparison.output.tables import latex as tables, rows as table_rows, study_table
from jaxact.presentation import latex
from jaxact.presentation.columns import Column, interval_text, value_text
from tests.support.studies import synthetic_study

ODD = (
    "relu",
    "GELU (ours)",
    "a_b$^c$ & 50 %",
    "[x] *y*",
    "_x:<b>|\\frac{1}~#",
    "β-Swish ö -5 中 --x",
    "tanh",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("relu", "relu"),
        ("leaky_relu(negative_slope=-0.05)", "leaky\\_relu(negative\\_slope=$-$0.05)"),
        ("A & B, 50 %, #1, $x$, {y}", "A \\& B, 50 \\%, \\#1, \\$x\\$, \\{y\\}"),
        ("a\\b^c~d", "a\\textbackslash{}b\\textasciicircum{}c\\textasciitilde{}d"),
        ("<b>|", "$<$b$>$\\textbar{}"),
        ("[x]", "{[}x]"),  # \\[x] would be a skip
        ("*", "{*}"),
        ("a-b --x ---", "a-b -{}-x -{}-{}-"),
        ("äÉçőẞ", "\\\"{a}\\'{E}\\c{c}\\H{o}U+1E9E"),
        ("βΩΛΑ", "$\\beta$$\\Omega$$\\Lambda$A"),
        ("中\u200b\x1b", "U+4E2DU+200BU+001B"),
        (" two\nlines\t", "two lines"),
    ],
)
def test_a_text_is_set_as_it_reads(text, shown):
    assert latex.escape(text) == shown


def tabulars(text):
    """The rows of each tabular, as lists of cells, with the columns that it declares."""
    for columns, body in re.findall(
        r"\\begin\{tabular\}\{(l?r*)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL
    ):
        assert re.fullmatch(r"\\toprule\n[^\n]+\n\\midrule\n.*\\bottomrule\n", body, re.DOTALL), (
            body
        )
        lines = [line for line in body.splitlines() if not re.fullmatch(r"\\\w+rule", line)]
        assert all(line.endswith(" \\\\") for line in lines)
        yield columns, [re.split(r"(?<!\\) ?& ", line.removesuffix(" \\\\")) for line in lines]


@pytest.fixture(scope="module")
def study():
    lost = {("GELU (ours)", 0), ("GELU (ours)", 1)}
    return synthetic_study(ODD, 5, 10, learning_rates=(1e-3, 1e-4), diverged=lost, target=0.98)


@pytest.fixture(scope="module")
def text(study):
    return tables.as_latex(study)


def test_every_row_has_every_column_and_groups_close(text):
    found = list(tabulars(text))
    assert len(found) == 2 * 3  # two workloads of three blocks
    for columns, rows in found:
        assert {len(row) for row in rows} == {len(columns)}
    # without what is escaped, braces nest
    plain = re.sub(r"\\[&%$#_{}\\]", "", text)
    depth = 0
    for char in plain:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    for name in ("table", "tabular"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") > 0
    labels = re.findall(r"\\label\{(tab:[a-z0-9-]+)\}", text)
    assert len(set(labels)) == text.count("\\begin{table}")


def test_figures_intervals_and_marks_are_those_of_markdown(study, text):
    workload = study.workloads()[0]
    blocks = list(tabulars(text))[:2]
    heading = {cell: k for k, cell in enumerate(blocks[0][1][0])}
    lines = blocks[0][1]
    for row in table_rows.rows(study, workload):
        at = next(k for k, line in enumerate(lines) if line[0] == latex.escape(row["activation"]))
        for column in table_rows.COLUMNS[1:7]:
            shown = latex.escape(value_text(row, column))
            cell = lines[at][heading[latex.escape(column.heading)]]
            assert cell == (f"\\textbf{{{shown}}}" if column.name in row["best"] else shown)
            if row[column.name] is not None and (interval := interval_text(row, column)):
                below = lines[at + 1]
                assert below[0] == ""
                assert below[heading[latex.escape(column.heading)]] == (
                    f"{{\\scriptsize {interval}}}"
                )
    assert "never]" in text
    caption = latex.escape(study_table.title(study, workload))
    assert f"\\caption{{{caption}}}" in text
    assert "Baseline: relu. (paper): its Table 3" in text


def test_columns_without_a_figure_are_left_out():
    columns = [Column("name", "name"), Column("x", "x"), Column("y", "y", "{:.1f}")]
    rows = [{"name": "a", "x": None, "y": -1.0, "best": ["y"], "is_baseline": False}]
    ((kept, lines),) = tabulars(latex.table(columns, rows, "c", "l", "n"))
    assert (kept, lines) == ("lr", [["name", "y"], ["a", "\\textbf{$-$1.0}"]])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_it_compiles(text, tmp_path):
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    body = "\\begin{document}\n\\input{table.tex}\n\\end{document}\n"
    document = f"\\documentclass{{article}}\n{latex.PREAMBLE}\n{body}"
    (tmp_path / "paper.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout
