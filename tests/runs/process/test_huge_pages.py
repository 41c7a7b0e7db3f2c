"""A process starts itself again with large pages once, and only where that can help."""

import os

import pytest

from jaxact.runs.process import huge_pages
from tests.support.paths import python


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


@pytest.mark.parametrize("module", ["jaxact.main", "experiments.compare"])
def test_programs_restart_before_their_slow_imports(module):
    code = (
        "import runpy, sys\n"
        "from jaxact.runs.process import huge_pages\n"
        "def restart():\n"
        "    print(*{'absl', 'flax', 'jax', 'numpy'} & set(sys.modules), 'restarted')\n"
        "    sys.exit()\n"
        "huge_pages.restart = restart\n"
        f"runpy.run_module({module!r}, run_name='__main__')\n"
    )
    assert python("-c", code) == "restarted\n"


@pytest.mark.skipif(
    huge_pages.wanted({}) is None, reason="this system has no large pages on request, or no glibc"
)
def test_starts_once_more_as_the_same_process():
    code = (
        "import os, sys; print(os.getpid(), sys.argv[1:]);"
        "from jaxact.runs.process import huge_pages; sys.stdout.flush(); huge_pages.restart();"
        "print(os.environ['GLIBC_TUNABLES'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != huge_pages.VARIABLE}
    printed = python("-c", code, "an argument", "--and=another", env=environment)
    first, second, tunables = printed.splitlines()
    assert first == second  # process and arguments
    assert "hugetlb=1" in tunables
