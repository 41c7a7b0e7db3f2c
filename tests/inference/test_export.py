"""Networks as files: run by whoever has not jaxact, and equal."""

import dataclasses
import json
import subprocess
import sys
from importlib import metadata

import jax
import numpy as np
import pytest
from jax import export as jax_export

from jaxact import activations, models
from jaxact.activations import Activation
from jaxact.errors import ConfigError
from tests.inference.test_network import FITTED, WHITENED, make
from tests.support.trained import images

# Loads a file by the lines that lie beside it, where jaxact cannot be imported.
STRANGER = """
import json, sys
import numpy as np
sys.modules["jaxact"] = None
images = np.load("images.npy")
for file in sys.argv[1:]:
    beside = json.load(open(file + ".json"))
    exec("\\n".join(beside["load"]))
    few = images
    assert np.asarray(probabilities).dtype == beside["output"]["dtype"]
    np.save(file + ".npy", probabilities)
    images = few[:1]
    exec(beside["load"][-1])
    np.save(file + ".one.npy", probabilities)
    images = few
assert not any(name.split(".")[0] in ("jaxact", "flax", "optax", "orbax") and module
               for name, module in sys.modules.items())
"""


def strange(folder, *files):
    """The files' outputs for `images.npy`, and for the first of them, from another process."""
    np.save(folder / "images.npy", images(5))
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, *files],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {
        file: (np.load(folder / f"{file}.npy"), np.load(folder / f"{file}.one.npy"))
        for file in files
    }


def with_activation(spec):
    network = make((8, 8, 1))
    return dataclasses.replace(
        network, model=dataclasses.replace(network.model, activation=activations.get(spec))
    )


NETWORKS = {
    "whitened": lambda: make((8, 8, 1), WHITENED),
    "batch_norm": lambda: make((8, 8, 1), FITTED, "vgg11"),
    "depthwise": lambda: make((8, 8, 1), FITTED, "mobilenet_v2"),
    "own": lambda: with_activation("jax.nn:gelu"),
}


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", NETWORKS)
def test_what_was_exported_computes_the_same(tmp_path, monkeypatch, name):
    """By the lines beside the file, which import nothing of jaxact."""
    network, scope = NETWORKS[name](), {"images": images(5)}
    file = network.export(tmp_path / "net.stablehlo")
    lines = json.loads(file.with_name("net.stablehlo.json").read_text())["load"]
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "jaxact", None)
        exec("\n".join(lines), scope)
    expected = network(images(5))
    np.testing.assert_allclose(scope["probabilities"], expected, rtol=1e-4, atol=1e-6)
    if name == "own":  # of any number of images
        scope["images"] = images(5)[:1]
        exec(lines[-1], scope)
        np.testing.assert_allclose(scope["probabilities"], expected[:1], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("thin_networks")
def test_jax_alone_runs_what_was_exported(tmp_path):
    networks = {f"{name}.stablehlo": make() for name, make in NETWORKS.items()}
    for name, network in networks.items():
        assert network.export(tmp_path / name) == tmp_path / name
    for name, (many, one) in strange(tmp_path, *networks).items():
        expected = networks[name](images(5))
        np.testing.assert_allclose(many, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(one, expected[:1], rtol=1e-4, atol=1e-6)


def test_it_is_for_all_platforms_with_jaxs_own_convolutions(tmp_path):
    file = make((8, 8, 1)).export(tmp_path / "net.stablehlo")
    program = jax_export.deserialize(bytearray(file.read_bytes()))
    assert set(program.platforms) >= {"cpu", "cuda"}
    text = program.mlir_module()
    # One for all platforms, or one each, as JAX has it: none is without, as is ours for a CPU.
    assert text.count("stablehlo.convolution(") in (1, len(program.platforms))
    assert str(program.in_avals[0].shape) == "(batch, 8, 8, 1)"
    assert b".py" not in file.read_bytes()  # no folder of the machine it was made on


def test_beside_the_file_stands_how_to_load_it(tmp_path):
    network = make((8, 8, 1))
    file = network.export(str(tmp_path / "folder"))
    assert file == tmp_path / "folder" / "network.stablehlo"
    beside = json.loads((tmp_path / "folder" / "network.stablehlo.json").read_text())
    assert beside["classes"] == ["ant", "bee", "cat"]
    assert beside["input"] == {"dtype": "uint8", "shape": ["batch", 8, 8, 1]}
    assert beside["output"] == {"dtype": "float32", "shape": ["batch", 3]}
    assert beside["trained"]["activation"] == "relu"
    assert "data_dir" not in beside["trained"]
    assert beside["versions"]["jax"] == metadata.version("jax")
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [
        "network.stablehlo",
        "network.stablehlo.json",
    ]


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("net", "onx", "format='onx' must be one of stablehlo, onnx; did you mean onnx"),
        ("net.onnx", "stablehlo", "is named as onnx, and format=stablehlo: change one"),
    ],
)
def test_a_wrong_format_is_told(tmp_path, name, form, message):
    with pytest.raises(ConfigError, match=message):
        make((8, 8, 1)).export(tmp_path / name, form)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("form", "package", "how"),
    [("onnx", "jax2onnx", r'pip install "jaxact\[onnx\]"'), ("stablehlo", "flatbuffers", "pip")],
)
def test_without_its_package_a_format_says_what_to_install(
    tmp_path, monkeypatch, form, package, how
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"the format {form} needs .*{how}") as caught:
        make((8, 8, 1)).export(tmp_path / "net", form)
    assert "\n" not in str(caught.value)


def calls_python(x):
    return jax.pure_callback(np.tanh, jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def test_what_no_file_can_hold_is_told(tmp_path):
    network = make((8, 8, 1))
    own = Activation("mine", calls_python, reference="", spec="mine:act")
    network = dataclasses.replace(network, model=models.create_model("thin_cnn", own, 3))
    with pytest.raises(ConfigError, match="cannot be written as StableHLO") as caught:
        network.export(tmp_path / "net.stablehlo")
    assert "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())


# What jax2onnx takes in one of its ways alone: padding, and a limit that is a Python number; and
# LayerNorm, which StableHLO has no need of.
HARD = {
    "layer_norm": lambda: make((8, 8, 1), FITTED, "convnext"),
    "padded": lambda: make((32, 32, 1), FITTED, "alexnet32"),
    "limited": lambda: with_activation("hard_elish"),
}


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", [*NETWORKS, *HARD])
def test_onnxruntime_gives_the_same(tmp_path, name):
    reason = 'it needs an environment with "jaxact[onnx]" and onnxruntime'
    _, onnxruntime = (
        pytest.importorskip(name, reason=reason) for name in ("jax2onnx", "onnxruntime")
    )
    network = (NETWORKS | HARD)[name]()
    file = network.export(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(file))
    shape = network.image_shape
    assert [given.shape for given in session.get_inputs()] == [["batch", *shape]]
    for count in (1, 5):
        batch = images(count, shape)
        (actual,) = session.run(["probabilities"], {"images": batch})
        np.testing.assert_allclose(actual, network(batch), atol=1e-4)
    held = session.get_modelmeta().custom_metadata_map
    assert json.loads(held["classes"]) == ["ant", "bee", "cat"]
