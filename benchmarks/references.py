"""The activations in mpmath: what jaxact is measured against, by the benchmark and by the tests."""

from benchmarks.references_classic import CLASSIC
from benchmarks.references_recent import RECENT
from benchmarks.truth import Reference

REFERENCES: dict[str, Reference] = {**CLASSIC, **RECENT}
