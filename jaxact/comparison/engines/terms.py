"""The terms on which other processes make runs of a comparison: as this one would make them."""

import dataclasses
import os
import pickle
from collections.abc import Mapping
from typing import Any

import jax

from jaxact import packages
from jaxact.activations import own, registry
from jaxact.comparison.study import Study
from jaxact.compilation import compiler
from jaxact.data.own import given as arrays
from jaxact.models.own import factories
from jaxact.runs.process import environment
from jaxact.runs.records import surroundings

# Of JAX, which a program may set and a process that it starts does not know.
SETTINGS = (
    "jax_enable_x64",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
    "jax_default_matmul_precision",
    "jax_numpy_dtype_promotion",
    "jax_disable_most_optimizations",
    "jax_debug_nans",
    "jax_debug_infs",
    "jax_enable_compilation_cache",
)
# Of `environment.json`: what all runs of a comparison have alike.
ALIKE = (*surroundings.HELD, "jaxact", "jax", "jaxlib", "flax", "optax")


@dataclasses.dataclass(frozen=True)
class Terms:
    """The settings and objects that all processes have which make runs of one comparison.

    Attributes:
      settings: of JAX.
      surroundings: fields of `environment.json`.
      compiled: the folder that keeps compiled programs on this machine; "": none is kept.
      own: functions, makers of networks and arrays that only this process knows, pickled; empty
        where there is none.
    """

    settings: Mapping[str, Any]
    surroundings: Mapping[str, Any]
    compiled: str
    own: bytes

    @classmethod
    def of(cls, study: Study) -> "Terms":
        """The terms of this process, for the runs of a comparison.

        Raises:
          ConfigError: they hold a function that cannot be sent.
        """
        described = environment.describe(study.plan.config.deterministic)
        return cls(
            settings={name: _setting(name) for name in SETTINGS},
            surroundings={name: described[name] for name in ALIKE},
            compiled=jax.config.jax_compilation_cache_dir or "",  # pyright: ignore[reportAttributeAccessIssue]
            own=_packed(study),
        )

    def take(self, compiled: str | None = None) -> None:
        """Has this process compute by the terms; call it before JAX starts.

        Args:
          compiled: the folder that keeps compiled programs; None: that of the terms.
        """
        os.environ["XLA_FLAGS"] = self.surroundings["XLA_FLAGS"]
        for name, value in self.settings.items():
            jax.config.update(name, value)
        compiler.keep_compiled(self.compiled if compiled is None else compiled)
        if self.own:
            for give, values in zip(_GIVE, pickle.loads(self.own), strict=True):
                for name, value in values.items():
                    give(name, value)

    def broken(self, deterministic: bool) -> str:
        """The differences of this process from the terms, in a line; "" where there is none."""
        now = environment.describe(deterministic)
        changed = surroundings.changes(self.surroundings, now, ALIKE)
        if not changed:
            return ""
        return (
            f"{now['host']} differs from where the comparison is made: "
            f"{surroundings.in_words(changed)}; install the same versions there, and set the same "
            "variables"
        )


def _setting(name: str) -> Any:
    """A setting of JAX; those that a context may change are attributes, the others are not."""
    value = getattr(jax.config, name, jax)
    return jax.config.read(name) if value is jax else value


_GIVE = (registry.give, factories.give, arrays.give)


def _packed(study: Study) -> bytes:
    """The objects that specs name in this process alone, pickled in the order of `_GIVE`."""
    plan = study.plan
    names = {
        spec.partition("(")[0] for spec in plan.activations if not own.is_found_elsewhere(spec)
    }
    functions = {name: value for name, value in registry.given().items() if name in names}
    models = {n: value for n, value in factories.given().items() if n == plan.config.model}
    datasets = {name: arrays.load(name) for name in plan.datasets if name in arrays.names()}
    if not (functions or models or datasets):
        return b""
    with packages.needed_for(f"{', '.join([*functions, *models, *datasets])} in other processes"):
        import cloudpickle
    return cloudpickle.dumps((functions, models, datasets))
