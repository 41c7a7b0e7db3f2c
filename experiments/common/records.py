"""Numbers as `result.json` holds them, back as arrays: null stands for what is not finite."""

import math
from typing import Any

import numpy as np


def numbers(value: Any, lost: float = math.nan) -> np.ndarray:
    """A number, or lists of them, as floats.

    Args:
      lost: stands for null: `math.inf` where that is a target never reached.

    >>> numbers([[1, None], [2.5, 3]], lost=math.inf).tolist()
    [[1.0, inf], [2.5, 3.0]]
    """
    found = np.array(value, dtype=float)
    return np.where(np.isnan(found), lost, found)
