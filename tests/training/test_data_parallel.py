"""Every kind of layer gives the same on many devices as on one, but for rounding."""

import json
import os

from tests.support.paths import python


def test_steps_and_evaluation_differ_by_rounding_alone(own_compilation_cache, quick_compilation):
    flags = "--xla_force_host_platform_device_count=4"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_ENABLE_X64": "1"}
    found = json.loads(python("-m", "tests.support.programs.two_ways", env=environment))
    assert 0 <= found["trained"] < 1e-11
    assert found["evaluated"] < 1e-12
