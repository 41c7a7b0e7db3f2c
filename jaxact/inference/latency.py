"""The time to classify one sample, as protocol: batch 1, one call after the other, each waited for."""

import contextlib
import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

WARMUPS = 100
IMAGES = 256  # distinct images, taken in turn
PERCENTILES = (50, 90, 95, 99)

Forward = Callable[[Any, Array], Array]


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _time_calls(calls: Mapping[str, Callable[[int], Any]], samples: int) -> dict[str, np.ndarray]:
    """Milliseconds of each call, the calls interleaved so that drift of the machine hits all alike."""
    for call, index in itertools.product(calls.values(), range(WARMUPS)):
        call(index)
    times = {name: np.empty(samples) for name in calls}
    with _no_garbage_collection():
        for index, (name, call) in itertools.product(range(samples), calls.items()):
            begin = time.perf_counter_ns()
            call(index)
            times[name][index] = (time.perf_counter_ns() - begin) / 1e6
    return times


def measure(forward: Forward, variables: Any, images: np.ndarray, samples: int) -> dict[str, Any]:
    """The latency of one sample, in milliseconds.

    Args:
      forward: pure, `(variables, uint8 images [batch, height, width, channels])` to logits.
      variables: of the model.
      images: uint8 `[n, height, width, channels]`, real test images.
      samples: calls timed, after 100 untimed ones.

    Returns:
      `mean, p50, p90, p95, p99`: from an image on the device to logits on the device, waited for;
      `samples`; `host_p50`: from an image in host memory to its class on the host;
      `dispatch_floor_p50`: the first scope with a function that does next to nothing: differences below it
      are ties; `amortised`: a sample's share of one dispatch that classifies many, one after the other.
    """
    images = images[:IMAGES]
    count = len(images)
    on_host = [np.ascontiguousarray(images[i : i + 1]) for i in range(count)]
    on_device = [jax.device_put(image) for image in on_host]
    logits_of = jax.jit(forward)
    class_of = jax.jit(lambda variables, image: forward(variables, image).argmax(-1)[0])
    null = jax.jit(lambda image: image[0, 0, 0, 0] + jnp.uint8(1))

    times = _time_calls(
        {
            "device": lambda i: logits_of(variables, on_device[i % count]).block_until_ready(),
            "host": lambda i: int(class_of(variables, on_host[i % count])),
            "floor": lambda i: null(on_device[i % count]).block_until_ready(),
        },
        samples,
    )
    device = times["device"]
    return {
        "mean": float(device.mean()),
        **{f"p{p}": float(np.percentile(device, p)) for p in PERCENTILES},
        "samples": samples,
        "host_p50": float(np.median(times["host"])),
        "dispatch_floor_p50": float(np.median(times["floor"])),
        "amortised": _amortised_ms(forward, variables, on_host),
    }


def _amortised_ms(forward: Forward, variables: Any, images: Sequence[np.ndarray]) -> float:
    stacked = jax.device_put(np.stack(images))
    many = jax.jit(lambda variables, batch: lax.map(lambda x: forward(variables, x).argmax(-1), batch))
    many(variables, stacked).block_until_ready()
    begin = time.perf_counter_ns()
    many(variables, stacked).block_until_ready()
    return (time.perf_counter_ns() - begin) / 1e6 / len(images)
