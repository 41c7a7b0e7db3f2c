"""Sets of cores that share none."""

import pytest

from jaxact.errors import ConfigError
from jaxact.runs.process import cores


def topology(folder, rows):
    """A made-up machine: processor to its socket and its physical core."""
    for core, (socket, number) in rows.items():
        place = folder / f"cpu{core}" / "topology"
        place.mkdir(parents=True)
        (place / "physical_package_id").write_text(f"{socket}\n")
        (place / "core_id").write_text(f"{number}\n")
    return folder


@pytest.fixture
def threads(tmp_path, monkeypatch):
    """Two sockets of two cores with two threads each, as Linux numbers them."""
    rows = {core: (core // 2 % 2, core % 2) for core in range(8)}
    folder = topology(tmp_path, rows)
    physical = cores.physical_cores
    monkeypatch.setattr(cores, "usable", lambda: list(range(8)))
    monkeypatch.setattr(cores, "physical_cores", lambda found: physical(found, folder))
    monkeypatch.setattr(cores.os, "sched_setaffinity", lambda *_: None, raising=False)


def test_threads_of_one_core_stand_together_and_sockets_apart(tmp_path):
    folder = topology(tmp_path, {core: (core // 2 % 2, core % 2) for core in range(8)})
    assert cores.physical_cores(range(8), folder) == [[0, 4], [1, 5], [2, 6], [3, 7]]
    assert cores.physical_cores([3, 1], tmp_path / "nowhere") == [[1], [3]]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("sets", "size", "expected"),
    [
        (2, 1, [[0], [1]]),  # physical cores first
        (4, 1, [[0], [1], [2], [3]]),
        (4, 2, [[0, 4], [1, 5], [2, 6], [3, 7]]),  # no two runs share a physical core
        (2, 4, [[0, 1, 4, 5], [2, 3, 6, 7]]),  # nor a socket
        (3, 2, [[0, 4], [1, 5], [2, 6]]),
    ],
)
def test_sets_have_no_core_in_common(sets, size, expected):
    assert cores.disjoint(sets, size) == expected


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("sets", "size", "told"),
    [
        (9, 1, "--parallel=9 with 1 core for each run is more than the 8 cores .* --parallel=8"),
        (3, 3, "--parallel=3 with 3 cores for each run is more than .* at most --parallel=2"),
        (1, 9, "--cpus_per_run=9 is more than the 8 cores that can be used here"),
    ],
)
def test_more_than_there_is_is_refused_in_a_line(sets, size, told):
    with pytest.raises(ConfigError, match=told):
        cores.disjoint(sets, size)


def test_a_system_without_affinity_is_told(monkeypatch):
    monkeypatch.delattr(cores.os, "sched_setaffinity", raising=False)
    with pytest.raises(ConfigError, match="which this system cannot do"):
        cores.disjoint(2, 1)
