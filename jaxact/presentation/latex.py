"""Tables in LaTeX with booktabs' rules, floats to be `\\input`, and any text as it reads there."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from jaxact.presentation.columns import Column, Row, interval_text, value_text

PREAMBLE = "\\usepackage{booktabs,graphicx}"
BLOCK = 6  # columns beside the first that a page holds
_COMMANDS = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "|": "\\textbar{}",
    "<": "$<$",
    ">": "$>$",
    # Behind the end of a row these two would be its arguments.
    "[": "{[}",
    "*": "{*}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "\\textendash{}",
    "\N{EM DASH}": "\\textemdash{}",
    "\N{MULTIPLICATION SIGN}": "$\\times$",
    "\N{PLUS-MINUS SIGN}": "$\\pm$",
    "\N{INFINITY}": "$\\infty$",
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{"ß": "{\\ss}", "ø": "{\\o}", "Ø": "{\\O}", "ł": "{\\l}", "Ł": "{\\L}"},
    **{"æ": "{\\ae}", "Æ": "{\\AE}", "œ": "{\\oe}", "Œ": "{\\OE}"},
}
_ACCENTS = {
    **{"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u"},
    **{"\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c"},
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")
_LATIN_CAPITALS = {
    **{"ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I"},
    **{"KAPPA": "K", "MU": "M", "NU": "N", "OMICRON": "O", "RHO": "P", "TAU": "T", "CHI": "X"},
}


def escape(text: str) -> str:
    """A text that LaTeX sets as it reads, with its own fonts and without further packages.

    A character that they lack is set as its number; a hyphen before a number is a minus.

    >>> print(escape("50 % of [a_b]: ä, β, 中"))
    50 \\% of {[}a\\_b]: \\"{a}, $\\beta$, U+4E2D
    """
    signed = re.sub(r"(?<![\w-])-(?=\d)", "\N{MINUS SIGN}", " ".join(text.split()))
    # Two hyphens would be a dash.
    return re.sub("-(?=-)", "-{}", "".join(map(_escaped, signed)))


def _escaped(char: str) -> str:
    if char in _COMMANDS:
        return _COMMANDS[char]
    if char.isascii():
        return char if char.isprintable() else f"U+{ord(char):04X}"
    letter, *marks = unicodedata.normalize("NFD", char)
    if marks and letter.isascii() and all(mark in _ACCENTS for mark in marks):
        for mark in marks:
            letter = f"\\{_ACCENTS[mark]}{{{letter}}}"
        return letter
    if match := _GREEK.fullmatch(unicodedata.name(char, "")):
        return _greek(*match.groups())
    return f"U+{ord(char):04X}"


def _greek(size: str, name: str) -> str:
    name = name.replace("LAMDA", "LAMBDA")
    if name == "OMICRON" or size == "CAPITAL":
        letter = _LATIN_CAPITALS.get(name, "")
        if letter:
            return letter.lower() if size == "SMALL" else letter
        return f"$\\{name.capitalize()}$"
    return f"$\\{name.lower()}$"


def table(
    columns: Sequence[Column], rows: Sequence[Row], caption: str, label: str, note: str
) -> str:
    """A float with its caption, rows and note; it takes `PREAMBLE`, and any width of the text.

    Under each row stand its intervals; the best of a column is bold. More columns than a page holds
    stand in blocks, one below the other.

    Args:
      columns: the first one to the left, the others to the right; one without a figure is left out.
      caption, note: texts; the note stands below the table.
      label: behind `tab:`, for `\\ref`.
    """
    name, *others = [c for c in columns if any(row[c.name] is not None for row in rows)]
    blocks = [
        _tabular([name, *others[first : first + BLOCK]], rows)
        for first in range(0, len(others), BLOCK)
    ]
    return "\n".join(
        [
            "\\begin{table}",
            "\\centering\\small\\setlength{\\tabcolsep}{4pt}",
            f"\\caption{{{escape(caption)}}}",
            f"\\label{{tab:{re.sub('[^a-z0-9]+', '-', label.lower()).strip('-')}}}",
            "\n\\par\\medskip\n".join(blocks),
            "\\par\\smallskip",
            f"\\parbox{{\\linewidth}}{{\\footnotesize {escape(note)}}}",
            "\\end{table}\n",
        ]
    )


def _tabular(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Rows with a figure in the columns, no wider than the text."""
    lines = [
        "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
        f"\\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        "\\toprule",
        _line([escape(column.heading) for column in columns]),
        "\\midrule",
    ]
    for row in rows:
        cells = [_cell(row, column) for column in columns]
        intervals = [_interval(row, column) for column in columns]
        if any(cells[1:]):
            lines.append(_line(cells))
        if any(intervals):
            lines.append(_line(intervals))
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}}"])


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _cell(row: Row, column: Column) -> str:
    text = escape(value_text(row, column))
    return f"\\textbf{{{text}}}" if column.name in row["best"] else text


def _interval(row: Row, column: Column) -> str:
    text = "" if row[column.name] is None else interval_text(row, column)
    return f"{{\\scriptsize {text.replace('-', '$-$')}}}" if text else ""
