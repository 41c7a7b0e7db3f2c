"""From a configuration to all that a run needs: data on the device, model, compiled functions."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxact import activations, models
from jaxact.activations import own
from jaxact.activations.activation import ActivationError
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.models.own import examination, factories
from jaxact.models.own.examination import Examined
from jaxact.runs.loading import feeds, run_data
from jaxact.runs.loading.evaluation import StreamedBatches
from jaxact.runs.loading.feeds import Feed
from jaxact.runs.process import devices, modes
from jaxact.runs.records.workdirs import MODEL, OPTIMIZER
from jaxact.training import data_parallel, own_optimizer, program
from jaxact.training.losses import Objective
from jaxact.training.state import Totals, TrainState
from jaxact.training.steps import Examples, Keys


@dataclasses.dataclass(frozen=True)
class Setup:
    """A run, ready to start; nothing has been written yet.

    Attributes:
      model, activation: as built.
      data: the images.
      recipe, program: what decides the compiled functions, and these.
      keys: the run's streams of randomness.
      steps_per_epoch: whole batches in the training images.
      notes: sentences about the model, for its user.
      records: what `config.json` holds beside the fields: fingerprints of a model and an optimizer
        of the user's own.
    """

    config: Config
    model: models.Network
    activation: activations.Activation
    data: run_data.RunData
    recipe: program.Recipe
    program: program.Program
    keys: Keys
    steps_per_epoch: int
    notes: tuple[str, ...] = ()
    records: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def train(self) -> Examples:
        return self.data.train

    @property
    def evaluations(self) -> dict[str, Examples]:
        return self.data.evaluations

    @property
    def probe(self) -> Examples | None:
        return self.data.probe

    def no_totals(self) -> Totals:
        """The totals of an epoch that has not begun."""
        zero = Totals.zero(self.lanes, models.wide_dtype(self.config.precision))
        return data_parallel.replicated(zero, self.recipe.mesh)

    @property
    def total_steps(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    @property
    def lanes(self) -> tuple[int, ...]:
        """The shape of what each run has one of: `()` of a run alone, `(count,)` of several."""
        return self.keys.init.shape

    @property
    def chunk_steps(self) -> int:
        """The steps of a chunk of streamed images."""
        image_bytes = math.prod(self.train.images.shape[1:])
        return feeds.chunk_steps(image_bytes, self.config.batch_size, self.steps_per_epoch)

    @property
    def fed(self) -> Examples:
        """The shapes of the examples that the train program takes."""
        if self.data.streamed is None:
            return self.train
        return feeds.shapes_of_chunk(self.train, self.config.batch_size, self.chunk_steps)

    def feed(self, step: int) -> Feed:
        """The feed of the training loop from a step on; to be closed."""
        config = self.config
        if self.data.streamed is None:
            return feeds.Resident(self.train)
        return feeds.Streamed(
            self.data.streamed,
            self.train,
            config.batch_size,
            config.epochs,
            step,
            config.loading_workers,
            self.chunk_steps,
        )

    def close(self) -> None:
        """Ends what reads images ahead; it begins again where it is needed."""
        for split in self.evaluations.values():
            if isinstance(split, StreamedBatches):
                split.close()

    def with_seed(self, seed: int) -> "Setup":
        """The setup with the draws of another seed; the configuration keeps its own."""
        return dataclasses.replace(self, keys=Keys.from_seed(seed))


def prepare(config: Config, may_stream: bool = False) -> Setup:
    """Gets the data and builds the model.

    Args:
      may_stream: as `jaxact.runs.loading.run_data.load` takes it.

    Raises:
      ConfigError, DataError: as it does.
    """
    modes.refuse_strict()
    activation = activations.get(config.activation)
    images = run_data.load(config, may_stream)
    image_shape = images.train.images.shape[1:]
    model, notes, taken = create_model(config, activation, images.num_classes, image_shape)
    records = {MODEL: taken}
    has_own_optimizer = own_optimizer.is_own(config.optimizer)
    if own.is_own(activation) or has_own_optimizer:
        # What they do wrong in this network is told before training.
        image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
        params = jax.eval_shape(model.initial, jax.random.key(0), image)["params"]
        if has_own_optimizer:
            records[OPTIMIZER] = own_optimizer.fingerprint(config.optimizer, params)
    steps_per_epoch = images.train.labels.shape[0] // config.batch_size
    recipe = program.Recipe(
        model=model,
        augmentation=images.augmentation,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        learning_rate_schedule=config.learning_rate_schedule,
        weight_decay=config.weight_decay,
        total_steps=(
            0 if config.learning_rate_schedule == "constant" else config.epochs * steps_per_epoch
        ),
        objective=Objective(config.loss, config.l1, config.l2, config.label_smoothing),
        optimizer=config.optimizer,
        warmup_steps=round(config.warmup_epochs * steps_per_epoch),
        clip_norm=config.clip_norm,
        ema=config.ema,
        mesh=devices.mesh(config.devices),
    )
    return Setup(
        config=config,
        model=model,
        activation=activation,
        data=images,
        recipe=recipe,
        program=program.build(recipe),
        keys=Keys.from_seed(config.seed),
        steps_per_epoch=steps_per_epoch,
        notes=notes,
        records={name: value for name, value in records.items() if value is not None},
    )


def create_model(
    config: Config,
    activation: activations.Activation,
    num_classes: int,
    image_shape: tuple[int, ...],
) -> Examined:
    """The network of a configuration; of jaxact's, without notes and fingerprint.

    Args:
      image_shape: `(height, width, channels)` of its images.

    Raises:
      ConfigError: the user's own cannot be used.
    """
    models.check_precision(config.precision)
    if models.is_own(config.model):
        try:
            return examination.examined(
                factories.get(config.model),
                activation,
                num_classes,
                image_shape,
                config.activation_sharing,
                config.precision,
            )
        except ActivationError:
            raise
        except ConfigError as error:
            raise ConfigError(f"config.model: {error}") from error
    model = models.create_model(
        config.model,
        activation,
        num_classes,
        config.kernel_init,
        config.activation_sharing,
        config.precision,
        config.bias_init,
        **{name: getattr(config, name) for name in models.own_fields(config.model)},
    )
    return Examined(model, (), None)


def initial_state(setup: Setup, clock: Clock) -> TrainState:
    """The state before the first step."""
    images = jnp.zeros((1, *setup.train.images.shape[1:]), jnp.float32)
    create = setup.program.init.prepare(clock, setup.keys.init, images)
    return create(setup.keys.init, images)
