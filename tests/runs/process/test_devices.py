"""A process computes on one device, and records that one alone."""

import jax
import pytest

from jaxact.runs.process import devices, environment
from tests.support.paths import python


@pytest.fixture
def options():
    before = {option: jax.config.read(option) for option in devices.OPTIONS}
    yield
    for option, value in before.items():
        jax.config.update(option, value)


@pytest.mark.usefixtures("options")
@pytest.mark.parametrize(("given", "expected"), [("all", "0"), ("3", "3"), ("1,2", "1,2")])
def test_other_gpus_are_left_alone_unless_the_user_chose(given, expected):
    for option in devices.OPTIONS:
        jax.config.update(option, given)
    devices.take_one()
    assert {jax.config.read(option) for option in devices.OPTIONS} == {expected}


TWO_DEVICES = """
import jax
from jaxact.runs.process import environment
assert jax.device_count() == 2
described = environment.describe()
assert described["device_count"] == 1
assert described["devices"] == [str(jax.devices()[0])]
with jax.default_device(jax.devices()[1]):
    assert environment.describe()["devices"] == [str(jax.devices()[1])]
"""


def test_the_record_names_what_is_used_not_what_is_visible():
    environ = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "PATH": ""}
    python("-c", TWO_DEVICES, env=environ)


def test_the_record_of_one_device():
    described = environment.describe()
    assert described["devices"] == [str(device) for device in devices.used()]
