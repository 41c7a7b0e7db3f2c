"""The commands as a user types them: exit codes, one-line errors, no half-made workdir."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from jaxact import command_line, config_file, main
from jaxact.comparison.options import make_plan
from jaxact.config import RULES, Config
from jaxact.config_fields import meanings
from jaxact.errors import ConfigError
from tests.support.paths import ROOT

WRONG = {
    "--config.lerning_rate=1": "config.lerning_rate is not a field; did you mean learning_rate",
    "--config.epochs=abc": "config.epochs='abc' must be a whole number from 1",
    "--config.epochs=1.5": "config.epochs='1.5' must be a whole number from 1",
    "--config.epochs=0": "config.epochs=0 must be a whole number from 1",
    "--config.train_examples=-3": "config.train_examples=-3 must be a whole number from 1, or null",
    "--config.train_examples=99999": "config.train_examples=99999 must be",
    "--config.batch_size=99999": "config.batch_size=99999 must be at most",
    "--config.activation=rleu": "did you mean relu",
    "--config.model=vgg12": "did you mean vgg11",
    "--config=configs/nope.py": "there is no file configs/nope.py",
    "--config=configs/mnist.py:papr": "did you mean paper",
    "--wrokdir=x": "workdir",
    "stray": "'stray' is no option",
}


@pytest.fixture
def run(commands):
    return functools.partial(commands.run, "jaxact.main")


@pytest.mark.parametrize("argument", WRONG)
def test_what_is_wrong_ends_in_one_line(argument, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = [f"--workdir={tmp_path / 'run'}", argument]
    with jax.numpy_dtype_promotion("standard"):  # as training has it
        assert main.COMMAND.run(main.train, words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("jaxact: ")
    assert printed.err.count("\n") == 1
    assert WRONG[argument] in printed.err
    assert not (tmp_path / "run").exists()
    assert printed.out == ""


# Found before there are data, with them, and before the command has begun.
@pytest.mark.parametrize(
    "argument", ["--config.lerning_rate=1", "--config.train_examples=99999", "stray"]
)
def test_what_is_wrong_ends_a_process_with_exit_code_2(run, argument, tmp_path):
    done = run(f"--workdir={tmp_path / 'run'}", argument)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("jaxact: ")
    assert done.stderr.count("\n") == 1
    assert WRONG[argument] in done.stderr
    assert not (tmp_path / "run").exists()
    assert done.stdout == ""


def test_data_that_cannot_be_had_end_in_exit_code_3(run, tmp_path):
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    (tmp_path / "data" / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    done = run(
        f"--workdir={tmp_path / 'run'}",
        "--config.dataset=mnist",
        f"--config.data_dir={tmp_path / 'data'}",
    )
    assert done.returncode == 3
    assert "train-images-idx3-ubyte.gz" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_workdir_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "run").write_text("precious")
    done = run(f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 2
    assert (tmp_path / "run").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "configs/digits.py"),
        (["--config=configs/mnist.py:paper"], "configs/mnist.py:paper"),
        (["--config", "configs/cifar.py"], "configs/cifar.py"),
        (["--config.epochs=1", "--config=configs/cifar.py"], "configs/cifar.py"),
    ],
)
def test_the_config_file_may_stand_anywhere(words, expected):
    path, rest = command_line.split_config(words)
    assert path == expected
    assert all("--config=" not in word for word in rest)


def test_config_files_are_found_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert config_file.locate("configs/mnist.py") == (ROOT / "configs" / "mnist.py", [])
    own = tmp_path / "mine.py"
    own.write_text("")
    assert config_file.locate("mine.py:x") == (Path("mine.py"), ["x"])
    with pytest.raises(ConfigError, match="no file other/mnist"):
        config_file.locate("other/mnist.py")


@pytest.mark.parametrize("module", ["jaxact.main", "experiments.compare"])
def test_help_lists_options_and_fields(commands, module):
    code, printed, said, _ = commands.run(module, "--help")
    assert (code, said) == (0, "")
    for text in ("--config", "--workdir", "--compilation_cache", "--config.learning_rate=0.001"):
        assert text in printed
    assert f"python -m {module}" in printed


def test_a_command_of_these_tests_does_what_one_that_starts_for_itself_does(commands):
    words = ["-m", "jaxact.main", "--help"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    code, printed, said, _ = commands.run("jaxact.main", "--help")
    same = " ".join(printed.split()).replace(", thin_cnn", "")  # the tests' network
    assert (code, same, said) == (0, " ".join(done.stdout.split()), "")


def test_help_gives_each_fields_default_meaning_and_what_is_allowed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = main.COMMAND.help()
    words = " ".join(text.split())
    for name, meaning in [pair for fields in meanings().values() for pair in fields.items()]:
        default = getattr(Config(), name)
        shown = "null" if default is None else default
        assert f"--config.{name}={shown} {meaning} ({RULES[name].allowed})" in words
    fields = text.split("its fields", 1)[1]
    assert max(map(len, fields.splitlines())) <= 60


def parsed(*words):
    return main.COMMAND.parse(words).config


# With `distributed` the command looks for other processes, before anything else.
OPTIONAL = [n for n, rule in RULES.items() if rule.holds(None) and n != "distributed"]


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("null", ["null", "None", "none"])
def test_null_is_none(name, null):
    split = "--config.eval_split=validation"  # which early stopping needs
    value = next(value for value in (3, True, 0.5) if RULES[name].holds(value))
    assert (
        getattr(parsed(split, f"--config.{name}={value}", f"--config.{name}={null}"), name) is None
    )
    assert (
        getattr(parsed(split, f"--config.{name}", null, f"--config.{name}={value}"), name) == value
    )


def test_a_process_is_alone_if_that_is_what_is_said_last():
    assert parsed("--config.distributed=auto", "--config.distributed=null").distributed is None


@pytest.mark.parametrize("name", ["epochs", "dropout_rate", "model", "deterministic"])
def test_null_is_refused_where_a_field_has_none(name):
    with pytest.raises(ConfigError, match=f"^config.{name}='null' must be"):
        parsed(f"--config.{name}=null")


def test_a_switch_needs_no_value():
    assert parsed("--config.deterministic").deterministic
    assert not parsed("--config.deterministic", "--noconfig.deterministic").deterministic


def test_a_flagfile_holds_the_config_file_and_its_fields(tmp_path):
    more, words = tmp_path / "more.txt", tmp_path / "words.txt"
    more.write_text("--config.activation=swish(beta=1.5)\n")
    words.write_text(
        f"# of an earlier run\n--config=configs/mnist.py\n--config.epochs=3\n--flagfile={more}\n"
    )
    config = parsed("--config.seed=1", f"--flagfile={words}", "--config.epochs=4")
    assert (config.dataset, config.epochs, config.seed) == ("mnist", 4, 1)
    assert config.activation == "swish(beta=1.5)"


@pytest.mark.parametrize("flagfile", ["/nowhere/words.txt", "/"])
def test_a_flagfile_that_cannot_be_read_is_one_line(flagfile):
    with pytest.raises(ConfigError) as refused:
        parsed(f"--flagfile={flagfile}")
    assert "\n" not in str(refused.value)


def test_the_home_of_the_user_stands_for_itself_in_every_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own.py").write_text(
        "from jaxact.config import default_config as get_config\n", encoding="utf-8"
    )
    words = (
        "--config=~/own.py",
        "--workdir=~/run",
        "--config.data_dir=~",
        "--config.dataset=~/a/b",
    )
    options = main.COMMAND.parse(words)
    assert options.workdir == f"{tmp_path}/run"
    assert (options.config.data_dir, options.config.dataset) == (str(tmp_path), f"{tmp_path}/a/b")
    plan = make_plan(Config(), "relu", 1, datasets="~/a.npz,digits")
    assert plan.datasets == (f"{tmp_path}/a.npz", "digits")


@pytest.mark.parametrize(
    "option",
    ["--workdir", "--config", "--config.data_dir", "--config.dataset", "--compilation_cache"],
)
def test_an_address_is_no_path(monkeypatch, capsys, tmp_path, option):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["main", f"{option}=gs://bucket/x"])
    assert main.COMMAND.run(lambda options: pytest.fail("performed")) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"jaxact: {option.removeprefix('--') if '.' in option else option}=")
    assert "local folders only" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_own_data_that_are_wrong_end_in_one_line_and_exit_code_3(run, tmp_path):
    (tmp_path / "my.npz").write_bytes(b"PK\x03\x04 no archive")
    done = run(f"--workdir={tmp_path / 'run'}", f"--config.dataset={tmp_path / 'my.npz'}")
    assert done.returncode == 3
    assert done.stderr.startswith(f"jaxact: {tmp_path / 'my.npz'} is no whole .npz archive")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["my.npz"]


@pytest.mark.parametrize("dataset", ["../../my [red] images.npz", "/tmp/..", "./x/"])
def test_the_path_of_own_data_cannot_lead_a_new_workdir_astray(dataset):
    workdir = command_line.new_workdir(Config(dataset=dataset))
    assert workdir.parent == Path("runs")
    assert re.fullmatch(r"(my_red_images|own|x)-small_cnn-relu-[\d-]+", workdir.name)
