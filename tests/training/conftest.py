"""A run that takes seconds: the digits' first images, two epochs."""

import dataclasses

import pytest

from jaxact.config import Config


@pytest.fixture
def tiny() -> Config:
    return dataclasses.replace(
        Config(), train_examples=300, test_examples=70, batch_size=64, epochs=2, latency_samples=0
    )


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    """Overrides the one of tests/conftest.py: optax's Adam relies on promotion."""
