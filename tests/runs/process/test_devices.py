"""A process sees the devices that its run computes on, and records those alone."""

import jax
import pytest

from jaxact import main
from jaxact.errors import ConfigError
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


@pytest.mark.usefixtures("options")
@pytest.mark.parametrize(
    ("given", "count", "expected"),
    [("all", 4, "0,1,2,3"), ("all", None, "all"), ("3", 4, "3"), ("1,2", 2, "1,2")],
)
def test_as_many_gpus_are_seen_as_a_run_has_devices(given, count, expected):
    for option in devices.OPTIONS:
        jax.config.update(option, given)
    devices.take_one()  # as every command does, before it knows its options
    devices.take(count)
    assert {jax.config.read(option) for option in devices.OPTIONS} == {expected}


@pytest.mark.usefixtures("options")
def test_a_command_line_says_how_many_gpus_are_seen():
    for option in devices.OPTIONS:
        jax.config.update(option, "all")
    devices.take_one()
    assert main.COMMAND.parse(["--config.devices=2"]).config.devices == 2
    assert {jax.config.read(option) for option in devices.OPTIONS} == {"0,1"}


def test_one_device_of_one_process_is_no_mesh():
    assert devices.mesh(1) is None
    with pytest.raises(ConfigError, match=r"config\.devices=2: JAX sees 1 device \(cpu\)"):
        devices.mesh(2)


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
