"""The processes that read images for this one."""

import psutil


def readers(process: int | None = None) -> list[psutil.Process]:
    """Those that Grain has started, of a process; of this one, if none is given."""
    children = psutil.Process(process).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
