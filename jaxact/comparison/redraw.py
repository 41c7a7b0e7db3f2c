"""The table, the figures and the report of a comparison, drawn again from its folder."""

import dataclasses
from pathlib import Path

from jaxact import paths
from jaxact.command import Command, Option, Options
from jaxact.comparison import study as studies
from jaxact.comparison.analysis import churn, hidden_seconds
from jaxact.comparison.output import files
from jaxact.comparison.price import OPTIONS as PRICE, price_of

COMMAND = Command(
    "python -m experiments.report",
    "Draws the table, the figures and the report of a comparison again, from the folder that it "
    "left. study.json stays as it is.",
    {
        "without_seconds": Option(
            False, "shows no seconds, latencies and rates: epochs and errors alone"
        ),
        **PRICE,
        "pdf": files.PDF_OPTION,
    },
    arguments=("DIR",),
)


def redraw(options: Options) -> None:
    """Makes everything that a comparison draws again, and says where it is.

    Raises:
      ConfigError: the folder holds no comparison; or the price is wrong.
    """
    price = price_of(options.price_per_hour, options.currency)
    workdir = Path(paths.local(options.dir, "DIR"))
    study = churn.with_churn(studies.load(workdir), workdir)
    study = dataclasses.replace(study, price=price or study.price)
    drawn = hidden_seconds.without_seconds(study, everywhere=options.without_seconds)
    print(*files.write_all(drawn, workdir, options.pdf), sep="\n")
