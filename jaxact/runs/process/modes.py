"""JAX's strict modes: those under which jaxact does not compute are refused, in a line."""

import jax

from jaxact.errors import ConfigError, JaxactError, NonFiniteLossError

_GUARDS = ("disallow", "disallow_explicit")
_GUARDED = "images and results move between host and device"
# Option to the values that are refused, and why.
REFUSED: dict[str, tuple[tuple[object, ...], str]] = {
    "jax_numpy_rank_promotion": (("raise",), "jaxact and Flax broadcast arrays of unequal ranks"),
    "jax_numpy_dtype_promotion": (("strict",), "optax's Adam mixes dtypes"),
    "jax_disable_jit": ((True,), "every step is compiled ahead of time"),
    "jax_no_tracing": ((True,), "every step is compiled ahead of time"),
    "jax_transfer_guard": (_GUARDS, _GUARDED),
    "jax_transfer_guard_host_to_device": (_GUARDS, _GUARDED),
    "jax_transfer_guard_device_to_device": (_GUARDS, _GUARDED),
    "jax_transfer_guard_device_to_host": (_GUARDS, _GUARDED),
}
NAN_CHECKS = ("jax_debug_nans", "jax_debug_infs")


def refuse_strict() -> None:
    """Refuses to train under a mode of `REFUSED`.

    Raises:
      ConfigError: names the mode, as the environment sets it.
    """
    for name, (values, why) in REFUSED.items():
        value = getattr(jax.config, name, None)
        if value in values:
            raise ConfigError(
                f"{name.upper()}={_text(value)} is not for training here ({why}): unset it and "
                "give the same command again (`python -m jaxact.check` takes your own function "
                "under it)"
            )


def explanation(error: Exception) -> JaxactError | None:
    """The error in a line, where a mode of JAX that the user has set raised it; else None."""
    text = " ".join(str(error).split())[:200]
    if isinstance(error, FloatingPointError):
        for name in NAN_CHECKS:
            if getattr(jax.config, name, False):
                return NonFiniteLossError(
                    f"{name.upper()} stopped the program at a value that is not finite ({text}); "
                    "unset it, and a run whose loss becomes NaN says itself where that began"
                )
    for name, (values, _) in REFUSED.items():
        value = getattr(jax.config, name, None)
        if value in values:
            return ConfigError(
                f"{name.upper()}={_text(value)}, which is set, may be the cause of "
                f"{type(error).__name__}: {text}; unset it and give the same command again"
            )
    return None


def _text(value: object) -> str:
    return "1" if value is True else str(value)
