"""The rows of the registry: the activations that gate their input with a function of it."""

from jaxact.activations.activation import Kink
from jaxact.activations.functions import composed, gated, gaussian
from jaxact.activations.registry import register

register(
    "swish",
    gated.swish,
    gated.swish_derivative,
    monotonic=lambda beta: beta == 0,
    reference="Ramachandran, Zoph and Le 2017, Searching for activations, arXiv 1710.05941",
)
register(
    "silu",
    gated.silu,
    gated.silu_derivative,
    monotonic=False,
    reference="Elfwing, Uchibe and Doya 2018, arXiv 1702.03118 (swish with beta = 1)",
)
register(
    "mish",
    gated.mish,
    gated.mish_derivative,
    monotonic=False,
    reference="Misra 2019, Mish, arXiv 1908.08681",
)
register(
    "gelu",
    gaussian.gelu,
    gaussian.gelu_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv 1606.08415",
)
register(
    "gelu_tanh",
    gaussian.gelu_tanh,
    gaussian.gelu_tanh_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2 (tanh approximation)",
)
for _name in ("hard_silu", "hard_swish"):
    register(
        _name,
        gated.hard_silu,
        gated.hard_silu_derivative,
        kinks=(Kink(-3.0, 0.0), Kink(3.0, 1.0)),
        monotonic=False,
        reference="Howard et al. 2019, Searching for MobileNetV3, arXiv 1905.02244, section 5.2",
    )
register(
    "quick_gelu",
    gated.quick_gelu,
    gated.quick_gelu_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2 (sigmoid approximation)",
)
register(
    "hard_mish",
    gated.hard_mish,
    gated.hard_mish_derivative,
    kinks=(Kink(-2.0, 0.0),),
    monotonic=False,
    reference="Misra 2020, H-Mish, github.com/digantamisra98/H-Mish",
)
register(
    "lisht",
    composed.lisht,
    composed.lisht_derivative,
    monotonic=False,
    reference="Roy et al. 2019, LiSHT, arXiv 1901.05894",
)
register(
    "elish",
    composed.elish,
    composed.elish_derivative,
    monotonic=False,
    reference="Basirat and Roth 2018, The quest for the golden activation, arXiv 1808.00783",
)
register(
    "hard_elish",
    composed.hard_elish,
    composed.hard_elish_derivative,
    kinks=(Kink(-1.0, 0.0), Kink(1.0, 1.0)),
    monotonic=False,
    reference="Basirat and Roth 2018, The quest for the golden activation, arXiv 1808.00783",
)
