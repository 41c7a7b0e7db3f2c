"""Benchmarks train, and optax's Adam relies on dtype promotion."""

import pytest


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    """Overrides the one of tests/conftest.py."""
