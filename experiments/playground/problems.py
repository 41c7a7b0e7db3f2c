"""The four 2-D problems of the TensorFlow playground, on about [-6, 6] x [-6, 6].

Source: Smilkov et al. 2017, Direct-manipulation visualization of deep networks (arXiv:1708.03788);
github.com/tensorflow/playground, src/dataset.ts. There, how many points a class of `xor` gets is
left to chance; here every class has half.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

RADIUS = 5.0  # of what is drawn, before noise and padding
LARGEST_NOISE = 0.5  # where the playground's slider ends


class Points(NamedTuple):
    """Places, float32 `[points, 2]`, and their labels, float32 `[points]`, each -1 or 1."""

    places: np.ndarray
    labels: np.ndarray


class Problem(NamedTuple):
    """Half of the points to train on, half to test."""

    train: Points
    test: Points


def circles(count: int, noise: float, random: np.random.Generator) -> Points:
    """A disc of radius 2.5, 1, within a ring from 3.5 to 5, -1.

    Noise shifts the place that the label is judged by, at most `RADIUS noise` along each axis.
    """
    half = count // 2
    radius = np.concatenate(
        [
            random.uniform(0, 0.5 * RADIUS, half),
            random.uniform(0.7 * RADIUS, RADIUS, count - half),
        ]
    )
    angle = random.uniform(0, 2 * np.pi, count)
    places = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    judged = places + _shift(places, noise, random)
    return _points(places, np.linalg.norm(judged, axis=1) < 0.5 * RADIUS)


def xor(count: int, noise: float, random: np.random.Generator) -> Points:
    """Exclusive or: 1 where both coordinates have one sign, -1 elsewhere; 0.3 free at the axes.

    Each quadrant has a quarter of the points. Noise shifts as in `circles`.
    """
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])[np.arange(count) % 4]
    places = signs * (random.uniform(0, RADIUS, (count, 2)) + 0.3)
    judged = places + _shift(places, noise, random)
    return _points(places, np.prod(judged, axis=1) >= 0)


def gaussians(count: int, noise: float, random: np.random.Generator) -> Points:
    """Two normal clouds, at (2, 2), 1, and at (-2, -2), -1.

    The variance of a coordinate is 0.5 without noise and rises to 4 at `LARGEST_NOISE`.
    """
    variance = 0.5 + 3.5 * noise / LARGEST_NOISE
    is_upper = np.arange(count) < count // 2
    centres = np.where(is_upper, 2.0, -2.0)[:, None]
    return _points(centres + np.sqrt(variance) * random.normal(size=(count, 2)), is_upper)


def spiral(count: int, noise: float, random: np.random.Generator) -> Points:
    """Two arms of 1.75 turns, half a turn apart; noise shifts a place by at most `noise`."""
    is_first = np.arange(count) < count // 2
    along = np.concatenate([np.arange(n) / n for n in (count // 2, count - count // 2)])
    angle = 1.75 * along * 2 * np.pi + np.where(is_first, 0, np.pi)
    places = RADIUS * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _points(places + random.uniform(-1, 1, (count, 2)) * noise, is_first)


PROBLEMS: dict[str, Callable[[int, float, np.random.Generator], Points]] = {
    "circles": circles,
    "xor": xor,
    "gaussians": gaussians,
    "spiral": spiral,
}


def draw(name: str, seed: int, count: int = 500, noise: float = 0.0) -> Problem:
    """A problem's points, shuffled and cut in half; the same for the same arguments.

    Args:
      name: one of `PROBLEMS`.
      seed: from 0.
      count: points in all, even.
      noise: from 0 to `LARGEST_NOISE`.
    """
    random = np.random.default_rng([seed, list(PROBLEMS).index(name)])
    points = PROBLEMS[name](count, noise, random)
    order = random.permutation(count)
    places, labels = points.places[order], points.labels[order]
    half = count // 2
    return Problem(Points(places[:half], labels[:half]), Points(places[half:], labels[half:]))


def _shift(places: np.ndarray, noise: float, random: np.random.Generator) -> np.ndarray:
    return RADIUS * noise * random.uniform(-1, 1, places.shape)


def _points(places: np.ndarray, is_positive: np.ndarray) -> Points:
    return Points(places.astype(np.float32), np.where(is_positive, 1, -1).astype(np.float32))
