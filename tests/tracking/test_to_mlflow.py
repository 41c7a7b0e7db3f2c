"""MLflow itself, with its store in SQLite."""

import collections
import shutil

import pytest

from jaxact.errors import ConfigError
from jaxact.tracking.to_mlflow import ToMlflow
from jaxact.tracking.tracker import TrackingError, Update
from tests.support.tracking import stages as tracked

mlflow = pytest.importorskip(
    "mlflow", reason='MLflow is not installed: pip install "jaxact[mlflow]"'
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tracked.drawn(tmp_path_factory.mktemp("whole") / "mine")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A store for all tests, which have an experiment each: it takes seconds to be made."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the artifacts of a store in SQLite lie here
        yield f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture
def project(request):
    return request.node.name


class Store:
    """What an experiment holds."""

    def __init__(self, uri, project):
        self.client = mlflow.MlflowClient(uri)
        experiment = self.client.get_experiment_by_name(project)
        found = self.client.search_runs([experiment.experiment_id])
        counts = collections.Counter(run.info.run_name for run in found)
        assert set(counts.values()) == {1}, counts
        self.runs = {run.info.run_name: run for run in found}

    def history(self, name, figure):
        """Every value that was given, with its step, in the order of steps."""
        history = self.client.get_metric_history(self.runs[name].info.run_id, figure)
        return sorted((metric.step, metric.value) for metric in history)

    def files(self, name, folder=None):
        return {f.path for f in self.client.list_artifacts(self.runs[name].info.run_id, folder)}


def test_a_study_is_kept_and_nothing_twice(whole, tmp_path, uri, project):
    folder = tracked.under_way(whole, tmp_path / "study" / "mine")
    update = tracked.bring(folder, ToMlflow(uri, project))
    assert (update.new_pages, update.epochs, update.files) == (5, 10, 0)
    store = Store(uri, project)
    last = tracked.NAMES[3]
    assert store.runs[last].info.status == "RUNNING"
    assert store.runs["mine"].info.status == "RUNNING"
    assert tracked.bring(folder, ToMlflow(uri, project)) == Update(1)

    shutil.copytree(whole, folder, dirs_exist_ok=True)  # the rest is made, and drawn
    update = tracked.bring(folder, ToMlflow(uri, project))
    assert (update.new_pages, update.epochs) == (0, 2)
    assert tracked.bring(folder, ToMlflow(uri, project)) == Update()

    store = Store(uri, project)
    assert {*store.runs} == {"mine", *tracked.NAMES}
    parent = store.runs["mine"].info.run_id
    for name in tracked.NAMES:
        run = store.runs[name]
        losses = tracked.expected(whole, name, "test_loss")
        assert store.history(name, "test_loss") == list(zip((100, 200, 300), losses, strict=True))
        assert [value for _, value in store.history(name, "epoch")] == [1, 2, 3]
        assert len(store.history(name, "health/activation_2/dead")) == 3
        assert len(store.history(name, "summary/error_percent")) == 1
        assert run.data.params["activation"] == run.data.tags["activation"]
        assert run.data.params["learning_rate"] == "0.001"
        assert run.data.tags["mlflow.parentRunId"] == parent
        assert run.info.status == "FINISHED"
        milliseconds = 1000 * tracked.expected(whole, name, "wall_seconds")[-1]
        took = run.info.end_time - run.info.start_time
        assert name == last or took == pytest.approx(milliseconds, abs=2)
    assert store.files("mine") >= {"report.html", "table.md", "table.csv", "study.json", "figures"}
    assert "figures/accuracy-mnist.png" in store.files("mine", "figures")
    assert store.runs["mine"].data.tags["mlflow.note.content"].startswith("mnist, learning rate")
    assert "leaky_relu_negative_slope_0.05_/error_percent" in store.runs["mine"].data.metrics


def test_a_longer_study_goes_on_in_its_runs(whole, tmp_path, uri, project):
    folder = shutil.copytree(whole, tmp_path / "study" / "mine")
    tracked.bring(folder, ToMlflow(uri, project))
    shutil.rmtree(folder)
    tracked.drawn(folder, epochs=4)
    update = tracked.bring(folder, ToMlflow(uri, project))
    assert (update.new_pages, update.epochs) == (0, 4)
    run = Store(uri, project).runs["relu/seed0"]
    assert run.data.tags["epochs"] == "4"
    assert run.info.status == "FINISHED"


def test_a_run_that_was_deleted_there_is_shown_anew(whole, uri, project):
    tracked.bring(whole, ToMlflow(uri, project))
    store = Store(uri, project)
    store.client.delete_run(store.runs["relu/seed0"].info.run_id)
    update = tracked.bring(whole, ToMlflow(uri, project))
    assert (update.new_pages, update.epochs) == (1, 3)


def test_two_experiments_are_apart(whole, uri, project):
    tracked.bring(whole, ToMlflow(uri, f"{project}-a"))
    assert tracked.bring(whole, ToMlflow(uri, f"{project}-b")).new_pages == 5
    assert {*Store(uri, f"{project}-a").runs} == {*Store(uri, f"{project}-b").runs}


def test_a_deleted_experiment_is_told(uri, project):
    ToMlflow(uri, f"{project}-a")
    client = mlflow.MlflowClient(uri)
    client.delete_experiment(client.get_experiment_by_name(f"{project}-a").experiment_id)
    with pytest.raises(ConfigError, match="-a was deleted in MLflow"):
        ToMlflow(uri, f"{project}-a")


@pytest.mark.parametrize("where", ["http://127.0.0.1:9", "sqlite:////dev/null/all.db", "odd://x"])
def test_a_store_that_cannot_be_reached_is_told(where, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="cannot be used") as told:
        ToMlflow(where, "jaxact")
    assert where in str(told.value)
    assert "\n" not in str(told.value)


def test_the_store_is_by_default_the_one_of_mlflows_variable(whole, uri, project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    tracker = ToMlflow(None, project)
    assert uri in tracker.place
    tracked.bring(whole, tracker)
    assert "relu/seed0" in Store(uri, project).runs
