"""The families of activations. The order of these imports is the order of `activations.names()`."""

# isort: off
from jaxact.activations.functions import classic as classic
from jaxact.activations.functions import exponential as exponential
from jaxact.activations.functions import variants as variants
from jaxact.activations.functions import shrinkage as shrinkage
from jaxact.activations.functions import algebraic as algebraic
from jaxact.activations.functions import periodic as periodic
from jaxact.activations.functions import normalized as normalized
from jaxact.activations.functions import gated as gated
from jaxact.activations.functions import gaussian as gaussian
from jaxact.activations.functions import gated_approximations as gated_approximations
from jaxact.activations.functions import composed as composed
from jaxact.activations.functions import learnable as learnable
from jaxact.activations.functions import learnable_shapes as learnable_shapes
