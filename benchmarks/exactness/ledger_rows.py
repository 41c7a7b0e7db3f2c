"""The tables of the ledger's files, and the goal: what misses it, and why. Needs no mpmath."""

from pathlib import Path
from typing import Any

from benchmarks import results
from jaxact.presentation.tables import Row
from jaxact.runs.records import record_files

FOLDER = results.FOLDER / "ledger"
PARTS = ("value", "derivative")
HALVES = ("bfloat16", "float16")
# The goal for float32 at the default parameters, in ULP, and why some miss it.
GOALS = {"value": 2.0, "derivative": 3.0}
CAUSES = {
    "affine_combination": "a sum whose terms are flushed to 0 below |x| = 4e-38",
    "colu": "e^(x + e^x) less x: a sum of a rounded power",
    "convex_combination": "a sum whose terms are flushed to 0 below |x| = 4e-38",
    "elish": "a product of two functions that are rounded",
    "gelu": "four roundings beside those of the power: a distance, a polynomial, two products",
    "clipped_gelu": "as gelu",
    "xgelu": "as gelu",
    "gcu": "terms that cancel near the roots beyond 1.5, one in every period",
    "gelu_tanh": "a difference of rounded terms, a power and a quotient",
    "gelu_sine": "terms that cancel near the roots below -3; terms flushed to 0 below |x| = 5e-38",
    "lisht": "x times a tanh that is off by 1.4",
    "logish": "a product of x, a power and a polynomial, where the pieces meet",
    "pau": "terms of learned coefficients that cancel",
    "phish": "a GELU within a tanh",
    "poly_relu": "terms of learned coefficients that cancel",
    "quick_gelu": "a distance from the root that is a rounded product, times a polynomial",
    "serf": "a product with a polynomial, where the pieces meet",
    "snake": "XLA's sine; terms that cancel near the roots beyond those of [-4, 3]",
    "squareplus": "a root, a sum and a quotient, each rounded",
    "srs": "a product, a square and a quotient, each rounded",
    "star_relu": "two terms that cancel near its root",
    "tanh_shrink": "products of rounded factors: x, x**2 and a polynomial near 0; tanh, squared",
    "xatlu": "two terms of a polynomial, near where the pieces meet",
    "xielu": "a root that depends on the parameters: near it terms cancel",
}


def rows(folder: Path = FOLDER, platform: str = "cpu") -> list[Row]:
    """The table of a platform's ledger: a row a function, its errors, and its peers'."""
    table = []
    for entry in _entries(folder, platform):
        row: dict[str, Any] = {
            "activation": entry["activation"],
            "floats": "all" if entry["stride"] == 1 else f"1 of {entry['stride']}",
        }
        for part in PARTS:
            row[part] = _worst_of(entry["float32"], part)
            row[f"{part}, correctly rounded"] = _share(entry["float32"], part)
        row["bfloat16, float16 not correctly rounded"] = ", ".join(
            str(sum(part["count"] for part in entry["not_rounded"][form].values()))
            for form in HALVES
        )
        for peer, of_peer in sorted(entry["peers"].items()):
            row[peer] = " / ".join(_worst_of(of_peer, part) for part in PARTS)
        table.append(row)
    columns = dict.fromkeys(column for row in table for column in row)
    return [{column: row.get(column) for column in columns} for row in table]


def exceptions(folder: Path = FOLDER, platform: str = "cpu") -> list[Row]:
    """The rows that miss a goal, each with its cause."""
    table = []
    for entry in _entries(folder, platform):
        found = {
            part: entry["float32"][part]["main"]
            for part in PARTS
            if "main" in entry["float32"][part]
            and float(entry["float32"][part]["main"]["worst"]) > GOALS[part]
        }
        for part, figures in found.items():
            table.append(
                {
                    "activation": entry["activation"],
                    "of": part,
                    "ULP": f"{float(figures['worst']):.3g}",
                    "at": f"{float(figures['at']):.9g}",
                    "cause": CAUSES.get(entry["activation"]),
                }
            )
    return table


def _entries(folder: Path, platform: str) -> list[dict[str, Any]]:
    return [record_files.read_json(file) for file in sorted(folder.glob(f"*-{platform}.json"))]


def _worst_of(places: dict[str, Any], part: str) -> str:
    main = places[part].get("main")
    return "-" if main is None else f"{float(main['worst']):.3g}"


def _share(places: dict[str, Any], part: str) -> str | None:
    main = places[part].get("main")
    return None if main is None else f"{100 * main['correctly_rounded']:.1f} %"
