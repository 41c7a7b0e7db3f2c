"""Small studies for any engine, and the part of one that is the same whoever made its runs."""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from jaxact.comparison import study as studies
from jaxact.comparison.engines import making
from jaxact.comparison.plan import Plan
from jaxact.runs.process.signals import StopRequest
from tests.support import own_networks
from tests.support.tiny import TINY

NETWORK = own_networks.spec("Flat")  # by its place: any process finds it
# What differs: times, and where a run was made.
TIMES = {"images_per_second", "peak_memory_bytes", "compilation_cache", "git_dirty"}
PLACES = {"cores", "host", "runs_at_once", "resumed", "cpu_count", "huge_pages"}


CONFIG = dataclasses.replace(
    TINY, model=NETWORK, target_accuracy=0.0, checkpoint_every_epochs=1, health_examples=0
)


def plan_of(*specs, seeds=1, **changes):
    config = dataclasses.replace(CONFIG, **changes)
    return Plan(config, ("digits",), (config.learning_rate,), specs, seeds, specs[0])


def make(plan, workdir, engine, stop=None):
    study = studies.begin(workdir, plan)
    stop = StopRequest() if stop is None else stop
    with contextlib.closing(engine):
        return making.make_runs(study, workdir, stop, engine)


def stored(workdir: Path) -> Any:
    """The content of `study.json`, but for times and places."""
    return without(json.loads((workdir / "study.json").read_text(encoding="utf-8")))


def without(value: Any) -> Any:
    """JSON, but for times and places."""
    if isinstance(value, dict):
        return {
            name: without(inner)
            for name, inner in value.items()
            if name not in TIMES | PLACES and not name.endswith(("_seconds", "seconds_to_target"))
        }
    return [without(inner) for inner in value] if isinstance(value, list) else value
