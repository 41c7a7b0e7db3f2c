"""A session in a notebook, in a kernel of its own: functions of cells, figures, an interrupt."""

import pytest

from tests.support.paths import ROOT

nbformat = pytest.importorskip("nbformat", reason="needs nbclient and ipykernel")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel")

CELLS = """
import os, signal, sys, threading, time
sys.path.insert(0, {root!r})
import jax.numpy as jnp
import jaxact
import tests.support.networks
fields = dict(train_examples=300, test_examples=70, batch_size=64, epochs=2, latency_samples=0)
fields |= dict(model="thin_cnn", health_examples=0, seeds=1)
def bent(x):
    return jnp.where(x > 0, x, 0.1 * x)
----
study = jaxact.compare([bent], **fields)
study
----
study.figure("accuracy")
----
fields |= dict(workdir={workdir!r}, epochs=80)
def interrupt():
    while not os.path.exists({workdir!r} + "/bent/seed0/metrics.jsonl"):
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
jaxact.compare([bent], **fields)
----
gone_on = jaxact.compare([bent], **fields)
print(int(gone_on[bent].epochs_trained[0]))
"""


def test_a_session(tmp_path):
    text = CELLS.format(root=str(ROOT), workdir=str(tmp_path / "study"))
    cells = [nbformat.v4.new_code_cell(cell) for cell in text.split("----\n")]
    cells[3].metadata["tags"] = ["raises-exception"]
    book = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(book, timeout=120).execute()
    _, shown, figure, interrupted, gone_on = (cell.outputs for cell in cells)
    progress, study = shown  # one line, which changed
    assert "1/1 runs" in progress.data["text/html"]
    assert ">bent</td>" in study.data["text/html"]
    assert "p error" not in study.data["text/html"]  # of one seed nothing is tested
    assert study.data["text/plain"] == "Study(bent; thin_cnn on digits; 1 seed)"
    assert "image/png" in figure[0].data
    assert interrupted[-1].ename == "KeyboardInterrupt"
    assert "after 0 of 1 runs" in interrupted[-1].evalue
    assert gone_on[-1].text.strip() == "80"
