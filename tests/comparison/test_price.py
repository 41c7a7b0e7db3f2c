"""The price of an hour: what it adds to the tables, where it is kept, how a wrong one is told."""

import csv
import dataclasses
import io
import json

import pytest

from jaxact.comparison import redraw, study as studies
from jaxact.comparison.analysis import hidden_seconds
from jaxact.comparison.output import report
from jaxact.comparison.output.tables import costs, study_table
from jaxact.comparison.price import Price, price_of
from jaxact.errors import ConfigError
from tests.support.studies import synthetic_study, write_study

PRICE = Price(2.49, "EUR")


@pytest.fixture
def study():
    study = synthetic_study(("relu", "tanh"), 5, 10, target=0.98)
    return dataclasses.replace(study, price=PRICE)


def rows_of(study):
    """The rows of `table.csv`, by activation."""
    read = csv.DictReader(io.StringIO(study_table.as_csv(study)))
    return {row["activation"]: row for row in read}


@pytest.mark.parametrize(
    ("per_hour", "currency", "told"),
    [
        (-2.49, None, r"--price_per_hour=-2\.49 must be a number above 0"),
        (0.0, None, "--price_per_hour=0 must be"),
        (float("nan"), "EUR", "--price_per_hour=nan must be"),
        (float("inf"), None, "--price_per_hour=inf must be"),
        (None, "EUR", "--currency=EUR needs --price_per_hour="),
        (2.49, "euros", "--currency=euros must be a code of three capital letters"),
        (2.49, "", "--currency= must be a code"),
    ],
)
def test_a_wrong_price_is_refused(per_hour, currency, told):
    with pytest.raises(ConfigError, match=told):
        price_of(per_hour, currency)


def test_a_price_is_in_dollars_unless_told_otherwise():
    assert price_of(None, None) is None
    assert price_of(2.49, None) == Price(2.49, "USD")
    assert price_of(2.49, "EUR") == PRICE


def test_costs_are_the_seconds_at_the_price_of_an_hour(study):
    rows = rows_of(study)
    row = rows["relu"]
    seconds, latency_ms = float(row["seconds_to_target"]), float(row["latency_ms"])
    assert float(row["cost_to_target"]) == pytest.approx(2.49 * seconds / 3600)
    assert float(row["cost_of_classifications"]) == pytest.approx(2.49 * 10 * latency_ms / 3600)
    assert (row["price_per_hour"], row["currency"]) == ("2.49", "EUR")
    assert rows["tanh"]["cost_to_target"] == ""  # which it never reached
    assert rows["tanh"]["cost_of_classifications"] != ""
    assert rows["relu (paper)"]["cost_to_target"] == ""
    text = study_table.as_markdown(study)
    assert "| EUR to target | EUR/10,000 |" in text
    assert "EUR: at 2.49 EUR an hour, of the training seconds to the target alone" in text
    assert f"{2.49 * seconds / 3600:.3g}" in text
    assert f"{2.49 * seconds / 3600:.3g}" in report.page(study)
    line = costs.line(study, study.workloads()[0])
    assert f"relu {2.49 * seconds / 3600:.3g} and " in line
    assert "tanh N/A and 0.0" in line


def test_without_a_price_or_seconds_there_is_no_cost(study):
    free = dataclasses.replace(study, price=None)
    assert "cost" not in study_table.as_csv(free)
    assert costs.line(free, study.workloads()[0]) == ""
    hidden = hidden_seconds.without_seconds(study, everywhere=True)
    for row in rows_of(hidden).values():
        assert row["cost_to_target"] == row["cost_of_classifications"] == ""
    assert costs.line(hidden, study.workloads()[0]) == ""


def test_a_price_is_kept_and_another_can_be_drawn(tmp_path):
    none_made = synthetic_study(("relu",), 1, missing={("relu", 0)})  # so that no figure is drawn
    study = dataclasses.replace(none_made, price=PRICE)
    write_study(study, tmp_path)
    assert studies.load(tmp_path) == study
    assert studies.begin(tmp_path, study.plan).price == PRICE  # the command again, without it
    before = (tmp_path / studies.STUDY).read_bytes()
    for words, price in (([], PRICE), (["--price_per_hour=7", "--currency=CHF"], Price(7, "CHF"))):
        assert redraw.COMMAND.run(redraw.redraw, [str(tmp_path), *words]) == 0
        table = json.loads((tmp_path / "table.json").read_text())
        assert table["price"] == {"price_per_hour": price.per_hour, "currency": price.currency}
    assert (tmp_path / studies.STUDY).read_bytes() == before


def test_the_memory_of_a_training_step_is_in_every_table(study):
    sizes = {"relu": 3 * 2**20, "tanh": 5 * 2**20}
    runs = [
        dataclasses.replace(
            run, summary={**run.summary, "train_memory_bytes": sizes[run.activation]}
        )
        for run in study.runs
    ]
    study = dataclasses.replace(study, runs=tuple(runs))
    rows = rows_of(study)
    assert [float(rows[name]["train_memory_mib"]) for name in sizes] == [3, 5]
    page = report.page(study)
    assert '<button type="button">MiB</button>' in page
    assert '<td data-value="5.0">5.0</td>' in page
