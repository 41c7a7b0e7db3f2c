"""The families of activations. The order of these imports is the order of `activations.names()`
and `activations.channel_names()`.
"""

# isort: off
from jaxact.activations.functions import classic as classic
from jaxact.activations.functions import exponential as exponential
from jaxact.activations.functions import variants as variants
from jaxact.activations.functions import rectifiers as rectifiers
from jaxact.activations.functions import shrinkage as shrinkage
from jaxact.activations.functions import algebraic as algebraic
from jaxact.activations.functions import periodic as periodic
from jaxact.activations.functions import normalized as normalized
from jaxact.activations.functions.gates import self_gated as self_gated
from jaxact.activations.functions.gates import gaussian as gaussian
from jaxact.activations.functions.gates import approximations as approximations
from jaxact.activations.functions.gates import composed as composed
from jaxact.activations.functions.gates import normal as normal
from jaxact.activations.functions.gates import of_exp as of_exp
from jaxact.activations.functions.gates import gompertz as gompertz
from jaxact.activations.functions.gates import collapsing as collapsing
from jaxact.activations.functions.gates import gelu_sine as gelu_sine
from jaxact.activations.functions.learned import slopes as slopes
from jaxact.activations.functions.learned import shapes as shapes
from jaxact.activations.functions.learned import integrated as integrated
from jaxact.activations.functions.learned import expanded as expanded
from jaxact.activations.functions.learned import powers as powers
from jaxact.activations.functions.channels import pieces as pieces
from jaxact.activations.functions.channels import adaptive as adaptive
