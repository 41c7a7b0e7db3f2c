"""python -m benchmarks.tables: writes the tables of benchmarks/README.md and docs/exactness.md.

What lies between `<!-- BENCHMARK -->` and `<!-- end of BENCHMARK -->` is replaced by that
benchmark's results, a table for each file; no figure is typed by hand.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.exactness import ledger_rows
from jaxact.command import Command
from jaxact.errors import ConfigError
from jaxact.presentation import tables as row_tables
from jaxact.runs.records import record_files

README = Path(__file__).parent / "README.md"
EXACTNESS = Path(__file__).parents[1] / "docs" / "exactness.md"
SECTION = re.compile(r"(<!-- (?P<name>\w+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)


def versions(result: Mapping[str, Any]) -> str:
    """The programs that were measured: `jaxact 0.1.0, jax 0.10.2, torch 2.13.0`."""
    known = {}
    for environment in result["environments"].values():
        known |= {
            name: environment[name] for name in ("jaxact", "jax", "torch") if name in environment
        }
    return ", ".join(f"{name} {version}" for name, version in known.items())


def section(result: Mapping[str, Any]) -> str:
    """A result as Markdown: what, where and when, and the table."""
    day = result["measured_at"][:10]
    where = f"{result['machine']}; {versions(result)}; {day}."
    return f"**{result['title']}.** {where}\n\n{row_tables.as_markdown(result['rows'])}"


def sections(measured: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Benchmark to all its results; files of another form are not this program's."""
    texts: dict[str, list[str]] = {}
    for result in measured:
        if "rows" in result and "benchmark" in result:
            texts.setdefault(result["benchmark"], []).append(section(result))
    return {name: "\n".join(parts) for name, parts in texts.items()}


def rewrite(text: str, tables: Mapping[str, str]) -> str:
    """The text with every section that there are tables for replaced.

    Raises:
      ConfigError: there is no section for one of the tables.
    """
    marked = [match["name"] for match in SECTION.finditer(text)]
    if missing := sorted(set(tables) - set(marked)):
        raise ConfigError(f"{README.name} has no section <!-- {missing[0]} --> for its table")

    def replaced(match: re.Match[str]) -> str:
        if match["name"] not in tables:
            return match[0]
        return f"{match[1]}\n{tables[match['name']]}\n{match[3]}"

    return SECTION.sub(replaced, text)


def write_tables() -> None:
    files = sorted(results.FOLDER.glob("*.json"))
    tables = sections([record_files.read_json(file) for file in files])
    record_files.write_text(README, rewrite(README.read_text(encoding="utf-8"), tables))
    print(f"{README}: {', '.join(tables) or 'nothing to write'}")
    ledger = {
        "ledger": row_tables.as_markdown(ledger_rows.rows()),
        "exceptions": row_tables.as_markdown(ledger_rows.exceptions()),
    }
    page = rewrite(EXACTNESS.read_text(encoding="utf-8"), ledger)
    record_files.write_text(EXACTNESS, page)
    print(f"{EXACTNESS}: {', '.join(ledger)}")


COMMAND = Command("python -m benchmarks.tables", __doc__ or "")

if __name__ == "__main__":
    sys.exit(COMMAND.run(lambda options: write_tables()))
