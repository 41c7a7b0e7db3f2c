"""`jaxact predict` and `jaxact export`: a run's network at work on files, and as a file."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from jaxact import export, predict
from jaxact.runs.load import load
from tests.support import trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained.run(tmp_path_factory.mktemp("trained") / "run")


@pytest.fixture
def photos(tmp_path):
    pixels = trained.images(3)[..., 0]
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    return tmp_path


def told(capsys, *words):
    code = predict.COMMAND.run(predict.predict, [str(word) for word in words])
    return code, *capsys.readouterr()


def test_json_has_the_networks_own_answers(run, photos, capsys):
    code, printed, said = told(capsys, run, photos, "--format=json", "--top=2")
    assert (code, said) == (0, "")
    answers = json.loads(printed)
    network, images = load(run), trained.images(3)
    for index, (answer, expected) in enumerate(zip(answers, network(images), strict=True)):
        label = int(expected.argmax())
        assert answer["image"] == str(photos / f"{index}.png")
        assert (answer["label"], answer["class"]) == (label, network.classes[label])
        assert answer["probability"] == pytest.approx(expected[label], rel=1e-4)
        assert [one["label"] for one in answer["top"]] == list(np.argsort(-expected)[:2])


def test_csv_and_table_tell_the_same(run, photos, capsys):
    _, printed, _ = told(capsys, run, photos / "0.png", photos / "1.png", "--format=csv", "--top=9")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 2  # of three classes
    _, printed, _ = told(capsys, run, photos / "0.png")
    assert str(photos / "0.png") in printed  # whole, however narrow the terminal
    assert f" {rows[0]['class']} " in printed
    assert f"{float(rows[0]['probability']):.4f}" in printed


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["RUN"], 2, "the command takes RUN IMAGES..., not 1"),
        (["PHOTOS", "PHOTOS"], 2, "holds no config.json, so no run"),
        (["RUN", "nothing.png"], 3, "nothing.png is not there"),
        (["RUN", "PHOTOS", "--format=xml"], 2, "--format=xml"),
        (["RUN", "PHOTOS", "--top=0"], 2, "--top=0"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_printed(
    run, photos, capsys, words, code, message
):
    places = {"RUN": run, "PHOTOS": photos}
    ended, printed, said = told(capsys, *(places.get(word, word) for word in words))
    assert (ended, printed, said.count("\n")) == (code, "", 1)
    assert said.startswith("jaxact: ")
    assert message in said


def test_warnings_are_lines(tmp_path, photos, capsys):
    trained.run(tmp_path / "run")
    trained.run(tmp_path / "run", step=9)
    (tmp_path / "run" / "checkpoints" / "9" / "SHA256SUMS").unlink()
    code, _, said = told(capsys, tmp_path / "run", photos / "0.png")
    assert (code, said.count("\n")) == (0, 1)
    assert said.startswith("warning: ")
    assert "the one of step 8 is used" in said


@pytest.mark.parametrize(
    ("words", "name"),
    [([], "run/export/network.stablehlo"), (["--out=OUT/net.stablehlo"], "net.stablehlo")],
)
def test_a_network_is_exported_and_the_lines_that_load_it_are_printed(
    tmp_path, capsys, words, name
):
    run = trained.run(tmp_path / "run")
    words = [word.replace("OUT", str(tmp_path)) for word in words]
    assert export.COMMAND.run(export.export, [str(run), *words]) == 0
    printed = capsys.readouterr().out
    assert f"written: {tmp_path / name} (" in printed
    assert "export.deserialize(" in printed
    assert (tmp_path / name).is_file()
    assert (tmp_path / f"{name}.json").is_file()


def test_a_format_that_is_not_the_files_is_told_before_anything_is_read(capsys):
    assert export.COMMAND.run(export.export, ["no/run", "--out=a.onnx", "--format=stablehlo"]) == 2
    assert "is named as onnx" in capsys.readouterr().err
