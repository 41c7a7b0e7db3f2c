"""The registration of functions that see channels; `registry` holds them beside the others."""

import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from jaxact.activations import numerics, registry
from jaxact.activations.channel_activation import Learned
from jaxact.activations.registry import Domain
from jaxact.specs import Value


def channel_activation(
    *,
    ratio: int | str | Callable[..., int] = 1,
    learned: tuple[Learned, ...] = (),
    normalizes: bool = False,
    is_pointwise: bool = True,
    domains: Mapping[str, Domain] | None = None,
    reference: str = "",
) -> Callable[[numerics.Kernel], numerics.Kernel]:
    """Registers a formula of channels as a function for arrays, by `numerics.channelwise`.

    Its constants are the parameters with a default. A `normalize`, which has one too, is none.

    Args:
      ratio: channels taken for each that is given, as a number, a fraction in text, or a function
        of the constants.
      learned, normalizes, is_pointwise: as `ChannelActivation` has them.
      domains, reference: as for `register`.
    """

    def of_channels(**constants: Value) -> dict[str, Any]:
        return {
            "ratio": Fraction(ratio(**constants) if callable(ratio) else ratio),
            "learned": learned,
            "normalizes": normalizes,
            "is_pointwise": is_pointwise,
        }

    def decorate(kernel: numerics.Kernel) -> numerics.Kernel:
        function = numerics.channelwise(kernel)
        parameters = inspect.signature(kernel).parameters.values()
        definition = registry.Definition(
            function=function,
            derivative=None,
            defaults={
                p.name: p.default
                for p in parameters
                if p.default is not p.empty and p.name != "normalize"
            },
            domains=domains or {},
            learnable=(),
            kinks=lambda **_: (),
            monotonic=lambda **_: None,
            elementwise=False,
            reference=reference,
            of_channels=of_channels,
            random=False,
        )
        registry.add(kernel.__name__, definition)
        return function

    return decorate
