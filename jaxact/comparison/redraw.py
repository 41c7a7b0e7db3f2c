"""The table, the figures and the report of a comparison, drawn again from its folder."""

from pathlib import Path

from jaxact import paths
from jaxact.command import Command, Options
from jaxact.comparison import study
from jaxact.comparison.output import files

COMMAND = Command(
    "python -m experiments.report",
    "Draws the table, the figures and the report of a comparison again, from the folder that it "
    "left.",
    {"pdf": files.PDF_OPTION},
    arguments=("DIR",),
)


def redraw(options: Options) -> None:
    """Makes everything that a comparison draws again, and says where it is.

    Raises:
      ConfigError: the folder holds no comparison.
    """
    workdir = Path(paths.local(options.dir, "DIR"))
    print(*files.write_all(study.load(workdir), workdir, options.pdf), sep="\n")
