"""The latency protocol: what is called, how often, and what is reported. Never how fast."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.inference import latency

IMAGES = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)


def forward(variables, images):
    return images.reshape(images.shape[0], -1).astype(jnp.float32) @ variables


@pytest.fixture(scope="module")
def classifier():
    return latency.Classifier(forward)


def test_the_report(classifier):
    report = latency.measure(classifier, jnp.ones((4, 5)), IMAGES, samples=50)
    assert set(report) == {
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "samples",
        "host_p50",
        "dispatch_floor_p50",
        "amortised",
    }
    assert report["samples"] == 50
    assert report["p50"] <= report["p90"] <= report["p95"] <= report["p99"]
    assert all(value > 0 for value in report.values())


def test_each_figure_is_that_of_its_times(classifier, monkeypatch):
    rng = np.random.default_rng(0)
    names = ("device", "host", "floor", "many")
    planted = {name: scale * rng.lognormal(size=1000) for scale, name in enumerate(names, 1)}
    monkeypatch.setattr(
        latency, "interleaved", lambda calls, *_, **__: {name: planted[name] for name in calls}
    )
    report = latency.measure(classifier, jnp.ones((4, 5)), IMAGES, samples=1000)
    ordered = {name: np.sort(times) for name, times in planted.items()}
    for share in (50, 90, 95, 99):  # between two neighbours of 1000
        low, high = ordered["device"][10 * share - 1], ordered["device"][10 * share]
        assert low < report[f"p{share}"] < high
    assert report["mean"] == pytest.approx(planted["device"].mean())
    for key, name, share in (
        ("host_p50", "host", 1),
        ("dispatch_floor_p50", "floor", 1),
        ("amortised", "many", len(IMAGES)),
    ):
        assert report[key] == pytest.approx(ordered[name][499:501].mean() / share)


def test_the_classifier_classifies(classifier):
    variables = jnp.asarray(np.random.default_rng(0).normal(size=(4, 5)), jnp.float32)
    expected = np.asarray(forward(variables, jnp.asarray(IMAGES))).argmax(-1)
    singles = [int(classifier.label(variables, image[None])) for image in IMAGES]
    np.testing.assert_array_equal(singles, expected)
    np.testing.assert_array_equal(classifier.labels(variables, IMAGES[:, None]), expected)
