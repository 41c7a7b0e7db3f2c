"""The record that a run ends in: which network its latency is of."""

from types import SimpleNamespace

import numpy as np
import pytest

from jaxact.runs import summary


@pytest.mark.parametrize(
    ("precision", "error", "layers"),
    [("float32", 1e-5, 1), ("float32", 0.067, 0), ("bfloat16", 0.02, 1), ("bfloat16", 0.3, 0)],
)
def test_a_folded_network_is_timed_if_its_logits_are_the_networks_own(precision, error, layers):
    def logits(variables, images):
        folded = variables[0].get("folded", {"Conv_0": 0})
        return images.reshape(len(images), -1) * (1 + folded["Conv_0"])

    images = np.random.default_rng(0).integers(0, 256, (40, 2, 2, 1)).astype(np.float32)
    own, folded = {"params": {}}, {"params": {}, "folded": {"Conv_0": error}}
    setup = SimpleNamespace(
        config=SimpleNamespace(precision=precision),
        data=SimpleNamespace(test_images=images),
        train=SimpleNamespace(preprocessing=()),
        program=SimpleNamespace(
            fold=lambda state, images: (folded,), classifier=SimpleNamespace(logits=logits)
        ),
    )
    snapshot = SimpleNamespace(chosen=SimpleNamespace(evaluated=own))
    expected = folded if layers else own
    assert summary.network_to_time(setup, snapshot) == ((expected,), layers)  # pyright: ignore[reportArgumentType]
