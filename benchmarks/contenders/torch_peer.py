"""The PyTorch side of a benchmark, in a process of its own; see `benchmarks.contenders.protocol`.

Imports PyTorch, NumPy and the standard library alone: its environment needs no JAX. Where PyTorch
leaves a choice (memory layout, mode of `torch.compile`), each is tried and the fastest measured.
"""

import gc
import importlib.metadata
import itertools
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from benchmarks.contenders import synthetic, torch_activations, torch_networks
from benchmarks.contenders.protocol import Job, Prepared, seconds_a_unit, serve
from benchmarks.contenders.torch_variants import (
    DEVICE,
    LAYOUTS,
    Run,
    Variant,
    fastest,
    synchronize,
    variants,
)

WARMUPS, LATENCY_IMAGES = 100, 32


def set_precision(precision: str) -> None:
    """TF32 or not, for matrix products and convolutions; cuDNN chooses its algorithms by trial."""
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True


def peak_memory_bytes() -> int:
    """The most memory held at once so far: the GPU's, or on a CPU this process's."""
    if DEVICE.type == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone; getrusage counts the one that started it
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found.group(1)) * 1024 if found else 0
    import resource

    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes


def environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "platform": DEVICE.type,
        "device_kind": torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
    }


class Classifier(nn.Module):
    """Normalises uint8 images and classifies them: `[batch, height, width, channels]` to logits."""

    def __init__(self, network: nn.Module, job: Job, layout: str):
        super().__init__()
        self.network, self.layout = network, LAYOUTS[layout]
        self.is_mixed = job.precision == "bfloat16"
        mean, std = synthetic.statistics(network.image_shape)
        self.register_buffer("mean", torch.from_numpy(mean)[:, None, None])
        self.register_buffer("std", torch.from_numpy(std)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        x = (images.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        x = x.contiguous(memory_format=self.layout)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=self.is_mixed):
            return self.network(x).float()


class Loss(nn.Module):
    """The mean cross-entropy of the examples of which the indices are given.

    All examples are buffers, so that CUDA graphs do not copy them.
    """

    def __init__(self, classifier: Classifier, job: Job):
        super().__init__()
        self.classifier = classifier
        shape = classifier.network.image_shape
        images, labels = synthetic.examples(shape, job.examples)
        self.register_buffer("images", torch.from_numpy(images))
        self.register_buffer("labels", torch.from_numpy(labels).long())

    def forward(self, chosen: Tensor) -> Tensor:
        return F.cross_entropy(self.classifier(self.images[chosen]), self.labels[chosen])


def create(job: Job) -> nn.Module:
    torch.manual_seed(0)
    return torch_networks.create(job.model, job.function, job.parameters)


def training(job: Job, variant: Variant) -> Run:
    """Steps of Adam: on a GPU an epoch, on a CPU one, until the device has finished."""
    network = variant.place(create(job).train())
    loss = Loss(Classifier(network, job, variant.layout), job).to(DEVICE)
    loss_of = variant.compiled(loss)
    fused = None if job.mode == "plain" else True  # None: as PyTorch chooses
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused)
    steps_per_epoch = job.examples // job.batch_size
    order = torch.randperm(job.examples, device=DEVICE)
    batches: Iterator[Tensor] = itertools.cycle(
        order[: steps_per_epoch * job.batch_size].split(job.batch_size)
    )
    steps = steps_per_epoch if DEVICE.type == "cuda" else 1

    def run() -> int:
        for chosen in itertools.islice(batches, steps):
            optimizer.zero_grad(set_to_none=True)
            loss_of(chosen).backward()
            optimizer.step()
        synchronize()
        return steps

    return run


def prepare_train_step(job: Job) -> Prepared:
    """Training steps, data on the device, no data loader."""
    variant, run, trials = fastest(variants(job), lambda variant: training(job, variant))
    if DEVICE.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def measure() -> dict[str, float]:
        seconds = seconds_a_unit(run, job.seconds)
        return {"seconds": seconds, "peak_memory_bytes": peak_memory_bytes()}

    parameters = torch_networks.count_parameters(create(job))
    return Prepared(describe(variant, trials) | {"parameters": parameters}, measure)


def describe(variant: Variant, trials: dict[str, float | str]) -> dict[str, Any]:
    return {"environment": environment(), **variant._asdict(), "trials": trials}


def milliseconds(call: Callable[[int], Any], index: int) -> float:
    begin = time.perf_counter_ns()
    call(index)
    return (time.perf_counter_ns() - begin) / 1e6


def prepare_latency(job: Job) -> Prepared:
    """One image after the other, each waited for; scopes as in `jaxact.inference.latency`."""
    images, _ = synthetic.examples(create(job).image_shape, LATENCY_IMAGES)
    on_host = [torch.from_numpy(image[None]) for image in images]
    on_device = [image.to(DEVICE) for image in on_host]

    def calls(variant: Variant) -> tuple[Callable[[int], Any], Callable[[int], int]]:
        network = variant.place(create(job).eval())
        classify = variant.compiled(Classifier(network, job, variant.layout).to(DEVICE).eval())

        @torch.inference_mode()
        def device(index: int) -> None:
            classify(on_device[index % LATENCY_IMAGES])
            synchronize()

        @torch.inference_mode()
        def host(index: int) -> int:
            return int(classify(on_host[index % LATENCY_IMAGES].to(DEVICE)).argmax(-1))

        return device, host

    built = {}

    def build(variant: Variant) -> Run:
        device, _ = built[variant] = calls(variant)

        def run() -> int:
            for index in range(WARMUPS):
                device(index)
            return WARMUPS

        return run

    variant, _, trials = fastest(variants(job), build)
    device, host = built[variant]

    def measure() -> dict[str, float]:
        for index in range(WARMUPS):
            device(index)
            host(index)
        gc.collect()
        gc.disable()
        try:
            pairs = [
                (milliseconds(device, index), milliseconds(host, index))
                for index in range(job.samples)
            ]
        finally:
            gc.enable()
        on_device_ms, on_host_ms = zip(*pairs, strict=True)
        return {
            "seconds": statistics.median(on_device_ms) / 1e3,
            "p99_seconds": statistics.quantiles(on_device_ms, n=100)[-1] / 1e3,
            "host_seconds": statistics.median(on_host_ms) / 1e3,
        }

    return Prepared(describe(variant, trials), measure)


def prepare_activation(job: Job) -> Prepared:
    """An activation on a large array, forward without and backward with a gradient to pass on."""
    # The gradient of one forward pass is taken again and again.
    torch._functorch.config.donated_buffer = False
    dtype = getattr(torch, job.dtype)
    function: Any = torch_activations.activation(job.function, job.parameters)
    if isinstance(function, nn.Module):
        function.to(DEVICE, dtype)
    if job.mode == "compile":
        function = torch.compile(function)
    x = torch.randn(job.elements, device=DEVICE, dtype=dtype, requires_grad=True)
    cotangent = torch.randn_like(x)
    y = function(x)

    def forward() -> int:
        with torch.no_grad():
            function(x)
        synchronize()
        return job.elements

    def gradient() -> int:
        torch.autograd.grad(y, x, cotangent, retain_graph=True)
        synchronize()
        return job.elements

    def measure() -> dict[str, float]:
        return {
            "forward": seconds_a_unit(forward, job.seconds),
            "gradient": seconds_a_unit(gradient, job.seconds),
        }

    return Prepared({"environment": environment()}, measure)


TASKS = {
    "train_step": prepare_train_step,
    "latency": prepare_latency,
    "activation": prepare_activation,
}


def prepare(job: Job) -> Prepared:
    """A job of a task in `TASKS`, made ready."""
    set_precision(job.precision)
    torch._dynamo.reset()
    return TASKS[job.task](job)


if __name__ == "__main__":
    serve(prepare)
