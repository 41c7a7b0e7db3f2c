"""Memory that runs out is one line: what was needed, what is there, what to lower."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import pytest

from jaxact.config import Config
from jaxact.errors import OutOfMemoryError
from jaxact.runs import fit
from jaxact.runs.process import memory

REPORTS = {
    "RESOURCE_EXHAUSTED: Out of memory allocating 17592186044416 bytes.": 17592186044416,
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4770354232 bytes.\n"
    "BufferAssignment stats:\n parameter allocation:  372.76MiB": 4770354232,
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 3.37GiB.": 3618509373,
    "RESOURCE_EXHAUSTED: Failed to allocate request for 2.99GiB (3206250496B) on device ordinal 0"
    "": 3210488054,
    "Unable to allocate 6.86 GiB for an array with shape (60000, 30720)": 7365868913,
    "RESOURCE_EXHAUSTED: the pool is empty": None,
}


@pytest.mark.parametrize("report", REPORTS)
def test_the_bytes_of_a_report_are_read(report):
    needed = memory.needed_bytes(report)
    assert needed == pytest.approx(REPORTS[report]) if REPORTS[report] else needed is None


def test_xlas_own_error_is_explained():
    with pytest.raises(OutOfMemoryError) as caught, memory.explained(Config()):
        jnp.zeros((2**42,), jnp.float32).block_until_ready()
    said = str(caught.value)
    assert "17,592,186,044,416 bytes" in said
    assert re.search(r"the machine has [\d.,]+ [MG]iB in all, [\d.,]+ [MG]iB free", said)
    assert "config.batch_size (128)" in said
    assert "config.precision (float32) to bfloat16" in said
    assert "\n" not in said


def test_numpys_own_error_is_explained():
    with pytest.raises(OutOfMemoryError, match="7,365,868,913 bytes"), memory.explained(Config()):
        raise MemoryError("Unable to allocate 6.86 GiB for an array with shape (60000, 30720)")


def test_other_errors_stay_as_they_are():
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"), memory.explained(Config()):
        raise jax.errors.JaxRuntimeError("INTERNAL: no such kernel")


@pytest.mark.parametrize(
    ("changes", "named", "left_out"),
    [
        ({}, ["batch_size (128)", "image_size (null", "bfloat16"], []),
        ({"batch_size": 1}, ["bfloat16"], ["batch_size"]),
        ({"image_size": 224}, ["image_size (224; small_cnn takes 28)"], ["null"]),
        ({"image_size": 28, "precision": "bfloat16"}, ["batch_size"], ["image_size", "precision"]),
    ],
)
def test_only_what_can_be_lowered_is_named(changes, named, left_out):
    said = memory.advice(dataclasses.replace(Config(), **changes), "Out of memory")
    assert all(word in said for word in named)
    assert not any(word in said for word in left_out)


class Device:
    """A GPU as JAX describes it."""

    def memory_stats(self):
        return {"bytes_limit": 60_000_000_000, "bytes_in_use": 1_234_567}

    def __str__(self):
        return "cuda:0"


def test_the_memory_of_a_device_is_told(monkeypatch):
    monkeypatch.setattr(memory.devices, "used", lambda: [Device()])
    assert memory.there() == "cuda:0 has 55.9 GiB in all, 1.18 MiB in use"


@pytest.mark.parametrize("place", ["prepare", "train"])
def test_a_run_that_needs_too_much_says_so(tiny, tmp_path, monkeypatch, place):
    def exhausted(*arguments, **options):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")

    monkeypatch.setattr(fit, place, exhausted)
    with pytest.raises(OutOfMemoryError, match="9 bytes more were needed"):
        fit.fit(tiny, tmp_path / "run")
