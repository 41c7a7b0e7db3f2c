"""AlexNet's table is that of the models, and its half learns."""

import functools
import math

import pytest

from experiments.alexnet import experiment
from experiments.common import headlines
from jaxact import models
from tests.support.experiments import drawn, perform


@functools.cache
def costs():
    return {
        name: models.layer_costs(models.create_model(name, num_classes=classes), shape)
        for name, (shape, classes) in experiment.VARIANTS.items()
    }


def test_neurons_are_the_papers():
    # 650,000 in the abstract; the layers' sizes in section 3.5 make 659,272 with the 1000 classes.
    sizes = (55 * 55 * 96, 27 * 27 * 256, 13 * 13 * 384, 13 * 13 * 384, 13 * 13 * 256)
    assert experiment.neurons(costs()["alexnet"]) == sum(sizes) + 4096 + 4096 + 1000 == 659_272


def test_rows_add_up_to_their_last():
    rows = experiment.rows_of(costs())
    *layers, total = rows
    assert total["layer"] == "sum"
    assert total["alexnet: parameters"] == 60_965_224
    assert total["alexnet: multiply-adds"] == 724_406_816
    assert total["alexnet32: parameters"] == 8_991_946
    for heading in total.keys() - {"layer"}:
        assert sum(row[heading] or 0 for row in layers) == total[heading]
    first = layers[0]
    assert first["layer"] == "Conv_0"
    assert (first["alexnet: output"], first["alexnet32: output"]) == ("55x55x96", "32x32x48")


def test_shares_are_of_the_sum():
    layers = [
        models.LayerCost("Conv_0", (2, 2, 1), parameters=10, multiply_adds=40),
        models.LayerCost("ActivationLayer_0", (2, 2, 1), parameters=0, multiply_adds=0),
        models.LayerCost("Dense_0", (3,), parameters=30, multiply_adds=10),
    ]
    assert experiment.share(layers, "Dense", "parameters") == 75
    assert experiment.share(layers, "Conv", "multiply_adds") == 80
    assert experiment.neurons(layers) == 7


def test_the_experiment_trains(monkeypatch):
    assert experiment.TRAINED == "alexnet32"
    monkeypatch.setattr(experiment, "TRAINED", "thin_cnn")  # compiles sooner
    words = ["--epochs=2", "--train_examples=64", "--test_examples=32", "--batch_size=16"]
    outcome = perform(experiment, *words, "--activation=prelu")
    epochs = outcome.details["epochs"]
    assert [row["epoch"] for row in epochs] == [1, 2]
    # Eight steps of a thin network: about as good as a guess.
    assert [row["train_loss"] for row in epochs] == [pytest.approx(math.log(10), abs=0.3)] * 2
    assert f"{100 * epochs[1]['test_accuracy']:.1f} %" in outcome.answer
    # A PReLU's parameter for each of 7 layers.
    assert outcome.rows[-1]["alexnet: parameters"] == 60_965_231
    told = {name: headlines.told(figure) for name, figure in drawn(experiment, outcome).items()}
    assert told["layers"].startswith("alexnet's dense layers hold 96 % of the parameters")
    assert told["learning"].endswith("test accuracy in 2 epochs")
