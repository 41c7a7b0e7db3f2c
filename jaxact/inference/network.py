"""A trained network in use: images to probabilities."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact import data, models
from jaxact.errors import DataError
from jaxact.inference import batches, export


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A trained network: called with images it gives the probability of each class.

    `network = jaxact.load("runs/a")`, then `network(images)` and `network.export("a.stablehlo")`.

    Attributes:
      model: the module, as trained.
      params: its trained variables, nested dicts by name: `params["Conv_0"]["kernel"]`.
      collections: its other variables likewise, such as `collections["batch_stats"]`.
      preprocessing: what normalises images, as fitted on the training images.
      classes: a name each, in the order of labels.
      image_shape: `(height, width, channels)` of the images that it takes.
      config: of its training.
      epoch: after which of its epochs it is as it is.
    """

    model: models.Network
    params: Mapping[str, Any]
    collections: Mapping[str, Any]
    preprocessing: data.Preprocessing
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    config: Any
    epoch: int

    def __call__(self, images: Any) -> np.ndarray:
        """The probability of each class: softmax of `logits`, float32 `[..., classes]`."""
        logits = self.logits(images)
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def logits(self, images: Any) -> np.ndarray:
        """The logits of images, float32 `[..., classes]`, normalised as in training.

        Args:
          images: uint8 `[batch, height, width, channels]`, or one image; grey ones also without the
            axis of channels.

        Raises:
          DataError: another dtype, or images of another shape than `image_shape`.
        """
        images = self._checked(images)
        flat = images.reshape(-1, *self.image_shape)
        sides = (max(side, self.model.input_size) for side in self.image_shape[:2])
        size = batches.images_at_once(*sides)
        parts = [self._of_batch(flat[k : k + size]) for k in range(0, len(flat), size)]
        logits = np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)
        return logits.reshape(*images.shape[:-3], len(self.classes))

    def export(self, path: str | Path, format: str | None = None) -> Path:
        """Writes the network as a file that runs without jaxact; see `jaxact.inference.export`.

        Args:
          path: of the file, such as "net.stablehlo" or "net.onnx"; or of a folder, which gets
            "network.stablehlo" or "network.onnx".
          format: "stablehlo" (`jax.export`) or "onnx"; None: by the name of the file, or the first.

        Returns:
          The file; beside it lies one of the same name and ".json" that says how to load it.

        Raises:
          ConfigError: the format is unknown, or not the file's; a package is missing; or the
            network has an operation that the format has not.
        """
        trained = dataclasses.asdict(self.config) | {"dataset": data.title(self.config.dataset)}
        for name in self.config.OF_THE_MACHINE:
            del trained[name]
        facts = {"classes": list(self.classes), "trained": trained | {"epoch": self.epoch}}
        return export.write(self.probabilities, self.image_shape, facts, Path(path), format)

    def probabilities(self, images: Array) -> Array:
        """Softmax of the logits as JAX traces it; uint8 `[batch, *image_shape]`, on any device."""
        model = self.model
        if isinstance(model, models.ConvNet):  # of layers as Flax has them, which jax2onnx knows
            model = model.clone(fuses_pooling=False)
        plain = dataclasses.replace(self, model=model)
        return jax.nn.softmax(plain._forward(self._variables, images))

    def _checked(self, images: Any) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8:
            raise DataError(
                f"images are {images.dtype}; they must be uint8, 0 to 255, as they were before any "
                "normalisation: np.rint(255 * images).astype(np.uint8), if they are in [0, 1]"
            )
        height, width, channels = self.image_shape
        if images.shape[-3:] == self.image_shape:
            return images
        if channels == 1 and images.shape[-2:] == (height, width):
            return images[..., np.newaxis]
        raise DataError(
            f"images are {list(images.shape)}; the network takes [batch, {height}, {width}, "
            f"{channels}], or one image: resize them, as `jaxact predict` does with files"
        )

    def _of_batch(self, images: np.ndarray) -> np.ndarray:
        # Filled up to a power of two, so that few programs are compiled whatever the batches.
        blanks = 2 ** math.ceil(math.log2(len(images))) - len(images)
        filled = np.pad(images, ((0, blanks), (0, 0), (0, 0), (0, 0)))
        return np.asarray(self._compiled(self._on_device, filled))[: len(images)]

    @property
    def _variables(self) -> Any:
        return {"params": self.params, **self.collections}, tuple(self.preprocessing)

    @property
    def batch_stats(self) -> Mapping[str, Any]:
        """The running statistics of BatchNorm by name; `{}` without."""
        return self.collections.get("batch_stats", {})

    @functools.cached_property
    def _on_device(self) -> Any:
        return jax.device_put(self._variables)

    @functools.cached_property
    def _compiled(self) -> Any:
        return jax.jit(self._forward)

    def _forward(self, variables: Any, images: Array) -> Array:
        network, preprocessing = variables
        enlarged = data.enlarged(images, self.model.input_size)
        dtype = models.wide_dtype(self.model.precision)
        normalised = data.normalize(enlarged, *preprocessing, dtype=dtype)
        return models.predict(self.model, network, normalised).astype(jnp.float32)

    def __repr__(self) -> str:
        config, size = self.config, " x ".join(map(str, self.image_shape))
        return (
            f"Network({config.model}, {config.activation}, {data.title(config.dataset)}: "
            f"{len(self.classes)} classes of images {size}, "
            f"{models.count_parameters(self.params):,} parameters, epoch {self.epoch} of "
            f"{config.epochs})"
        )
