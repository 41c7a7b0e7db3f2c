"""The ledger: an activation and its derivative over every float of a format.

The truth is the function's own float64 evaluation, with the parameters as float32 has them. That is
checked against mpmath with 50 digits, at points of all exponents and at each worst point that is
found: by how much it is off stands in the ledger as `reference_ulps`.

A result is counted in one of four places:

- "main", in ULP: the true result is a normal number;
- "near_roots", absolutely: the input is within a relative 1/256 of a root, of the value or of the
  derivative, other than 0 (where floats are dense enough for a relative error);
- "far", in ULP: the input is beyond the place up to which a periodic function is to be exact;
- "tiny", in units of the smallest normal number: the true result is below that, and may be flushed
  to 0, as XLA has CPUs do. They also take an input below it for 0; such inputs are left out.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.exactness import truth
from benchmarks.exactness.ledger_rows import PARTS
from benchmarks.exactness.references import REFERENCES
from benchmarks.exactness.truth import Reference
from benchmarks.exactness.ulps import FORMATS, Format, absolute_errors, neighbours, numbers, unit
from jaxact import activations
from jaxact.activations import Activation
from jaxact.activations.program_hash import program_hash

NEAR_ROOT = 1 / 256  # relative
# Numbers a program takes at once: its arrays stay in a CPU's cache, and fill an accelerator.
CHUNKS = {"cpu": 2**16}
CHUNK_ELSEWHERE = 2**24
SAMPLE_STRIDE = 257  # of the bits, where not every float is taken
AROUND_WORST = 2**16  # floats
LISTED = 64  # inputs that are named where half precision is not correctly rounded
CHECKED = 2000  # points of the reference
ALIKE = 2**12  # inputs of which the same is to come out, however they are computed
Function = Callable[[Any], Any]
Both = Callable[[Array], tuple[Array, Array]]
Places = dict[str, dict[str, Array]]


def names() -> list[str]:
    """The activations that the ledger holds: the elementwise ones, aliases left out."""
    found: dict[Any, str] = {}
    for name in activations.names():
        if activations.get(name).elementwise:
            found.setdefault(programs(name)["program"], name)
    return list(found.values())


@functools.cache
def programs(name: str) -> dict[str, str]:
    """The hashes of a value and a gradient in float32, and of the float64 that is the truth."""
    activation = activations.get(name)
    of_float32 = jax.make_jaxpr(value_and_gradient(activation))
    of_float64 = jax.make_jaxpr(value_and_gradient(with_float32_parameters(activation)))
    found = {"program": program_hash(of_float32(jax.ShapeDtypeStruct((8,), jnp.float32)))}
    with jax.enable_x64(True):
        found["truth"] = program_hash(of_float64(jax.ShapeDtypeStruct((8,), jnp.float64)))
    return found


def value_and_gradient(function: Function) -> Both:
    """A function and its derivative by reverse mode, which is what a training step computes."""

    def both(x: Array) -> tuple[Array, Array]:
        y, pull_back = jax.vjp(function, x)
        return y, pull_back(jnp.ones_like(y))[0]

    return both


def with_float32_parameters(activation: Activation) -> Function:
    """The activation with the parameters that float32 computes with, whatever the dtype of x."""
    arguments = {**dict(activation.constants), **activation.params}
    as_float32 = {key: np.asarray(value, np.float32) for key, value in arguments.items()}
    return functools.partial(activation.function, **as_float32)


def counted(
    got: Array, true: Array, x: Array, reference: Reference, form: Format
) -> dict[str, Array]:
    """The errors at each input by place; -1 where an input is none of that place."""
    error, ulp = absolute_errors(got, true, form), unit(true, form)
    smallest = 2.0**form.lowest
    is_near = jnp.zeros(x.shape, bool)
    for root in {*reference.roots, *reference.derivative_roots} - {0.0}:
        is_near |= jnp.abs(x - root) <= NEAR_ROOT * abs(root)
    is_far = ~is_near & (jnp.abs(x) > reference.exact_up_to)
    is_tiny = ~is_near & ~is_far & (jnp.abs(true) < smallest)
    return {
        "main": jnp.where(is_near | is_far | is_tiny, -1, error / ulp),
        "near_roots": jnp.where(is_near, error, -1),
        "far": jnp.where(is_far, error / ulp, -1),
        "tiny": jnp.where(is_tiny, error / smallest, -1),
    }


def errors_from(name: str, form: Format) -> Callable[..., Places]:
    """Errors by part and place: a function of numbers, whether each counts, results, and truths."""
    reference = REFERENCES[name]

    def errors(
        x: Array, counts: Array, results: tuple[Array, ...], truths: tuple[Array, ...]
    ) -> Places:
        return {
            part: {
                place: jnp.where(counts, error, -1).astype(jnp.float32)
                for place, error in counted(
                    got, true, x.astype(jnp.float64), reference, form
                ).items()
            }
            for part, got, true in zip(PARTS, results, truths, strict=True)
        }

    return errors


def errors_against_float64(name: str, form: Format) -> Callable[..., Places]:
    """Errors by part and place: a function of numbers, whether each counts, and results."""
    errors = errors_from(name, form)
    exact = value_and_gradient(with_float32_parameters(activations.get(name)))

    def against_float64(x: Array, counts: Array, results: tuple[Array, ...]) -> Places:
        # Or each of the errors would be computed from the beginning.
        found = jax.lax.optimization_barrier((results, exact(x.astype(jnp.float64))))
        return errors(x, counts, *found)

    return against_float64


def _summary(error: Any, place: str) -> np.ndarray:
    """Number of inputs, of those within half a unit, and beyond one; the largest error."""
    xp = np if isinstance(error, np.ndarray) else jnp  # NumPy's sums are the faster ones on a CPU
    largest = error.max()
    if place != "main":
        return np.array([0 if largest < 0 else xp.count_nonzero(error >= 0), 0, 0, largest])
    left_out = xp.count_nonzero(error < 0)
    counts = error.size - left_out, xp.count_nonzero(error <= 0.5) - left_out
    return np.array([*counts, xp.count_nonzero(error > 1), largest])


def _chunk() -> int:
    return CHUNKS.get(jax.default_backend(), CHUNK_ELSEWHERE)


class Tally:
    """A count of errors, chunk by chunk."""

    def __init__(self, errors: Callable[..., Places]):
        self._errors = jax.jit(errors)
        self._total: dict[tuple[str, str], np.ndarray] = {}
        self._at: dict[tuple[str, str], float] = {}

    def add(self, *chunk: Any, x_of: Callable[[int], float]) -> None:
        """Counts a chunk, whose inputs by their place in it are `x_of`."""
        on_cpu = jax.default_backend() == "cpu"
        for part, by_place in self._errors(*chunk).items():
            for place, error in by_place.items():
                sums = _summary(np.asarray(error) if on_cpu else error, place)
                old = self._total.setdefault((part, place), np.array([0, 0, 0, -1.0]))
                if sums[3] > old[3]:
                    self._at[part, place] = x_of(int(error.argmax()))
                self._total[part, place] = np.append(old[:3] + sums[:3], max(old[3], sums[3]))

    def entries(self) -> dict[str, dict[str, Any]]:
        """The entries by part and place: `inputs`, the largest error, `worst`, and where, `at`.

        In "main" also the shares of inputs that are correctly rounded, and off by more than a unit.
        """
        return {
            part: {
                place: self._entry(part, place)
                for place in ("main", "near_roots", "far", "tiny")
                if self._total[part, place][0]
            }
            for part in PARTS
        }

    def _entry(self, part: str, place: str) -> dict[str, Any]:
        inputs, rounded, beyond, worst = self._total[part, place]
        entry = {"inputs": int(inputs), "worst": float(worst), "at": self._at.get((part, place))}
        if place == "main":
            entry |= {"correctly_rounded": rounded / inputs, "above_1_ulp": beyond / inputs}
        return entry


def over_all(name: str, form: Format, stride: int) -> dict[str, dict[str, Any]]:
    """The errors of an activation over the floats of a format; see `Tally.entries`.

    Args:
      name: of `names()`.
      stride: of the bits: 1 takes every float.
    """
    compute, errors = value_and_gradient(activations.get(name)), errors_against_float64(name, form)
    count = min(_chunk(), 2**form.bits // stride)

    def of_chunk(first: Array) -> Places:
        x, is_number = numbers(first, count, stride, form)
        return errors(x, is_number, compute(x))

    with jax.enable_x64(True):
        tally = Tally(of_chunk)
        for first in _starts(form, stride, count):
            tally.add(
                jnp.uint32(first), x_of=lambda i, first=first: _number(first + i * stride, form)
            )
        return tally.entries()


def _starts(form: Format, stride: int, count: int) -> Iterator[int]:
    """The first bits of chunks, those of NaNs alone left out."""
    step, sign = count * stride, 2 ** (form.bits - 1)
    infinity = int(np.asarray(np.inf, form.dtype).view(f"uint{form.bits}"))
    for first in range(0, 2**form.bits, step):
        is_nan = infinity < first % sign and first % sign + step <= sign
        if not is_nan:
            yield first


def _number(bits: int, form: Format) -> float:
    return float(np.asarray(bits, f"uint{form.bits}").view(form.dtype))


def sample(worst: Iterable[float]) -> np.ndarray:
    """Every 257th float32, and the 2**16 floats around each of some inputs."""
    bits = np.arange(0, 2**32, SAMPLE_STRIDE, dtype=np.uint64).astype(np.uint32)
    x = bits.view(np.float32)
    return np.concatenate([x[~np.isnan(x)], *(neighbours(at, AROUND_WORST) for at in worst)])


def of_results(name: str, x: np.ndarray, results: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """The errors of somebody's values and derivatives at float32 inputs; see `Tally.entries`.

    Kinks are left out: conventions differ there.
    """
    kinks = [kink.at for kink in activations.get(name).kinks]
    with jax.enable_x64(True):
        tally = Tally(errors_against_float64(name, FORMATS["float32"]))
        count = _chunk()
        for start in range(0, len(x), count):
            chunk = [np.resize(part[start : start + count], count) for part in (x, *results)]
            is_kept = (np.abs(chunk[0]) >= 2.0**-126) | (chunk[0] == 0)
            is_kept &= ~np.isin(chunk[0], kinks)
            counts = is_kept & (np.arange(count) < len(x) - start)
            tally.add(chunk[0], counts, tuple(chunk[1:]), x_of=lambda i, at=chunk[0]: float(at[i]))
        return tally.entries()


def second_derivative(name: str, x: np.ndarray) -> dict[str, float]:
    """The largest error of the derivative of the derivative, in 2**-23 max(1, |true|)."""
    activation = activations.get(name)

    def second(function: Function) -> Function:
        return jax.jit(
            lambda x: value_and_gradient(lambda x: value_and_gradient(function)(x)[1])(x)[1]
        )

    # A program each: as one, XLA compiles some for minutes.
    single, double = second(activation), second(with_float32_parameters(activation))

    @jax.jit
    def errors(got: Array, true: Array) -> Array:
        error = absolute_errors(got, true, FORMATS["float32"])
        return error * 2.0**23 / jnp.maximum(1, jnp.abs(true))

    worst, at = -1.0, 0.0
    with jax.enable_x64(True):
        count = _chunk()
        for start in range(0, len(x), count):
            chunk = np.resize(x[start : start + count], count)
            found = np.asarray(errors(single(chunk), double(chunk.astype(np.float64))))
            if found.max() > worst:
                worst, at = float(found.max()), float(chunk[found.argmax()])
    return {"worst": worst, "at": at}


def not_rounded(name: str, form: Format) -> dict[str, Any]:
    """The inputs of a format of 16 bits at which a result is not correctly rounded."""
    with jax.enable_x64(True):
        x, is_number = numbers(jnp.uint32(0), 2**form.bits, 1, form)
        results = jax.jit(value_and_gradient(activations.get(name)))(x)
        errors = jax.jit(errors_against_float64(name, form))(x, is_number, results)
    found = {}
    for part in PARTS:
        at = np.asarray(x)[np.asarray(errors[part]["main"]) > 0.5].astype(float)
        found[part] = {"count": at.size, "at": at[:LISTED].tolist()}
    return found


def reference_ulps(name: str, worst: Iterable[float]) -> dict[str, float]:
    """The largest distance of the float64 evaluation from mpmath's, in ULP of float32."""
    reference, form = REFERENCES[name], FORMATS["float32"]
    points = truth.points(reference, CHECKED).astype(np.float64)
    x = np.concatenate([points, np.asarray(list(worst), np.float64)])
    x = x[np.isfinite(x)]
    with jax.enable_x64(True):
        compute = value_and_gradient(with_float32_parameters(activations.get(name)))
        results = jax.device_get(jax.jit(compute)(x))
        found = {}
        for part, function, got in zip(
            PARTS, (reference.value, reference.derivative), results, strict=True
        ):
            true = truth.evaluate(function, x)
            error = np.asarray(
                counted(jnp.asarray(got), jnp.asarray(true), jnp.asarray(x), reference, form)[
                    "main"
                ]
            )
            at_kink = np.isin(x, reference.switches) & (part == "derivative")
            found[part] = float(np.where(at_kink, -1, error).max())
    return found


def differing(name: str) -> dict[str, int]:
    """The numbers of inputs, of 4,096, that give other bits when computed in another way.

    Against a jitted program of all of them: without one; without the first three inputs, so that
    others are the rest that fills no vector; number by number; by `vmap`.
    """
    activation = activations.get(name)
    spread = np.linspace(0x00800000, 0x7F7FFFFF, ALIKE // 4).astype(np.uint32).view(np.float32)
    near = np.linspace(-12, 12, ALIKE // 2, dtype=np.float32)
    x = np.concatenate([spread, -spread, near])
    compute = value_and_gradient(activation)
    program = jax.jit(compute)
    whole = jax.device_get(program(x))
    ways = {
        "without jit": compute(jnp.asarray(x)),
        "at another place of a vector": [
            np.append(old[:3], part) for old, part in zip(whole, program(x[3:]), strict=True)
        ],
        "alone": [np.asarray(part) for part in zip(*map(program, x), strict=True)],
        "vmap": jax.jit(jax.vmap(compute))(x),
    }
    return {
        way: sum(
            int((np.asarray(a).view(np.uint32) != np.asarray(b).view(np.uint32)).sum())
            for a, b in zip(whole, results, strict=True)
        )
        for way, results in ways.items()
    }
