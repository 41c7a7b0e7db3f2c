"""Pages as runs of MLflow: those of a study nested in its own, each found again by a tag."""

import contextlib
import io
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.comparison.study import DONE
from jaxact.errors import ConfigError
from jaxact.packages import needed_for
from jaxact.tracking.pages import RUNNING, Epoch, Page
from jaxact.tracking.tracker import Held, TrackingError, first_line

PROJECT_VARIABLE, URI_VARIABLE = "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"
RETRIES_VARIABLE, RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2"  # its own 7 take minutes
ID, FILES, STATUS, EPOCH = "jaxact.id", "jaxact.files", "jaxact.status", "epoch"
MOST_METRICS, MOST_OTHERS = 1000, 100  # in a request
LONGEST_TAG, LONGEST_PARAMETER, LONGEST_NAME = 5000, 500, 250  # characters
STATUSES = {RUNNING: "RUNNING", DONE: "FINISHED"}  # whatever else has failed


def _mlflow() -> Any:
    """MLflow, imported when it is first used.

    Raises:
      ConfigError: it is not installed.
    """
    with needed_for("--to=mlflow"):
        import mlflow  # pyright: ignore[reportMissingImports]
    return mlflow


class ToMlflow:
    """The runs of an experiment of MLflow.

    Args:
      uri: of the tracking server, or of a store such as `sqlite:///mlflow.db`; None: as MLflow
        itself chooses, by MLFLOW_TRACKING_URI.
      project: the name of the experiment, made if it is not there.

    Raises:
      TrackingError: the store cannot be reached, or the experiment was deleted.
    """

    def __init__(self, uri: str | None, project: str):
        os.environ.setdefault(RETRIES_VARIABLE, RETRIES)
        with _told(uri):
            self._client = _mlflow().MlflowClient(uri)
            self._uri = self._client.tracking_uri
            experiment = self._client.get_experiment_by_name(project)
            if experiment is not None and experiment.lifecycle_stage == "deleted":
                raise ConfigError(
                    f"--project={project} was deleted in MLflow at {self._uri}: restore it there, "
                    "or choose another"
                )
            known = experiment and experiment.experiment_id
            self._experiment = known or self._client.create_experiment(project)
        self.place = f"MLflow at {self._uri}, experiment {project}"
        self._runs: dict[str, Any] = {}

    def _run(self, page_id: str) -> Any:
        """The run of a page, as it was when it was first asked for; None where there is none."""
        if page_id not in self._runs:
            with _told(self._uri):
                found = self._client.search_runs(
                    [self._experiment], f"tags.`{ID}` = '{page_id}'", max_results=1
                )
            if not found:
                return None
            self._runs[page_id] = found[0]
        return self._runs[page_id]

    def held(self, page: Page) -> Held:
        """See `jaxact.tracking.tracker.Tracker`."""
        if (run := self._run(page.id)) is None:
            return Held()
        tags = run.data.tags
        epoch = int(run.data.metrics.get(EPOCH, 0))
        return Held(epoch, tags.get(FILES, ""), tags.get(STATUS, RUNNING))

    def open(self, page: Page) -> "MlflowRun":
        """See `jaxact.tracking.tracker.Tracker`."""
        if (run := self._run(page.id)) is None:
            tags = {ID: page.id, STATUS: RUNNING, "mlflow.source.name": "jaxact"}
            if page.parent and (parent := self._run(page.parent)) is not None:
                tags["mlflow.parentRunId"] = parent.info.run_id
            with _told(self._uri):
                run = self._client.create_run(
                    self._experiment, _milliseconds(page.began), tags, page.name
                )
            self._runs[page.id] = run
        return MlflowRun(self._client, self._uri, run)


class MlflowRun:
    """A page that is a run of MLflow; see `jaxact.tracking.tracker.Entry`."""

    def __init__(self, client: Any, uri: str, run: Any):
        self._client, self._uri, self._id = client, uri, run.info.run_id
        self._parameters = set(run.data.params)
        self._results = dict(run.data.metrics)

    def describe(self, page: Page) -> None:
        """Sets the tags and the text, and the parameters that are not there: MLflow keeps each."""
        entities = _mlflow().entities
        own = {STATUS: RUNNING, "mlflow.note.content": page.text}
        words = {k: text for k, text in {**page.tags, **own}.items() if text}
        tags = [entities.RunTag(_name(name), text[:LONGEST_TAG]) for name, text in words.items()]
        parameters = [
            entities.Param(name, str(value)[:LONGEST_PARAMETER])
            for name, value in page.parameters.items()
            if name not in self._parameters
        ]
        with _told(self._uri):
            for part in _parts(parameters, MOST_OTHERS):
                self._client.log_batch(self._id, params=part)
            for part in _parts(tags, MOST_OTHERS):
                self._client.log_batch(self._id, tags=part)
        self._parameters.update(page.parameters)

    def add(self, epochs: Sequence[Epoch]) -> None:
        """Adds epochs at their steps; an epoch is given as a whole, its number last."""
        entities = _mlflow().entities
        for epoch in epochs:
            figures = {name: value for name, value in epoch.figures.items() if name != EPOCH}
            time = _milliseconds(epoch.unix_seconds)
            metrics = [
                entities.Metric(_name(name), value, time, epoch.step)
                for name, value in {**figures, EPOCH: float(epoch.number)}.items()
            ]
            with _told(self._uri):
                for part in _parts(metrics, MOST_METRICS):
                    self._client.log_batch(self._id, metrics=part)

    def attach(self, files: Mapping[str, Path], digest: str) -> None:
        """Writes files as artifacts over those of their names."""
        with _told(self._uri):
            for name, path in files.items():
                self._client.log_artifact(self._id, str(path), posixpath.dirname(name) or None)
            self._client.set_tag(self._id, FILES, digest)

    def conclude(self, page: Page) -> None:
        """Sets the results that are new or have changed, then the status."""
        entities = _mlflow().entities
        time, step = _milliseconds(page.ended), page.epochs[-1].step if page.epochs else 0
        results = {_name(name): value for name, value in page.results.items()}
        new = [
            entities.Metric(name, value, time, step)
            for name, value in results.items()
            if self._results.get(name) != value
        ]
        status = STATUSES.get(page.status, "FAILED")
        with _told(self._uri), contextlib.redirect_stdout(io.StringIO()):  # addresses, at each end
            for part in _parts(new, MOST_METRICS):
                self._client.log_batch(self._id, metrics=part)
            if page.status == RUNNING:
                self._client.update_run(self._id, status)
            else:
                self._client.set_terminated(self._id, status, time)
                self._client.set_tag(self._id, STATUS, page.status)
        self._results.update(results)

    def close(self) -> None:
        """Needs nothing: each request is kept when it is answered."""


def _parts(values: Sequence[Any], most: int) -> Iterator[list[Any]]:
    for begin in range(0, len(values), most):
        yield list(values[begin : begin + most])


def _name(name: str) -> str:
    """A name as MLflow takes it: letters, digits, and some signs."""
    return posixpath.normpath(re.sub(r"[^\w /.-]", "_", name))[:LONGEST_NAME]


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)


@contextlib.contextmanager
def _told(uri: str | None) -> Iterator[None]:
    """A block that speaks with MLflow.

    Raises:
      TrackingError: it cannot be reached, or refuses.
    """
    try:
        yield
    except (_mlflow().exceptions.MlflowException, OSError) as error:
        where = f"--uri={uri}" if uri else f"MLflow's own store ({URI_VARIABLE} names another)"
        raise TrackingError(
            f"{where} cannot be used ({first_line(error)}); what was tracked stays: see that the "
            "server is up and the address right, then give the same command again"
        ) from error
