"""The options that experiments share become a configuration, or an error that names them."""

import pytest

from experiments.common import training_options
from jaxact import data
from jaxact.command import Command, Option
from jaxact.errors import ConfigError


def options(*words):
    shared = training_options.shared(train_examples=None, epochs=2, learning_rate=0.01, seeds=3)
    own = {"l1": Option(0.5, "a penalty"), "workdir": Option("elsewhere", "a folder")}
    return Command("try", "", shared | own).parse(words)


def test_options_become_a_configuration():
    config = training_options.config_of(options("--train_examples=64"), activation="prelu")
    assert (config.dataset, config.train_examples, config.epochs) == ("digits", 64, 2)
    assert (config.activation, config.learning_rate) == ("prelu", 0.01)
    assert (config.health_examples, config.latency_samples) == (0, 0)
    assert config.data_dir == str(data.default_data_dir())


def test_further_fields_go_before_options():
    assert training_options.config_of(options()).l1 == 0.5
    assert training_options.config_of(options(), l1=0.0).l1 == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--seeds=0", "--seeds=0 must be"),
        ("--seeds=1001", "--seeds=1001 must be"),
        ("--epochs=0", "--epochs=0 must be"),
        ("--train_examples=-1", "--train_examples=-1 must be"),
        ("--dataset=digit", "--dataset='digit'.*did you mean digits"),
        ("--l1=-1", "--l1=-1.0 must be"),
    ],
)
def test_a_wrong_option_is_named(option, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        training_options.config_of(options(option), l1=0.0)


def test_a_wrong_activation_is_named():
    with pytest.raises(ConfigError, match=r"^--activation='rleu'.*relu"):
        training_options.config_of(options(), activation="rleu")


def test_settings_are_all_but_the_folder():
    assert training_options.settings(options())["epochs"] == 2
    assert "workdir" not in training_options.settings(options())
