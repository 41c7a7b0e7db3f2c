"""When checkpoints are due: by epochs, or by what they cost of the time so far."""

import pytest

from jaxact.runs.cadence import ASSUMED_BYTES_PER_SECOND, ASSUMED_SECONDS, SHARE, Cadence


def saves(epoch_seconds, cost_seconds, epochs, every=None, size=0):
    """The epochs after which a run saves, and what its checkpoints cost in all."""
    seconds, spent, due = 0.0, 0.0, []
    cadence = Cadence(every, size, now=lambda: seconds)
    for epoch in range(1, epochs + 1):
        seconds += epoch_seconds
        if cadence.is_due(epoch, spent):
            due.append(epoch)
            spent += cost_seconds
            seconds += cost_seconds
    return due, spent, seconds


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_number_of_epochs_is_kept_whatever_it_costs(every):
    due, _, _ = saves(0.1, 100.0, 20, every)
    assert due == list(range(every, 21, every))


@pytest.mark.parametrize(("epoch_seconds", "cost_seconds"), [(0.25, 1.0), (2.0, 0.05), (0.3, 0.3)])
def test_checkpoints_cost_at_most_their_share(epoch_seconds, cost_seconds):
    due, spent, seconds = saves(epoch_seconds, cost_seconds, 1000, size=round(cost_seconds * 1e8))
    assert due
    assert spent <= SHARE * seconds
    # and no less often than that allows: the next one would cost too much
    assert spent + cost_seconds > SHARE * (seconds - epoch_seconds * 50) - cost_seconds


def test_where_epochs_are_long_each_has_one():
    assert saves(140.0, 1.2, 20, size=120_000_000)[0] == list(range(1, 21))


def test_the_first_is_not_made_before_it_has_paid_off():
    size = 110_000_000  # VGG-11's; an epoch of a quarter second on a GPU
    due, _, _ = saves(0.25, 1.0, 400, size=size)
    assumed = ASSUMED_SECONDS + size / ASSUMED_BYTES_PER_SECOND
    assert due[0] == pytest.approx(assumed / SHARE / 0.25, abs=1)


def test_one_that_costs_more_than_assumed_makes_the_next_wait():
    due, spent, seconds = saves(1.0, 5.0, 1000)
    assert due[0] == 3  # 0.05 s were assumed, 2 % of 2.5
    assert due[1] >= 10 / SHARE - 10
    assert spent <= SHARE * seconds + 5.0
