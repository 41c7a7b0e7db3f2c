"""The PyTorch side, where PyTorch is installed: the same networks, and a worker that measures."""

import dataclasses
import math
import os
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.contenders.protocol import Job
from jaxact import activations, models
from jaxact.models.layers.normalization import local_response_norm
from tests.models import twins
from tests.support.networks import PUBLISHED, SHAPES
from tests.support.variables import drawn

torch = pytest.importorskip("torch", reason="PyTorch (requirements-bench.txt) is not installed")
from benchmarks.contenders import (  # noqa: E402
    torch_activations,
    torch_networks,
    torch_peer,
    torch_variants,
)

TINY = Job("train_step", batch_size=8, examples=32, seconds=0.001, samples=10, elements=256)


@pytest.fixture(autouse=True)
def short_trials(monkeypatch):
    monkeypatch.setattr(torch_variants, "TRIAL_SECONDS", 0.001)
    monkeypatch.setattr(torch_peer, "WARMUPS", 2)


def weights(params, flattened=None):
    """Flax's kernel and bias in PyTorch's order; `flattened` is [height, width, channels]."""
    kernel = np.asarray(params["kernel"])
    if kernel.ndim == 4:
        kernel = kernel.transpose(3, 2, 0, 1)
    elif flattened:  # PyTorch flattens [channels, height, width]
        kernel = kernel.reshape(*flattened, -1).transpose(3, 2, 0, 1).reshape(kernel.shape[1], -1)
    else:
        kernel = kernel.T
    return kernel, params.get("bias")


def load(layer, weight, bias):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.array(weight)))
        if bias is not None:
            layer.bias.copy_(torch.tensor(np.array(bias)))


def modules_of(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


def load_all(network, variables):
    """Layer by layer of each kind; the first dense one may see images or features, flattened."""
    params, statistics = variables["params"], variables.get("batch_stats", {})
    convolutions = modules_of(network, torch.nn.Conv2d)
    for index, layer in enumerate(convolutions):
        load(layer, *weights(params[f"Conv_{index}"]))
    for index, layer in enumerate(modules_of(network, torch.nn.BatchNorm2d)):
        name = f"BatchNorm_{index}"
        load(layer, params[name]["scale"], params[name]["bias"])
        layer.running_mean.copy_(torch.tensor(np.array(statistics[name]["mean"])))
        layer.running_var.copy_(torch.tensor(np.array(statistics[name]["var"])))
    for index, layer in enumerate(modules_of(network, torch.nn.LayerNorm)):
        load(layer, params[f"LayerNorm_{index}"]["scale"], params[f"LayerNorm_{index}"]["bias"])
    factors = [value for name, value in network.named_parameters() if name.endswith(".scale")]
    for index, factor in enumerate(factors):
        factor.data.copy_(torch.tensor(np.array(params[f"LayerScale_{index}"]["scale"])))
    features = convolutions[-1].out_channels if convolutions else network.image_shape[-1]
    for index, layer in enumerate(modules_of(network, torch.nn.Linear)):
        side = math.isqrt(layer.in_features // features)
        is_flattened = index == 0 and side > 1
        flattened = (side, side, features) if is_flattened else None
        load(layer, *weights(params[f"Dense_{index}"], flattened))


@pytest.mark.parametrize("name", ["alexnet", "alexnet32"])
def test_alexnet_is_that_of_pytorch_layer_by_layer(name):
    images = jax.random.normal(jax.random.key(2), (2, *SHAPES[name]))
    model = models.create_model(name, "tanh", dropout_rate=0.0)
    # As drawn, biases too: each layer's outputs stay near 1, where float32 tells most.
    variables = model.init(jax.random.key(0), images, train=False)
    network = torch_networks.create(name, "tanh", {}).eval()
    load_all(network, variables)
    _, ours = models.layer_outputs(model, variables, images, jax.random.key(0))
    layers = [*network.features, *network.dense]
    assert len(layers) == len(ours)
    x = torch.tensor(np.array(images)).permute(0, 3, 1, 2)
    for (path, output), layer in zip(ours.items(), layers, strict=True):
        with torch.no_grad():
            x = layer(x.flatten(1) if path == "Dense_0" else x)
        theirs = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        assert output.shape == theirs.shape, path
        scale = float(jnp.abs(output).max())
        np.testing.assert_allclose(
            theirs.numpy(), output, rtol=1e-4, atol=3e-5 * scale, err_msg=path
        )


def test_local_response_norm_is_that_of_pytorch_with_its_alpha():
    x = 30 * np.random.default_rng(0).standard_normal((2, 5, 4, 9), np.float32)
    theirs = torch.nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(
        torch.tensor(x).permute(0, 3, 1, 2)
    )
    ours = local_response_norm(jnp.asarray(x))
    np.testing.assert_allclose(theirs.permute(0, 2, 3, 1).numpy(), ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", torch_networks.NETWORKS)
def test_the_twins_logits_are_those_that_are_kept(name):
    """`pytest --basetemp=... -k twins` with JAXACT_WRITE_TWINS=1 writes them."""
    images = twins.images(name)
    network = torch_networks.create(name, "elu", {"alpha": twins.ALPHA}).eval()
    load_all(network, drawn(twins.model(name), *SHAPES[name]))
    with torch.no_grad():
        theirs = network(torch.tensor(images).permute(0, 3, 1, 2)).numpy()
    if os.environ.get("JAXACT_WRITE_TWINS"):
        twins.keep(name, theirs)
    np.testing.assert_allclose(theirs, twins.kept(name), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", torch_networks.NETWORKS)
def test_a_network_is_as_published(name):
    network = torch_networks.create(name, "relu", {})
    assert torch_networks.count_parameters(network) == PUBLISHED[name].parameters
    assert network.image_shape == SHAPES[name]


@pytest.mark.parametrize("name", sorted(set(torch_activations.ACTIVATIONS)))
def test_an_activation_is_that_of_jaxact(name):
    ours = activations.get(name)
    x = np.linspace(-8, 8, 101, dtype=np.float32)
    theirs = torch_activations.activation(name, {**dict(ours.constants), **ours.params})
    np.testing.assert_allclose(
        theirs(torch.tensor(x)).detach().numpy(), ours(jnp.asarray(x)), rtol=1e-5, atol=1e-5
    )


def test_an_activation_that_torch_lacks_is_refused():
    with pytest.raises(ValueError, match="no binary_step"):
        torch_activations.activation("binary_step", {})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("task", ["train_step", "latency"])
def test_eager_pytorch_measures(task, precision):
    prepared = torch_peer.prepare(dataclasses.replace(TINY, task=task, precision=precision))
    assert set(prepared.details["trials"]) == {"eager, contiguous", "eager, channels_last"}
    assert all(isinstance(trial, float) for trial in prepared.details["trials"].values())
    assert prepared.measure()["seconds"] > 0


@pytest.mark.parametrize("task", ["train_step", "latency"])
def test_plain_pytorch_chooses_nothing(task):
    prepared = torch_peer.prepare(dataclasses.replace(TINY, task=task, mode="plain"))
    assert set(prepared.details["trials"]) == {"eager, contiguous"}
    assert prepared.measure()["seconds"] > 0


def test_eager_pytorch_measures_an_activation():
    prepared = torch_peer.prepare(dataclasses.replace(TINY, task="activation", function="gelu"))
    figures = prepared.measure()
    assert figures["forward"] > 0
    assert figures["gradient"] > 0


def test_the_fastest_variant_that_works_is_chosen():
    delays = {"eager": 0.0, "default": 0.01}

    def build(variant):
        if variant.options == "max-autotune":
            raise RuntimeError("not here")

        def run():
            time.sleep(delays[variant.options])
            return 1

        return run

    choices = [torch_variants.Variant("contiguous", name) for name in (*delays, "max-autotune")]
    chosen, _, trials = torch_variants.fastest(choices[::-1], build)
    assert chosen.options == "eager"
    assert trials["max-autotune, contiguous"] == "RuntimeError: not here"
    with pytest.raises(RuntimeError, match="no variant works"):
        torch_variants.fastest(choices[-1:], build)
