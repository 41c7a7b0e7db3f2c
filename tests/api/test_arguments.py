"""Arguments of Python programs: one or several, NumPy's numbers, and wrong ones, told in a line."""

import functools
import pathlib

import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

import jaxact
from jaxact import activations
from jaxact.api import arguments
from jaxact.errors import ConfigError, DataError, NonFiniteLossError
from tests.support import tiny
from tests.support.experiments import Planted

ONE = {**tiny.FIELDS, "epochs": 1, "health_examples": 0, "progress": False}


def steep(x):
    return 3 * jnp.tanh(x)


@pytest.mark.parametrize(
    ("functions", "specs"),
    [
        (steep, [f"{__name__}:steep"]),
        ("relu, leaky_relu(negative_slope=0.3)", ["relu", "leaky_relu(negative_slope=0.3)"]),
        (activations.get("mish"), ["mish"]),
        (jnp.sin, ["jax.numpy:sin"]),
        ((spec for spec in ("relu", "elu")), ["relu", "elu"]),
        ("", []),
    ],
)
def test_one_function_or_several(functions, specs):
    assert arguments.specs_of(arguments.several(functions, "functions")) == specs


def test_a_function_without_a_name_gets_one():
    first, second = arguments.specs_of([lambda x: 2 * jnp.tanh(x), lambda x: 3 * jnp.tanh(x)])
    assert first.startswith("lambda_")
    assert second.startswith("lambda_")
    assert first != second


@pytest.fixture
def planted(monkeypatch):
    """Runs are not trained."""
    return Planted(monkeypatch, lambda config: 5.0)


@pytest.mark.usefixtures("planted")
def test_functions_and_methods_of_one_name():
    class Steep:
        def __init__(self, slope):
            self.slope = slope

        def act(self, x):
            return self.slope * jnp.tanh(x)

    one, two = Steep(1.0), Steep(2.0)
    one.act.__func__.__module__ = "__main__"
    study = jaxact.compare([one.act, two.act], baseline=two.act, seeds=1, **ONE)
    assert study._study.plan.baseline == study[two.act].spec != study[one.act].spec
    assert two.act in study
    assert "relu" not in study


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "^seeds=0 must be a whole number from 1$"),
        ({"seeds": "3"}, "^seeds='3' must be a whole number from 1$"),
        ({"seeds": 2.5}, "^seeds=2.5 must be"),
        ({"seeds": True}, "^seeds=True must be"),
        ({"until": "decide"}, "^until='decide' must be 'decided', or None$"),
        ({"max_seeds": 3}, "^max_seeds=3 is of use with until=decided"),
        ({"margin_points": "0.2"}, "^margin_points='0.2' must be a number$"),
        ({"price_per_hour": "2"}, "^price_per_hour='2' must be a number, or None"),
        ({"compile_ahead": -1}, "^compile_ahead=-1 must be a whole number from 0, or None"),
        ({"progress": "no"}, "^progress='no' must be True or False"),
        ({"learning_rates": []}, "^learning_rates= must hold one value"),
        ({"functions": {"relu": None}}, "^functions is of type dict: give a list$"),
        ({"functions": ["relu", "relu"]}, "^functions=relu,relu must name"),
        ({"functions": ["hard_silu", "hard_swish"]}, "by aa=hard_swish$"),
        ({"remake": ["mish"]}, "^remake=mish must name some"),
        ({"config": 3}, "^config is of type int: give a jaxact.Config"),
        ({"config": {1: 2}}, "config.1 is not a field"),
        ({"max_seed": 20}, "^max_seed is no argument; did you mean max_seeds"),
        ({"config": "nothing.py"}, "^config=nothing.py: there is no file"),
        ({"train_examples": 10**6}, "or None for all$"),
        ({"workdir": __file__}, "^workdir=.* is a file"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_said_of_arguments(wrong, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        jaxact.compare(**{"functions": ["relu"], "workdir": tmp_path / "new", **ONE, **wrong})
    assert not (tmp_path / "new").exists()


def test_fields_as_programs_have_them():
    base = jaxact.Config(activation=activations.get("mish"))  # pyright: ignore[reportArgumentType]
    numbers = {"epochs": np.int64(3), "learning_rate": jnp.float32(0.5)}
    fields = arguments.fields_of(base, {**numbers, "data_dir": pathlib.Path("a")})
    assert [fields[name] for name in (*numbers, "data_dir")] == [3, 0.5, "a"]
    assert {type(fields[name]) for name in numbers} == {int, float}
    assert fields["activation"] == base.activation
    of_file = arguments.fields_of(pathlib.Path("configs/digits.py"), {})
    assert of_file == arguments.fields_of("configs/digits.py", {})
    assert arguments.fields_of(ConfigDict({"epochs": 7}), {})["epochs"] == 7


@pytest.mark.usefixtures("planted")
def test_arrays_among_several_data_sets():
    images, labels = np.arange(60 * 64, dtype=np.uint8).reshape(60, 8, 8), np.arange(60) % 3
    fields = {**ONE, "train_examples": None, "test_examples": 12, "batch_size": 16}
    sets = [(images, labels), "digits"]
    study = jaxact.compare("relu", datasets=sets, target_accuracies=[0.5, 0.9], seeds=1, **fields)
    first, second = (study["relu", name] for name in study._study.plan.datasets)
    assert [runs.target_accuracy.tolist() for runs in (first, second)] == [[0.5], [0.9]]
    for wrong, message in (
        (3, "dataset is of type int: give a name"),
        (([images[0], images[0, :4]], [0, 1]), "its parts differ in shape"),
        (((images, labels[:50]), (images, labels)), "its parts differ in shape"),
        ((images, np.array(["a", "b"])[labels % 2]), r"they are names: give np\.unique"),
        ((images, np.eye(3)[labels]), r"one-hot: give labels\.argmax"),
        ((images[:, None], labels), r"say channels_last=False if axis 1"),
    ):
        with pytest.raises(DataError, match=message):
            jaxact.fit(dataset=wrong, **fields)
    with arguments.named((images, labels), None) as name:
        halves = (jnp.asarray(images / 255.0, jnp.bfloat16), labels, None, None)
        with arguments.named(halves, None) as other:
            assert other == name


def test_a_run_without_a_folder_ends_with_no_word_of_it():
    fails = functools.partial(jaxact.fit, activation=lambda x: jnp.exp(jnp.exp(50 * x)))
    with pytest.raises(NonFiniteLossError) as error:
        fails(**ONE)
    text = str(error.value)
    assert "--" not in text
    assert "jaxact.check" not in text
    assert arguments._without(pathlib.Path("/t/x"), "stopped at step 3; go on in /t/x") == (
        "stopped at step 3; with a workdir it could go on"
    )
