"""Every kind of layer gives the same on many devices as on one, but for rounding."""

import json
import os

import pytest

from tests.support.paths import python

# Of the networks those whose layers differ: banded and fused convolutions, BatchNorm and strides,
# depthwise ones, LayerNorm, and overlapping pooling with local response normalisation.
NAMES = ("small_cnn", "resnet20", "mobilenet_v2", "convnext", "alexnet32")


@pytest.fixture(scope="module")
def differences(own_compilation_cache, quick_compilation):
    flags = "--xla_force_host_platform_device_count=4"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_ENABLE_X64": "1"}
    printed = python("-m", "tests.support.programs.two_ways", *NAMES, env=environment)
    return {row["model"]: row for row in map(json.loads, printed.splitlines())}


@pytest.mark.parametrize("name", NAMES)
def test_steps_and_evaluation_differ_by_rounding_alone(differences, name):
    assert 0 <= differences[name]["trained"] < 1e-11
    assert differences[name]["evaluated"] < 1e-12
