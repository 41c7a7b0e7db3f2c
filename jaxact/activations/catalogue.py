"""The rows of the registry: the activations that are fixed and no gates. One call adds one."""

from jaxact.activations.activation import Kink
from jaxact.activations.functions import (
    algebraic,
    exponential,
    normalized,
    periodic,
    rectifiers,
    shrinkage,
    sigmoids,
    smooth_rectifiers,
)
from jaxact.activations.registry import INTEGER, POSITIVE, register


def kink_at_zero(slope: float) -> tuple[Kink, ...]:
    """The kink of a unit that has slope 1 above 0 and `slope` at 0 and just below."""
    return () if slope == 1 else (Kink(0.0, slope),)


register(
    "identity",
    rectifiers.identity,
    rectifiers.identity_derivative,
    monotonic=True,
    reference="f(x) = x",
)
register(
    "linear",
    rectifiers.linear,
    rectifiers.linear_derivative,
    monotonic=True,
    reference="f(x) = slope x",
)
register(
    "binary_step",
    rectifiers.binary_step,
    rectifiers.binary_step_derivative,
    kinks=(Kink(0.0, 0.0),),
    monotonic=True,
    reference="McCulloch and Pitts 1943, A logical calculus of ideas immanent in nervous activity",
)
register(
    "sigmoid",
    sigmoids.sigmoid,
    sigmoids.sigmoid_derivative,
    monotonic=True,
    reference="Rumelhart, Hinton and Williams 1986, Learning representations by back-propagation",
)
register(
    "tanh",
    sigmoids.tanh,
    sigmoids.tanh_derivative,
    monotonic=True,
    reference="LeCun et al. 1998, Efficient BackProp",
)
register(
    "relu",
    rectifiers.relu,
    rectifiers.relu_derivative,
    kinks=(Kink(0.0, 0.0),),
    monotonic=True,
    reference="Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
)
register(
    "relu6",
    rectifiers.relu6,
    rectifiers.relu6_derivative,
    kinks=(Kink(0.0, 0.0), Kink(6.0, 0.0)),
    monotonic=True,
    reference="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
)
register(
    "leaky_relu",
    rectifiers.leaky_relu,
    rectifiers.leaky_relu_derivative,
    kinks=lambda negative_slope: kink_at_zero(negative_slope),
    monotonic=lambda negative_slope: negative_slope >= 0,
    reference="Maas, Hannun and Ng 2013, Rectifier nonlinearities improve acoustic models",
)
register(
    "elu",
    exponential.elu,
    exponential.elu_derivative,
    kinks=lambda alpha: kink_at_zero(alpha),
    monotonic=lambda alpha: alpha >= 0,
    reference="Clevert, Unterthiner and Hochreiter 2016, arXiv 1511.07289, equation 15",
)
register(
    "celu",
    exponential.celu,
    exponential.celu_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Barron 2017, Continuously differentiable ELUs, arXiv 1704.07483, equation 2",
)
register(
    "selu",
    exponential.selu,
    exponential.selu_derivative,
    kinks=(Kink(0.0, exponential.SELU_LAMBDA * exponential.SELU_ALPHA),),
    monotonic=True,
    reference="Klambauer et al. 2017, Self-normalizing networks, arXiv 1706.02515, equation 2",
)
register(
    "hard_sigmoid",
    rectifiers.hard_sigmoid,
    rectifiers.hard_sigmoid_derivative,
    kinks=(Kink(-3.0, 0.0), Kink(3.0, 0.0)),
    monotonic=True,
    reference="Howard et al. 2019, Searching for MobileNetV3, arXiv 1905.02244",
)
register(
    "hard_tanh",
    rectifiers.hard_tanh,
    rectifiers.hard_tanh_derivative,
    kinks=(Kink(-1.0, 1.0), Kink(1.0, 1.0)),
    monotonic=True,
    reference="Collobert 2004, Large scale machine learning",
)
register(
    "log_sigmoid",
    smooth_rectifiers.log_sigmoid,
    smooth_rectifiers.log_sigmoid_derivative,
    monotonic=True,
    reference="f(x) = -log(1 + e^-x), the log-likelihood of logistic regression",
)
register(
    "soft_sign",
    sigmoids.soft_sign,
    sigmoids.soft_sign_derivative,
    monotonic=True,
    reference="Bergstra et al. 2009, Quadratic polynomials learn better image features",
)
register(
    "softplus",
    smooth_rectifiers.softplus,
    smooth_rectifiers.softplus_derivative,
    monotonic=True,
    reference="Dugas et al. 2000, Incorporating second-order functional knowledge",
)
register(
    "sparse_plus",
    smooth_rectifiers.sparse_plus,
    smooth_rectifiers.sparse_plus_derivative,
    monotonic=True,
    reference="Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2",
)
register(
    "sparse_sigmoid",
    rectifiers.sparse_sigmoid,
    rectifiers.sparse_sigmoid_derivative,
    kinks=(Kink(-1.0, 0.0), Kink(1.0, 0.0)),
    monotonic=True,
    reference="Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2",
)
register(
    "squareplus",
    smooth_rectifiers.squareplus,
    smooth_rectifiers.squareplus_derivative,
    domains={"b": POSITIVE},
    monotonic=True,
    reference="Barron 2021, Squareplus, arXiv 2112.11687",
)
register(
    "soft_shrink",
    shrinkage.soft_shrink,
    shrinkage.soft_shrink_derivative,
    domains={"threshold": POSITIVE},
    kinks=lambda threshold: (Kink(-threshold, 0.0), Kink(threshold, 0.0)),
    monotonic=True,
    reference="Donoho 1995, De-noising by soft-thresholding",
)
register(
    "hard_shrink",
    shrinkage.hard_shrink,
    shrinkage.hard_shrink_derivative,
    domains={"threshold": POSITIVE},
    kinks=lambda threshold: (Kink(-threshold, 0.0), Kink(threshold, 0.0)),
    monotonic=True,
    reference="Donoho and Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage",
)
register(
    "tanh_shrink",
    shrinkage.tanh_shrink,
    shrinkage.tanh_shrink_derivative,
    monotonic=True,
    reference="f(x) = x - tanh(x), of Torch (Collobert, Kavukcuoglu and Farabet 2011)",
)
register(
    "isru",
    algebraic.isru,
    algebraic.isru_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Carlile et al. 2017, Inverse square root linear units, arXiv 1710.09967",
)
register(
    "isrlu",
    algebraic.isrlu,
    algebraic.isrlu_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Carlile et al. 2017, Inverse square root linear units, arXiv 1710.09967",
)
register(
    "bent_identity",
    algebraic.bent_identity,
    algebraic.bent_identity_derivative,
    monotonic=True,
    reference="Kunc and Klema 2024, Three decades of activations, arXiv 2402.09092 (a survey)",
)
register(
    "sqnl",
    algebraic.sqnl,
    algebraic.sqnl_derivative,
    monotonic=True,
    reference="Wuraola and Patel 2018, SQNL, doi 10.1109/IJCNN.2018.8489043",
)
register(
    "squared_relu",
    algebraic.squared_relu,
    algebraic.squared_relu_derivative,
    monotonic=True,
    reference="So et al. 2021, Primer, arXiv 2109.08668",
)
register(
    "snake",
    periodic.snake,
    periodic.snake_derivative,
    domains={"a": POSITIVE},
    monotonic=True,
    reference="Ziyin, Hartwig and Ueda 2020, Learning periodic functions, arXiv 2006.08195",
)
register(
    "softmax",
    normalized.softmax,
    normalized.softmax_derivative,
    domains={"axis": INTEGER},
    monotonic=True,
    elementwise=False,
    reference="Bridle 1990, Probabilistic interpretation of feedforward network outputs",
)
