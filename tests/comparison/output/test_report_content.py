"""What the report draws, as data: functions, colours, environments, profiles."""

import base64
import dataclasses

import numpy as np
import pytest

from jaxact import activations
from jaxact.comparison.output import report_content as content
from jaxact.comparison.study import Study
from jaxact.presentation.style import style_of
from tests.support.studies import synthetic_study


@pytest.mark.parametrize("spec", ["relu", "tanh", "prelu", "gelu", "apl"])
def test_functions_are_sampled_as_jaxact_has_them(spec):
    explored = content.explored([spec])
    x = np.array(explored["x"], np.float32)
    assert (x[0], x[-1]) == (-6, 6)
    assert 0 in x
    (function,) = explored["functions"]
    act = activations.get(spec)
    for kind, expected in (("values", act), ("slopes", act.derivative)):
        held = np.frombuffer(base64.b64decode(function[kind]), "<f4")
        np.testing.assert_array_equal(held, expected(x, **act.params))


@pytest.mark.parametrize("spec", ["softmax", "swiglu", "no.such.module:function"])
def test_functions_that_cannot_be_drawn_say_why(spec):
    (function,) = content.explored([spec])["functions"]
    assert "values" not in function
    assert function["reason"]


def test_lines_are_the_figures_own_and_stand_out_in_the_dark():
    names = tuple(activations.names())
    for item, of_figures in zip(content.drawn(names), style_of(names).values(), strict=True):
        assert item["light"] == of_figures.color
        assert content.contrast(item["dark"], content.DARK) >= 3


def test_contrast_is_the_standard_s():
    assert content.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert content.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_environments_say_which_runs_differ():
    study = synthetic_study(("relu", "tanh"), 2, 1)
    assert all(len(fact.values) == 1 for fact in content.environment(study))
    other = {**study.runs[3].environment, "cpu_model": "Another"}
    runs = (*study.runs[:3], dataclasses.replace(study.runs[3], environment=other))
    facts = content.environment(Study(study.plan, runs))
    (differing,) = [fact for fact in facts if len(fact.values) > 1]
    assert differing.field == "cpu_model"
    assert [(value, len(of_runs)) for value, of_runs in differing.values] == [
        ("Made-up processor", 3),
        ("Another", 1),
    ]
    assert differing.values[1][1] == ["relu, seed 1"]


def test_the_configuration_names_no_folder_of_the_machine():
    study = synthetic_study(("relu",), 1, 1)
    shown = content.configuration(study)
    assert shown["epochs"] == 1
    assert shown["train_examples"] == "all"
    assert "data_dir" not in shown
    assert None not in shown.values()
