"""Names of other libraries: complete, found, and the same functions."""

import importlib.util
import inspect
from typing import Any

import jax
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import ActivationError
from jaxact.activations.libraries.lookup import LIBRARIES
from jaxact.activations.libraries.rows import Missing
from tests.support.paths import ROOT

ROWS = {name: row for library in LIBRARIES.values() for name, row in library.rows.items()}
FOUND = [name for name, row in ROWS.items() if not isinstance(row, Missing)]
MISSING = sorted(set(ROWS) - set(FOUND))


def required(name):
    """A value for each parameter that the library has no default for."""
    row = ROWS[name]
    parameters = inspect.signature(row).parameters.values() if callable(row) else ()
    values = {"threshold": 0.25, "value": -0.5, "default_value": -0.5, "weight": 0.125}
    return {p.name: values[p.name] for p in parameters if p.default is p.empty}


def with_brackets(name, arguments):
    inside = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return f"{name}({inside})" if inside else name


@pytest.mark.parametrize("name", FOUND)
def test_every_name_is_one_of_ours(name):
    """The record is ours: the name by which runs are filed, not the library's."""
    act = activations.get(with_brackets(name, required(name)))
    assert act.name in (*activations.names(), *activations.channel_names())
    assert activations.get(act.spec) == act


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_says_why(name):
    row = ROWS[name]
    assert isinstance(row, Missing)
    with pytest.raises(ActivationError) as caught:
        activations.get(name)
    assert str(caught.value) == f"there is nothing here for {name}: {row.reason}"


@pytest.mark.parametrize(
    ("spec", "ours"),
    [
        ("torch.nn.Hardswish", "hard_silu"),
        ("torch.nn.LeakyReLU(negative_slope=0.2)", "leaky_relu(negative_slope=0.2)"),
        ("torch.nn.ELU(alpha=0.5, inplace=True)", "elu(alpha=0.5)"),
        ("torch.nn.Hardtanh(min_val=0, max_val=4)", "hard_tanh(low=0.0, high=4.0)"),
        ("torch.nn.GELU", "gelu"),
        ("torch.nn.GELU(approximate='tanh')", "gelu_tanh"),
        ("torch.nn.Softplus(beta=2, threshold=30)", "softplus(beta=2.0)"),
        ("torch.nn.Softmax(dim=1)", "softmax(axis=1)"),
        ("torch.nn.PReLU(init=0.1)", "prelu(alpha=0.1)"),
        ("torch.nn.functional.hardshrink(lambd=0.25)", "hard_shrink(threshold=0.25)"),
        ("torch.nn.functional.relu_", "relu"),
        ("jax.nn.gelu", "gelu_tanh"),
        ("jax.nn.leaky_relu(negative_slope=0.01)", "leaky_relu"),
        ("keras.activations.gelu", "gelu"),
        ("keras.activations.leaky_relu", "leaky_relu(negative_slope=0.2)"),
        ("keras.activations.relu(max_value=6)", "relu6"),
        ("keras.layers.ReLU(negative_slope=0.1)", "leaky_relu(negative_slope=0.1)"),
        (
            "keras.layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=1)",
            "clipped_leaky_relu(negative_slope=0.1, threshold=1.0, high=2.0)",
        ),
        ("transformers.relu2", "squared_relu"),
        ("transformers.gelu_new", "gelu_tanh"),
        ("timm.hard_mish", "hard_mish"),
    ],
)
def test_parameters_are_those_of_the_library(spec, ours):
    assert activations.get(spec).spec == ours
    assert activations.get(spec) == activations.get(ours)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torch.nn.ReLU7", "did you mean torch.nn.ReLU"),
        ("torch.nn.hardswish", "did you mean torch.nn.Hardswish"),
        ("torch.optim.Adam", "docs/names.md lists all"),
        (
            "torch.nn.ELU(beta=2)",
            "torch.nn.ELU: got an unexpected keyword argument 'beta'; it take",
        ),
        ("torch.nn.Tanh(inplace=True)", "it takes none"),
        ("torch.nn.Threshold(value=2)", "missing a required argument: 'threshold'"),
        ("torch.nn.ELU(alpha='x')", "alpha must be a finite number"),
        ("torch.nn.Softplus(threshold=5)", "threshold below 20 makes it another function"),
        ("torch.nn.PReLU(num_parameters=64)", "activation_sharing=channel"),
        ("torch.nn.GELU(approximate='sigmoid')", "approximate must be 'none' or 'tanh'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(spec, message):
    with pytest.raises(ActivationError) as caught:
        activations.get(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_library_is_looked_up_and_never_imported(monkeypatch):
    monkeypatch.setattr(importlib, "import_module", None)
    assert activations.get("torch.nn.ReLU").spec == "relu"


def test_the_page_is_that_of_the_tables():
    place = ROOT / "docs" / "names_page.py"
    module_spec = importlib.util.spec_from_file_location("names_page", place)
    assert module_spec is not None
    assert module_spec.loader is not None
    names_page = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(names_page)
    text = names_page.PAGE.read_text(encoding="utf-8")
    assert text == names_page.page(), "make it anew: PYTHONPATH=. python docs/names_page.py"


# Public in jax.nn, and no activation functions: sums, products, encodings.
HELPERS = {
    *("dot_product_attention", "get_scaled_dot_general_config", "initializers", "log1mexp"),
    *("logmeanexp", "logsumexp", "one_hot", "scaled_dot_general", "scaled_matmul"),
}


def test_all_of_jax_nn_are_there():
    public = {f"jax.nn.{name}" for name in dir(jax.nn) if not name.startswith("_")}
    assert public - {f"jax.nn.{name}" for name in HELPERS} <= set(LIBRARIES["jax"].rows)


X = np.concatenate([np.linspace(-9, 9, 146), [-30, 30]]).astype(np.float32).reshape(2, 74)


def test_values_are_those_of_jax_nn():
    names = [name for name in FOUND if name.startswith("jax.nn.")]

    def both(x):
        return {n: (activations.get(n)(x), getattr(jax.nn, n.split(".")[-1])(x)) for n in names}

    for name, (ours, theirs) in jax.jit(both)(X).items():
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def torch():
    """PyTorch, where it is installed: requirements-bench.txt has it."""
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def found(torch, name) -> Any:
    """The function of PyTorch under a name."""
    place, _, name = name.rpartition(".")
    return getattr(torch.nn if place == "torch.nn" else torch.nn.functional, name, None)


def test_all_of_pytorch_are_there(torch):
    """Every class of its activations, the functions of the same letters, and nothing else."""
    classes = set(torch.nn.modules.activation.__all__)
    letters = {name.lower() for name in classes}
    public = {name for name in dir(torch.nn.functional) if not name.startswith("_")}
    functions = {name for name in public if name.replace("_", "") in letters}
    rows = LIBRARIES["torch"].rows
    assert {f"torch.nn.{name}" for name in classes} <= set(rows)
    assert {f"torch.nn.functional.{name}" for name in functions} <= set(rows)
    lost = [name for name in rows if found(torch, name) is None]
    assert not lost, f"PyTorch {torch.__version__} has no {lost}"


@pytest.mark.parametrize("name", [name for name in FOUND if name.startswith("torch.")])
def test_values_are_those_of_pytorch(torch, name):
    theirs: Any = found(torch, name)
    arguments = required(name)
    act = activations.get(with_brackets(name, arguments))
    x = torch.from_numpy(X.copy())
    row = ROWS[name]
    if callable(row) and "dim" in inspect.signature(row).parameters:
        arguments["dim"] = -1
    if inspect.isclass(theirs):
        module: Any = theirs(**arguments)
        y = module.eval()(x.reshape(2, 73, 1, 1) if "2d" in name else x)
    else:
        weights = {key: torch.tensor([value]) for key, value in arguments.items()}
        y = theirs(x, **(weights if "weight" in arguments else arguments))
    y = y.detach().numpy().reshape(X.shape)
    np.testing.assert_allclose(act(X, **act.params), y, rtol=1e-5, atol=1e-6)
