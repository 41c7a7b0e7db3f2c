"""The activations in mpmath: what jaxact is measured against, by the benchmark and by the tests."""

from benchmarks.exactness.references_classic import CLASSIC
from benchmarks.exactness.references_gates import GATES
from benchmarks.exactness.references_recent import RECENT
from benchmarks.exactness.references_shapes import SHAPES
from benchmarks.exactness.truth import Reference

REFERENCES: dict[str, Reference] = {**CLASSIC, **RECENT, **GATES, **SHAPES}
