"""python -m benchmarks.convolutions [--only=resnet20,convnext] [--batch_size=128] ...

The time of a convolution with both its gradients, shape by shape, by each way that a CPU has: XLA's
own as a plain jitted call and in a loop, and each of ours in a loop, as training runs it. Shapes
are the layers of all networks, and others in use. `jaxact.models.convolution.choice` takes its
thresholds from here: "chosen / best" says how far its choice is from the fastest in a loop.
Ctrl-C stops with the shapes that were measured.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from rich.console import Console
from rich.progress import track

from benchmarks import results
from benchmarks.timing import pairing
from jaxact import models
from jaxact.command import Command, Option, Options
from jaxact.compilation import compiler
from jaxact.errors import ConfigError
from jaxact.models.convolution import choice, lowering
from jaxact.runs.process import environment, huge_pages
from jaxact.statistics import quartiles

OPTIONS = {
    "only": Option("", "networks and other kinds by commas; all of small images, if not given"),
    "batch_size": Option(128, "images", least=1),
    "rounds": Option(5, "measurements of each way, in turn", least=3),
    "steps": Option(3, "of the loop that is timed", least=1),
    "most_seconds": Option(1.0, "a step of a way that takes longer is timed once", least=0.0),
    "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
}
PLAIN, IN_LOOP, OURS = "XLA, plain", "XLA, in a loop", "ours"
WARM = 10  # times the most seconds, from which on a first call does not count
LARGEST = 64  # pixels of the images of networks that are measured without being asked for
LAYOUT = ("NHWC", "HWIO", "NHWC")


class Case(NamedTuple):
    """A convolution: sizes without the batch, and what `lax.conv_general_dilated` takes."""

    size: tuple[int, int, int]  # height, width, channels
    kernel: tuple[int, ...]  # height, width, channels of a group, features
    strides: tuple[int, int] = (1, 1)
    padding: Any = "SAME"
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __str__(self) -> str:
        words = ["x".join(map(str, self.size)), "*", "x".join(map(str, self.kernel))]
        words += [f"/{self.strides[0]}"] * (self.strides != (1, 1))
        words += [f"dilated {self.dilation[0]}"] * (self.dilation != (1, 1))
        words += [f"{self.groups} groups"] * (self.groups > 1)
        return " ".join(words)


def depthwise(size: int, channels: int, kernel: int, stride: int = 1) -> Case:
    """A depthwise convolution of square images."""
    shape = (kernel, kernel, 1, channels)
    return Case((size, size, channels), shape, (stride, stride), groups=channels)


def pointwise(size: int, channels: int, features: int) -> Case:
    """A 1x1 convolution of square images."""
    return Case((size, size, channels), (1, 1, channels, features))


OTHERS = {
    "mobilenet": [
        depthwise(32, 96, 3),
        depthwise(32, 144, 3, 2),
        depthwise(16, 192, 3),
        depthwise(8, 384, 3),
        depthwise(4, 960, 3),
        pointwise(32, 16, 96),
        pointwise(32, 96, 24),
        pointwise(8, 384, 64),
        pointwise(4, 320, 1280),
    ],
    "convnext": [
        depthwise(16, 64, 7),
        depthwise(8, 128, 7),
        depthwise(4, 256, 7),
        Case((32, 32, 3), (2, 2, 3, 64), (2, 2), "VALID"),
        Case((16, 16, 64), (2, 2, 64, 128), (2, 2), "VALID"),
    ],
    "narrow": [Case((32, 32, width), (3, 3, width, width)) for width in (8, 12, 16, 24)],
    "dilated": [Case((16, 16, 32), (3, 3, 32, 32), dilation=(2, 2))],
    "grouped": [Case((16, 16, 128), (3, 3, 4, 128), groups=32)],
}


def of_network(name: str) -> list[Case]:
    """The different convolutions of a network, in order."""
    model = models.create_model(name, num_classes=10)
    images = jax.ShapeDtypeStruct((1, *model.image_shape), jnp.float32)
    with lowering.traced_for("gpu"):  # where they are left as they are
        forward = jax.make_jaxpr(
            lambda x: model.init_with_output(jax.random.key(0), x, train=False)
        )
        equations = convolutions(forward(images).jaxpr)
    return list(dict.fromkeys(map(_case, equations)))


def convolutions(jaxpr: Any) -> Iterator[Any]:
    """All equations that convolve, those of inner jaxprs included."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            yield equation
        inner = jax.tree.leaves(equation.params, is_leaf=lambda value: hasattr(value, "jaxpr"))
        for value in inner:
            if hasattr(value, "jaxpr"):
                yield from convolutions(value.jaxpr)


def _case(equation: Any) -> Case:
    images, kernel = (variable.aval.shape for variable in equation.invars)
    given = equation.params
    return Case(
        images[1:],
        kernel,
        tuple(given["window_strides"]),
        tuple(map(tuple, given["padding"])),
        tuple(given["rhs_dilation"]),
        given["feature_group_count"],
    )


Convolve = Callable[[Array, Array], Array]


def by_xla(case: Case) -> Convolve:
    """XLA's own convolution."""
    return lambda images, kernel: lax.conv_general_dilated(
        images,
        kernel,
        case.strides,
        case.padding,
        rhs_dilation=case.dilation,
        dimension_numbers=LAYOUT,
        feature_group_count=case.groups,
    )


def ours(case: Case, batch_size: int) -> tuple[dict[str, Convolve], str]:
    """Our ways for a case, and the name of the chosen one."""

    def chosen(images: Array, kernel: Array) -> Array:
        return lowering.conv_general_dilated(
            images,
            kernel,
            case.strides,
            case.padding,
            rhs_dilation=case.dilation,
            dimension_numbers=LAYOUT,
            feature_group_count=case.groups,
        )

    if case.groups > 1:
        return {OURS: chosen}, OURS
    spans = [(n - 1) * step + 1 for n, step in zip(case.kernel, case.dilation, strict=False)]
    pads = case.padding
    if isinstance(pads, str):
        pads = lax.padtype_to_pads(case.size[:2], spans, case.strides, pads)
    padding = ((pads[0][0], pads[0][1]), (pads[1][0], pads[1][1]))
    images = (batch_size, *case.size)
    shape = choice.Shape(images, case.kernel, padding, case.dilation, strides=case.strides)

    def by_way(way: str) -> Convolve:
        return lambda images, kernel: lowering.of_group(
            images, kernel, case.strides, padding, case.dilation, way=way
        )

    return {way: by_way(way) for way in choice.ways(shape)}, choice.choose(shape)


def step(convolve: Convolve, images: Array, kernel: Array) -> tuple[Array, Array]:
    """Both gradients of half the sum of squares, which needs the outputs too."""
    outputs, pull_back = jax.vjp(convolve, images, kernel)
    return pull_back(outputs)


def looped(convolve: Convolve, steps: int | Array, images: Array, kernel: Array) -> Any:
    """Steps of which each needs the one before, as training's do."""

    def body(_: Any, carry: Any) -> Any:
        scale, _ = carry
        gradients = step(convolve, images * scale, kernel * scale)
        return 1 + 1e-20 * gradients[1].ravel()[0], gradients

    return lax.fori_loop(0, steps, body, (jnp.float32(1), (images, kernel)))


def timer(call: Callable[[], Any], steps: int) -> Callable[[], dict[str, float]]:
    """Measures a call of many steps: seconds a step by the clock, and of all cores together.

    The latter hardly depends on what else the machine does.
    """

    def measure() -> dict[str, float]:
        begin, used = time.perf_counter(), time.process_time()
        jax.block_until_ready(call())
        passed = time.perf_counter() - begin, time.process_time() - used
        return {"seconds": passed[0] / steps, "cpu_seconds": passed[1] / steps}

    return measure


def measure(case: Case, options: Options) -> dict[str, Any]:
    """Figures of every way of a case: way to figure to its values, one a round."""
    shapes = ((options.batch_size, *case.size), case.kernel)
    rng = np.random.default_rng(0)
    arrays = [jnp.asarray(rng.standard_normal(shape, np.float32)) for shape in shapes]
    mine, chosen = ours(case, options.batch_size)
    ways = {PLAIN: by_xla(case), IN_LOOP: by_xla(case)} | mine
    compile_seconds, once, measures = {}, {}, {}
    for name, convolve in ways.items():
        function = step if name == PLAIN else looped
        arguments = (*arrays,) if name == PLAIN else (jnp.int32(1), *arrays)
        with lowering.traced_for("cpu"):
            lowered = jax.jit(lambda *given, f=function, c=convolve: f(c, *given)).lower(*arguments)
        begin = time.perf_counter()
        compiled = lowered.compile(compiler_options=compiler.without_ynnpack())
        compile_seconds[name] = time.perf_counter() - begin
        call = timer(lambda c=compiled, a=arguments: c(*a), 1)
        first = call()  # with what only a first call does
        if first["seconds"] < WARM * options.most_seconds:
            first = call()
        if first["seconds"] > options.most_seconds:
            once[name] = {figure: [value] for figure, value in first.items()}
            continue
        steps = 1 if name == PLAIN else options.steps
        given = arrays if name == PLAIN else [jnp.int32(steps), *arrays]
        measures[name] = timer(lambda c=compiled, a=tuple(given): c(*a), steps)
    figures = pairing.alternate(measures, options.rounds) | once
    return {"chosen": chosen, "figures": figures, "compile_seconds": compile_seconds}


def rows(measured: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a case: median and quartiles of the milliseconds of every way."""
    table = []
    for name, known in measured.items():
        milliseconds = {
            way: quartiles(figures["seconds"], 1e3) for way, figures in known["figures"].items()
        }
        looped = {way: time.value for way, time in milliseconds.items() if way != PLAIN}
        best = min(looped, key=looped.__getitem__)
        table.append(
            {
                "ms, forward and gradients": name,
                **{way: milliseconds.get(way) for way in (PLAIN, IN_LOOP, OURS, *choice.WAYS)},
                "chosen": known["chosen"],
                "best": best,
                "chosen / best": looped[known["chosen"]] / looped[best],
            }
        )
    return table


def small_networks() -> list[str]:
    """The networks for images of at most `LARGEST` pixels."""
    return [name for name, model in models.MODELS.items() if model.image_shape[0] <= LARGEST]


def cases(only: str) -> dict[str, Case]:
    """Cases by what they are called.

    Raises:
      ConfigError: there is no such network or kind.
    """
    known = [*models.MODELS, *OTHERS]
    wanted = only.split(",") if only else [*small_networks(), *OTHERS]
    if unknown := set(wanted) - set(known):
        raise ConfigError(f"--only={only}: {min(unknown)!r} is none of {', '.join(known)}")
    found = [case for name in wanted for case in OTHERS.get(name) or of_network(name)]
    return {str(case): case for case in found}


def benchmark(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    if jax.default_backend() != "cpu":
        raise ConfigError("benchmarks.convolutions is for CPUs: set JAX_PLATFORMS=cpu")
    measured = {}
    try:
        named = cases(options.only).items()
        for name, case in track(named, "measuring", console=Console(stderr=True)):
            measured[name] = measure(case, options)
    except KeyboardInterrupt:
        if not measured:
            raise
        print("note: stopped; the shapes that were measured are kept", file=sys.stderr)
    described = environment.describe()
    words = ("convolutions", *filter(None, [options.only]), described["platform"])
    results.publish(
        Path(options.out or results.default_path(*words)),
        "convolutions",
        f"Convolutions of {options.batch_size} images",
        {key: value for key, value in vars(options).items() if key != "out"},
        {"jaxact": described},
        rows(measured),
        measured=measured,
    )


COMMAND = Command("python -m benchmarks.convolutions", __doc__ or "", OPTIONS)

if __name__ == "__main__":
    huge_pages.restart()
    sys.exit(COMMAND.run(benchmark))
