"""Event files: the figures of each epoch, by names that tell the activation and the layer."""

import contextlib
import dataclasses
import json
import struct
from typing import Any

import pytest
from tensorboardX.proto import event_pb2, plugin_hparams_pb2

from jaxact.runs import fit
from jaxact.runs.records import record_files
from jaxact.runs.records.events import Events
from tests.support import networks
from tests.support.tiny import TINY

# Their classes are made when they are imported; no type checker sees them.
MESSAGES: Any = event_pb2
HYPERPARAMETERS: Any = plugin_hparams_pb2
SPEC = "leaky_relu(negative_slope=0.05)"


def events_of(folder):
    """The events of a folder's files, in the order in which they were written."""
    for path in sorted(folder.glob("events.out.tfevents*"), key=lambda p: p.stat().st_mtime_ns):
        content, place = path.read_bytes(), 0
        while place < len(content):  # length, its checksum, the event, its checksum
            (length,) = struct.unpack_from("<Q", content, place)
            yield MESSAGES.Event.FromString(content[place + 12 : place + 12 + length])
            place += 12 + length + 4


def scalars(folder):
    """Each figure as (tag, step): value."""
    return {
        (value.tag, event.step): value.simple_value
        for event in events_of(folder)
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    }


def hyperparameters(folder):
    """The content of the summaries of TensorBoard's page of hyperparameters, by kind."""
    found = {}
    for event in events_of(folder):
        for value in event.summary.value:
            plugin = value.metadata.plugin_data
            if plugin.plugin_name == "hparams":
                content = HYPERPARAMETERS.HParamsPluginData.FromString(plugin.content)
                kind = content.WhichOneof("data")
                found[kind] = getattr(content, kind)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of two epochs."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        networks.make_thin(patch)
        fit.fit(dataclasses.replace(TINY, model="mlp", activation=SPEC), folder)
    return folder


def test_every_figure_of_a_row_is_there_by_its_name(run):
    shown = scalars(run / record_files.TENSORBOARD)
    for row in record_files.read_rows(run / record_files.METRICS):
        for name, value in row.items():
            if name not in ("epoch", "step") and value is not None:
                assert shown[name, row["step"]] == pytest.approx(value, rel=1e-6)


def test_scores_stand_under_the_activation_too(run):
    shown = scalars(run / record_files.TENSORBOARD)
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert shown[f"{SPEC}/{name}", 8] == shown[name, 8]
    assert (f"{SPEC}/train_seconds", 8) not in shown


def test_layers_are_named_after_those_that_they_follow(run):
    shown = scalars(run / record_files.TENSORBOARD)
    (*_, row) = record_files.read_rows(run / record_files.HEALTH)
    assert [layer["after"] for layer in row["layers"]] == ["Dense_0", "Dense_1"]
    for layer in row["layers"]:
        value = pytest.approx(layer["gradient_norm"], rel=1e-6)
        assert shown[f"{SPEC}/{layer['after']}/gradient_norm", 8] == value
        assert shown[f"health/{layer['layer']}/gradient_norm", 8] == value
    assert not [tag for tag, _ in shown if tag.endswith("/after")]


def test_the_configuration_is_there_as_hyperparameters(run):
    found = hyperparameters(run / record_files.TENSORBOARD)
    fields = json.loads((run / record_files.CONFIG).read_text())
    given = found["session_start_info"].hparams
    assert given["activation"].string_value == SPEC
    assert given["learning_rate"].number_value == fields["learning_rate"]
    assert given["deterministic"].bool_value is fields["deterministic"]
    assert given["clip_norm"].string_value == "null"
    assert {*given} >= {*fields}
    experiment = found["experiment"]
    assert {info.name for info in experiment.hparam_infos} == {*given}
    assert "test_accuracy" in {info.name.tag for info in experiment.metric_infos}
    assert found["session_end_info"].status == 1  # success


def test_two_files_of_one_second_are_two(tmp_path):
    for step in (0, 1):
        with contextlib.closing(Events(tmp_path, step, {})) as events:
            events.add_scalar("a", 1.0 + step, step + 1)
    assert scalars(tmp_path) == {("a", 1): 1.0, ("a", 2): 2.0}


def test_tensorboard_shows_a_run_that_went_on(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="TensorBoard is not installed",
    )
    for begin, end in ((0, 4), (2, 6)):  # killed in epoch 5, after the checkpoint of epoch 2
        with contextlib.closing(Events(tmp_path, 10 * begin, {"seed": 1})) as events:
            for epoch in range(begin + 1, end + 1):
                events.add_scalar(f"{SPEC}/test_loss", epoch + begin / 10, 10 * epoch)
    shown = accumulator.EventAccumulator(str(tmp_path)).Reload()
    points = [(point.step, point.value) for point in shown.Scalars(f"{SPEC}/test_loss")]
    assert points[:2] == [(10, 1.0), (20, 2.0)]
    assert [step for step, _ in points[2:]] == [30, 40, 50, 60]
    assert [value for _, value in points[2:]] == pytest.approx([3.2, 4.2, 5.2, 6.2])
    content = shown.PluginTagToContent("hparams")
    assert {*content} == {"_hparams_/experiment", "_hparams_/session_start_info"}


def test_a_run_that_is_not_over_has_no_end(tmp_path):
    with contextlib.closing(Events(tmp_path, 0, {"seed": 1})) as events:
        events.add_scalar("a", 1.0, 1)
    assert {*hyperparameters(tmp_path)} == {"experiment", "session_start_info"}
