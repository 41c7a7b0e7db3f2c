"""Functions that are compiled before they are called, on a clock of their own, in any thread."""

import concurrent.futures
import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

from jaxact.compilation.clock import Clock
from jaxact.models.convolution.lowering import traced_for


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """A block without Python's garbage collection, which would look at a growing trace each time.

    Nearly all that tracing makes lives on: to look for garbage in it takes a sixth of the time.
    Where threads are within at once, the first to leave may turn it on: slower, and as right.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Compiled(NamedTuple):
    """An executable, which takes all arguments but the static ones, and what it took to make."""

    executable: jax.stages.Compiled
    static: tuple[int, ...]
    seconds: float

    def __call__(self, *arguments: Any) -> Any:
        return self.executable(*(a for i, a in enumerate(arguments) if i not in self.static))


class AheadOfTime:
    """A pure function that is compiled once for each signature of its arguments.

    An argument is an array, a tree of arrays, or a Python int, which becomes a constant of the
    program: a loop whose length XLA knows.

    Args:
      donate: places of arguments whose memory is given up.
      options: of XLA's compiler.
      placement: of all arguments and results, on devices of a mesh; None: on one device.

    Attributes:
      function: what is compiled.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        donate: tuple[int, ...] = (),
        options: dict[str, Any] | None = None,
        placement: jax.sharding.Sharding | None = None,
    ):
        self.function = function
        self._donate, self._options = donate, options
        both: dict[str, Any] = {"in_shardings": placement, "out_shardings": placement}
        self._placements = {} if placement is None else both
        self._lock = threading.Lock()
        self._programs: dict[Any, concurrent.futures.Future[_Compiled]] = {}
        self._unpaid: set[Any] = set()  # signatures whose seconds are on no clock yet

    def changed(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> "AheadOfTime":
        """A compiler of `change(function)`, with the options of this one."""
        return AheadOfTime(change(self.function), self._donate, self._options)

    def lower(self, *arguments: Any, platform: str | None = None) -> jax.stages.Lowered:
        """The program for arguments, or for what has their shapes and dtypes, not compiled yet.

        Args:
          platform: such as "cuda", also where there is none; None: that of this process.
        """

        # A function of its own each time: JAX keeps traces by it, and this one is for one platform.
        def own(*arguments: Any) -> Any:
            return self.function(*arguments)

        own.__name__ = getattr(self.function, "func", self.function).__name__  # for profilers
        jitted = jax.jit(
            own,
            static_argnums=_static(arguments),
            donate_argnums=self._donate,
            compiler_options=self._options,
            **self._placements,
        )
        with without_collection(), traced_for(platform or jax.default_backend()):
            traced = jitted.trace(*arguments)
            platforms = None if platform is None else (platform,)
            return traced.lower(lowering_platforms=platforms)

    def compile(self, *arguments: Any) -> Callable[..., Any]:
        """The executable for these signatures; waits where another thread makes it already.

        Its seconds are on the clock of whoever calls `prepare` for it first.
        """
        signature = _signature(arguments)
        with self._lock:
            program = self._programs.get(signature)
            if is_new := program is None:
                program = self._programs[signature] = concurrent.futures.Future()
        if is_new:
            begin = time.perf_counter()
            try:
                executable = self.lower(*arguments).compile()
            except BaseException as error:
                with self._lock:
                    del self._programs[signature]
                program.set_exception(error)
                raise
            seconds = time.perf_counter() - begin
            self._unpaid.add(signature)
            program.set_result(_Compiled(executable, _static(arguments), seconds))
        compiled = program.result()
        return compiled if compiled.static else compiled.executable

    def prepare(self, clock: Clock, *arguments: Any) -> Callable[..., Any]:
        """Compiles as `compile` does, on `clock.compile_seconds` unless another clock has paid.

        The caller then times nothing but a run of what this returns.
        """
        executable = self.compile(*arguments)
        signature = _signature(arguments)
        with self._lock:
            is_unpaid = signature in self._unpaid
            self._unpaid.discard(signature)
        if is_unpaid:
            clock.compile_seconds += self._programs[signature].result().seconds
        return executable

    def shapes(self, *arguments: Any) -> Any:
        """The shapes and dtypes of what the function gives for compiled arguments."""
        self.compile(*arguments)
        out_info = self._programs[_signature(arguments)].result().executable.out_info
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), out_info)

    def text(self) -> str:
        """All that is compiled so far, as XLA writes it: each kernel, and what it comes from."""
        with self._lock:
            programs = [program for program in self._programs.values() if program.done()]
        return "\n".join(program.result().executable.as_text() or "" for program in programs)

    def memory_bytes(self, argument: Any) -> int | None:
        """The most that an executable holds: arguments, outputs and temporaries, donated ones once.

        Unlike the process's peak it does not grow with what ran before.

        Args:
          argument: executables count that take one of these shapes, such as a run's images.

        Returns:
          None where no such one is compiled yet, or the backend does not tell.
        """
        wanted = _shapes(argument)
        done = [
            program.result().executable
            for signature, program in list(self._programs.items())
            if wanted in signature and program.done()
        ]
        analyses = [executable.memory_analysis() for executable in done]
        sizes = [
            analysis.argument_size_in_bytes
            + analysis.output_size_in_bytes
            + analysis.temp_size_in_bytes
            - analysis.alias_size_in_bytes
            for analysis in analyses
            if analysis is not None
        ]
        return max(sizes, default=None)


def _static(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(place for place, value in enumerate(arguments) if isinstance(value, int))


def _signature(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_shapes(argument) for argument in arguments)


def _shapes(argument: Any) -> Any:
    leaves, structure = jax.tree.flatten(argument)
    return structure, tuple(
        leaf if isinstance(leaf, int) else (leaf.shape, leaf.dtype) for leaf in leaves
    )
