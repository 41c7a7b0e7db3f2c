"""Training relies on the dtype promotion of optax's Adam."""

import pytest


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    """Overrides the one of tests/conftest.py."""
