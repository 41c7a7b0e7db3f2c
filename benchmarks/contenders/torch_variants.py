"""The ways in which PyTorch can run a network, and the fastest of them on this machine."""

import gc
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from benchmarks.contenders.protocol import Job, seconds_a_unit

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
# What torch.compile is given; None is eager.
COMPILE_OPTIONS: dict[str, dict[str, Any] | None] = {
    "eager": None,
    "default": {},
    "reduce-overhead": {"mode": "reduce-overhead"},
    "max-autotune": {"mode": "max-autotune"},
    "freezing": {"options": {"freezing": True}},
}
TRIAL_SECONDS = 0.3

Run = Callable[[], int]


def synchronize() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


class Variant(NamedTuple):
    """One way to run a network: a key of `LAYOUTS` and one of `COMPILE_OPTIONS`."""

    layout: str
    options: str

    def place(self, network: nn.Module) -> nn.Module:
        """The network on the device, in its layout."""
        return network.to(DEVICE, memory_format=LAYOUTS[self.layout])

    def compiled(self, module: nn.Module) -> Callable[..., Tensor]:
        options = COMPILE_OPTIONS[self.options]
        return module if options is None else torch.compile(module, **options)


def variants(job: Job) -> list[Variant]:
    """The variants: both layouts, and the modes that can be faster for the task and device."""
    if job.mode == "plain":
        return [Variant("contiguous", "eager")]
    if job.mode == "eager":
        modes = ["eager"]
    elif DEVICE.type == "cuda":
        modes = ["default", "reduce-overhead", "max-autotune"]
    else:
        modes = ["default", "freezing"] if job.task == "latency" else ["default"]
    return [Variant(*pair) for pair in itertools.product(LAYOUTS, modes)]


def fastest(
    choices: list[Variant], build: Callable[[Variant], Run]
) -> tuple[Variant, Run, dict[str, float | str]]:
    """The fastest variant, ready to run, and the trial of each: its seconds, or why it failed.

    Raises:
      RuntimeError: none works.
    """
    trials: dict[str, float | str] = {}
    best: tuple[float, Variant, Run] | None = None
    for variant in choices:
        label = f"{variant.options}, {variant.layout}"
        try:
            run = build(variant)
            run()  # compiles
            seconds = seconds_a_unit(run, TRIAL_SECONDS)
        except Exception as error:  # a mode that fails here is none to choose
            trials[label] = f"{type(error).__name__}: {error}"[:200]
            continue
        trials[label] = seconds
        if best is None or seconds < best[0]:
            best = (seconds, variant, run)
        del run
        gc.collect()
    if best is None:
        raise RuntimeError(f"no variant works: {trials}")
    return best[1], best[2], trials
