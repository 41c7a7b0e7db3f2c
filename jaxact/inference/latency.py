"""The time to classify one sample: batch 1, one call after the other, each waited for."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxact.timing.calls import interleaved

WARMUPS = 100
IMAGES = 256  # distinct images, taken in turn
PERCENTILES = (50, 90, 95, 99)

Forward = Callable[[Any, Array], Array]


class Classifier:
    """A network's forward pass for one sample, compiled once for all runs that share it.

    Args:
      forward: pure, `(variables, uint8 images [batch, height, width, channels])` to logits.
      is_looped: whether many images are classified by a loop in one dispatch; else each in its own.
    """

    def __init__(self, forward: Forward, is_looped: bool = True):
        def class_of(variables: Any, images: Array) -> Array:
            return forward(variables, images).argmax(-1)[0]

        self.logits = jax.jit(forward)
        self.label = jax.jit(class_of)
        self.labels = jax.jit(lambda variables, many: lax.map(partial(class_of, variables), many))
        self.is_looped = is_looped
        self.null = jax.jit(lambda images: images[0, 0, 0, 0] + jnp.uint8(1))

    def compile(self, variables: Any, images: np.ndarray) -> None:
        """Puts what `measure` calls into the persistent compilation cache; nothing is run.

        Args:
          variables: what has the shapes and dtypes of the network's.
          images: as `measure` takes them.
        """
        count = min(len(images), IMAGES)
        one = jax.ShapeDtypeStruct((1, *images.shape[1:]), images.dtype)
        many = jax.ShapeDtypeStruct((count, *one.shape), images.dtype)
        tasks = [(self.logits, one), (self.label, one), (self.labels, many)]
        for function, given in tasks[: 3 if self.is_looped else 2]:
            function.lower(variables, given).compile()


def measure(
    classifier: Classifier, variables: Any, images: np.ndarray, samples: int
) -> dict[str, Any]:
    """The latency of one sample, in milliseconds.

    Args:
      classifier: the network.
      variables: of the network.
      images: uint8 `[n, height, width, channels]`, real test images.
      samples: calls timed, after 100 untimed ones.

    Returns:
      `mean, p50, p90, p95, p99`: from an image on the device to logits on the device, waited for;
      `samples`; `host_p50`: from an image in host memory to its class on the host;
      `dispatch_floor_p50`: the first scope with a function that does next to nothing: differences
      below it are ties; `amortised`: a sample's share of one dispatch that classifies many, one
      after the other; None where these are not to be looped.
    """
    on_host = [np.ascontiguousarray(image[None]) for image in images[:IMAGES]]
    on_device = [jax.device_put(image) for image in on_host]
    variables = jax.device_put(variables)
    count = len(on_host)
    times = interleaved(
        {
            "device": lambda i: classifier.logits(
                variables, on_device[i % count]
            ).block_until_ready(),
            "host": lambda i: int(classifier.label(variables, on_host[i % count])),
            "floor": lambda i: classifier.null(on_device[i % count]).block_until_ready(),
        },
        samples,
        WARMUPS,
    )
    amortised = None
    if classifier.is_looped:
        many = jax.device_put(np.stack(on_host))
        together = interleaved(
            {"many": lambda i: classifier.labels(variables, many).block_until_ready()},
            samples=max(samples // count, 1),
            warmups=1,
        )
        amortised = float(np.median(together["many"])) / count
    device = times["device"]
    return {
        "mean": float(device.mean()),
        **{f"p{p}": float(np.percentile(device, p)) for p in PERCENTILES},
        "samples": samples,
        "host_p50": float(np.median(times["host"])),
        "dispatch_floor_p50": float(np.median(times["floor"])),
        "amortised": amortised,
    }
