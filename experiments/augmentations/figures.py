"""The sheet of augmentations, and the errors of networks trained with them."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from jaxact import data
from jaxact.data.transforms.augmentation import AUGMENTATIONS
from jaxact.packages import needed_for
from jaxact.presentation import drawing
from jaxact.presentation.style import style_of

DRAWS = 8
PHOTOGRAPH_PIXELS = 64
_WINDOWS = {"china.jpg": (60, 0, 320), "flower.jpg": (40, 150, 360)}  # top, left, side


_augment = jax.jit(data.augment, static_argnums=0)


def photographs() -> np.ndarray:
    """Parts of the two photographs that scikit-learn embeds: uint8 `[2, 64, 64, 3]`."""
    with needed_for("a picture of augmentations"):
        from sklearn.datasets import load_sample_image  # slow to import, and needed here alone

    parts = []
    for name, (top, left, side) in _WINDOWS.items():
        part = load_sample_image(name)[None, top : top + side, left : left + side]
        parts.append(data.resize(part, PHOTOGRAPH_PIXELS, PHOTOGRAPH_PIXELS))
    return np.concatenate(parts)


def pictures(dataset: str, data_dir: str) -> np.ndarray:
    """Training images of a data set that has colours, else the photographs."""
    images = data.load(dataset, data_dir).train.images
    return images if images.shape[-1] == 3 else photographs()


def drawn(name: str, images: np.ndarray, draws: int = DRAWS) -> tuple[str, np.ndarray]:
    """A text with the augmentation, and draws of it on the first of two images or more.

    Amounts are the defaults, but crops reach as far as on images of 32 pixels, and mixup's weights
    are uniform: by default most of them are close to 0 or 1, and nothing would be seen.
    """
    amounts = {"crop": max(images.shape[1] // 8, 1), "mixup": 1}
    amount = amounts.get(name, AUGMENTATIONS[name].amount)
    text = f"{name}(amount={amount:g})"
    # Several times as many others as draws, for mixup to find among its partners.
    others = images[1 + np.arange(4 * draws) % (len(images) - 1)]
    batch = jnp.asarray(np.concatenate([np.repeat(images[:1], draws, 0), others]))
    components = jnp.asarray(data.color_components(images[:1000]))
    key = jax.random.fold_in(jax.random.key(1), list(AUGMENTATIONS).index(name))
    return text, np.asarray(_augment(text, key, batch, components))[:draws]


def contact_sheet(dataset: str, data_dir: str) -> Figure:
    """A row an augmentation: the original, then draws of it."""
    images = pictures(dataset, data_dir)
    with drawing.house_style():
        figure = drawing.new_figure(8.6, 0.92 * len(AUGMENTATIONS) + 0.5)
        grid = figure.subplots(len(AUGMENTATIONS), DRAWS + 1, squeeze=False)
        for axes_row, name in zip(grid, AUGMENTATIONS, strict=True):
            text, shown = drawn(name, images)
            for axes, image in zip(axes_row, [images[0], *shown], strict=True):
                axes.imshow(image, interpolation="nearest")
                axes.set_xticks([])
                axes.set_yticks([])
                axes.grid(False)
                axes.spines[:].set_visible(False)
            label = text.replace("(", "\n(")
            axes_row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        grid[0, 0].set_title("original", fontsize=8)
        grid[0, 1].set_title(f"{DRAWS} draws", fontsize=8)
    return figure


def errors(found: Mapping[str, Mapping[str, Sequence[float]]], views: Sequence[str]) -> Figure:
    """A line of marks an augmentation: each seed's test error, and the mean of each view.

    Args:
      found: augmentation to view to one error a seed, 0 to 1.
      views: in the order of the legend.
    """
    styles = style_of(views)
    with drawing.house_style():
        figure = drawing.new_figure(7.2, 0.34 * len(found) + 1.4)
        axes = figure.subplots()
        for position, of_name in enumerate(found.values()):
            for offset, view in zip(np.linspace(-0.22, 0.22, len(views)), views, strict=True):
                values = 100 * np.asarray(of_name[view])
                style, height = styles[view], position + offset
                axes.plot(
                    values, np.full(len(values), height), style.marker, color=style.color,
                    markersize=3, alpha=0.45, markeredgewidth=0,
                )  # fmt: skip
                axes.plot(
                    values.mean(), height, style.marker, color=style.color, markersize=6.5,
                    label=view if position == 0 else None,
                )  # fmt: skip
        first = 100 * float(np.mean(next(iter(found.values()))[views[0]]))
        axes.axvline(first, color="#999999", linewidth=0.9, linestyle="dashed")
        axes.set_yticks(range(len(found)), list(found))
        axes.invert_yaxis()
        axes.set_xlabel("test error (%); small: a seed, large: their mean")
        axes.legend(title="test images", loc="best")
    return figure
