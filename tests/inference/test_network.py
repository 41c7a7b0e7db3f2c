"""A network in use: what it takes, and that it computes what was trained."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import data, models
from jaxact.config import Config
from jaxact.errors import DataError
from jaxact.inference import batches
from jaxact.inference.network import Network
from tests.support.trained import images
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")
SHAPES = {"grey": (8, 8, 1), "coloured": (9, 10, 3)}
WHITENED = data.Preprocessing(np.full((8, 8, 1), 0.3), np.ones(1), np.eye(64) + 0.01)
FITTED = data.Preprocessing(np.array([0.4], np.float32), np.array([0.3], np.float32))


def make(shape, preprocessing=FITTED, name="thin_cnn"):
    model = models.create_model(name, num_classes=3)
    size = max(shape[0], model.input_size), max(shape[1], model.input_size)
    collections = drawn(model, *size, shape[2])
    params, classes = collections.pop("params"), ("ant", "bee", "cat")
    return Network(model, params, collections, preprocessing=preprocessing, classes=classes,
                   image_shape=shape, config=Config(model=name), epoch=3)  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return {name: make(shape) for name, shape in SHAPES.items()}


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("name", "preprocessing"), [("thin_cnn", FITTED), ("thin_cnn", WHITENED), ("vgg11", FITTED)]
)
def test_it_is_the_trained_model_on_images_as_they_were_in_training(name, preprocessing):
    network, batch = make((8, 8, 1), preprocessing, name), images(3)
    variables = {"params": network.params, "batch_stats": network.batch_stats}

    @jax.jit
    def expected(enlarged):
        return models.predict(network.model, variables, data.normalize(enlarged, *preprocessing))

    logits = np.asarray(expected(data.fit_to_model(batch, network.model.input_size)))
    np.testing.assert_allclose(network.logits(batch), logits, rtol=1e-5, atol=1e-5)
    probabilities = network(batch)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, jax.nn.softmax(logits), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SHAPES)
def test_one_image_and_many_are_told_alike(made, name, monkeypatch):
    network, many = made[name], images(11, SHAPES[name])
    expected = network(many)
    assert expected.shape == (11, 3)
    monkeypatch.setattr(batches, "MOST", 4)
    np.testing.assert_allclose(network(many), expected, rtol=1e-6)
    np.testing.assert_allclose(network(many[5]), expected[5], rtol=1e-6)
    np.testing.assert_allclose(network(list(many)), expected, rtol=1e-6)
    np.testing.assert_allclose(network(jnp.asarray(many[:2])), expected[:2], rtol=1e-6)
    assert network(many[:0]).shape == (0, 3)


def test_grey_images_need_no_axis_of_channels(made):
    network, many = made["grey"], images(4)
    np.testing.assert_array_equal(network(many[..., 0]), network(many))
    np.testing.assert_array_equal(network(many[0, ..., 0]), network(many[0]))


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("grey", images(2) / 255, r"^images are float64; they must be uint8.*np.rint"),
        ("grey", images(2).astype(np.int64), "^images are int64"),
        ("grey", images(2, (9, 8, 1)), r"^images are \[2, 9, 8, 1\]; the network takes \[batch, 8"),
        ("grey", images(2, (8, 8, 3)), r"^images are \[2, 8, 8, 3\]"),
        ("grey", images(1)[0, 0, :, 0], r"^images are \[8\]"),
        ("coloured", images(2, (9, 10, 1))[..., 0], r"^images are \[2, 9, 10\]"),
    ],
)
def test_what_are_no_such_images_is_told(made, name, wrong, message):
    with pytest.raises(DataError, match=message) as caught:
        made[name](wrong)
    assert "\n" not in str(caught.value)


def test_it_is_said_in_a_line(made):
    text = repr(made["coloured"])
    assert text.startswith("Network(thin_cnn, relu, digits: 3 classes of images 9 x 10 x 3, ")
    assert text.endswith(" parameters, epoch 3 of 20)")


def test_other_parameters_make_another_network(made):
    network = made["grey"]
    zeros = jax.tree.map(np.zeros_like, network.params)
    other = dataclasses.replace(network, params=zeros)
    np.testing.assert_allclose(other(images(2)), 1 / 3, rtol=1e-6)
