"""The part of a study that is the same whoever made its runs, and where."""

import json
from pathlib import Path
from typing import Any

import flax.linen as nn

NETWORK = "tests.comparison.engines.alike:PlainCNN"  # by its place: any process finds it
# What differs: times, and where a run was made.
TIMES = {"images_per_second", "peak_memory_bytes", "compilation_cache", "git_dirty"}
PLACES = {"cores", "host", "runs_at_once", "resumed", "cpu_count", "huge_pages"}


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


class PlainCNN(nn.Module):
    """A thin network with a layer of each kind that a run could get wrong."""

    activation: Any
    num_classes: int = 10

    @nn.compact
    def __call__(self, images, *, train):
        x = self.activation(nn.Conv(4, (3, 3))(images))
        x = nn.BatchNorm(use_running_average=not train)(x)
        x = nn.Dropout(0.2, deterministic=not train)(x)
        return nn.Dense(self.num_classes)(x.reshape(len(x), -1))
