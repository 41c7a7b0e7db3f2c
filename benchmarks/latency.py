"""python -m benchmarks.latency [--model=vgg11] [--peer=torch] [--samples=1000] ...

The time to classify one sample, one call after the other, each waited for. Two scopes: from an
image on the device to logits on the device, and from one in host memory to its class there. jaxact
is measured by `jaxact.inference.latency`, as in every run's summary.
"""

import sys
from typing import Any

from benchmarks import shared
from benchmarks.timing import alternation
from benchmarks.timing.alternation import Alternation
from jaxact.command import Option, Options


def rows(measured: Alternation) -> list[dict[str, Any]]:
    """A row a contender, and one for the floor: a jitted function that does next to nothing."""
    table: list[dict[str, Any]] = [
        {
            "latency, batch 1": name,
            "ms, device": measured.spread(name, "seconds", 1e3),
            "ms, p99": measured.spread(name, "p99_seconds", 1e3),
            "ms, host to class": measured.spread(name, "host_seconds", 1e3),
            "jaxact / it": measured.ratio(name, "seconds"),
            "jaxact / it, host": measured.ratio(name, "host_seconds"),
            "variant": alternation.variant(details),
        }
        for name, details in measured.details.items()
    ]
    floor = measured.spread("jaxact", "floor_seconds", 1e3)
    return [*table, {"latency, batch 1": "floor: a call of jax.jit", "ms, device": floor}]


def latency(options: Options) -> None:
    measured = alternation.alternate("latency", options, samples=options.samples)
    alternation.publish("latency", "Latency of one sample", options, measured, rows(measured))


COMMAND = shared.command(
    "latency", __doc__, samples=Option(200, "calls of a measurement, after 100 untimed", least=10)
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(latency))
