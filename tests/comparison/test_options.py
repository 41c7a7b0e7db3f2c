"""The options of a comparison: what they make of their text, and how a wrong one is told."""

import dataclasses
import json
import math

import pytest

from jaxact.comparison.options import choose_baseline, make_plan, split_remake, split_specs
from jaxact.comparison.plan import Plan, folder_name
from jaxact.config import Config, check, default_config
from jaxact.errors import ConfigError
from tests.support.own_files import write_module


def test_specs_are_split_at_commas_outside_brackets():
    assert split_specs("relu, elu(alpha=2.0) ,tanh") == ["relu", "elu(alpha=2.0)", "tanh"]


@pytest.mark.parametrize("text", ["", ",", "relu,rleu", "relu,relu", "swish(a=1)"])
def test_wrong_specs_are_refused(text):
    with pytest.raises(ConfigError, match="--activations="):
        split_specs(text)


def test_a_function_that_fails_is_refused_with_its_cause(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    write_module(tmp_path, "def act(x):\n    return x if x > 0 else 0.1 * x\n")
    config = default_config()
    config.activation = "mine:act"
    told = r"^--activations=relu,mine:act: mine:act .* use jnp\.where .*`python -m jaxact\.check"
    with pytest.raises(ConfigError, match=told):
        split_specs("relu,mine:act")
    with pytest.raises(ConfigError, match=r"^config\.activation='mine:act': mine:act fails on"):
        check(config)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("elu", r"must name some of .*\(relu, tanh\), and elu is none"),
        ("rleu", "relu"),
    ],
)
def test_what_is_not_compared_is_not_made_anew(text, told):
    plan = make_plan(Config(), "relu,tanh", 1)
    assert split_remake(None, plan) == []
    assert split_remake("tanh", plan) == ["tanh"]
    with pytest.raises(ConfigError, match=f"^--remake={text}.*{told}"):
        split_remake(text, plan)


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
    # one seed tries both rates, two go on with the common one
    assert len(runs) == 2 * 2 * 2 + 2 * 2 * 2
    assert len(set(map(plan.folder, runs))) == len(set(map(plan.label, runs))) == len(runs)
    assert {(run.dataset, run.target_accuracy) for run in runs} == {
        ("mnist", 0.98),
        ("fashion_mnist", 0.85),
    }
    # seed by seed, every pair whole before the next begins
    assert [run.seed for run in runs] == [0] * 8 + [1] * 4 + [2] * 4
    assert Plan.from_json(plan.as_json()) == plan


def test_without_options_the_configuration_decides():
    config = Config(dataset="mnist", learning_rate=0.5, target_accuracy=0.9)
    (run,) = make_plan(config, "tanh", 1).runs()
    assert run == Config(
        dataset="mnist", learning_rate=0.5, target_accuracy=0.9, activation="tanh", seed=0
    )
    assert str(make_plan(config, "tanh", 1).folder(run)) == "tanh/seed0"


def test_seeds_begin_with_the_configurations():
    plan = make_plan(Config(seed=5), "relu,tanh", 3)
    assert [run.seed for run in plan.runs()] == [5, 5, 6, 6, 7, 7]
    assert str(plan.folder(list(plan.runs())[-1])) == "tanh/seed7"
    with pytest.raises(ConfigError, match=r"--seeds=3 from config\.seed=4294967294 on"):
        make_plan(Config(seed=2**32 - 2), "relu", 3)


@pytest.mark.parametrize(
    ("field", "value", "options"),
    [
        ("activation", "gelu", {}),
        ("dataset", "mnist", {"datasets": "digits,fashion_mnist"}),
        ("learning_rate", 0.5, {"learning_rates": "0.1,0.01"}),
        ("target_accuracy", 0.5, {"target_accuracies": "0.9"}),
    ],
)
def test_a_field_that_was_asked_for_is_used_or_refused(field, value, options):
    config = dataclasses.replace(Config(), **{field: value})
    with pytest.raises(ConfigError, match=f"config.{field}={value} is not among --"):
        make_plan(config, "relu,tanh", 1, given={field}, **options)
    if field != "activation":  # from a file, it is a default that options replace
        make_plan(config, "relu,tanh", 1, **options)
    assert make_plan(Config(activation="swish(beta=1)"), "relu,swish", 1, given={"activation"})


def test_a_plan_says_what_it_cannot_go_on_with():
    plan = make_plan(Config(target_accuracy=0.9), "relu,tanh", 2)

    def said(**changes):
        config = dataclasses.replace(plan.config, **changes)
        return make_plan(config, "relu,tanh", 2).differences(plan)

    assert said() == said(epochs=30) == []
    assert said(dataset="mnist") == ["datasets (digits there, mnist now)"]
    assert said(seed=1) == ["config.seed (0 there, 1 now)"]
    assert said(target_accuracy=0.8) == ["target of digits (0.9 there, 0.8 now)"]
    planned = dataclasses.replace(plan.config, learning_rate_schedule="cosine")
    shorter = make_plan(planned, "relu", 1)
    longer = make_plan(dataclasses.replace(planned, epochs=30), "relu,tanh", 1)
    (reason,) = longer.differences(shorter)
    assert reason == ("config.epochs, for which the cosine rate is planned (20 there, 30 now)")


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


def test_the_order_of_activations_rotates_from_seed_to_seed():
    orders = [
        [run.activation for run in make_plan(Config(), "relu,tanh,elu", 4).runs() if run.seed == k]
        for k in range(4)
    ]
    assert orders == [
        ["relu", "tanh", "elu"],
        ["tanh", "elu", "relu"],
        ["elu", "relu", "tanh"],
        ["relu", "tanh", "elu"],
    ]


def test_a_sweep_tries_rates_on_seeds_of_their_own_and_shows_the_chosen_on_others():
    plan = make_plan(
        Config(learning_rate=1e-3), "relu,tanh", 2, learning_rates="1e-3,3e-4,1e-4", rate_seeds=2
    )
    assert plan.config.eval_split == "validation"
    assert (list(plan.choosing_seeds), list(plan.shown_seeds)) == ([0, 1], [2, 3])
    chosen = dataclasses.replace(plan, own_rates=((0, "relu", 1e-3), (0, "tanh", 1e-4)))
    runs = [(r.seed, r.activation, r.learning_rate) for r in chosen.runs()]
    assert len(runs) == len(set(runs)) == 2 * 2 * 3 + 2 * 3
    assert [run for run in runs if run[0] == 3] == [
        (3, "tanh", 1e-3),  # the common rate, of both
        (3, "relu", 1e-3),
        (3, "tanh", 1e-4),
    ]
    assert Plan.from_json(json.loads(json.dumps(chosen.as_json()))) == chosen


def test_rates_in_another_order_are_the_same_where_the_common_one_is():
    def plan(rates):
        return make_plan(Config(learning_rate=1e-3), "relu,tanh", 2, learning_rates=rates)

    stored = plan("1e-3,3e-4,1e-4")
    assert plan("1e-4,1e-3,3e-4").going_on(stored) == stored
    for rates in ("1e-3,3e-4", "3e-4,1e-4,1e-2"):
        assert plan(rates).going_on(stored).differences(stored)
    first = plan("3e-4,1e-4")  # the first is the common one
    assert plan("1e-4,3e-4").going_on(first).differences(first)


@pytest.mark.parametrize(
    ("specs", "options", "words"),
    [
        ("relu,swish,silu", {}, "silu and swish are one function and no rivals.*--aa=silu"),
        ("celu,elu", {}, "elu and celu are one function"),
        ("relu,leaky_relu(negative_slope=0)", {}, "are one function"),
        ("relu,tanh", {"aa": "tanh"}, "tanh is no second name of another.* leaves out .relu."),
        ("relu,swish,silu", {"aa": "swish,silu"}, "swish is no second name of.* leaves out .relu."),
        (
            "relu,swish,silu",
            {"aa": "silu", "baseline": "silu"},
            "--aa=swish .silu is the baseline.",
        ),
        ("relu,leaky_relu(negative_slope=0)", {"aa": "relu"}, "relu is the baseline"),
        ("relu", {"until": "decided", "max_seeds": 4}, "--max_seeds=4 must be at least 5"),
        ("relu", {"until": "decided", "seeds": 8, "max_seeds": 7}, "must be at least 8"),
        (
            "relu",
            {"config": Config(seed=2**32 - 9), "until": "decided", "max_seeds": 10},
            "--max_seeds=10 from config.seed=4294967287 on: config.seed=4294967296",
        ),
        ("relu,tanh", {"aa": "silu"}, "--aa=silu: silu is no second name"),
        ("relu", {"max_seeds": 9}, "--max_seeds=9 is of use with --until=decided alone"),
        ("relu", {"rate_seeds": 2}, "--rate_seeds=2 is of use with several --learning_rates"),
        ("relu", {"margin_points": 0.0}, "--margin_points=0 must be above 0 and at most 100"),
        ("relu", {"margin_points": math.nan}, "--margin_points=nan must be above 0"),
        (
            "relu",
            {"learning_rates": "1e-3,1e-4", "given": {"eval_split"}},
            "leave out config.eval_split=test",
        ),
    ],
)
def test_options_that_no_fair_comparison_has(specs, options, words):
    with pytest.raises(ConfigError, match=words):
        make_plan(**{"config": Config(), "specs": specs, "seeds": 2} | options)


def test_the_baseline_of_an_earlier_version_s_study_is_a_rival():
    plan = make_plan(Config(), "swish,silu,relu", 2, aa="silu", baseline="swish")
    stored = json.loads(json.dumps(plan.as_json() | {"baseline": "silu"}))
    del stored["twins"]
    assert Plan.from_json(stored).rivals == ("silu", "relu")


def test_a_second_name_is_kept_as_a_measure_of_noise():
    plan = make_plan(Config(), "silu,relu,swish", 2, aa="silu")
    assert plan.twins == (("silu", "swish"),)
    assert plan.rivals == ("relu", "swish")
    assert plan.baseline == "relu"


def test_until_decided_begins_with_as_many_seeds_as_can_be_tested_and_goes_on_from_more():
    plan = make_plan(Config(), "relu,tanh", 3, until="decided")
    assert plan.seeds == 5
    stored = dataclasses.replace(plan, seeds=9)
    assert plan.going_on(stored).seeds == 9
    fixed = make_plan(Config(), "relu,tanh", 10)
    assert fixed.going_on(stored).is_sequential  # what was looked at stays so
    assert not fixed.going_on(dataclasses.replace(stored, until="")).is_sequential
