"""The wheel: whole, its dependencies those that it imports, and quick to import."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from jaxact import config_file
from tests.support.paths import ROOT, python
from tests.test_house import PACKAGE, imported, normal

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# By tensorflow-datasets, whose errors they raise; by the kernel of a notebook.
BROUGHT = {"etils", "requests", "urllib3", "ipython"}
READ = {"scikit-learn", "flatbuffers"}  # a file of digits is read; JAX imports the other to export


def distributions(requirements):
    return {normal(re.split(r"[\[<>=]", requirement)[0]) for requirement in requirements}


def test_what_the_package_imports_is_what_it_depends_on():
    names = {name.split(".")[0] for path in PACKAGE for name in imported(path)}
    names -= {*sys.stdlib_module_names, "jaxact"}
    known = importlib.metadata.packages_distributions()
    # Of several that bring a package, such as mlflow and mlflow-skinny, the one of its name.
    by_name = {name: sorted(known.get(name, [name]), key=lambda one: one != name) for name in names}
    found = {normal(brought[0]) for brought in by_name.values()}
    required = distributions(PROJECT["dependencies"])
    optional = distributions(line for lines in EXTRAS.values() for line in lines)
    assert found - required - optional <= BROUGHT
    assert required - found <= READ


def test_importing_it_imports_nothing_but_python():
    code = (
        "import sys; before = {*sys.modules}; import jaxact;"
        "new = {name.split('.')[0] for name in {*sys.modules} - before};"
        "print(sorted(new - {*sys.stdlib_module_names, 'jaxact'}))"
    )
    assert python("-c", code) == "[]\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, as pip builds it."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling import build; build.build_wheel(sys.argv[1])"
    python("-c", code, str(folder))
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_is_whole(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [path for path in (ROOT / "jaxact").rglob("*") if path.is_file()]
    own = {str(path.relative_to(ROOT)) for path in files if path.suffix != ".pyc"}
    configs = {f"jaxact/configs/{path.name}" for path in (ROOT / "configs").glob("*.py")}
    assert names == own | configs
    assert {"jaxact/py.typed", "jaxact/comparison/output/report_page/page.html"} <= own


def test_the_wheel_says_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        read = {Path(name).name: archive.read(name).decode() for name in archive.namelist()}
    assert "jaxact = jaxact.__main__:main" in read["entry_points.txt"]
    needs = re.findall(r"^Requires-Dist: ([^;\n]+)(.*)$", read["METADATA"], re.MULTILINE)
    bare = distributions(name for name, when in needs if not when)
    assert bare == distributions(PROJECT["dependencies"])
    assert {f"; extra == '{extra}'" for extra in EXTRAS} == {when for _, when in needs if when}
    assert "LICENSE" in read


def test_the_wheel_works_alone(wheel, tmp_path):
    """In an empty folder, with this environment's packages and without the repository."""
    site_packages, folder = tmp_path / "site", tmp_path / "empty"
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    code = (
        "from jaxact import __main__, config_file;"
        "from jaxact.comparison.output import report;"
        "print(__main__.__file__, report.PAGE.joinpath('page.html').stat().st_size > 0);"
        "print([*config_file.load('configs/mnist.py:paper').items()][0]);"
        "print(config_file.locate('configs/cifar.py')[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(site_packages), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first = next(iter(config_file.load("configs/mnist.py:paper").items()))
    assert done.stdout.splitlines() == [
        f"{site_packages}/jaxact/__main__.py True",
        str(first),
        f"{site_packages}/jaxact/configs/cifar.py",
    ]
    assert list(folder.iterdir()) == []


# What the library itself must do without, as on Windows.
ELSEWHERE = """
import os, signal, sys
import psutil  # which has other code for other systems
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for module, names in (
    (os, ("confstr", "fchmod", "getuid", "pread", "pwrite", "sched_getaffinity")),
    (signal, ("SIGHUP", "SIGPIPE", "SIGUSR1")),
):
    for name in names:
        delattr(module, name)
import jax, jaxact
from jaxact import activations, models, statistics
print(float(activations.get("relu")(jax.numpy.float32(2))))
network = models.create_model("small_cnn", "relu", num_classes=10)
image = jax.ShapeDtypeStruct((1, 28, 28, 1), "float32")
print(len(jax.eval_shape(lambda x: network.init(jax.random.key(0), x, train=False), image)))
from jaxact import check, main
from jaxact.comparison import compare
assert "tensorflow" not in sys.modules  # which is slow to import, and needed by no command
from jaxact.runs.process import environment
assert environment.peak_memory_bytes() > 0
print(main.COMMAND.run(main.train, ["--workdir=run"]))
print(compare.COMMAND.run(compare.compare, ["--workdir=both", "--activations=relu"]))
"""


def test_elsewhere_the_library_works_and_what_makes_runs_says_where_it_does(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["2.0", "1", "2", "2"]), done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("jaxact: ")]  # JAX warns
    assert len(said) == 2
    assert all("runs are made on Linux and macOS" in line for line in said)
    assert list(tmp_path.iterdir()) == []
