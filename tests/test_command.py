"""Options as data: what is typed, what is refused, and how a command ends."""

import errno
import os
from pathlib import Path

import jax
import pytest

from jaxact import command, main
from jaxact.command import Command, Option
from jaxact.comparison import compare
from jaxact.errors import ConfigError, DataError

COMMAND = Command(
    "try",
    "Tries.",
    {
        "count": Option(3, "how far"),
        "rate": Option(0.5, "how fast"),
        "name": Option(None, "of whom", str),
        "form": Option("round", "one", ("round", "square")),
        "most": Option(5, "at most", or_null=True),
        "least": Option(None, "at least", float),
        "out": Option("here", "where to", Path),
        "bare": Option(False, "without all else"),
    },
    arguments=("SPEC",),
    examples=("relu --count=2",),
    notes="exit codes: 0\nlimits: none",
)


def test_options_have_their_kinds_and_defaults():
    options = COMMAND.parse(["--count=7", "relu", "--rate", "2", "--form=square"])
    assert vars(options) == {
        "count": 7,
        "rate": 2.0,
        "name": None,
        "form": "square",
        "most": 5,
        "least": None,
        "out": "here",
        "bare": False,
        "spec": "relu",
    }
    assert isinstance(options.rate, float)
    # A command remembers nothing of the words before.
    assert COMMAND.parse(["relu"]).count == 3


LIST = Command("try", "Tries.", {"top": Option(1, "how many")}, arguments=("RUN", "IMAGES..."))


@pytest.mark.parametrize("images", [["a"], ["a", "b", "c"]])
def test_a_last_argument_may_be_a_list(images):
    options = LIST.parse(["run", images[0], "--top=2", *images[1:]])
    assert (options.run, options.images, options.top) == ("run", images, 2)
    assert LIST.help().startswith("try RUN IMAGES... [--OPTION=VALUE ...]\n")


@pytest.mark.parametrize(("words", "count"), [([], "none is given"), (["run"], "not 1")])
def test_a_list_is_not_empty(words, count):
    with pytest.raises(ConfigError, match=rf"takes RUN IMAGES\.\.\., {count}"):
        LIST.parse(words)


@pytest.mark.parametrize(
    ("words", "value"), [(["--bare"], True), (["--bare=false"], False), (["--nobare"], False)]
)
def test_a_switch_needs_no_value(words, value):
    assert COMMAND.parse([*words, "relu"]).bare is value
    with pytest.raises(ConfigError, match="bare"):
        COMMAND.parse(["--bare=perhaps", "relu"])
    assert "--bare  without all else\n" in COMMAND.help()


def test_null_is_none_where_a_value_may_be_missing(monkeypatch):
    options = COMMAND.parse(["relu", "--most=null", "--least=3", "--least", "None"])
    assert (options.most, options.least) == (None, None)
    assert COMMAND.parse(["relu", "--name=null"]).name is None
    monkeypatch.setenv("HOME", "/home/me")
    assert COMMAND.parse(["relu", "--out=~/x"]).out == "/home/me/x"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--count=two", "relu"], "--count=two"),
        (["--rate=fast", "relu"], "--rate=fast"),
        (["--form=oval", "relu"], "round|square"),
        (["--count=null", "relu"], "--count=null"),
        (["--out=s3://b", "relu"], "--out=s3://b is an address"),
        (["--out", "--count=3", "relu"], "--out has no value"),
        (["relu", "--count"], "Missing value for flag --count"),
        (["relu", "--rate=\udcff"], "--rate="),
        (["--cuont=2", "relu"], "--cuont is no option; did you mean count"),
        ([], "takes SPEC, none is given"),
        (["relu", "tanh"], "takes SPEC, not 2"),
    ],
)
def test_what_is_wrong_ends_in_one_line(words, said, capsys):
    assert COMMAND.run(lambda options: pytest.fail("performed"), words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("jaxact: ")
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_a_word_that_is_no_option_is_named(capsys):
    assert Command("try", "Tries.").run(lambda options: None, ["stray"]) == 2
    assert "'stray' is no option" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--help", "-h", "--helpfull"])
def test_help_says_what_to_type(word, capsys):
    assert COMMAND.run(lambda options: pytest.fail("performed"), ["--count=x", word]) == 0
    printed = capsys.readouterr().out
    for line in (
        "try SPEC [--OPTION=VALUE ...]",
        "  --count  how far (default: 3)",
        "  --name  of whom",
        "  --form  one, of round, square (default: round)",
        "  try relu --count=2",
        "exit codes: 0",
        "limits: none",
    ):
        assert line in printed.splitlines()


@pytest.mark.parametrize("columns", [30, 60, 300])
def test_help_is_as_wide_as_the_terminal_within_what_reads_well(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    long = Command("try", "word " * 99, {"all": Option(None, "many " * 50, ("all",))})
    lines = long.help().splitlines()
    width = min(max(columns, command.NARROWEST), command.WIDEST)
    assert width - 10 < max(map(len, lines)) <= width
    assert "\n  --all=all  many many" in long.help()
    assert "\n      many many" in long.help()


def test_what_is_performed_ends_the_command():
    assert COMMAND.run(lambda options: options.count, ["relu"]) == 3
    assert COMMAND.run(lambda options: None, ["relu"]) == 0


@pytest.mark.parametrize(("error", "code"), [(ConfigError("x"), 2), (DataError("x"), 3)])
def test_errors_become_exit_codes(error, code, capsys):
    def fail():
        raise error

    assert command.exit_code(fail) == code
    assert capsys.readouterr().err == "jaxact: x\n"


def fails_with(error):
    def fail():
        raise error

    return fail


def test_a_file_that_cannot_be_written_is_one_line(capsys):
    error = OSError(errno.EROFS, "Read-only file system", "/x/table.md")
    assert command.exit_code(fails_with(error)) == 2
    said = capsys.readouterr().err
    assert said.startswith("jaxact: ")
    assert "Read-only file system at /x/table.md" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["relu"]])
def test_output_that_nobody_reads_ends_a_command_without_a_word(words, monkeypatch, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert COMMAND.run(lambda options: print(options.spec), words) == 141
    assert capfd.readouterr().err == ""


def test_output_on_a_full_disk_is_one_line(monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert COMMAND.run(lambda options: print(options.spec), ["relu"]) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [AssertionError(), RuntimeError("x"), KeyError("cuda")])
def test_where_jax_cannot_start_that_is_said(error, monkeypatch, capsys):
    def devices():
        raise AssertionError  # as JAX does, where no plugin for the platform is installed

    monkeypatch.setattr(command.devices.jax, "devices", devices)
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    assert command.exit_code(fails_with(error)) == 2
    said = capsys.readouterr().err
    assert said.startswith("jaxact: JAX_PLATFORMS=cuda cannot be started on this machine (")
    assert said.count("\n") == 1


def test_a_mistake_of_ours_is_a_traceback():
    with jax.numpy_dtype_promotion("standard"), pytest.raises(ZeroDivisionError):
        command.exit_code(fails_with(ZeroDivisionError()))


def test_two_commands_live_in_one_process():
    assert main.COMMAND.parse([]).config == compare.COMMAND.parse([]).config


def test_a_command_takes_one_device_before_it_begins(monkeypatch):
    steps = []
    monkeypatch.setattr("sys.argv", ["try", "relu"])
    monkeypatch.setattr(command.devices, "take_one", lambda: steps.append("device"))
    monkeypatch.setattr(command.compiler, "keep_compiled", lambda folder: steps.append("cache"))
    assert COMMAND.run(lambda options: steps.append(options.spec)) == 0
    assert steps == ["device", "cache", "relu"]
