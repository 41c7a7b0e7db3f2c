"""The logits of the networks' twins in PyTorch, for weights and images that NumPy draws.

They are kept in a file, so that the networks are compared with their twins where there is no
PyTorch; `tests/benchmarks/test_torch_peer.py` computes them again where there is.
"""

import json

import numpy as np

from jaxact import models
from jaxact.models import ConvNet
from tests.support.networks import SHAPES
from tests.support.paths import ROOT

FILE = ROOT / "tests" / "models" / "torch_logits.json"
ALPHA, IMAGES = 0.7, 4  # of elu


def images(name: str) -> np.ndarray:
    """Images that a network takes, float32 `[4, height, width, channels]`."""
    return np.random.default_rng(1).standard_normal((IMAGES, *SHAPES[name]), np.float32)


def model(name: str) -> ConvNet:
    """The network whose weights are `tests.support.variables.drawn`."""
    return models.create_model(name, f"elu(alpha={ALPHA})")


def kept(name: str) -> np.ndarray:
    """The twin's logits, float64 `[4, 10]`."""
    return np.array(json.loads(FILE.read_text(encoding="utf-8"))[name])


def keep(name: str, logits: np.ndarray) -> None:
    """Puts a twin's logits into the file."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    rows = [[float(f"{value:.7g}") for value in row] for row in logits.tolist()]
    text = ",\n".join(
        f'"{key}": {json.dumps(value)}' for key, value in (known | {name: rows}).items()
    )
    FILE.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
