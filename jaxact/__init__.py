"""jaxact: which activation function should my CNN use? Evidence, in JAX."""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from jaxact import activations as activations, statistics as statistics
    from jaxact.api.comparing import compare as compare
    from jaxact.api.fitting import Run as Run, fit as fit
    from jaxact.api.study import Study as Study
    from jaxact.config import Config as Config
    from jaxact.evidence.reading import results as results
    from jaxact.inference.network import Network as Network
    from jaxact.models.replacement.replace import replace_activation as replace_activation
    from jaxact.runs.load import load as load

# What is imported when it is first used; "" where it is a module itself.
_PUBLIC = {
    "Config": "jaxact.config",
    "Network": "jaxact.inference.network",
    "Run": "jaxact.api.fitting",
    "Study": "jaxact.api.study",
    "activations": "",
    "compare": "jaxact.api.comparing",
    "fit": "jaxact.api.fitting",
    "load": "jaxact.runs.load",
    "results": "jaxact.evidence.reading",
    "replace_activation": "jaxact.models.replacement.replace",
    "statistics": "",
}


def __getattr__(name: str) -> Any:
    """A public name, imported now: JAX and the rest take a second, `import jaxact` none."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _PUBLIC[name]:
        return importlib.import_module(f"jaxact.{name}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
