"""The source files that make runs of a plan: jaxact's own, and those of the user's modules."""

import importlib.util
import site
import sysconfig
from pathlib import Path

import jaxact
from jaxact.comparison.plan import Plan


def of(plan: Plan) -> dict[str, bytes]:
    """The files by their path, such as "jaxact/config.py".

    Of what is installed on this machine jaxact alone: the rest has to be installed on others.
    """
    home = Path(str(jaxact.__file__)).parent
    found = {
        f"jaxact/{path.relative_to(home).as_posix()}": path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    specs = (*plan.activations, plan.config.model, plan.config.optimizer)
    modules = {spec.partition(":")[0].partition(".")[0] for spec in specs if ":" in spec}
    for name in sorted(modules - {"jaxact"}):
        spec = importlib.util.find_spec(name)
        places = [Path(p) for p in (spec.submodule_search_locations or ())] if spec else []
        if spec and not places and spec.origin and not _is_installed(Path(spec.origin)):
            found[f"{name}.py"] = Path(spec.origin).read_bytes()
        for place in places:
            if not _is_installed(place):
                for path in sorted(place.rglob("*.py")):
                    found[f"{name}/{path.relative_to(place).as_posix()}"] = path.read_bytes()
    return found


def _is_installed(path: Path) -> bool:
    roots = [*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib")]
    return any(path.is_relative_to(root) for root in roots)
