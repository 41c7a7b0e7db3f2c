"""The labels of an `.npz` file: one whole number an image, or the reason why they are not."""

import numpy as np

from jaxact.errors import DataError


def as_labels(labels: np.ndarray, name: str, examples: int, images_name: str) -> np.ndarray:
    """Integers `[examples]`.

    Args:
      labels: integers `[examples]` or, as Keras and MedMNIST have them, `[examples, 1]`.
      name: of the array, for the error message.
      examples: how many there must be.
      images_name: of the array of their images.

    Raises:
      DataError: they are something else, which is named with what to save instead.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{name} must be integers [examples], 0 for the first class, got {labels.dtype} "
            f"{list(labels.shape)}; {_remedy(labels)}"
        )
    if len(labels) != examples:
        raise DataError(f"{images_name} are {examples}, {name} {len(labels)}; one label an image")
    return labels


def _remedy(labels: np.ndarray) -> str:
    """The likely meaning of labels that are no integers `[examples]`, and what to save instead."""
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        return "they hold NaN or infinite numbers: remove such images, or label them"
    if labels.ndim == 2 and labels.size:
        is_binary = np.isin(labels, (0, 1)).all()
        classes_of_each = np.count_nonzero(labels, axis=1)
        if is_binary and (classes_of_each == 1).all():
            return "they are one-hot: save labels.argmax(-1)"
        if is_binary:
            odd = int(np.flatnonzero(classes_of_each != 1)[0])
            return (
                f"they are multi-label (image {odd} has {classes_of_each[odd]} of "
                f"{labels.shape[1]}), which no image of one class is: keep one column, such as "
                "labels[:, 0], or the images of exactly one label"
            )
        return (
            "the rows are neither one-hot nor one class each: save the number of each image's class"
        )
    if labels.ndim == 1 and labels.dtype.kind == "b":
        return "False and True are two classes: save labels.astype(np.int64)"
    if labels.dtype.kind not in "iuf":
        return (
            "they are names: save np.unique(labels, return_inverse=True)[1], of all splits together"
        )
    if labels.ndim == 1 and labels.size:
        if (odd := np.flatnonzero(labels != np.rint(labels))).size:
            return (
                f"they are not whole (image {odd[0]}: {labels[odd[0]]:g}): quantities are no "
                "classes; save the number of the class of each image, such as "
                "np.digitize(labels, edges)"
            )
        return "they are whole numbers: save labels.astype(np.int64)"
    return "save the number of the class of each image"
