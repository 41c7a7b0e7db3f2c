"""Checkpoints of runs that one process makes at once, in threads."""

import threading
import time

import numpy as np

from jaxact.runs.records.checkpoint import Checkpoints


def test_runs_of_a_process_save_in_turn(tmp_path, monkeypatch):
    at_work, most = set(), []

    def save(folder, **_):
        at_work.add(folder)
        most.append(len(at_work))
        time.sleep(0.1)
        folder.mkdir()
        at_work.remove(folder)

    several = [Checkpoints(tmp_path / name) for name in "abc"]
    for one in several:
        monkeypatch.setattr(one._orbax, "save", save)
    threads = [threading.Thread(target=one._write, args=(1, [np.zeros(3)], {})) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert all(one.steps() == [1] for one in several)
