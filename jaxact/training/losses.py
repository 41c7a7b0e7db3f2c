"""The function that training minimises: a loss of the logits, and penalties on the kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxact.training.kernels import is_kernel

# (logits [batch, classes], labels int32 [batch]) -> loss of each example, [batch].
Loss = Callable[[Array, Array], Array]


def of_label(logits: Array, labels: Array) -> Array:
    """The score of each example's label, `[batch]`.

    As a sum over classes in which one counts: to pick it by its index would make the gradient a
    scatter, which runs in no fixed order on a GPU.
    """
    is_label = labels[:, None] == jnp.arange(logits.shape[-1], dtype=labels.dtype)
    return jnp.where(is_label, logits, 0).sum(-1)


def cross_entropy(logits: Array, labels: Array) -> Array:
    """`log sum_j exp(s_j) - s_y` for scores s and label y, of each example.

    Args:
      logits: the scores, `[batch, classes]`.
      labels: int32 `[batch]`.

    Returns:
      `[batch]`.
    """
    return jax.nn.logsumexp(logits, axis=-1) - of_label(logits, labels)


def hinge(logits: Array, labels: Array) -> Array:
    """`sum over j != y of max(0, s_j - s_y + 1)` for scores s and label y, of each example.

    Every class within the margin of 1 counts, unlike in `optax.multiclass_hinge_loss`, where the
    worst does.

    Args:
      logits: the scores, `[batch, classes]`.
      labels: int32 `[batch]`.

    Returns:
      `[batch]`.

    Source: Weston and Watkins 1999 (Support vector machines for multi-class pattern recognition,
    ESANN); Stanford CS231n, "Linear classification".
    """
    right = of_label(logits, labels)[:, None]
    # The label's own term is max(0, 1) = 1.
    return jnp.maximum(logits - right + 1, 0).sum(-1) - 1


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "hinge": hinge,
    # max(0, 1 + max over j != y of s_j - s_y): Crammer and Singer 2001 (JMLR 2, 265-292).
    "hinge_max": optax.losses.multiclass_hinge_loss,
}


class Objective(NamedTuple):
    """The minimised function: `mean loss + l1 sum |w| + l2 sum w^2`, over the weights of kernels.

    With both penalties it is the elastic net (Zou and Hastie 2005). They are coupled: Adam sees
    their gradient, unlike that of `weight_decay`. Biases, BatchNorm's parameters and those of
    activations are not penalised.

    Attributes:
      loss: a name of `LOSSES`.
      l1, l2: factors of the penalties, at least 0.
      smoothing: the share a of a label's weight that is spread evenly over all classes. Source:
        Szegedy et al. 2016 (arXiv:1512.00567), section 7.
    """

    loss: str = "cross_entropy"
    l1: float = 0.0
    l2: float = 0.0
    smoothing: float = 0.0

    def losses(self, logits: Array, labels: Array) -> Array:
        """The loss of each example, `[batch]`.

        Args:
          logits: `[batch, classes]`.
          labels: int32 `[batch]`; or soft, probabilities `[batch, classes]`: the loss is then the
            mean over the classes with these weights, of cross-entropy `-sum_c p_c log softmax_c`.
        """
        if labels.ndim < logits.ndim:
            return LOSSES[self.loss](logits, labels)
        return (labels * self._of_classes(logits)).sum(-1)

    def smoothed(self, losses: Array, logits: Array) -> Array:
        """`(1 - a) loss + a mean over classes of theirs`: what is minimised of each, `[batch]`.

        Args:
          losses: of `losses`.
        """
        if not self.smoothing:
            return losses
        even = self._of_classes(logits).mean(-1)
        return (1 - self.smoothing) * losses + self.smoothing * even

    def _of_classes(self, logits: Array) -> Array:
        """The loss that each example would have with each label, `[batch, classes]`."""
        loss = LOSSES[self.loss]
        classes = jnp.arange(logits.shape[-1], dtype=jnp.int32)
        of_class = jax.vmap(lambda c: loss(logits, jnp.full(len(logits), c)), out_axes=-1)
        return of_class(classes)

    def penalized(self, loss: Array, params: Any) -> Array:
        """A mean loss with the penalties of these parameters: what is minimised, `[]`."""
        for factor, measure in ((self.l1, size), (self.l2, jnp.square)):
            if factor:
                loss += factor * sum(measure(kernel).sum() for kernel in kernels(params))
        return loss


PLAIN = Objective()  # the mean cross-entropy, and no more


def size(x: Array) -> Array:
    """`|x|`, with the derivative 0 at 0, where that of `jnp.abs` is 1 and would move a zero."""
    return x * jnp.sign(x)


def kernels(params: Any) -> list[Array]:
    """The kernels among a model's parameters: what is penalised and decayed."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return [leaf for path, leaf in leaves if is_kernel(path, leaf)]
