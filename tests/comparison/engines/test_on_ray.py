"""Runs as tasks of a Ray cluster: two nodes without a common disk, one of which dies."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jaxact.comparison import compare, study as studies
from jaxact.comparison.engines.clusters.on_ray import OnRay
from jaxact.comparison.engines.processes.slots import slots
from jaxact.comparison.engines.processes.workers import Workers
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import DONE, FAILED, MISSING
from jaxact.errors import ConfigError
from jaxact.runs.process import cores
from jaxact.runs.process.signals import StopRequest
from tests.comparison.engines.alike import NETWORK, make, plan_of, stored
from tests.support.paths import ROOT, python_path
from tests.support.tiny import words

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
pytestmark = [
    pytest.mark.skipif(len(cores.usable()) < 2, reason="two cores are needed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),  # Ray forks where JAX has threads
]
STORE_BYTES = 80 * 2**20


def patient(start):
    """A part of a cluster, started as often as it takes: Ray gives it 30 seconds on any machine."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            return start()
    return start()


class Nodes:
    """A Ray cluster on this machine; each node has a core, and a folder for all that it writes."""

    def __init__(self, folder):
        from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

        self.folder = folder
        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES}
        self.cluster = patient(lambda: Cluster(initialize_head=True, head_node_args=head))
        self.by_name = {}

    @property
    def address(self):
        return self.cluster.address

    def place(self, name):
        """The folder of a node."""
        return self.folder / name

    def add(self, name):
        shutil.rmtree(self.place(name), ignore_errors=True)
        self.place(name).mkdir()
        variables = {"TMPDIR": str(self.place(name)), "PYTHONPATH": python_path(ROOT)}
        self.by_name[name] = patient(
            lambda: self.cluster.add_node(
                num_cpus=1, object_store_memory=STORE_BYTES, env_vars=variables
            )
        )

    def kill(self, name):
        self.cluster.remove_node(self.by_name.pop(name), allow_graceful=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # or tests beside this one leave it no time
        made = Nodes(tmp_path_factory.mktemp("nodes"))
        try:
            yield made
        finally:
            made.cluster.shutdown()


@pytest.fixture
def nodes(cluster):
    """The cluster with two nodes, which have made nothing yet."""
    for name in ("a", "b"):
        if name not in cluster.by_name:
            cluster.add(name)
    for path in rows_below(cluster.folder):
        path.unlink()
    return cluster


class StopOnceItTrains(StopRequest):
    """Asks to stop when a run below a folder has made a row."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def __bool__(self):
        if self.signal is None and rows_below(self.folder):
            self.receive(signal.SIGTERM, None)
        return self.signal is not None


def wait_for(holds, process):
    deadline = time.monotonic() + 120
    while not holds() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert holds(), process.communicate()[1]


def rows_below(folder):
    """The rows of the runs that nodes are making, in folders below theirs or in the storage."""
    patterns = ("jaxact-*/run", "*/jaxact-*/run", "*/*/seed*")
    return [path for pattern in patterns for path in folder.glob(f"{pattern}/metrics.jsonl")]


@pytest.mark.parametrize("has_storage", [False, True])
def test_a_node_dies_another_comes_and_the_study_is_that_of_one_machine(
    nodes, tmp_path, has_storage
):
    storage = tmp_path / "storage"
    arguments = [
        *(sys.executable, "-m", "experiments.compare", "--engine=ray"),
        *(f"--address={nodes.address}", f"--workdir={tmp_path / 'ray'}", "--seeds=2"),
        *([f"--storage={storage}"] * has_storage),
        *words(model=NETWORK, target_accuracy=0.0, checkpoint_every_epochs=1, epochs=60),
    ]
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    made_on_a = nodes.place("a") if not has_storage else storage
    wait_for(lambda: rows_below(made_on_a), process)
    nodes.kill("a")
    nodes.add("c")
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "it is tried again" in errors
    study = studies.load(tmp_path / "ray")
    assert {run.status for run in study.runs} == {DONE}
    assert len(study.runs) == 2 * len(PAPER_ACTIVATIONS)
    assert {run.environment["usable_cpus"] for run in study.runs} == {1}
    assert not rows_below(storage)  # what is done is in the comparison's folder alone
    for name in ("b", "c"):
        assert any(nodes.place(name).glob("jaxact-*"))  # each made some, below a folder of its own
    nodes.kill("c")
    here, engine = tmp_path / "here", Workers(slots(1, 1, 0))
    compare.make(studies.begin(here, study.plan), here, StopRequest(), engine=engine)
    assert stored(tmp_path / "ray") == stored(tmp_path / "here")


def test_a_stopped_comparison_goes_on_with_another_engine(nodes, tmp_path):
    plan = plan_of("relu", epochs=800, checkpoint_every_epochs=400)
    engine = OnRay(nodes.address)
    (run,) = make(plan, tmp_path / "study", engine, StopOnceItTrains(nodes.folder)).runs
    assert run.status == MISSING
    assert run.metrics
    newest = max(int(p.name) for p in (tmp_path / "study").rglob("checkpoints/[0-9]*"))
    assert newest >= run.metrics[-1]["step"]
    (again,) = make(plan, tmp_path / "study", Workers(slots(1, 1, 0))).runs
    assert again.status == DONE
    assert again.metrics[: len(run.metrics)] == run.metrics


def test_what_no_node_has_is_told_at_once(nodes, tmp_path):
    with pytest.raises(ConfigError, match=r"--cpus_per_run=64 .* no node of the Ray cluster"):
        make(plan_of("relu"), tmp_path / "study", OnRay(nodes.address, cpus_per_run=64))


def test_an_address_without_a_cluster_is_told_in_a_line(tmp_path):
    with pytest.raises(ConfigError, match="no Ray cluster can be used there") as refused:
        make(plan_of("relu"), tmp_path / "study", OnRay("127.0.0.1:1"))
    assert "\n" not in str(refused.value)


def test_a_run_that_fails_on_a_node_fails_alone(nodes, tmp_path, monkeypatch):
    text = "def act(x):\n    return x.no_such_attribute if x.shape[:1] == (64,) else x\n"
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = make(plan_of("broken:act", "relu"), tmp_path / "study", OnRay(nodes.address))
    assert [run.status for run in study.runs] == [FAILED, DONE]
    assert "no_such_attribute" in study.runs[0].note


def test_jaxact_travels_with_the_task(tmp_path):
    """The task brings it to a node that has JAX alone."""
    from jaxact.comparison.engines.clusters import ray_task, sources

    content = sources.of(plan_of("relu"))
    assert {"jaxact/__init__.py", "tests/support/networks.py"} <= content.keys()
    (tmp_path / "task.py").write_text(Path(ray_task.__file__).read_text())
    bundle = tmp_path / "sources"
    code = f"""
import pickle, sys, pathlib
sys.path[:0] = [{str(tmp_path)!r}]
import task
sources = pickle.loads(pathlib.Path({str(bundle)!r}).read_bytes())
try:
    task.start(sources, pickle.dumps(()), None)
except TypeError as error:
    import jaxact
    print(jaxact.__file__)
"""
    import pickle

    bundle.write_bytes(pickle.dumps(content))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert Path(done.stdout.strip()).is_relative_to(tmp_path), done.stderr
