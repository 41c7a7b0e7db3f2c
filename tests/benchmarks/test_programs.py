"""The programs: options, jaxact's worker with tiny jobs, results and their tables."""

import dataclasses
import json

import jax.numpy as jnp
import pytest

from benchmarks import (
    activations as bench_activations,
    scaling,
    shared,
    tables,
    train_step,
)
from benchmarks.contenders import jaxact_worker
from benchmarks.contenders.protocol import Job
from benchmarks.timing import pairing
from benchmarks.timing.alternation import Alternation
from jaxact import activations
from jaxact.errors import ConfigError
from tests.benchmarks.stand_ins import in_process

PROGRAMS = ("train_step", "latency", "activations", "scaling")
TINY = Job("train_step", batch_size=8, examples=32, seconds=0.001, samples=10)


@pytest.mark.parametrize(
    ("program", "option", "words"),
    [
        ("latency", "--model=vgg12", "vgg11"),
        ("scaling", "--axes=width", "depth"),
        ("activations", "--only=rleu", "relu"),
        ("activations", "--only=swiglu", "is timed in a network"),
        ("convolutions", "--only=resnet21", "resnet20"),
        ("studies.seeds_at_once", "--counts=4,1", "whole numbers from 2"),
        ("train_step", "typo", "typo"),
    ],
)
def test_a_wrong_option_ends_in_one_line_and_exit_code_2(commands, program, option, words):
    ended = commands.run(f"benchmarks.{program}", option)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("wrong", "words"), [({"activation": "rleu"}, "relu"), ({"batch_size": 70_000}, "60000")]
)
def test_a_value_that_is_wrong_for_its_job_is_refused(wrong, words):
    options = train_step.COMMAND.parse([f"--{name}={value}" for name, value in wrong.items()])
    with pytest.raises(ConfigError, match=words):
        shared.job("train_step", options)


def test_a_comparison_leaves_its_json_and_prints_its_table(tmp_path, monkeypatch, capsys):
    in_process.use(monkeypatch)
    out = tmp_path / "new" / "step.json"
    words = ["--peer=jax.nn", "--model=thin_cnn", "--batch_size=8", "--examples=32"]
    words += ["--seconds=0.001", "--pairs=5", "--processes=1", f"--out={out}"]
    assert train_step.COMMAND.run(train_step.train_step, words) == 0
    assert f"results: {out}" in capsys.readouterr().out
    result = json.loads(out.read_text())
    assert [row["train step"] for row in result["rows"]] == ["jaxact", "jax.nn"]
    assert len(result["figures"]["jax.nn"]["seconds"]) == 5
    assert result["environments"]["jaxact"]["jax"]
    parameters = {known["parameters"] for known in result["details"].values()}
    assert parameters == {3 * 3 * 4 + 4 + 6 * 6 * 4 * 10 + 10}
    assert "| jax.nn |" in tables.section(result)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("task", "model", "figure"),
    [("train_step", "thin_cnn", "peak_memory_bytes"), ("latency", "vgg11", "floor_seconds")],
)
def test_jaxacts_worker_measures(task, model, figure):
    """The latency is that of a network whose BatchNorm is folded."""
    prepared = jaxact_worker.prepare(dataclasses.replace(TINY, task=task, model=model))
    assert prepared.details["parameters"] > 1000
    figures = prepared.measure()
    assert figures["seconds"] > 0
    assert figures[figure] > 0


@pytest.mark.parametrize(
    ("spec", "contenders"),
    [
        ("gelu", ["jaxact", "jax.nn", "limit"]),
        ("prelu", ["jaxact", "limit"]),
    ],
)
def test_an_activation_is_measured_beside_jax_nn_and_the_limit(spec, contenders):
    job = dataclasses.replace(TINY, elements=256, dtype="bfloat16")
    measures = bench_activations.in_process(activations.get(spec), job)
    assert list(measures) == contenders
    figures = pairing.alternate(measures, 1)
    table = bench_activations.rows({spec: figures}, ["jaxact", "jax.nn", "limit"])
    assert [row["pass"] for row in table] == ["forward", "gradient"]
    for row in table:
        assert row["jaxact"] > 0
        assert (row["jaxact / jax.nn"] is None) == ("jax.nn" not in contenders)


def test_the_gradient_is_the_derivative_times_what_is_passed_on():
    x, cotangent = jnp.asarray([-1.0, 0.5]), jnp.asarray([2.0, 3.0])
    act = activations.get("gelu")
    expected = cotangent * act.derivative(x)
    assert jnp.allclose(bench_activations.gradient(act)(x, cotangent), expected)


def test_what_is_counted_of_a_network_is_what_its_trace_says():
    job = Job("train_step", batch_size=1)
    (row,) = train_step.rows(Alternation(job, {"jaxact": {}}, {"jaxact": {"seconds": [1e-6]}}))
    assert row["GFLOP/s"] == pytest.approx(6 * 480_500 / 1e3)
    options = bench_activations.COMMAND.parse(["--model=alexnet", "--batch_size=2"])
    assert bench_activations.elements(options) == 2 * 55 * 55 * 96 // 128 * 128


def test_scaling_leaves_out_batches_larger_than_the_data():
    points = scaling.points(Job("train_step", examples=800), ["batch", "data"])
    assert [(p.axis, p.value) for p in points] == [
        *(("batch", size) for size in (32, 64, 128, 256, 512)),
        *(("data", share) for share in (2, 4, 8)),
    ]
    assert points[-1].job.examples == 800


def test_scaling_is_seen_against_the_first_point():
    first, second = scaling.points(Job("train_step"), ["batch"])[:2]
    known = [
        {"details": {}, "figures": {"seconds": [s], "peak_memory_bytes": [2**20]}}
        for s in (0.032, 0.128)
    ]
    measured = [(first, "jaxact", known[0]), (second, "jaxact", known[1])]
    assert [row["to the first"] for row in scaling.rows(measured)] == [1.0, pytest.approx(2.0)]


def test_a_ratio_below_one_says_that_jaxact_is_faster():
    figures = {"jaxact": {"seconds": [0.1] * 5}, "torch": {"seconds": [0.2] * 5}}
    ours, theirs = train_step.rows(
        Alternation(Job("train_step"), {"jaxact": {}, "torch": {}}, figures)
    )
    assert ours["jaxact / it"] is None
    assert theirs["jaxact / it"] == (0.5, 0.5, 0.5)
    assert ours["images/s"] == 1280


def result(name, value):
    return {
        "benchmark": name,
        "title": "A title",
        "measured_at": "2025-01-02T03:04:05+00:00",
        "machine": "a machine",
        "environments": {"jaxact": {"jaxact": "0.1", "jax": "0.10"}, "torch": {"torch": "2"}},
        "rows": [{"contender": "jaxact", "ms": value}, {"contender": "torch"}],
    }


README = "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- two -->\nkept\n<!-- end of two -->\n"


def test_tables_replace_what_is_between_their_markers():
    other_form = {"rows": []}
    texts = tables.sections([result("one", 1.0), result("one", [2.0, 1.0, 3.0]), other_form])
    text = tables.rewrite(README, texts)
    assert "old" not in text
    assert "kept" in text
    assert "**A title.** a machine; jaxact 0.1, jax 0.10, torch 2; 2025-01-02." in text
    assert "| jaxact | 2 (1-3) |" in text
    assert "| torch | - |" in text
    assert tables.rewrite(text, texts) == text
    with pytest.raises(ConfigError, match="three"):
        tables.rewrite(README, {"three": ""})


def test_the_readme_has_a_section_for_every_program():
    marked = {match["name"] for match in tables.SECTION.finditer(tables.README.read_text())}
    assert marked == {
        *PROGRAMS,
        "accuracy",
        "checkpoint_cost",
        "convolutions",
        "data_parallel",
        "engines",
        "growth",
        "ledger_mpfr",
        "seeds_at_once",
        "start_up",
        "step_profile",
        "streaming",
        "verdicts",
    }
