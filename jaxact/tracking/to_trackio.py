"""Pages as runs of Trackio's local store, each found again by its name, which ends in the id."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.errors import ConfigError
from jaxact.packages import needed_for
from jaxact.tracking.pages import PICTURE, RUNNING, Epoch, Page
from jaxact.tracking.tracker import Held, TrackingError, first_line

PROJECT_VARIABLE = "TRACKIO_PROJECT"
ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
EPOCH, FILES, STATUS, TEXT = "epoch", "jaxact/files", "jaxact/status", "table"
DIGITS = 8  # of the id, in a name


def _trackio() -> Any:
    """Trackio, imported when it is first used.

    Raises:
      ConfigError: it is not installed.
    """
    with needed_for("--to=trackio"):
        import trackio  # pyright: ignore[reportMissingImports]
    return trackio


class ToTrackio:
    """The runs of a project in Trackio's local store, `TRACKIO_DIR`.

    Args:
      uri: None; Trackio's own `sync` sends a store elsewhere.
      project: made if it is not there.

    Raises:
      ConfigError: it is to be elsewhere, where what is there cannot be looked up.
    """

    def __init__(self, uri: str | None, project: str):
        trackio = _trackio()
        named = {"--uri": uri, **{name: os.environ.get(name) for name in ELSEWHERE}}
        if given := next((f"{name}={value}" for name, value in named.items() if value), None):
            raise ConfigError(
                f"{given}: with --to=trackio pages are kept here, in TRACKIO_DIR; leave it out, "
                f"and send them with `trackio sync --project {project} --space-id USER/SPACE`"
            )
        self._project = project
        self.place = f"Trackio in {trackio.utils.TRACKIO_DIR} (trackio show --project {project})"

    def held(self, page: Page) -> Held:
        """See `jaxact.tracking.tracker.Tracker`."""
        storage = _trackio().SQLiteStorage
        with _told():
            name = run_name(page)
            if storage.get_latest_run_record_by_name(self._project, name) is None:
                return Held()
            rows = storage.get_logs(self._project, name)
        last: dict[str, Any] = {}
        for row in rows:
            last |= row
        return Held(int(last.get(EPOCH, 0)), last.get(FILES, ""), last.get(STATUS, RUNNING))

    def open(self, page: Page) -> "TrackioRun":
        """See `jaxact.tracking.tracker.Tracker`."""
        return TrackioRun(self._project, page, self.held)


def run_name(page: Page) -> str:
    """The name of a page's run: Trackio finds runs by their names, and two studies have the same.

    >>> run_name(Page("0123456789abcdef", "relu/seed0", "", "", {}, {}, "done"))
    'relu/seed0 01234567'
    """
    return f"{page.name} {page.id[:DIGITS]}"


class TrackioRun:
    """A page that is a run of Trackio; see `jaxact.tracking.tracker.Entry`.

    Trackio has one run at a time: what is given is written when it is concluded.
    """

    def __init__(self, project: str, page: Page, look: Callable[[Page], Held]):
        self._project, self._name, self._look = project, run_name(page), look
        self._epochs: list[Epoch] = []
        self._files: Mapping[str, Path] = {}
        self._digest = ""
        self._results: dict[str, Any] = {STATUS: look(page).status}

    def describe(self, page: Page) -> None:
        """Needs nothing: a run gets its configuration when it is written."""

    def add(self, epochs: Sequence[Epoch]) -> None:
        """Keeps epochs until the page is concluded."""
        self._epochs += epochs

    def attach(self, files: Mapping[str, Path], digest: str) -> None:
        """Keeps files until the page is concluded."""
        self._files, self._digest = files, digest

    def conclude(self, page: Page) -> None:
        """Writes all that was given, then the results and the status as far as they changed."""
        trackio = _trackio()
        config = {**page.parameters, **{f"jaxact.{name}": text for name, text in page.tags.items()}}
        step = page.epochs[-1].step if page.epochs else 0
        end = {**page.results, STATUS: page.status}
        with _told(), contextlib.redirect_stdout(io.StringIO()):  # it says each start and end
            run = trackio.init(
                project=self._project,
                name=self._name,
                group=page.study or None,
                config=config,
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
            try:
                for epoch in self._epochs:
                    run.log({**epoch.figures, EPOCH: epoch.number}, step=epoch.step)
                if self._files:
                    end |= self._media(run, page) | {FILES: self._digest}
                if changed := {k: v for k, v in end.items() if self._results.get(k) != v}:
                    run.log(changed, step=step)
            finally:
                trackio.finish()
        if self._epochs and self._look(page).epoch < self._epochs[-1].number:
            raise TrackingError(  # it warns, and goes on
                f"Trackio did not keep all of {self._name}; see that there is room in "
                f"{trackio.utils.TRACKIO_DIR}, then give the same command again"
            )
        self._results = {**page.results, STATUS: page.status}
        self._epochs, self._files = [], {}

    def _media(self, run: Any, page: Page) -> dict[str, Any]:
        """The files as an artifact of the run; what of them is seen on its page."""
        trackio = _trackio()
        artifact = trackio.Artifact(f"report-{page.id}", type="report")
        for name, path in self._files.items():
            artifact.add_file(str(path), name=name)
        run.log_artifact(artifact)
        pictures = {
            name: trackio.Image(str(path), caption=path.stem)
            for name, path in self._files.items()
            if path.suffix == PICTURE
        }
        return {**pictures, TEXT: trackio.Markdown(page.text)} if page.text else pictures

    def close(self) -> None:
        """Needs nothing: each conclusion is kept when it returns."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A block that writes to Trackio's store.

    Raises:
      TrackingError: it cannot be read or written.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise TrackingError(
            f"Trackio cannot be used ({first_line(error)}); what was tracked stays: see that "
            "TRACKIO_DIR can be written, then give the same command again"
        ) from error
