"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import jax
import pytest


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    with jax.numpy_dtype_promotion("strict"):
        yield
