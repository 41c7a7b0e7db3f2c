"""A network as a file that runs without jaxact: StableHLO for JAX, or ONNX.

The file holds everything from uint8 images to probabilities, the parameters too; the batch is of
any size. Convolutions are XLA's own, so that it computes on any platform. Beside it lies a JSON
file: how to load it, the shape of its images, its classes, and the versions it was made with.
"""

import contextlib
import importlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array, export as jax_export
from jax.extend.core import jaxpr_as_fun

import jaxact
from jaxact.errors import ConfigError, did_you_mean
from jaxact.models.convolution import lowering
from jaxact.packages import needed_for

PLATFORMS = ("cpu", "cuda", "tpu")
OPSET = 18  # of ONNX, of 2022: what every runtime in use reads
NAME = "network"  # of the file in a folder

Forward = Callable[[Array], Array]


class Format(NamedTuple):
    """A form of file.

    Attributes:
      make: a function of uint8 images `[batch, *shape]`, that shape and the metadata, to bytes.
      load: the lines of Python that run the file, `{file}` being its name.
      packages: those that it is made with; their versions are noted.
    """

    make: Callable[[Forward, tuple[int, ...], Mapping[str, Any]], bytes]
    load: tuple[str, ...]
    packages: tuple[str, ...]


def write(
    forward: Forward,
    image_shape: tuple[int, ...],
    facts: Mapping[str, Any],
    path: Path,
    format: str | None = None,
) -> Path:
    """Writes a network's file, and the one beside it; arguments as `Network.export` has them.

    Args:
      forward: from uint8 images `[batch, *image_shape]` to probabilities.
      facts: further content of the JSON file, "classes" among it.

    Raises:
      ConfigError: as `Network.export`.
    """
    format = chosen_format(path, format)
    if path.suffix != f".{format}":
        path = path / f"{NAME}.{format}"
    made = FORMATS[format]
    with needed_for(f"the format {format}"):
        for name in made.packages:
            importlib.import_module(name)
    versions = {name: metadata.version(name) for name in made.packages}
    about = {
        "format": format,
        "load": [line.format(file=path.name) for line in made.load],
        "input": {"dtype": "uint8", "shape": ["batch", *image_shape]},
        "output": {"dtype": "float32", "shape": ["batch", len(facts["classes"])]},
        **facts,
        "versions": {"jaxact": jaxact.__version__, **versions},
    }
    content = made.make(forward, image_shape, about)
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, what in ((path, content), (beside(path), as_json(about))):
        temporary = file.with_name(f".{file.name}.tmp")
        temporary.write_bytes(what)
        os.replace(temporary, file)
    return path


def beside(path: Path) -> Path:
    """The file that says how to load another one: `net.onnx` to `net.onnx.json`."""
    return path.with_name(f"{path.name}.json")


def as_json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def chosen_format(path: Path, format: str | None) -> str:
    """The format that is asked for, or that a file's name says, or StableHLO.

    Raises:
      ConfigError: there is none of that name, or the file's name says another.
    """
    if format is not None and format not in FORMATS:
        raise ConfigError(
            f"format={format!r} must be one of {', '.join(FORMATS)}{did_you_mean(format, FORMATS)}"
        )
    named = path.suffix.removeprefix(".")
    if named in FORMATS and format not in (None, named):
        raise ConfigError(f"{path} is named as {named}, and format={format}: change one of them")
    return format or (named if named in FORMATS else next(iter(FORMATS)))


def stablehlo(forward: Forward, image_shape: tuple[int, ...], about: Mapping[str, Any]) -> bytes:
    """The bytes that `jax.export.deserialize` takes: for `PLATFORMS`, the batch a symbol.

    Raises:
      ConfigError: it calls Python, or what else no file can hold.
    """
    del about
    images = _images(image_shape)
    try:
        with lowering.traced_for("any"), _without_places():
            program = jax_export.export(jax.jit(_own(forward)), platforms=PLATFORMS)(images)
        return bytes(program.serialize())
    except Exception as error:  # whatever JAX says of an operation of the user's
        raise _not_exported("StableHLO", error) from error


def onnx(forward: Forward, image_shape: tuple[int, ...], about: Mapping[str, Any]) -> bytes:
    """The bytes of an ONNX model, opset 18: "images" to "probabilities", metadata as texts.

    Raises:
      ConfigError: jax2onnx is not installed, or it lacks an operation.
    """
    images = _images(image_shape)
    try:
        with lowering.traced_for("any"):
            # jax2onnx replaces functions of JAX by its own, which do not all give what JAX does: so
            # it gets a program of primitives; but its own can pad, where batches are symbols.
            program = jax.make_jaxpr(_own(forward))(images)
            try:
                model = _converted(lambda images: jaxpr_as_fun(program)(images)[0], images)
            except Exception:  # one of many kinds
                model = _converted(_own(forward), images)
    except (AttributeError, ImportError) as error:  # it follows JAX's inner parts, months behind
        raise ConfigError(
            f"jax2onnx {metadata.version('jax2onnx')} does not go with jax {jax.__version__} "
            f'({error}): in a new environment, pip install "jaxact[onnx]"'
        ) from error
    except Exception as error:
        raise _not_exported("ONNX", error) from error
    for name in ("classes", "trained", "versions"):
        model.metadata_props.add(key=name, value=json.dumps(about[name]))
    return model.SerializeToString()


def _converted(forward: Forward, images: jax.ShapeDtypeStruct) -> Any:
    """The ONNX model of a function, its types and shapes checked."""
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # it warns of its own names
    jax2onnx, checker = map(importlib.import_module, ("jax2onnx", "onnx.checker"))
    model = jax2onnx.to_onnx(
        forward,
        [images],
        opset=OPSET,
        model_name=NAME,
        input_names=["images"],
        output_names=["probabilities"],
    )
    checker.check_model(model, full_check=True)
    return model


def _images(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    """Images as they are traced: the size of the batch is a symbol."""
    symbols = jax_export.symbolic_shape(", ".join(["batch", *map(str, shape)]))
    return jax.ShapeDtypeStruct(symbols, np.uint8)


def _own(forward: Forward) -> Forward:
    """A function of its own: what is traced here has another convolution than elsewhere."""
    return lambda images: forward(images)


@contextlib.contextmanager
def _without_places() -> Iterator[None]:
    """A block in which JAX notes no lines of programs, with their folders, beside operations."""
    name = "jax_traceback_in_locations_limit"
    before = getattr(jax.config, name)
    jax.config.update(name, 0)
    try:
        yield
    finally:
        jax.config.update(name, before)


def _not_exported(format: str, error: Exception) -> ConfigError:
    text = " ".join(str(error).split())[:200]
    return ConfigError(
        f"the network cannot be written as {format} ({type(error).__name__}: {text}); write it in "
        "another format, or without the operation that is named"
    )


FORMATS = {
    "stablehlo": Format(
        stablehlo,
        (
            "# pip install jax flatbuffers",
            "import pathlib",
            "from jax import export",
            'network = export.deserialize(pathlib.Path("{file}").read_bytes())',
            "probabilities = network.call(images)",
        ),
        ("jax", "jaxlib", "flax", "flatbuffers"),
    ),
    "onnx": Format(
        onnx,
        (
            "# pip install onnxruntime",
            "import onnxruntime",
            'network = onnxruntime.InferenceSession("{file}")',
            '[probabilities] = network.run(None, {{"images": images}})',
        ),
        ("jax", "jaxlib", "flax", "jax2onnx", "onnx"),
    ),
}
