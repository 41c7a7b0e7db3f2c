"""Pages as runs of Weights & Biases, online or offline, each found again by its id."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.errors import ConfigError
from jaxact.packages import needed_for
from jaxact.runs.records import record_files
from jaxact.tracking.pages import PICTURE, RUNNING, Epoch, Page
from jaxact.tracking.source import REPORT
from jaxact.tracking.tracker import FAILED, Held, TrackingError, first_line

PROJECT_VARIABLE = "WANDB_PROJECT"
EPOCH, FILES, STATUS = "epoch", "jaxact/files", "jaxact/status"  # of a run's summary
HELD = "jaxact.json"  # in the folder of an offline run, which W&B itself does not read again
LONGEST_TAG = 64  # characters
QUIET = ("disable_code", "disable_git", "silent", "x_disable_meta", "x_disable_stats")


def _wandb() -> Any:
    """W&B's library, imported when it is first used.

    Raises:
      ConfigError: it is not installed.
    """
    with needed_for("--to=wandb"):
        import wandb  # pyright: ignore[reportMissingImports]
    return wandb


class ToWandb:
    """The runs of a project of W&B.

    Args:
      uri: of one's own server; None: WANDB_BASE_URL, else W&B's.
      project: made if it is not there.
      entity: a user or a team; None: WANDB_ENTITY, else the one who is logged in.

    Raises:
      ConfigError: W&B is switched off.
    """

    def __init__(self, uri: str | None, project: str, entity: str | None = None):
        wandb = _wandb()
        # Of this machine and its code, which trained nothing, no word is kept.
        given = dict.fromkeys(QUIET, True) | {"console": "off"} | ({"base_url": uri} if uri else {})
        self._settings = wandb.Settings(**given)
        chosen = wandb.setup(self._settings).settings
        if chosen.mode == "disabled":
            raise ConfigError(
                "WANDB_MODE=disabled keeps nothing: unset it, or WANDB_MODE=offline keeps it here"
            )
        self._is_offline = chosen.mode in ("offline", "dryrun")
        self._folder = Path(chosen.wandb_dir)
        self._project, self._entity = project, entity or chosen.entity
        self.place = f"W&B, project {project}"
        if self._is_offline:
            self.place += f", offline in {self._folder} (wandb sync sends it)"

    def held(self, page: Page) -> Held:
        """See `jaxact.tracking.tracker.Tracker`."""
        if self._is_offline:
            parts = sorted(self._folder.glob(f"offline-run-*-{page.id}/{HELD}"))  # by their time
            return Held(**record_files.read_json(parts[-1])) if parts else Held()
        with _told():
            path = "/".join(filter(None, (self._entity, self._project, page.id)))
            try:
                summary = _wandb().Api().run(path).summary_metrics
            except (_wandb().errors.CommError, ValueError) as error:
                if "not find" in str(error):
                    return Held()
                raise
        return _held(summary)

    def open(self, page: Page) -> "WandbRun":
        """See `jaxact.tracking.tracker.Tracker`."""
        tags = {page.tags.get(name, "") for name in ("activation", "dataset")} - {""}
        with _told():
            run = _wandb().init(
                entity=self._entity,
                project=self._project,
                id=page.id,
                name=page.name,
                group=page.study or None,
                job_type="run" if page.parent or not page.study else "study",
                tags=sorted(tag[:LONGEST_TAG] for tag in tags),
                config=dict(page.parameters),
                resume="allow",
                reinit="create_new",
                settings=self._settings,
            )
        return WandbRun(run, self.held(page) if self._is_offline else _held(dict(run.summary)))


def _held(summary: Mapping[str, Any]) -> Held:
    """The state of a page by W&B's summary of a run."""
    epoch = int(summary.get(EPOCH) or 0)
    return Held(epoch, summary.get(FILES) or "", summary.get(STATUS) or RUNNING)


class WandbRun:
    """A page that is a run of W&B; see `jaxact.tracking.tracker.Entry`."""

    def __init__(self, run: Any, held: Held):
        self._run, self._held = run, held
        self._is_failed = False

    def describe(self, page: Page) -> None:
        """Sets the parameters, the tags beside them, and the text as notes."""
        words = {"jaxact": {"status": page.status, **page.tags}}
        with _told():
            self._run.config.update({**page.parameters, **words}, allow_val_change=True)
            self._run.notes = page.text

    def add(self, epochs: Sequence[Epoch]) -> None:
        """Adds epochs at their steps."""
        with _told():
            for epoch in epochs:
                if epoch.number > self._held.epoch:
                    self._run.log({**epoch.figures, EPOCH: epoch.number}, step=epoch.step)
                    self._keep(epoch=epoch.number)

    def attach(self, files: Mapping[str, Path], digest: str) -> None:
        """Logs files as one artifact, and figures and report as media, to be seen in the page."""
        wandb = _wandb()
        with _told():
            artifact = wandb.Artifact(f"report-{self._run.id}", type="report")
            media: dict[str, Any] = {}
            for name, path in files.items():
                artifact.add_file(str(path), name=name)
                if path.suffix == PICTURE:
                    media[name] = wandb.Image(str(path))
            if REPORT in files:
                media[REPORT] = wandb.Html(files[REPORT].read_text(encoding="utf-8"))
            self._run.log_artifact(artifact)
            self._run.log(media)
            self._run.summary[FILES] = digest
            self._keep(files=digest)

    def conclude(self, page: Page) -> None:
        """Sets the results, and the status, in the summary."""
        with _told():
            self._run.summary.update({**page.results, STATUS: page.status})
            self._keep(status=page.status)
        self._is_failed = page.status in FAILED

    def close(self) -> None:
        """Waits until W&B has all of it; a run that is found again goes on."""
        with _told():
            self._run.finish(exit_code=int(self._is_failed))

    def _keep(self, **changes: Any) -> None:
        """Notes what was given, where W&B does not tell it before it is sent."""
        self._held = self._held._replace(**changes)
        if self._run.offline:
            path = Path(self._run.settings.sync_dir) / HELD
            record_files.write_json(path, self._held._asdict())


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A block that speaks with W&B.

    Raises:
      TrackingError: it cannot be reached, or refuses.
    """
    wandb = _wandb()
    try:
        yield
    except (wandb.Error, OSError, ValueError) as error:
        raise TrackingError(
            f"W&B cannot be used ({first_line(error)}); what was tracked stays: see that you are "
            "logged in (wandb login), or keep it here with WANDB_MODE=offline, then give the same "
            "command again"
        ) from error
