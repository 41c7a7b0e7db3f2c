"""A small study that is tracked, at the stages through which it comes."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from jaxact.comparison.output import files
from jaxact.comparison.study import MISSING, STUDY
from jaxact.runs.records import record_files
from jaxact.tracking import pages, source
from jaxact.tracking.source import Reader
from jaxact.tracking.tracker import updates
from tests.support.studies import synthetic_study, write_study

SPECS = ("relu", "leaky_relu(negative_slope=0.05)")
NAMES = tuple(f"{spec}/seed{seed}" for seed in (0, 1) for spec in SPECS)
EPOCHS = 3


def drawn(folder: Path, epochs: int = EPOCHS, specs: Sequence[str] = SPECS, seeds: int = 2) -> Path:
    """Writes a study, its tables, and the least of a drawing."""
    study = synthetic_study(specs, seeds, epochs)
    write_study(study, folder)
    files.write_tables(study, folder)
    (folder / files.FIGURES).mkdir()
    Image.new("RGB", (8, 8)).save(folder / files.FIGURES / "accuracy-mnist.png")
    (folder / source.REPORT).write_text("<h1>A report</h1>")
    return folder


def take_back(folder: Path, name: str, epochs: int) -> None:
    """Takes a run of a study back to where it had so many epochs."""
    value = json.loads((folder / STUDY).read_text())
    for run in value["runs"]:
        if name == f"{run['activation']}/seed{run['seed']}":
            run |= {"status": MISSING, "summary": {}, "metrics": [], "health": []}
    record_files.write_json(folder / STUDY, value)
    for file in (record_files.METRICS, record_files.HEALTH):
        rows = record_files.read_rows(folder / name / file)
        record_files.write_rows(folder / name / file, rows[:epochs])
    (folder / name / record_files.SUMMARY).unlink()


def under_way(whole: Path, folder: Path, name: str = NAMES[3], epochs: int = 1) -> Path:
    """A copy of a study whose last run has so many epochs, as if the others had ended before."""
    shutil.copytree(whole, folder)
    take_back(folder, name, epochs)
    return folder


def bring(folder: Path, tracker):
    """What one command gives to a tracker."""
    with updates(tracker) as current:
        return current.bring(pages.of(Reader(folder).read()))


def expected(folder: Path, name: str, figure: str) -> list[float]:
    """The figures of a run, an epoch each."""
    rows = record_files.read_rows(folder / name / record_files.METRICS)
    return [row[figure] for row in rows]
