"""Weights & Biases' library itself, offline: what it keeps to be sent is read from its files."""

import importlib
import json
import shutil
import struct
from typing import Any

import pytest

from jaxact.errors import ConfigError
from jaxact.tracking.to_wandb import ToWandb
from jaxact.tracking.tracker import Held, TrackingError, Update
from tests.support.tracking import stages as tracked

wandb = pytest.importorskip("wandb", reason="needs Weights & Biases, the extra wandb of jaxact")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
BLOCK = 32_768  # bytes, of a LevelDB log


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tracked.drawn(tmp_path_factory.mktemp("whole") / "mine")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder in which W&B keeps its runs."""
    folder = tmp_path / "store"
    folder.mkdir()
    for name in ("WANDB_PROJECT", "WANDB_ENTITY", "WANDB_BASE_URL", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "WANDB_MODE": "offline",
        "WANDB_DIR": folder,
        "WANDB_CACHE_DIR": folder / "cache",
        "WANDB_DATA_DIR": folder / "data",
        "WANDB_CONFIG_DIR": folder / "config",
    }.items():
        monkeypatch.setenv(name, str(value))
    wandb.teardown()  # the settings of an earlier test
    yield folder / "wandb"
    wandb.teardown()


def records(path):
    """The messages of a `.wandb` file: a LevelDB log after 7 bytes of its own."""
    messages: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")
    content, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(content):
        if (left := BLOCK - place % BLOCK) < 7:  # no room for a header
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole, or the last part of one
            yield messages.Record.FromString(parts)
            parts = b""


def values(items):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def kept(store):
    """What the store holds, by the name of each run."""
    wandb.teardown()  # as the end of a process: all of it is written
    runs = {}
    for path in sorted(store.glob("offline-run-*/run-*.wandb")):
        run: dict[str, Any] = {}
        for record in records(path):
            kind = record.WhichOneof("record_type")
            value = getattr(record, kind)
            if kind == "run":
                new = {"ids": set(), "folders": set(), "config": {}, "history": [], "summary": {}}
                run = runs.setdefault(value.display_name, new | {"artifacts": [], "group": ""})
                run["ids"].add(value.run_id)
                run["group"] = value.run_group
                run["folders"].add(path.parent)
            assert run or kind not in ("history", "summary", "config", "artifact")
            if kind in ("run", "config"):
                config = value.config if kind == "run" else value
                run["config"] |= {item.key: json.loads(item.value_json) for item in config.update}
            elif kind == "history":
                run["history"].append(values(value.item))
            elif kind == "summary":
                run["summary"] |= values(value.update)
            elif kind == "artifact":
                run["artifacts"].append([entry.path for entry in value.manifest.contents])
    return runs


def test_a_study_is_kept_and_nothing_twice(whole, tmp_path, store):
    folder = tracked.under_way(whole, tmp_path / "study" / "mine")
    update = tracked.bring(folder, ToWandb(None, "jaxact"))
    assert (update.new_pages, update.epochs, update.files) == (5, 10, 0)
    shutil.copytree(whole, folder, dirs_exist_ok=True)  # the rest is made, and drawn
    update = tracked.bring(folder, ToWandb(None, "jaxact"))
    assert (update.new_pages, update.epochs) == (0, 2)
    folders = {*store.glob("offline-run-*")}
    assert tracked.bring(folder, ToWandb(None, "jaxact")) == Update()
    assert {*store.glob("offline-run-*")} == folders
    runs = kept(store)
    assert {*runs} == {"mine", *tracked.NAMES}
    for name in tracked.NAMES:
        run = runs[name]
        assert len(run["ids"]) == 1
        assert len(run["folders"]) == 1 + (name == tracked.NAMES[3])
        assert run["group"] == "mine"
        assert [row["_step"] for row in run["history"]] == [100, 200, 300]
        losses = tracked.expected(whole, name, "test_loss")
        assert [row["test_loss"] for row in run["history"]] == losses
        assert all("health/activation_2/dead" in row for row in run["history"])
        assert run["config"]["activation"] == name.split("/")[0]
        assert run["config"]["learning_rate"] == 0.001
        assert run["config"]["jaxact"]["epochs"] == "3"
        assert run["summary"]["jaxact/status"] == "done"
        assert "summary/error_percent" in run["summary"]
    (files,) = runs["mine"]["artifacts"]
    assert {"report.html", "table.md", "study.json", "figures/accuracy-mnist.png"} <= {*files}
    (media,) = runs["mine"]["history"]
    assert media["figures/accuracy-mnist.png/_type"] == "image-file"
    assert media["report.html/_type"] == "html-file"
    assert "relu/error_percent" in runs["mine"]["summary"]


def test_a_run_is_sent_as_one_that_goes_on(whole, tmp_path, store):
    folder = tracked.under_way(whole, tmp_path / "study" / "mine")
    tracked.bring(folder, ToWandb(None, "jaxact"))
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    tracked.bring(folder, ToWandb(None, "jaxact"))
    wandb.teardown()
    paths = list(store.glob("offline-run-*/run-*.wandb"))
    assert len(paths) == 7
    for path in paths:
        runs = [r.run for r in records(path) if r.WhichOneof("record_type") == "run"]
        assert runs[0].project == "jaxact"
        assert any(
            field.name.startswith("resume") and value for field, value in runs[0].ListFields()
        )


def test_switched_off_it_refuses(store, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    wandb.teardown()
    with pytest.raises(ConfigError, match="WANDB_MODE=disabled keeps nothing"):
        ToWandb(None, "jaxact")
    assert not store.exists()


def test_without_a_login_it_says_what_to_do(whole, store, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    wandb.teardown()
    with pytest.raises(TrackingError, match="wandb login") as told:
        tracked.bring(whole, ToWandb("http://127.0.0.1:9", "jaxact"))
    assert "\n" not in str(told.value)


class Online:
    """W&B's server, as its library tells of it."""

    def __init__(self, summaries):
        self.summaries = summaries

    def run(self, path):
        if path not in self.summaries:
            raise ValueError(f"Could not find run <Run {path} (not found)>")
        return type("Run", (), {"summary_metrics": self.summaries[path]})


def test_online_the_server_is_asked_what_it_has(whole, store, monkeypatch):
    from jaxact.tracking import pages
    from jaxact.tracking.source import Reader

    page = pages.of(Reader(whole).read())[1]
    summary = {"epoch": 2, "jaxact/status": "running", "test_loss": 0.5}
    path = f"me/p/{page.id}"
    monkeypatch.setattr(wandb, "Api", lambda: Online({path: summary}))
    monkeypatch.setenv("WANDB_MODE", "online")
    wandb.teardown()
    assert ToWandb("http://127.0.0.1:9", "p", "me").held(page) == Held(2, "", "running")
    assert ToWandb("http://127.0.0.1:9", "other", "me").held(page) == Held()
