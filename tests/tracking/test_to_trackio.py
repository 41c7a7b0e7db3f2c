"""Trackio itself, with its local store."""

import collections
import shutil
import tempfile

import pytest

from jaxact.errors import ConfigError
from jaxact.tracking import pages
from jaxact.tracking.source import Reader
from jaxact.tracking.to_trackio import ToTrackio, run_name
from jaxact.tracking.tracker import TrackingError, Update
from tests.support.tracking import stages as tracked

with pytest.MonkeyPatch.context() as patch:  # it chooses its store when it is imported
    patch.setenv("TRACKIO_DIR", tempfile.mkdtemp(prefix="jaxact-trackio-"))
    trackio = pytest.importorskip(
        "trackio",
        reason="needs Trackio, the extra trackio of jaxact, in an environment of its own: it holds "
        "Pillow below what the other tests have",
    )
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tracked.drawn(tmp_path_factory.mktemp("whole") / "mine")


@pytest.fixture
def project(request, monkeypatch, tmp_path):
    """A project of the test's own; what is downloaded of it lies in its folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    project = request.node.name
    yield project
    trackio.delete_project(project, force=True)


def logs(project):
    """The rows of each run by its name without the id, which none but it has."""
    storage = trackio.SQLiteStorage
    names = [record["name"] for record in storage.get_run_records(project)]
    counts = collections.Counter(name.rpartition(" ")[0] for name in names)
    assert set(counts.values()) == {1}, counts
    return {name.rpartition(" ")[0]: storage.get_logs(project, name) for name in names}


def test_a_study_is_kept_and_nothing_twice(whole, tmp_path, project, capsys):
    folder = tracked.under_way(whole, tmp_path / "study" / "mine")
    update = tracked.bring(folder, ToTrackio(None, project))
    assert (update.new_pages, update.epochs, update.files) == (5, 10, 0)
    shutil.copytree(whole, folder, dirs_exist_ok=True)  # the rest is made, and drawn
    update = tracked.bring(folder, ToTrackio(None, project))
    assert (update.new_pages, update.epochs) == (0, 2)
    before = logs(project)
    assert tracked.bring(folder, ToTrackio(None, project)) == Update()
    runs = logs(project)
    assert runs == before
    assert {*runs} == {"mine", *tracked.NAMES}
    for name in tracked.NAMES:
        rows = [row for row in runs[name] if "epoch" in row]
        assert [row["step"] for row in rows] == [100, 200, 300]
        losses = tracked.expected(whole, name, "test_loss")
        assert [row["test_loss"] for row in rows] == losses
        assert all("health/activation_2/dead" in row for row in rows)
        assert sum("summary/error_percent" in row for row in runs[name]) == 1
        assert runs[name][-1]["jaxact/status"] == "done"
    last = runs["mine"][-1]
    assert last["figures/accuracy-mnist.png"]["_type"] == "trackio.image"
    assert last["table"]["_value"].startswith("mnist, learning rate")
    assert "relu/error_percent" in last
    assert capsys.readouterr().out == ""  # Trackio's own words would be in the way


def test_parameters_and_files_are_kept(whole, project):
    tracked.bring(whole, ToTrackio(None, project))
    study, run, *_ = pages.of(Reader(whole).read())
    config = trackio.SQLiteStorage.get_run_config(project, run_name(run))
    assert config["activation"] == run.tags["activation"]
    assert config["learning_rate"] == 0.001
    assert config["jaxact.epochs"] == "3"
    assert config["_Group"] == "mine"
    current = trackio.init(project=project, name="reader", embed=False, auto_log_cpu=False)
    try:
        folder = trackio.use_artifact(f"report-{study.id}:latest").download()
    finally:
        current.finish()
    for name, path in study.files.items():
        assert (pages.Path(folder) / name).read_bytes() == path.read_bytes()


def test_what_trackio_does_not_keep_is_told(whole, project, monkeypatch):
    monkeypatch.setattr(trackio.Run, "log", lambda *given, **options: None)
    with pytest.raises(TrackingError, match="Trackio did not keep all of relu/seed0"):
        tracked.bring(whole, ToTrackio(None, project))


def test_two_studies_of_one_name_are_apart(whole, tmp_path, project):
    tracked.bring(whole, ToTrackio(None, project))
    other = shutil.copytree(whole, tmp_path / "other" / "mine")
    text = (other / "study.json").read_text().replace('"train_seconds": 2.', '"train_seconds": 1.')
    (other / "study.json").write_text(text)
    assert tracked.bring(other, ToTrackio(None, project)).new_pages == 5
    assert len(trackio.SQLiteStorage.get_run_records(project)) == 10


@pytest.mark.parametrize(
    ("uri", "variables", "said"),
    [
        ("me/space", {}, "--uri=me/space: with --to=trackio"),
        (None, {"TRACKIO_SPACE_ID": "me/space"}, "TRACKIO_SPACE_ID=me/space: with"),
        (None, {"TRACKIO_SERVER_URL": "http://x"}, "trackio sync --project"),
    ],
)
def test_a_place_where_it_cannot_look_up_is_refused(uri, variables, said, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=said):
        ToTrackio(uri, "jaxact")
