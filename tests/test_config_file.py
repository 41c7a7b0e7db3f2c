"""Files of `--config` that fail, or return something else: one line that says where and why."""

from pathlib import Path

import pytest

from jaxact import config_file, main
from jaxact.errors import ConfigError

BEGIN = "from jaxact.config import default_config\ndef get_config():\n  c = default_config()\n"
WRONG = {
    "def get_config():\n  return {'epochs': 1}": "returned a dict, not a ConfigDict",
    "def get_config():\n  pass": "returned nothing, not a ConfigDict",
    "epochs = 3": "defines no get_config; begin with `def get_config",
    "get_config = 3": "defines no get_config",
    "1 / 0": "line 1: ZeroDivisionError: division by zero",
    "import nowhere": "line 1: ModuleNotFoundError: No module named 'nowhere'",
    "def get_config(:": "line 1: SyntaxError: ",
    "\0": "SyntaxError",
    "raise SystemExit(3)": "line 1: SystemExit: 3",
    "def get_config():\n  raise ValueError('a\\n  b')": "line 2: ValueError: a b$",
    "def get_config(): return get_config()": "line 1: RecursionError",
    "def get_config(name): pass": "TypeError: .*'name'",
    f"{BEGIN}  c.epochs = 'many'\n  return c": "line 4: TypeError: .*'epochs'",
    f"{BEGIN}  c.lerning_rate = 1\n  return c": "lerning_rate is not a field; did you mean",
    f"{BEGIN}  c.epochs = 0\n  return c": "config.epochs=0 must be a whole number from 1",
    "from ml_collections import ConfigDict\ndef get_config(): return ConfigDict()": "is missing",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path, text):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(ConfigError, match=WRONG[text]) as refused:
        main.COMMAND.parse([f"--config={tmp_path / 'own.py'}"])
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_one_line(tmp_path):
    (tmp_path / "own.py").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"own.py: line 1: SyntaxError"):
        config_file.load(str(tmp_path / "own.py"))


def test_a_file_gets_its_argument_and_finds_its_own_module(tmp_path):
    (tmp_path / "own.py").write_text(
        "from __future__ import annotations\n"
        "import dataclasses\n"
        "from jaxact.config import default_config\n"
        "@dataclasses.dataclass\n"  # it looks for its annotations' names in its module
        "class Mine:\n"
        "  epochs: int\n"
        "def get_config(name):\n"
        "  config = default_config()\n"
        "  config.update(dataclasses.asdict(Mine(int(name))))\n"
        "  return config\n"
    )
    assert main.COMMAND.parse([f"--config={tmp_path / 'own.py'}:7"]).config.epochs == 7
    with pytest.raises(ConfigError, match="line 9: ValueError: invalid literal"):
        config_file.load(f"{tmp_path / 'own.py'}:x")


def installed(monkeypatch, site_packages, *folders):
    """A `mnist.py` in each of these folders, of which jaxact is one; gives their paths."""
    files = [site_packages / folder / "mnist.py" for folder in folders]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setattr(config_file, "PACKAGE", site_packages / "jaxact")
    return files


def test_an_installed_jaxact_offers_the_configs_in_its_package(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (own, _) = installed(monkeypatch, tmp_path / "site", "jaxact/configs", "configs")
    assert config_file.locate("configs/mnist.py:paper") == (own, ["paper"])
    assert config_file.locate("./configs/mnist.py") == (own, [])


def test_the_configs_of_another_package_are_never_offered(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    installed(monkeypatch, tmp_path / "site", "jaxact", "configs")
    with pytest.raises(ConfigError, match=r"no file configs/mnist\.py \(jaxact has none\)"):
        config_file.locate("configs/mnist.py")


def test_the_current_folder_comes_before_an_installed_package(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    installed(monkeypatch, tmp_path / "site", "jaxact/configs")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mnist.py").touch()
    assert config_file.locate("configs/mnist.py")[0] == Path("configs/mnist.py")


def test_a_checkout_offers_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (own,) = installed(monkeypatch, tmp_path / "clone", "configs")
    (tmp_path / "clone" / "pyproject.toml").touch()
    assert config_file.locate("configs/mnist.py")[0] == own
