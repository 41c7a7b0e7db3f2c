"""The compiled functions of a run, built once for all runs that differ only in seed and data."""

import functools
import gc
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jax import Array

from jaxact import data, models
from jaxact.inference import latency
from jaxact.inference.folding import fold_batch_norm
from jaxact.training import health, steps
from jaxact.training.clock import Clock
from jaxact.training.compilation import RUNS_ONCE, without_ynnpack
from jaxact.training.losses import PLAIN, Objective
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import TrainState, create_state


class _WithoutCollection:
    """Without Python's garbage collection, which would look again and again at a growing trace.

    Nearly all that tracing makes lives on: to look for garbage in it takes a sixth of the time.
    Threads may be within at the same time; the last to leave puts things back as they were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_enabled = False

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._was_enabled:
                gc.enable()


WITHOUT_COLLECTION = _WithoutCollection()


class AheadOfTime:
    """A jitted function that is compiled before it is called, on a clock of its own.

    `__call__` compiles what is not compiled yet, for the shapes it is given, outside the caller's
    time: `prepare` returns the executable and the caller times nothing but its run.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        donate: tuple[int, ...] = (),
        options: dict[str, Any] | None = None,
    ):
        self._jitted = jax.jit(function, donate_argnums=donate, compiler_options=options)
        self._executables: dict[Any, jax.stages.Compiled] = {}

    def prepare(self, clock: Clock, *arguments: Any) -> Callable[..., Any]:
        """The executable for these arguments' shapes; if new, `clock.compile_seconds` pays."""
        leaves, structure = jax.tree.flatten(arguments)
        signature = (structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
        if signature not in self._executables:
            with clock.timing("compile_seconds"), WITHOUT_COLLECTION:
                self._executables[signature] = self._jitted.lower(*arguments).compile()
        return self._executables[signature]

    def memory_bytes(self) -> int | None:
        """The most that an executable holds: arguments, outputs and temporaries, donated ones once.

        A property of the program, unlike the process's peak, which grows with what ran before.
        None where nothing is compiled yet, or the backend does not tell.
        """
        analyses = [executable.memory_analysis() for executable in self._executables.values()]
        sizes = [
            analysis.argument_size_in_bytes
            + analysis.output_size_in_bytes
            + analysis.temp_size_in_bytes
            - analysis.alias_size_in_bytes
            for analysis in analyses
            if analysis is not None
        ]
        return max(sizes, default=None)


class Recipe(NamedTuple):
    """What decides the compiled functions, but for shapes: runs with equal recipes share them.

    `augmentation` is a text that `jaxact.data.parse_augmentation` takes, without `default`.
    """

    model: models.ConvNet
    augmentation: str
    batch_size: int
    learning_rate: float
    learning_rate_schedule: str
    weight_decay: float
    total_steps: int
    objective: Objective = PLAIN


class Program(NamedTuple):
    """The compiled functions of a recipe.

    Attributes:
      init: `(key, images) -> TrainState`, images a normalised batch.
      order: `(key, epoch, labels) -> order`.
      train: `(steps, state, totals, order, examples, keys) -> (state, totals)`; state and totals
        are donated.
      evaluate: `(state, batches) -> Totals`.
      health: `(state, probe) -> [LayerHealth, ...]`.
      classifier: for the latency; takes what `fold` gives.
      fold: `(state, *preprocessing)` to the classifier's variables.
    """

    init: AheadOfTime
    order: AheadOfTime
    train: AheadOfTime
    evaluate: AheadOfTime
    health: AheadOfTime
    classifier: latency.Classifier
    fold: Callable[..., Any]


@functools.cache
def build(recipe: Recipe) -> Program:
    """The program of a recipe; equal recipes get the same one, compiled functions included."""
    optimizer = create_optimizer(
        recipe.learning_rate,
        recipe.learning_rate_schedule,
        recipe.weight_decay,
        recipe.total_steps,
    )
    return assemble(recipe, optimizer)


def assemble(recipe: Recipe, optimizer: optax.GradientTransformation) -> Program:
    """The program of a recipe with this optimizer, newly made; `build` shares those it makes."""
    model = recipe.model
    augment = functools.partial(data.augment_examples, recipe.augmentation, model.num_classes)

    train = functools.partial(
        steps.train_many,
        model,
        optimizer,
        augment,
        data.normalize,
        recipe.batch_size,
        objective=recipe.objective,
    )
    losses = recipe.objective.losses
    evaluate = functools.partial(steps.evaluate, model, data.normalize, losses=losses)
    evaluated = model.clone(folded=True)

    def forward(variables: Any, images: Array) -> Array:
        network, *preprocessing = variables
        return models.predict(evaluated, network, data.normalize(images, *preprocessing))

    def fold(state: TrainState, *preprocessing: Array | None) -> Any:
        return fold_batch_norm(model, state.variables)[1], *preprocessing

    return Program(
        init=AheadOfTime(functools.partial(create_state, model, optimizer), options=RUNS_ONCE),
        order=AheadOfTime(
            lambda key, epoch, labels: steps.epoch_order(key, epoch, labels.shape[0])
        ),
        train=AheadOfTime(
            train, donate=(1, 2), options=None if model.normalizes else without_ynnpack()
        ),
        evaluate=AheadOfTime(evaluate, options=without_ynnpack()),
        health=AheadOfTime(functools.partial(health.measure, model, data.normalize, losses=losses)),
        classifier=latency.Classifier(forward),
        fold=fold,
    )
