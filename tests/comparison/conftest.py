"""Comparisons' intervals are of fewer resamples: where they end is tested among the statistics."""

import pytest

from jaxact.statistics import estimates


@pytest.fixture(autouse=True, scope="module")
def fewer_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimates, "RESAMPLES", 999)
        yield
