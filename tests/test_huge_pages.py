"""A process starts itself again with large pages once, and only where that can help."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jaxact import huge_pages

ROOT = Path(__file__).parents[1]


@pytest.fixture
def able(monkeypatch):
    """A system that offers large pages."""
    monkeypatch.setattr(huge_pages, "glibc_version", lambda: (2, 36))
    monkeypatch.setattr(huge_pages, "offered", lambda: True)


def test_asks_for_large_pages_and_keeps_other_settings(able):
    assert "glibc.malloc.hugetlb=1" in (huge_pages.wanted({}) or "")
    kept = huge_pages.wanted({"GLIBC_TUNABLES": "glibc.rtld.nns=4"}) or ""
    assert kept.startswith("glibc.rtld.nns=4:glibc.malloc.")


@pytest.mark.parametrize(
    "environment", [{"JAXACT_HUGE_PAGES": "0"}, {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}]
)
def test_leaves_alone_what_the_user_has_set(able, environment):
    assert huge_pages.wanted(environment) is None


@pytest.mark.parametrize("version", [(), (2, 31)])
def test_other_c_libraries_are_left_alone(able, monkeypatch, version):
    monkeypatch.setattr(huge_pages, "glibc_version", lambda: version)
    assert huge_pages.wanted({}) is None


def test_is_off_where_the_system_never_gives_them(monkeypatch, tmp_path):
    for text, gives in (("always [madvise] never", True), ("always madvise [never]", False)):
        (tmp_path / "enabled").write_text(text)
        monkeypatch.setattr(huge_pages, "OFFERED", tmp_path / "enabled")
        assert huge_pages.offered() is gives
    monkeypatch.setattr(huge_pages, "OFFERED", tmp_path / "none")
    assert not huge_pages.offered()


@pytest.mark.parametrize("program", ["jaxact/main.py", "experiments/compare.py"])
def test_programs_restart_before_their_slow_imports(monkeypatch, program):
    class Restarted(Exception):
        pass

    def restart():
        raise Restarted

    imported, import_it = [], builtins.__import__

    def record(name, *arguments):
        imported.append(name)
        return import_it(name, *arguments)

    code = compile((ROOT / program).read_text(), program, "exec")
    monkeypatch.setattr(huge_pages, "restart", restart)
    monkeypatch.setattr(builtins, "__import__", record)
    with pytest.raises(Restarted):
        exec(code, {"__name__": "__main__"})
    assert "jaxact" in imported
    assert not {name.partition(".")[0] for name in imported} & {"absl", "flax", "jax", "numpy"}


@pytest.mark.skipif(
    huge_pages.wanted({}) is None, reason="this system has no large pages on request, or no glibc"
)
def test_starts_once_more_as_the_same_process():
    code = (
        "import os, sys; print(os.getpid(), sys.argv[1:]);"
        "from jaxact import huge_pages; sys.stdout.flush(); huge_pages.restart();"
        "print(os.environ['GLIBC_TUNABLES'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != huge_pages.VARIABLE}
    result = subprocess.run(
        [sys.executable, "-c", code, "an argument", "--and=another"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, tunables = result.stdout.splitlines()
    assert first == second  # process and arguments
    assert "hugetlb=1" in tunables
