"""Every test runs with warnings as errors (pyproject.toml) and strict dtype promotion."""

import jax
import pytest

from jaxact.models import AlexNet


@pytest.fixture(autouse=True, scope="session")
def own_compilation_cache(tmp_path_factory):
    """Commands that tests start keep what they compile to themselves, and share it."""
    folder = tmp_path_factory.getbasetemp() / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder))
        yield


@pytest.fixture(autouse=True)
def strict_dtype_promotion():
    with jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def thin_alexnet(monkeypatch):
    """AlexNet with a sixteenth of its width; the 61 million parameters would take seconds."""
    monkeypatch.setattr(AlexNet, "widths", (6, 16, 24, 24, 16))
    monkeypatch.setattr(AlexNet, "hidden", 256)
