"""The protocol of a benchmark and its workers: lines of JSON on stdin and stdout.

Imported on both sides, also where there is no JAX: standard library alone.

    {"prepare": {"task": "train_step", "model": "vgg11", ...}}  ->  {"layout": "channels_last", ...}
    {"measure": null}                                           ->  {"seconds": 0.0123, ...}

An answer `{"error": "..."}` says why a request failed. A worker ends with its input.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TextIO


@dataclasses.dataclass(frozen=True)
class Job:
    """A job that a worker prepares and measures.

    Attributes:
      task: "train_step", "latency", for jaxact "step_profile" or, for PyTorch, "activation".
      model: a name of `jaxact.models`, or the place of a module of the user's own.
      activation: a spec, for jaxact.
      function, parameters: the same activation for PyTorch, which does not read specs.
      batch_size: images a step.
      precision: "float32", "tf32" or "bfloat16".
      examples: synthetic training images.
      steps_per_dispatch: of jaxact; None: as many as it takes by itself.
      mode: of PyTorch, "eager" or "compile", both tuned, or "plain": eager with nothing chosen.
      seconds: what one measurement lasts at least.
      samples: calls of one measurement of the latency.
      image_shape: height, width and channels; None: those that the model was published for.
      elements, dtype: of the array that the task "activation" works on.
    """

    task: str
    model: str = "small_cnn"
    activation: str = "relu"
    function: str = "relu"
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    batch_size: int = 128
    precision: str = "float32"
    examples: int = 60_000
    steps_per_dispatch: int | None = None
    mode: str = "eager"
    seconds: float = 0.5
    samples: int = 200
    image_shape: Sequence[int] | None = None
    elements: int = 2**24
    dtype: str = "float32"


class Prepared(NamedTuple):
    """A job made ready: what there is to know about it, and a function that measures it once."""

    details: dict[str, Any]
    measure: Callable[[], dict[str, float]]


def seconds_a_unit(run: Callable[[], int], seconds: float) -> float:
    """The time of one unit of work, over at least `seconds`, after an untimed run.

    Args:
      run: works, waits for the result, and returns how many units it did.
      seconds: more than 0.
    """
    run()
    units, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        units += run()
    return elapsed / units


def answer(prepare: Callable[[Job], Prepared], requests: Iterable[str], answers: TextIO) -> None:
    """Answers request after request; a failed one is answered with its error."""
    prepared: Prepared | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if "prepare" in request:
                prepared = None  # lets go of the last job's memory before the next takes its own
                prepared = prepare(Job(**request["prepare"]))
                reply = prepared.details
            elif prepared is not None:
                reply = prepared.measure()
            else:
                reply = {"error": "nothing is prepared"}
        except Exception as error:  # whatever it is, the benchmark has to tell its user
            reply = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        print(json.dumps(reply), file=answers, flush=True)


def serve(prepare: Callable[[Job], Prepared]) -> None:
    """The main function of a worker."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    answer(prepare, sys.stdin, answers)
