"""The configuration: every field is checked, and what is wrong is said in one line."""

import dataclasses
import json
import math
import runpy

import pytest

from jaxact import data
from jaxact.config import RULES, Config, check, default_config
from jaxact.config_fields import meanings
from jaxact.errors import ConfigError
from tests.support import networks
from tests.support.paths import ROOT

SGD = "sgd(momentum=0.9, nesterov=True)"
CONFIGS = sorted((ROOT / "configs").glob("*.py"))
WRONG = {
    "dataset": ["cifr10", "", None, 3],
    "data_dir": ["", "  ", None],
    "train_examples": [0, -1, 1.5, True],
    "test_examples": [0, "many"],
    "image_size": [0, -8, 4097, 1.5, "big"],
    "channels_last": ["yes", 1],
    "follow_links": [1, "yes", None],
    "loading": ["disk", "", None, True],
    "loading_workers": [-1, 257, 1.0, "auto", True],
    "eval_split": ["tset"],
    "augmentation": ["", None, 3, "flop", "flip,flip", "none,flip", "rotate(amount=200)"],
    "preprocessing": ["zca", "", None],
    "model": ["vgg12", "nowhere:Net", "math:pi", "jaxact.nets:Net(width=3"],
    "activation": ["", None, "rleu", "swish(bata=1)", "relu(", "nowhere:f"],
    "activation_sharing": ["pixel"],
    "kernel_init": ["he"],
    "bias_init": ["small", float("nan"), 1e4],
    "precision": ["float16"],
    "dropout": ["units", None],
    "dropout_rate": [-0.1, 1.0, float("nan")],
    "epochs": [0, -3, 1.0, True, None],
    "batch_size": [0, 2**40],
    "learning_rate": [0, -1e-3, float("nan"), float("inf"), "fast"],
    "optimizer": [
        "nowhere:f",
        "",
        None,
        "adm",
        "sgd(momentum=1)",
        "sgd(nesterov=True)",
        "adam(b3=0.1)",
    ],
    "learning_rate_schedule": ["linear"],
    "warmup_epochs": [-1, float("nan"), 20],
    "clip_norm": [0, -1.0, "small"],
    "ema": [-0.1, 1, "slow"],
    "label_smoothing": [-0.1, 1.0],
    "loss": ["mse", None],
    "l1": [-1e-3, float("nan"), "small"],
    "l2": [-1e-3, float("inf")],
    "weight_decay": [-1, float("nan")],
    "early_stopping_epochs": [0, 1.5, True],
    "deterministic": [1, "yes", None],
    "seed": [-1, 2**32, 0.5],
    "target_accuracy": [-0.01, 1.01, 98],
    "checkpoint_every_epochs": [0],
    "steps_per_dispatch": [0, -1],
    "latency_samples": [-1, 1.5],
    "health_examples": [-1, 0.5, True],
    "devices": [0, -1, 1.5, True, None, 2**16 + 1],
    "distributed": [
        "",
        "aut",
        1,
        "localhost",
        "localhost:1234",
        "localhost:1234,2,2",
        "localhost:0,2,0",
        "localhost:99999,2,0",
        ":1234,2,0",
        "localhost:1234,two,0",
    ],
}


def loose(**fields):
    """A ConfigDict without its type checks, so that any value reaches ours."""
    config = default_config()
    with config.ignore_type():
        config.update(fields)
    return config


def test_each_published_data_set_has_a_file():
    defaults = [runpy.run_path(str(path))["get_config"]().dataset for path in CONFIGS]
    lacking = set(data.names()) - set(defaults)
    assert not lacking, f"configs/ has no file of {lacking}"


def test_every_field_has_a_rule_and_a_default_that_obeys_it():
    assert [field.name for field in dataclasses.fields(Config)] == list(RULES)
    assert check(default_config()) == Config()


def test_every_rule_is_tried_with_wrong_values():
    assert WRONG.keys() == RULES.keys()


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in WRONG for value in WRONG[field]]
)
def test_a_wrong_value_is_named_in_one_line(field, value):
    with pytest.raises(ConfigError) as caught:
        check(loose(**{field: value}))
    message = str(caught.value)
    assert message.startswith(f"config.{field}={value!r}")
    assert "\n" not in message


def test_a_near_miss_is_suggested():
    with pytest.raises(ConfigError, match="did you mean cifar10"):
        check(loose(dataset="cifar_10"))


def test_augmentations_are_a_list_in_one_text():
    for text in ("default", "none", "crop_flip", "flip, rotate(amount=30) ,mixup", "default,mixup"):
        assert check(loose(augmentation=text)).augmentation == text
    with pytest.raises(ConfigError, match=r"augmentation='flip,mixop' .*did you mean mixup"):
        check(loose(augmentation="flip,mixop"))


def test_an_unknown_field_is_named():
    config = default_config().unlock()
    config.lerning_rate = 1.0
    with pytest.raises(ConfigError, match=r"config\.lerning_rate.*did you mean learning_rate"):
        check(config)


def test_a_missing_field_is_named():
    config = default_config().unlock()
    del config.epochs
    with pytest.raises(ConfigError, match=r"config\.epochs is missing"):
        check(config)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_config_files_and_their_variants_are_valid(path):
    module = runpy.run_path(str(path))
    with pytest.raises(ConfigError, match="variant 'papr'") as caught:
        module["get_config"]("papr")
    variants = str(caught.value).partition("(one of ")[2].rstrip(")").split(", ")
    assert "smoke" in variants
    assert not [name for name in variants if f"`{name}`" not in module["__doc__"]]
    for name in ("", *variants):
        config = check(module["get_config"](name))
        json.dumps(dataclasses.asdict(config), allow_nan=False)


@pytest.mark.parametrize(
    ("name", "model", "optimizer", "learning_rate", "decay", "schedule"),
    [
        *((name, name, SGD, 0.1, 5e-4, "cosine") for name in networks.RESIDUAL),
        ("resnet18_quick", "resnet18", SGD, 0.1, 5e-4, "cosine"),
        ("mobilenet_v2", "mobilenet_v2", SGD, 0.1, 5e-4, "cosine"),
        ("convnext", "convnext", "adam", 4e-3 / math.sqrt(4096 / 128), 0.05, "cosine"),
        ("mlp", "mlp", "adam", 1e-3, 0.0, "constant"),
    ],
)
def test_recipes_are_those_of_their_sources(name, model, optimizer, learning_rate, decay, schedule):
    config = check(runpy.run_path(str(ROOT / "configs" / "cifar.py"))["get_config"](name))
    assert (config.model, config.dataset) == (model, "cifar10")
    assert (config.optimizer, config.learning_rate_schedule) == (optimizer, schedule)
    assert config.learning_rate == pytest.approx(learning_rate, rel=0.02)
    assert (config.weight_decay, config.batch_size) == (decay, 128)


def test_the_papers_protocol():
    paths = {path.stem: runpy.run_path(str(path))["get_config"] for path in CONFIGS}
    mnist, cifar = check(paths["mnist"]("paper")), check(paths["cifar"]("paper"))
    assert (mnist.epochs, mnist.batch_size, mnist.learning_rate) == (10, 128, 2e-4)
    assert (mnist.model, mnist.target_accuracy, mnist.eval_split) == ("small_cnn", 0.98, "test")
    assert (cifar.epochs, cifar.batch_size, cifar.model) == (50, 128, "vgg11")
    assert (cifar.target_accuracy, cifar.eval_split) == (0.87, "test")


def test_the_data_folder_is_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXACT_DATA", str(tmp_path))
    assert default_config().data_dir == str(tmp_path)
    monkeypatch.delenv("JAXACT_DATA")
    assert str(default_config().data_dir).endswith(".cache/jaxact/data")


def test_every_field_has_a_meaning_within_its_group():
    groups = meanings()
    assert [title.split(":")[0] for title in groups] == [
        "Data",
        "Model",
        "Optimisation",
        "Measurement",
        "Machine",
    ]
    told = {name: meaning for fields in groups.values() for name, meaning in fields.items()}
    assert list(told) == list(RULES)
    assert min(map(len, told.values())) > 10
    assert all("null: " in told[name] for name, rule in RULES.items() if rule.holds(None))
