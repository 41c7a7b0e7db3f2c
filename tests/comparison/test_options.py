"""The options of a comparison: what they make of their text, and how a wrong one is told."""

import pytest

from jaxact.comparison.options import choose_baseline, make_plan, split_specs
from jaxact.comparison.plan import Plan, folder_name
from jaxact.config import Config
from jaxact.errors import ConfigError


def test_specs_are_split_at_commas_outside_brackets():
    assert split_specs("relu, elu(alpha=2.0) ,tanh") == ["relu", "elu(alpha=2.0)", "tanh"]


@pytest.mark.parametrize("text", ["", ",", "relu,rleu", "relu,relu", "swish(a=1)"])
def test_wrong_specs_are_refused(text):
    with pytest.raises(ConfigError, match="--activations="):
        split_specs(text)


@pytest.mark.parametrize("spec", ["leaky_relu(negative_slope=0.05)", "a.b:c", "../../etc"])
def test_folder_names_stay_in_the_workdir(spec, tmp_path):
    folder = tmp_path / folder_name(spec)
    assert folder.resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"learning_rates": "1e-3,fast"},
            "--learning_rates=1e-3,fast: config.learning_rate='fast'",
        ),
        ({"learning_rates": "1e-3,0"}, "must be a number above 0"),
        ({"learning_rates": ","}, "one value or more"),
        ({"learning_rates": "0.001,1e-3"}, "each value once"),
        ({"datasets": "mnist,fashoin_mnist"}, "did you mean fashion_mnist"),
        ({"target_accuracies": "1.5"}, "a number from 0 to 1"),
        ({"target_accuracies": "0.9,0.8"}, "one value for each of the 1 data sets"),
        ({"baseline": "rleu"}, "did you mean relu"),
        ({"baseline": "elu"}, "must be one of the activations: relu, tanh"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(options, told):
    with pytest.raises(ConfigError) as refused:
        make_plan(Config(), "relu,tanh", 1, **options)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_data_sets_have_their_own_targets():
    plan = make_plan(
        Config(),
        "relu,tanh",
        2,
        datasets="mnist,fashion_mnist",
        learning_rates="1e-3,3e-4",
        target_accuracies="0.98,0.85",
    )
    runs = list(plan.runs())
    assert len(runs) == 2 * 2 * 2 * 2
    assert len(set(map(plan.folder, runs))) == len(set(map(plan.label, runs))) == len(runs)
    assert {(run.dataset, run.target_accuracy) for run in runs} == {
        ("mnist", 0.98),
        ("fashion_mnist", 0.85),
    }
    # seed by seed, every pair whole before the next begins
    assert [run.seed for run in runs] == [0] * 8 + [1] * 8
    assert Plan.from_json(plan.as_json()) == plan


def test_without_options_the_configuration_decides():
    config = Config(dataset="mnist", learning_rate=0.5, target_accuracy=0.9)
    (run,) = make_plan(config, "tanh", 1).runs()
    assert run == Config(
        dataset="mnist", learning_rate=0.5, target_accuracy=0.9, activation="tanh", seed=0
    )
    assert str(make_plan(config, "tanh", 1).folder(run)) == "tanh/seed0"


@pytest.mark.parametrize(
    ("text", "specs", "expected"),
    [
        (None, ["tanh", "relu"], "relu"),
        (None, ["tanh", "elu"], "tanh"),
        ("elu(alpha=1.0)", ["tanh", "elu"], "elu"),
    ],
)
def test_the_baseline_is_relu_or_the_first(text, specs, expected):
    assert choose_baseline(text, specs) == expected
