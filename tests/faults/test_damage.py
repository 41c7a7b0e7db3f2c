"""Checkpoints that were damaged, disks that are full or read-only, and folders that are in use."""

import contextlib
import dataclasses
import errno
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jaxact import main
from jaxact.config import Config
from jaxact.errors import NonFiniteLossError, WorkdirError
from jaxact.runs import fit
from jaxact.runs.records import checkpoint, checksums, lock, record_files
from tests.support import killing
from tests.support.paths import ROOT
from tests.support.tiny import words

TINY = dataclasses.replace(Config(), **killing.SMALL | {"epochs": 3})


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run of three epochs."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    fit.fit(TINY, workdir)
    return workdir


@pytest.fixture
def stopped(tmp_path, whole) -> Path:
    """The same run as if it had been stopped after its last checkpoint."""
    workdir = tmp_path / "run"
    shutil.copytree(whole, workdir)
    (workdir / record_files.SUMMARY).unlink()
    return workdir


def newest(workdir: Path) -> Path:
    return workdir / record_files.CHECKPOINTS / str(killing.checkpoints_of(workdir)[-1])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def truncate(folder: Path) -> None:
    largest = max(files(folder), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)


def flip_a_bit(folder: Path) -> None:
    largest = max(files(folder), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 4
    largest.write_bytes(content)


def lose_a_file(folder: Path) -> None:
    next(path for path in files(folder) if path.name != checksums.SUMS).unlink()


def lose_the_sums(folder: Path) -> None:
    (folder / checksums.SUMS).unlink()


DAMAGES = {f.__name__: f for f in (empty, truncate, flip_a_bit, lose_a_file, lose_the_sums)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_used(whole, stopped, damage, capsys):
    step = newest(stopped).name
    DAMAGES[damage](newest(stopped))
    fit.fit(TINY, stopped)
    assert f"the checkpoint of step {step} is damaged" in capsys.readouterr().err
    aside = stopped / record_files.CHECKPOINTS / f"damaged-{step}"
    assert aside.is_dir()
    shutil.rmtree(aside)
    killing.assert_same(whole, stopped)


def test_a_checkpoint_that_is_whole_but_cannot_be_read_is_set_aside(whole, stopped, capsys):
    (newest(stopped) / "progress" / "metadata").write_text("{")
    checksums.seal(newest(stopped))
    fit.fit(TINY, stopped)
    assert "it does not fit this run" in capsys.readouterr().err
    shutil.rmtree(next((stopped / record_files.CHECKPOINTS).glob("damaged-*")))
    killing.assert_same(whole, stopped)


def test_if_all_are_damaged_a_line_says_what_to_do_and_nothing_is_renamed(stopped):
    steps = killing.checkpoints_of(stopped)
    for step in steps:
        flip_a_bit(stopped / record_files.CHECKPOINTS / str(step))
    for _ in range(2):  # the second start must not begin anew either
        with pytest.raises(WorkdirError, match=r"no checkpoint .* remove that folder") as caught:
            fit.fit(TINY, stopped)
        assert caught.value.exit_code == 2
        assert all(f"step {step}: " in str(caught.value) for step in steps)
    assert killing.checkpoints_of(stopped) == steps


def test_an_empty_folder_newer_than_all_is_no_checkpoint(whole, stopped):
    (stopped / record_files.CHECKPOINTS / "999999").mkdir()
    fit.fit(TINY, stopped)
    shutil.rmtree(stopped / record_files.CHECKPOINTS / "damaged-999999")
    killing.assert_same(whole, stopped)


def test_what_a_killed_save_leaves_is_removed(whole, stopped):
    folder = stopped / record_files.CHECKPOINTS
    shutil.copytree(newest(stopped), folder / ".saving-999")
    shutil.copytree(newest(stopped), folder / ".deleting-1")
    fit.fit(TINY, stopped)
    assert not list(folder.glob(".*"))
    killing.assert_same(whole, stopped)


def test_a_row_that_was_cut_is_written_again(whole, stopped):
    metrics = stopped / record_files.METRICS
    shutil.rmtree(newest(stopped))
    os.truncate(metrics, metrics.stat().st_size - 20)
    assert len(record_files.read_rows(metrics)) == 2
    fit.fit(TINY, stopped)
    killing.assert_same(whole, stopped)


def test_rows_without_any_checkpoint_are_not_doubled(whole, stopped):
    """A process killed between its first row and its first checkpoint."""
    shutil.rmtree(stopped / record_files.CHECKPOINTS)
    fit.fit(TINY, stopped)
    killing.assert_same(whole, stopped)


@pytest.mark.parametrize("failing", ["save", "seal"])
def test_a_save_that_fails_is_an_error(tmp_path, monkeypatch, failing):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "save":
        monkeypatch.setattr(checkpoint.ocp.Checkpointer, "save", fail)
    else:
        monkeypatch.setattr(checksums, "seal", fail)
    with pytest.raises(WorkdirError, match="No space left on device"):
        fit.fit(dataclasses.replace(TINY, epochs=1), tmp_path / "run")
    assert not (tmp_path / "run" / record_files.SUMMARY).exists()
    assert killing.checkpoints_of(tmp_path / "run") == []


@pytest.mark.parametrize("function", ["append_row", "write_json"])
def test_records_that_cannot_be_written_are_one_error(tmp_path, monkeypatch, function):
    def fail(path: Path, _: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(record_files, function, fail)
    with pytest.raises(WorkdirError, match=r"cannot be written \(Read-only file system at"):
        fit.fit(dataclasses.replace(TINY, epochs=1), tmp_path / "run")


@contextlib.contextmanager
def mounted(folder: Path, options: str):
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


FULL = "space|RESOURCE_EXHAUSTED"


def assert_intact(workdir: Path) -> None:
    for step in killing.checkpoints_of(workdir):
        assert checksums.damage(workdir / record_files.CHECKPOINTS / str(step)) is None
    list(killing.rows_of(workdir))


@pytest.mark.parametrize("free_kib", [4, 300])
def test_a_full_disk_leaves_what_is_there_intact(whole, tmp_path, free_kib):
    """At the records of the start, and at a checkpoint after the first; all is compiled already."""
    del whole
    disk = tmp_path / "disk"
    with mounted(disk, f"size={free_kib + 16}k"):
        with pytest.raises(WorkdirError, match=FULL) as caught:
            fit.fit(TINY, disk / "run")
        assert "\n" not in str(caught.value)
        assert_intact(disk / "run")


def test_a_full_disk_ends_a_command_in_one_line(commands, tmp_path):
    """At the first checkpoint."""
    disk = tmp_path / "disk"
    with mounted(disk, "size=56k"):
        done = killing.run(commands, disk / "run", killing.SMALL | {"epochs": 3})
        assert done.returncode == 2, done.stderr
        errors = [line for line in done.stderr.splitlines() if not line.startswith("epoch ")]
        assert len(errors) == 1, done.stderr
        assert errors[0].startswith("jaxact: ")
        assert re.search(FULL, errors[0])
        assert_intact(disk / "run")


@pytest.mark.parametrize("limit_kib", [1, 4])
def test_a_limit_of_a_files_size_ends_in_one_line(whole, tmp_path, limit_kib):
    """At the records of the start, at the first checkpoint; programs are compiled already."""
    del whole
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kib * 1024, before[1]))
    try:
        with pytest.raises(WorkdirError, match=r"File too large|`ulimit -f`") as caught:
            fit.fit(TINY, tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)


def test_writes_that_come_too_late_are_not_heard(tmp_path, monkeypatch):
    """Those of Orbax's threads, after the first error has ended the save."""
    heard = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    checkpoint._hush_late_writes.__wrapped__()
    for error in (RuntimeError("Event loop is closed"), RuntimeError("x"), OSError("x")):
        unraisable: Any = SimpleNamespace(exc_value=error)
        sys.unraisablehook(unraisable)
    assert [str(unraisable.exc_value) for unraisable in heard] == ["x", "x"]


def test_a_read_only_disk_ends_in_one_line(tmp_path, capsys):
    disk = tmp_path / "disk"
    with mounted(disk, "size=1m,ro"):
        given = [f"--workdir={disk / 'run'}", *words()]
        assert main.COMMAND.run(main.train, given) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is not a folder that can be written in" in said


def test_a_workdir_in_use_is_refused_with_whose_it_is(stopped):
    before = (stopped / record_files.METRICS).read_bytes()
    with (
        lock.held(stopped),
        pytest.raises(WorkdirError, match=rf"in use by another process \(pid {os.getpid()} on "),
    ):
        fit.fit(TINY, stopped)
    assert (stopped / record_files.METRICS).read_bytes() == before
    fit.fit(TINY, stopped)


def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from jaxact.runs.records import lock\n"
        "with lock.held(Path(sys.argv[1])): os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == 9
    assert (tmp_path / lock.LOCK).read_text().startswith("pid ")
    with lock.held(tmp_path):
        pass


def test_an_update_that_breaks_the_parameters_is_found_and_not_saved(tmp_path, monkeypatch):
    """The loss of the epoch's only step is finite; its gradient is not."""
    (tmp_path / "steep.py").write_text(
        "import jax.numpy as jnp\n"
        "def root(x):\n"
        "    return jnp.where(x > 0, jnp.sqrt(jnp.maximum(x, 0)), 0)\n"  # inf * 0 below 0
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = dataclasses.replace(TINY, train_examples=64, activation="steep:root")
    with pytest.raises(NonFiniteLossError, match=r"the gradient of Conv_0/\w+ .* at step 0;"):
        fit.fit(config, tmp_path / "run")
    assert killing.checkpoints_of(tmp_path / "run") == []
    assert not (tmp_path / "run" / record_files.METRICS).exists()
