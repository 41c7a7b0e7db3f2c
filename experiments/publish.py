"""`python -m experiments.publish WORKDIR RESULTS`: see `experiments.common.published`."""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("matplotlib")

import sys
from pathlib import Path

from experiments.common import published
from jaxact import paths
from jaxact.command import Command, Options

COMMAND = Command(
    "python -m experiments.publish",
    "Makes the small copy of a comparison's or an experiment's folder that is committed: without "
    "runs and health, with floats of 6 digits unless tables need more, each figure as SVG or PNG. "
    "Given the same folder twice, it makes that one small.",
    arguments=("WORKDIR", "RESULTS"),
    examples=("runs/digits-small_cnn results/digits", "results/search results/search"),
)


def publish(options: Options) -> None:
    """Makes the copy, and says what it holds."""
    source, target = (
        Path(paths.local(getattr(options, name), name.upper())) for name in ("workdir", "results")
    )
    written = published.publish(source, target)
    total = sum(path.stat().st_size for path in written)
    print(*written, f"{len(written)} files, {total:,} bytes", sep="\n")


if __name__ == "__main__":
    sys.exit(COMMAND.run(publish))
