"""The paper's tables: its numbers hang together, and say what it says they say."""

import pytest

from jaxact import activations, data
from jaxact.comparison.paper import tables
from tests.support import networks


@pytest.mark.parametrize(
    ("text", "expected"), [("0:01:48", 108), ("0:47:38", 2858), ("1:00:00", 3600)]
)
def test_times_are_seconds(text, expected):
    assert tables.seconds(text) == expected


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.title)
def test_rows_hang_together(table):
    assert tuple(table.rows) == tables.PAPER_ACTIVATIONS
    assert table.dataset in data.names()
    assert table.model in networks.PUBLISHED
    for name, row in table.rows.items():
        assert activations.get(name).spec == name
        assert (row.epoch_to_target is None) == (row.seconds_to_target is None)
        if row.epoch_to_target is not None:
            # the time to the target is that of so many epochs, to 2 s
            an_epoch = row.train_seconds / table.epochs
            assert row.seconds_to_target == pytest.approx(row.epoch_to_target * an_epoch, rel=0.04)
            assert row.error_percent < 100 * (1 - table.target_accuracy)


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.title)
def test_the_paper_s_findings_are_in_its_tables(table):
    rows = table.rows
    seconds = {n: r.seconds_to_target for n, r in rows.items() if r.seconds_to_target is not None}
    soonest = sorted(seconds.values())
    assert seconds["leaky_relu"] in soonest[:2]
    assert rows["tanh"].error_percent == max(row.error_percent for row in rows.values())
    assert "tanh" not in seconds or seconds["tanh"] == soonest[-1]
    totals = [row.train_seconds for row in rows.values()]
    assert max(totals) < 1.04 * min(totals)


def test_tables_are_found_by_data_set_and_model():
    assert tables.table_of("mnist", "small_cnn") is tables.TABLE_3
    assert tables.table_of("cifar10", "vgg11") is tables.TABLE_4
    assert tables.table_of("mnist", "vgg11") is None
    assert tables.TABLE_3.rows["tanh"].seconds_to_target is None
    assert tables.TABLE_3.rows["prelu"] == (111, 0.14734, 5, 56, 1.41)
    assert tables.TABLE_4.rows["leaky_relu"] == (2896, 0.32579, 14, 819, 9.57)
