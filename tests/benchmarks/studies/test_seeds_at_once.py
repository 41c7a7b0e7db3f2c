"""The benchmark of several seeds at once: what it measures, and how that becomes a table."""

import json

import pytest

from benchmarks import tables
from benchmarks.contenders import jaxact_worker
from benchmarks.contenders.protocol import Job
from benchmarks.studies import seeds_at_once

SMALL = ["--model=thin_cnn", "--batch_size=8", "--examples=32", "--seconds=0.001", "--pairs=5"]


def test_it_leaves_its_json_and_prints_its_table(tmp_path, capsys):
    out = tmp_path / "new" / "seeds.json"
    words = [*SMALL, "--counts=2", f"--out={out}"]
    assert seeds_at_once.COMMAND.run(seeds_at_once.seeds_at_once, words) == 0
    assert f"results: {out}" in capsys.readouterr().out
    result = json.loads(out.read_text())
    names = ["alone", "2, as a CPU's"]
    assert [row["seeds at once"] for row in result["rows"]] == names
    assert [len(own["seconds"]) for own in result["figures"].values()] == [5]
    assert all(row["compile s"] > 0 for row in result["rows"][1:])
    assert "| 2, as a CPU's |" in tables.section(result)


def test_throughput_counts_the_images_of_all():
    known = {"seconds": [0.02] * 5, "alone_seconds": [0.01] * 5, "details": {"compile_seconds": 1}}
    alone, together = seeds_at_once.rows({"4, patches": {"count": 4, **known}}, 100)
    assert alone["images/s"] == pytest.approx(10_000)
    assert together["images/s"] == pytest.approx(20_000)
    assert together["throughput / alone"].value == pytest.approx(2)


def test_what_is_timed_trains_every_seed(monkeypatch):
    job = Job("train_step", model="thin_cnn", batch_size=4, examples=8, steps_per_dispatch=2)
    states = []
    describe = jaxact_worker.details
    monkeypatch.setattr(
        jaxact_worker,
        "details",
        lambda state, clock: states.append(state) or describe(state, clock),
    )
    seeds_at_once.trained(job, 2)
    (state,) = states
    assert int(state.step) == 2
    kernel = state.params["Dense_0"]["kernel"]
    assert len(kernel) == 2
    assert (kernel[0] != kernel[1]).any()
