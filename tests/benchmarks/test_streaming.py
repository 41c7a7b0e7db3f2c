"""The parts of the benchmark of streaming: its images, and what it reads from runs."""

import json
import os

import numpy as np
import pytest

from benchmarks.streaming import generated, listing, runs


def test_generated_images_are_the_same_every_time_and_of_their_class(tmp_path):
    folders = [generated.make(tmp_path / name, 12, 3, (20, 29)) for name in ("a", "b")]
    paths = [
        sorted(path.relative_to(folder) for path in folder.rglob("*.jpg")) for folder in folders
    ]
    assert paths[0] == paths[1]
    assert {str(path.parent) for path in paths[0]} == {"0000", "0001", "0002"}
    contents = [[(folder / path).read_bytes() for path in paths[0]] for folder in folders]
    assert contents[0] == contents[1]
    assert len(set(contents[0])) == 12
    sizes = {generated.picture(number, 3, (20, 29)).size for number in range(12)}
    assert all(20 <= side <= 29 for size in sizes for side in size)
    assert len(sizes) > 3


def test_a_part_of_them_is_made_of_links(tmp_path):
    whole = generated.make(tmp_path, 12, 3, (8, 9))
    part = generated.part(tmp_path, whole, 5, 3)
    paths = sorted(part.rglob("*.jpg"))
    assert len(paths) == 5
    assert all(os.path.samefile(path, whole / path.relative_to(part)) for path in paths)


def save(workdir, losses, seconds):
    workdir.mkdir()
    rows = [
        {
            "step": 10 * epoch,
            "train_loss": loss,
            "test_loss": None,
            "train_seconds": seconds * epoch,
        }
        for epoch, loss in enumerate(losses, 1)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (workdir / "metrics.jsonl").write_text(text)


def test_runs_differ_in_figures_not_in_times(tmp_path):
    save(tmp_path / "one", [2.0, 1.0], 5.0)
    save(tmp_path / "same", [2.0, 1.0], 7.0)
    save(tmp_path / "other", [2.0, 1.25], 5.0)
    assert runs.differences(tmp_path / "one", tmp_path / "same") == 0
    assert runs.differences(tmp_path / "one", tmp_path / "other") == 0.25
    assert runs.images_per_second(tmp_path / "one", 8) == pytest.approx(16)


def test_memory_counts_what_a_process_holds():
    before = runs.held_by(os.getpid()).resident
    block = np.ones(2**26, np.uint8)
    assert runs.held_by(os.getpid()).resident - before > 60
    del block


def test_listing_counts_every_file(tmp_path):
    row = listing.measure(1000, str(tmp_path))
    assert row["files"] == 1000
    assert row["bytes a file held"] < 1000
    assert not list(tmp_path.iterdir())
