"""The images of a run: how many are evaluated at a time."""

import numpy as np
import pytest

from jaxact import data
from jaxact.inference.batches import images_at_once
from jaxact.runs.loading.run_data import in_batches


@pytest.mark.parametrize(("size", "batches"), [(64, 1), (224, 3)])
def test_larger_images_are_evaluated_fewer_at_a_time(size, batches):
    split = data.Split(np.zeros((40, size, size, 1), np.uint8), np.arange(40) % 3)
    found = in_batches(split, np.zeros(1), np.ones(1))
    assert len(found.images) == batches
    assert found.images.shape[:2] == found.labels.shape
    assert found.labels.shape[1] <= images_at_once(size, size)
    labels = np.asarray(found.labels).ravel()
    np.testing.assert_array_equal(labels[:40], split.labels)
    assert (labels[40:] == -1).all()


def test_a_batch_has_no_more_pixels_than_one_of_64_by_64():
    assert [images_at_once(side, side) for side in (8, 64, 65, 96, 224, 4096)] == [
        *(256, 256, 128, 64, 16, 1)
    ]
