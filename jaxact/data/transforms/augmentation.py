"""Random changes to a batch of training examples, by name: pure, jittable, alike for a key.

A text names what is done, in this order: `flip,rotate,mixup`. Each has one strength, its amount,
which the text may set: `rotate(amount=30)`; amount 0 changes nothing. `none` is none of them.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxact import specs
from jaxact.data.transforms import color, geometry
from jaxact.data.transforms.mixup import mixup
from jaxact.errors import ConfigError, did_you_mean

NONE, DEFAULT = "none", "default"


class Augmentation(NamedTuple):
    """A random change to a batch, and how strong it is.

    Attributes:
      function: of images; of "affine" the matrices' draw; of "colors" it takes the components of
        the training split's colours too; of "labels" it takes and gives labels too.
      amount: unless another is asked for.
      most: the largest amount.
      meaning: of the amount, with its unit.
      is_whole: whether the amount is a whole number.
    """

    kind: Literal["images", "affine", "colors", "labels"]
    function: Callable[..., Any]
    amount: float
    most: float
    meaning: str
    is_whole: bool = False


AUGMENTATIONS: dict[str, Augmentation] = {
    "crop": Augmentation(
        "images", geometry.random_crop, 4, 64, "pixels of black border on every side", is_whole=True
    ),
    "flip": Augmentation("images", geometry.random_flip, 0.5, 1, "probability of the mirror image"),
    "crop_scale": Augmentation(
        "affine", geometry.random_crop_and_scale, 0.5, 0.99, "largest share of the area cut away"
    ),
    "translate": Augmentation(
        "affine", geometry.random_translation, 0.125, 1, "largest share of height and width"
    ),
    "rotate": Augmentation("affine", geometry.random_rotation, 15, 180, "largest angle in degrees"),
    "stretch": Augmentation(
        "affine", geometry.random_stretching, 0.2, 4, "largest growth of a side, 0.2: by a fifth"
    ),
    "shear": Augmentation(
        "affine", geometry.random_shearing, 0.2, 2, "largest slope of upright lines"
    ),
    "lens_distortion": Augmentation(
        "images", geometry.lens_distortion, 0.3, 1, "largest radial coefficient"
    ),
    "color_jitter": Augmentation(
        "images", color.color_jitter, 0.4, 1, "largest relative change, of each of three"
    ),
    "pca_color": Augmentation(
        "colors", color.pca_color, 0.1, 10, "standard deviation of the eigenvalues' factors"
    ),
    "mixup": Augmentation("labels", mixup, 0.2, 100, "alpha of the weights' Beta(alpha, alpha)"),
}
# Texts that stand for others.
ALIASES = {"crop_flip": "crop,flip"}


class Step(NamedTuple):
    """One augmentation of a text, and its amount."""

    name: str
    amount: float


def augmentations() -> tuple[str, ...]:
    """Every name that a text may hold."""
    return (NONE, *ALIASES, *AUGMENTATIONS)


def parse_augmentation(text: str, default: str = NONE) -> tuple[Step, ...]:
    """The steps that a text names, in its order.

    Args:
      text: names separated by commas, each with or without its amount.
      default: the text that `default` stands for: the data set's own.

    Raises:
      ConfigError: a name is unknown or stands twice, or an amount is wrong.
    """

    def wrong(problem: str) -> ConfigError:
        return ConfigError(f"augmentation={text!r} {problem}")

    words = specs.split_list(text)
    if words == [NONE]:
        return ()
    steps: list[Step] = []
    for word in words:
        name, amount = _name_and_amount(word)
        if name == NONE:
            raise wrong("names none and others: give none alone, or leave it out")
        known = (DEFAULT, *augmentations())
        if name not in known:
            example = "separated by commas, such as flip,rotate(amount=30)"
            raise wrong(
                f"names {name!r}{did_you_mean(name, known)} (of {', '.join(known)}, {example})"
            )
        if amount is not None and name not in AUGMENTATIONS:
            raise wrong(f"gives {name} an amount: name what it stands for, one by one")
        if name == DEFAULT:
            steps += parse_augmentation(default)
        elif name in ALIASES:
            steps += parse_augmentation(ALIASES[name])
        else:
            steps.append(Step(name, _amount(name, amount, wrong)))
    for name in (step.name for step in steps):
        if sum(step.name == name for step in steps) > 1:
            raise wrong(f"names {name} twice: give each once")
    return tuple(steps)


def _name_and_amount(text: str) -> tuple[str, str | None]:
    """The name before the brackets, and the amount within; `text` whole if it is otherwise."""
    match specs.take_apart(text):
        case name, []:
            return name, None
        case name, [("amount", amount)] if amount:
            return name, amount
    return text, None


def _amount(name: str, text: str | None, wrong: Callable[[str], ConfigError]) -> float:
    """An amount as its text has it, or the augmentation's own."""
    augmentation = AUGMENTATIONS[name]
    if text is None:
        return augmentation.amount
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    is_fraction = augmentation.is_whole and not amount.is_integer()
    if not 0 <= amount <= augmentation.most or is_fraction:
        number = "a whole number" if augmentation.is_whole else "a number"
        raise wrong(
            f"gives {name} the amount {text}: must be {number} from 0 to {augmentation.most:g} "
            f"({augmentation.meaning})"
        )
    return amount


def augmentation_text(steps: tuple[Step, ...]) -> str:
    """The text of steps, the same for the same steps; `parse_augmentation` takes it apart again."""
    return ",".join(f"{step.name}(amount={step.amount})" for step in steps) or NONE


def augment_examples(
    text: str,
    num_classes: int,
    key: Array,
    images: Array,
    labels: Array,
    components: Array | None = None,
) -> tuple[Array, Array]:
    """Applies what a text names, in its order; affine ones in a row are one sampling.

    Args:
      text: as `parse_augmentation` takes it; a Python string, static under jit.
      num_classes: of the labels.
      key: of all draws. One augmentation alone uses it as it is, several split it.
      images: uint8 `[batch, height, width, channels]`.
      labels: int32 `[batch]`.
      components: from `jaxact.data.color_components`; needed by `pca_color` alone.

    Returns:
      Images, of the same shape and dtype. Labels: as they were, or, where mixup has mixed them, the
      probability of each class, float32 `[batch, classes]`.

    Raises:
      ConfigError: the text is wrong.
      ValueError: `pca_color` lacks the components.
    """
    steps = parse_augmentation(text)
    if not steps:
        return images, labels
    keys = [key] if len(steps) == 1 else jax.random.split(key, len(steps))
    matrices: Array | None = None  # of affine augmentations that have not been sampled yet
    for step, step_key in zip(steps, keys, strict=True):
        kind, function, *_ = AUGMENTATIONS[step.name]
        if kind == "affine":
            drawn = function(step_key, images.shape, step.amount)
            matrices = drawn if matrices is None else geometry.after(matrices, drawn)
            continue
        if matrices is not None:
            images, matrices = geometry.warp(images, matrices), None
        if kind == "labels":
            labels = jax.nn.one_hot(labels, num_classes) if labels.ndim == 1 else labels
            images, labels = function(step_key, images, labels, step.amount)
        elif kind == "colors":
            if components is None:
                raise ValueError(f"{step.name} needs the components of the training split's colors")
            images = function(step_key, images, components, step.amount)
        else:
            images = function(step_key, images, step.amount)
    return (images if matrices is None else geometry.warp(images, matrices)), labels


def augment(text: str, key: Array, images: Array, components: Array | None = None) -> Array:
    """Augments images without labels; see `augment_examples`."""
    labels = jnp.zeros(len(images), jnp.int32)
    return augment_examples(text, 1, key, images, labels, components)[0]


def needs_colors(text: str) -> bool:
    """Whether what a text names needs the components of the training split's colours."""
    return any(AUGMENTATIONS[step.name].kind == "colors" for step in parse_augmentation(text))
