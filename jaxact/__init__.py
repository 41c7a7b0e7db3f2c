"""jaxact: which activation function should my CNN use? Evidence, in JAX."""

__version__ = "0.1.0"
