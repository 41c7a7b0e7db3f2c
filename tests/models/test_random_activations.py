"""Random activations in networks: they draw in training alone, from the key of the step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.inference import monte_carlo
from jaxact.models import layer_outputs
from jaxact.models.layers.activation_layer import watched
from jaxact.models.replacement.replace import replace_activation
from tests.support import networks as networks
from tests.support.own_networks.linen_networks import WithSetup
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")
IMAGES = jnp.asarray(np.random.default_rng(0).normal(size=(4, 10, 10, 1)), jnp.float32)
RANDOM = [name for name in activations.names() if activations.get(name).random]
MEAN = "leaky_relu(negative_slope=0.22916666666666666)"  # of rrelu's bounds
KEYS = [jax.random.key(seed) for seed in (1, 1, 2)]


def made(activation, **options):
    model = models.create_model("thin_cnn", activation, **options)
    return model, jax.tree.map(jnp.asarray, drawn(model, *IMAGES.shape[1:]))


@pytest.mark.parametrize("name", RANDOM)
def test_a_step_draws_from_its_key_and_evaluation_does_not(name):
    model, variables = made(name, dropout_rate=0.0)
    forward = jax.jit(lambda key: model.forward(variables, IMAGES, key)[0])
    first, again, other = map(forward, KEYS)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    evaluated = jax.jit(lambda: model.predict(variables, IMAGES))()
    assert np.abs(first - evaluated).max() > 1e-3
    np.testing.assert_array_equal(
        evaluated, jax.jit(lambda: model.apply(variables, IMAGES, train=False))()
    )


def test_rrelu_is_evaluated_with_its_mean_slope():
    model, variables = made("rrelu")
    plain, _ = made(MEAN)
    both = jax.jit(lambda: [each.predict(variables, IMAGES) for each in (model, plain)])
    np.testing.assert_array_equal(*both())


@pytest.mark.parametrize("name", RANDOM)
def test_monte_carlo_dropout_draws_masks_alone(name):
    model, variables = made(name, dropout_rate=0.0)
    predict = jax.jit(lambda key: monte_carlo.predict(model, variables, IMAGES, key, 4))
    assert float(predict(KEYS[0]).spread.max()) == 0


def test_layers_draw_slopes_of_their_own():
    """The second layer's inputs are the first's: equal slopes would be squared."""

    class Two(networks.ThinCNN):
        def logits(self, x):
            return self.activate(self.activate(-jnp.ones((4, 1000))))

    model = Two(activations.get("rrelu"))
    seen = {}

    def keep(name, activation, learned, inputs, outputs):
        seen[name] = outputs / inputs
        return outputs

    with watched(keep):
        model.apply({"params": {"Conv_0": made("rrelu")[1]["params"]["Conv_0"]}}, IMAGES,
                    train=True, rngs={"dropout": KEYS[0]})  # fmt: skip
    first, second = (np.asarray(seen[f"ActivationLayer_{place}"]).ravel() for place in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert first.std() == pytest.approx((1 / 3 - 1 / 8) / 12**0.5, rel=0.05)


def test_the_masks_of_dropout_stay_those_of_the_run_beside_it():
    """Runs of one seed are paired: another activation changes no other draw."""
    masks = []
    for spec in ("rrelu", MEAN):
        model, variables = made(spec, dropout="elements")
        outputs = jax.jit(lambda m=model, v=variables: layer_outputs(m, v, IMAGES, KEYS[0])[1])()
        (name,) = (name for name in outputs if name.startswith("Dropout"))
        masks.append(np.asarray(outputs[name]) == 0)
    assert 0.4 < masks[0].mean() < 0.6
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("name", RANDOM)
def test_a_module_in_which_functions_are_replaced_has_no_key_for_it(name):
    with pytest.raises(ConfigError, match="key that a module does not hand to its functions"):
        replace_activation(WithSetup(jax.nn.relu), name)
