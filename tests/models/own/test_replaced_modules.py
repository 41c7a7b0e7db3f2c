"""A network that calls `nn.relu` itself is a model, too, once its activation is replaced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

import jaxact
from jaxact import activations
from jaxact.models.inspection.observation import observe
from jaxact.models.own import examination, factories
from tests.support.variables import drawn


class Hard(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(3, (3, 3))(x))
        return nn.Dense(10)(nn.relu(nn.Conv(4, (3, 3))(x)).mean((1, 2)))


@pytest.mark.parametrize("name", ["mish", "prelu"])
def test_each_call_is_a_layer(name):
    factory = factories.Factory(
        "hard", lambda activation: jaxact.replace_activation(Hard(), activation)
    )
    act = activations.get(name)
    built = examination.examined(factory, act, 10, (8, 8, 1))
    assert built.notes == ()
    variables = jax.tree.map(jnp.asarray, drawn(built.model, 8, 8, 1))
    images = jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    logits, seen = jax.jit(lambda v: observe(built.model, v, images))(variables)
    assert [layer.activation.spec for layer in seen] == [name, name]
    params = {k: v for k, v in variables["params"].items() if not k.startswith("Activation")}
    learned = {k: v for k, v in variables["params"].items() if k.startswith("Activation")}
    assert len(learned) == 2 * bool(act.params)
    x = nn.Conv(3, (3, 3)).apply({"params": params["Conv_0"]}, images)
    x = act(x, **learned.get("ActivationLayer_0", {}))
    x = nn.Conv(4, (3, 3)).apply({"params": params["Conv_1"]}, x)
    x = act(x, **learned.get("ActivationLayer_1", {})).mean((1, 2))
    expected = nn.Dense(10).apply({"params": params["Dense_0"]}, x)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
