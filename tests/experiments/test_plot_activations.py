"""Figures of activations: what is on them, and the command."""

from typing import Any

import jax
import numpy as np
import pytest
from matplotlib.colors import to_hex

from experiments.plot_activations import experiment, graphs, plots
from jaxact import activations
from jaxact.errors import ConfigError

RELU = activations.get("relu")


def circles(axes):
    """(x, y, whether full) of every circle in a plot."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]), is_full(line))
        for line in axes.lines
        if line.get_marker() == "o"
    ]


def is_full(line):
    return to_hex(line.get_markerfacecolor()) != "#ffffff"


def test_a_function_stands_beside_its_derivative():
    figure: Any = plots.function_and_derivative(RELU)
    left, right = figure.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("f(x)", "f'(x)")
    assert left.get_xlabel() == right.get_xlabel() == "x"
    x, y = left.lines[0].get_data()
    np.testing.assert_allclose(y, np.maximum(x, 0), atol=1e-6)
    assert not circles(left)
    assert sorted(circles(right)) == [(0, 0, True), (0, 1, False)]


def test_the_papers_leaky_relu_has_a_logarithmic_derivative():
    named = dict(experiment.figures(["paper"], []))
    assert set(named) == {f"paper_{name}" for name in experiment.PAPER}
    scales = {name: figure.axes[1].get_yscale() for name, figure in named.items()}
    assert [name for name in scales if scales[name] == "log"] == ["paper_leaky_relu"]


def test_learnable_parameters_are_named():
    figure = plots.function_and_derivative(activations.get("prelu(alpha=0.1)"))
    assert "alpha = 0.1" in figure.get_suptitle()


@pytest.fixture
def flat(monkeypatch):
    """Functions are traced, which finds one that cannot be drawn, and shown as zeros."""

    def traced(function, x):
        jax.eval_shape(function, jax.ShapeDtypeStruct((graphs.LENGTH,), np.float32))
        return np.zeros(len(x))

    monkeypatch.setattr(graphs, "_padded", traced)


@pytest.mark.parametrize("name", [n for n in activations.names() if activations.get(n).params])
def test_every_learnable_function_is_drawn(name, flat):
    figure = plots.function_and_derivative(activations.get(name))
    assert all(f"{key} = " in figure.get_suptitle() for key in activations.get(name).params)


def test_kinks_far_out_are_shown():
    low, high = plots.x_range(activations.get("relu6"))
    assert low <= -5
    assert high > 6


@pytest.mark.parametrize("count", [1, 4, 28])
def test_the_sheet_has_a_panel_each(count, flat):
    chosen = [activations.get(name) for name in activations.names()[:count]]
    figure = plots.contact_sheet(chosen)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == [a.spec for a in chosen]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "function f(x)",
        "derivative f'(x)",
    ]
    assert all(len(axes.lines) >= 2 for axes in shown)


def test_every_registered_function_has_a_panel_or_is_said_to_have_none(flat):
    chosen = experiment.choose(",".join(experiment.registered()))
    (_, figure) = next(iter(experiment.figures(["sheet"], chosen)))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    note = figure.get_supxlabel().split(": ")[-1].rstrip(".").split(", ")
    names = (*activations.names(), *activations.channel_names())
    assert sorted([*titles, *note]) == sorted(names)
    assert all(getattr(activations.get(name), "learned", ()) for name in note)


@pytest.mark.parametrize(
    ("name", "function", "slope"),
    [
        ("swiglu", lambda x: x / (1 + np.exp(-x)), None),
        ("reglu", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
        ("maxout", lambda x: np.maximum(x, 1), lambda x: (x > 1) * 1.0),
        ("crelu", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    ],
)
def test_of_a_gated_unit_the_gate_is_seen(name, function, slope):
    x = np.array([-2.0, -0.5, 0.25, 1.5, 3.0])
    activation = activations.get(name)
    np.testing.assert_allclose(graphs.value(activation, x), function(x), rtol=1e-5)
    if slope is not None:
        np.testing.assert_allclose(graphs.derivative(activation, x), slope(x), rtol=1e-5)


def test_the_tutorials_figures():
    tutorial: Any = (
        plots.sigmoid_over_relu(),
        plots.relu_beside_leaky_relu(),
    )
    (axes,) = tutorial[0].axes
    assert axes.get_xlim() == (-10, 10)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["sigmoid", "relu"]
    left, right = tutorial[1].axes
    assert left.lines[0].get_ydata()[0] == 0
    assert right.lines[0].get_ydata()[0] == pytest.approx(-0.5)
    assert left.get_ylim() == right.get_ylim()


def test_the_command_draws_one_s_own(tmp_path, capsys):
    specs = "leaky_relu(negative_slope=0.05),jax.numpy:arctan"
    assert (
        experiment.COMMAND.run(experiment.perform, [f"--specs={specs}", f"--out={tmp_path}"]) == 0
    )
    stems = {path.stem for path in tmp_path.iterdir()}
    assert stems == {
        "activation_leaky_relu(negative_slope=0.05)",
        "activation_jax.numpy_arctan",
        "activations",
    }
    assert capsys.readouterr().out == f"6 files in {tmp_path}\n"


def test_drawn_again_the_files_are_the_same(tmp_path):
    for folder in ("a", "b"):
        experiment.draw(["tutorial"], [], tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    "argument",
    [
        "--specs=rleu",
        "--specs=",
        "--specs=relu,relu",
        "--specs=relu,softmax(axis=3)",
        "--specs=relu,frelu",
        "--specs=builtins:len",
        "--sets=all",
        "--sets=,",
    ],
)
def test_wrong_options_end_in_one_line(argument, tmp_path, capsys):
    assert experiment.COMMAND.run(experiment.perform, [argument, f"--out={tmp_path / 'new'}"]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"jaxact: {argument.split('=')[0]}=")
    assert message.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["--specs=relu", f"--out={tmp_path / 'file'}"]
    assert experiment.COMMAND.run(experiment.perform, arguments) == 2
    assert "choose another" in capsys.readouterr().err


def test_a_missing_device_is_told_and_no_function_blamed(monkeypatch, tmp_path, capsys):
    def missing():
        raise ConfigError("JAX_PLATFORMS=cuda cannot be started on this machine")

    monkeypatch.setattr(experiment.devices, "start", missing)
    words = ["--specs=relu", f"--out={tmp_path}"]
    assert experiment.COMMAND.run(experiment.perform, words) == 2
    assert capsys.readouterr().err.startswith("jaxact: JAX_PLATFORMS=cuda cannot be started")
