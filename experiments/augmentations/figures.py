"""The sheet of augmentations, and the errors of networks trained with them."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from experiments.augmentations.experiment import AS_THEY_ARE
from experiments.common.findings import capitalized, told_from
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from jaxact import data, statistics
from jaxact.data.transforms.augmentation import AUGMENTATIONS
from jaxact.packages import needed_for
from jaxact.presentation import drawing, numbers
from jaxact.presentation.style import GREY, style_of

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


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result.

    Raises:
      ConfigError, DataError: the pictures cannot be had.
    """
    settings = result["settings"]
    data_dir = settings.get("data_dir", data.default_data_dir())
    return {
        "sheet": contact_sheet(settings["dataset"], str(data_dir)),
        "errors": errors(result["details"]["errors"], result["title"]),
    }


@drawing.house_style()
def contact_sheet(dataset: str, data_dir: str) -> Figure:
    """A row an augmentation: the original, then draws of it."""
    images = pictures(dataset, data_dir)
    figure = drawing.new_figure(8.6, 0.92 * len(AUGMENTATIONS) + 0.7)
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
    add_headline(
        figure,
        f"Every augmentation: the picture as it is, and {DRAWS} draws",
        "Amounts are the defaults, but crops reach as far as on 32 pixels, and mixup's weights are "
        "uniform.",
    )
    return figure


@drawing.house_style()
def errors(found: Mapping[str, Mapping[str, Sequence[float]]], setting: str) -> Figure:
    """A row of marks an augmentation: each seed's test error, and the mean of each view.

    Args:
      found: augmentation to view to one error a seed, 0 to 1. The first is what the others are
        compared with; they follow by the mean error of the first view.
    """
    first, *others = found
    views = list(found[first])
    plain = {name: of_name[views[0]] for name, of_name in found.items()}
    order = [first, *sorted(others, key=lambda name: float(np.mean(plain[name])))]
    styles = style_of(views)
    figure = drawing.new_figure(7.2, 0.36 * len(found) + 1.5)
    axes = figure.subplots()
    handles = {}
    for position, name in enumerate(order):
        for offset, view in zip(np.linspace(-0.25, 0.25, len(views)), views, strict=True):
            values = 100 * np.asarray(found[name][view])
            style, height = styles[view], position + offset
            axes.plot(
                values, np.full(len(values), height), style.marker, color=style.color,
                markersize=3, alpha=0.5, markeredgewidth=0,
            )  # fmt: skip
            (handles[view],) = axes.plot(
                values.mean(), height, style.marker, color=style.color, markersize=6,
                linestyle="none",
            )  # fmt: skip
    axes.axvline(100 * float(np.mean(plain[first])), color=GREY, linewidth=0.9, linestyle="dashed")
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    for between in np.arange(0.5, len(order) - 1):
        axes.axhline(between, color="#eeeeee", linewidth=0.8, zorder=0)
    axes.set_xlabel("test error (%)")
    drawing.add_legend(figure, list(handles.values()), [_label(view) for view in views])
    seeds = numbers.count(len(plain[first]), "seed")
    drawing.add_caption(
        figure, f"Small: one of {seeds}; large: their mean; dashed: that of {first}."
    )
    tests = {test.name: test for test in statistics.compare(plain, first)}
    words = told_from(first, tests, "lower error", "higher error")
    add_headline(figure, capitalized(words), setting)
    return figure


def _label(view: str) -> str:
    return view if view == AS_THEY_ARE else f"mean over {view}"
