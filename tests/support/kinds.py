"""One activation of each kind, for rules that are a layer's and not a function's."""

from jaxact import activations


def kind(name: str) -> tuple[object, ...]:
    """The properties of an activation that a layer or a training step may depend on."""
    act = activations.get(name)
    has_coefficients = any(isinstance(value, tuple) for value in act.params.values())
    return bool(act.params), has_coefficients, act.elementwise, bool(act.kinks), act.monotonic


KINDS = tuple({kind(name): name for name in activations.names()}.values())
