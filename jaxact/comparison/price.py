"""The price of an hour on the machine of a comparison, from its options."""

import math
import re
from typing import NamedTuple

from jaxact.command import Option
from jaxact.errors import ConfigError

DEFAULT_CURRENCY = "USD"
OPTIONS = {
    "price_per_hour": Option(
        None,
        "of the machine: adds the cost to reach the target and that of 10,000 classifications, and "
        "is kept in study.json",
        float,
    ),
    "currency": Option(None, f"of the price; {DEFAULT_CURRENCY}, if not given", str),
}


class Price(NamedTuple):
    """A price of `per_hour` of a currency, such as "USD"."""

    per_hour: float
    currency: str

    def of_seconds(self, seconds: float) -> float:
        """The cost of so many seconds: price * seconds / 3600.

        >>> Price(3.6, "USD").of_seconds(10.0)
        0.01
        """
        return self.per_hour * seconds / 3600

    def as_cells(self) -> dict[str, float | str]:
        """The price in a row of a table, by the names of the options."""
        return {"price_per_hour": self.per_hour, "currency": self.currency}

    def __str__(self) -> str:
        return f"{self.per_hour:g} {self.currency} an hour"


def price_of(per_hour: float | None, currency: str | None) -> Price | None:
    """The price that `OPTIONS` give; None: none is given.

    Raises:
      ConfigError: it is not above 0, or the currency is no code, or stands without a price.
    """
    if per_hour is None:
        if currency is not None:
            raise ConfigError(
                f"--currency={currency} needs --price_per_hour=NUMBER, the price that it is of"
            )
        return None
    if not 0 < per_hour < math.inf:
        raise ConfigError(
            f"--price_per_hour={per_hour:g} must be a number above 0, such as 2.49; leave it out "
            "to see no cost"
        )
    currency = DEFAULT_CURRENCY if currency is None else currency
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ConfigError(
            f"--currency={currency} must be a code of three capital letters, such as USD or EUR"
        )
    return Price(float(per_hour), currency)
