"""A `study.json` that was edited, cut off or made by another program: the field that is wrong."""

import contextlib
import json

import pytest

from jaxact import command
from jaxact.comparison import redraw, study as studies
from jaxact.errors import ConfigError
from jaxact.runs.records import record_files
from tests.support.studies import synthetic_study, write_study


def whole(tmp_path):
    synthetic_study(2, 1, 2).save(tmp_path)
    return json.loads((tmp_path / "study.json").read_text())


def parts(value, at=""):
    """Every record and list in a value, with the name that a message gives it."""
    if isinstance(value, dict | list):
        yield value, at
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            inner = f"{at}[{key}]" if isinstance(value, list) else f"{at}.{key}".lstrip(".")
            yield from parts(entry, inner)


REQUIRED = [
    "format",
    "plan",
    "runs",
    *(f"plan.{name}" for name in ("config", "datasets", "activations", "seeds", "targets")),
    *(f"plan.config.{name}" for name in ("model", "epochs", "target_accuracy")),
    *(f"runs[0].{name}" for name in ("seed", "status", "note", "summary", "metrics", "health")),
    *(f"runs[1].summary.{name}" for name in ("reached_target", "test_accuracy", "train_seconds")),
    *("runs[1].metrics[1].epoch", "runs[0].health[0].layers", "runs[0].health[0].layers[2].dead"),
]

NUMBERS = ("target_accuracy", "test_accuracy", "train_seconds", "dead")


def owner(value, name):
    """The record that holds a field, and the field's last name."""
    before, _, last = name.rpartition(".")
    return next(part for part, at in parts(value) if at == before), last


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("wrong", [None, [[]], -1.5, "missing"])
def test_a_field_that_is_missing_or_wrong_is_named(tmp_path, name, wrong):
    value = whole(tmp_path)
    record, last = owner(value, name)
    if wrong == "missing":
        del record[last]
    else:
        record[last] = wrong
    (tmp_path / "study.json").write_text(json.dumps(value))
    if (wrong is None and last == "dead") or (wrong == -1.5 and last in NUMBERS):
        studies.load(tmp_path)
        return
    with pytest.raises(ConfigError) as refused:
        studies.load(tmp_path)
    message = str(refused.value)
    assert name in message
    assert "\n" not in message
    assert len(message) < 400


def test_every_field_may_hold_anything_and_nothing_but_a_line_comes_of_it(tmp_path):
    value = whole(tmp_path)
    for part, at in parts(value):
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            before = part[key]
            for wrong in ({"x": []}, float("nan"), True):
                part[key] = wrong
                (tmp_path / "study.json").write_text(json.dumps(value))
                with contextlib.suppress(ConfigError):
                    assert studies.load(tmp_path).runs, at
            part[key] = before


@pytest.mark.parametrize("rows", ["metrics", "health"])
@pytest.mark.parametrize("epoch", [1, 3, 10**9])  # up to which a figure would count
def test_epochs_that_do_not_follow_one_another_are_told(tmp_path, rows, epoch):
    value = whole(tmp_path)
    value["runs"][0][rows][1]["epoch"] = epoch
    (tmp_path / "study.json").write_text(json.dumps(value))
    told = rf"damaged: runs\[0\]\.{rows}\[1\]\.epoch={epoch} is no 2; bring it back"
    with pytest.raises(ConfigError, match=told):
        studies.load(tmp_path)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_file_that_was_cut_off_is_one_line(tmp_path, share, capsys):
    text = json.dumps(whole(tmp_path))
    (tmp_path / "study.json").write_text(text[: int(share * len(text))])
    assert redraw.COMMAND.run(redraw.redraw, [str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"jaxact: {tmp_path / 'study.json'} cannot be read (")
    assert "remove it and give the comparison's command again" in said
    assert said.count("\n") == 1


def test_runs_that_do_not_go_with_the_plan_are_told(tmp_path):
    value = whole(tmp_path)
    for runs in (value["runs"][:1], [*value["runs"], value["runs"][0]]):
        (tmp_path / "study.json").write_text(json.dumps(value | {"runs": runs}))
        with pytest.raises(ConfigError, match=r"\('mnist', 0.001, '\w+', 0\).* plan has 1, runs"):
            studies.load(tmp_path)
    value["plan"]["baseline"] = "selu"
    (tmp_path / "study.json").write_text(json.dumps(value))
    with pytest.raises(ConfigError, match=r"plan\.baseline='selu'"):
        studies.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (record_files.SUMMARY, '{"epochs": 2}'),
        (record_files.SUMMARY, "[]"),
        (record_files.METRICS, '{"epoch": 1, \n'),
        (record_files.ENVIRONMENT, "{"),
    ],
)
def test_a_record_of_a_run_that_is_damaged_is_one_line(tmp_path, file, text, capsys):
    study = synthetic_study(2, 1, 2)
    write_study(study, tmp_path)
    config = next(study.plan.runs())
    path = tmp_path / study.plan.folder(config) / file
    path.write_text(text)
    assert command.exit_code(lambda: bool(studies.read_run(tmp_path, study.plan, config))) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert said.count("\n") == 1
