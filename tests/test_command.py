"""Options as data: what is typed, what is refused, and how a command ends."""

import pytest

from jaxact import command
from jaxact.command import Command, Option
from jaxact.errors import ConfigError, DataError

COMMAND = Command(
    "try",
    "Tries.",
    {
        "count": Option(3, "how far"),
        "rate": Option(0.5, "how fast"),
        "name": Option(None, "of whom", str),
        "form": Option("round", "one", ("round", "square")),
    },
    arguments=("SPEC",),
    examples=("relu --count=2",),
    notes="exit codes: 0",
)


def test_options_have_their_kinds_and_defaults():
    options = COMMAND.parse(["--count=7", "relu", "--rate", "2", "--form=square"])
    assert vars(options) == {
        "count": 7,
        "rate": 2.0,
        "name": None,
        "form": "square",
        "spec": "relu",
    }
    assert isinstance(options.rate, float)
    # A command remembers nothing of the words before.
    assert COMMAND.parse(["relu"]).count == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--count=two", "relu"], "--count=two"),
        (["--rate=fast", "relu"], "--rate=fast"),
        (["--form=oval", "relu"], "round|square"),
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
    ):
        assert line in printed.splitlines()


def test_what_is_performed_ends_the_command():
    assert COMMAND.run(lambda options: options.count, ["relu"]) == 3
    assert COMMAND.run(lambda options: None, ["relu"]) == 0


@pytest.mark.parametrize(("error", "code"), [(ConfigError("x"), 2), (DataError("x"), 3)])
def test_errors_become_exit_codes(error, code, capsys):
    def fail():
        raise error

    assert command.exit_code(fail) == code
    assert capsys.readouterr().err == "jaxact: x\n"


def test_a_command_takes_one_device_before_it_begins(monkeypatch):
    steps = []
    monkeypatch.setattr("sys.argv", ["try", "relu"])
    monkeypatch.setattr(command.devices, "take_one", lambda: steps.append("device"))
    monkeypatch.setattr(command.compiler, "keep_compiled", lambda folder: steps.append("cache"))
    assert COMMAND.run(lambda options: steps.append(options.spec)) == 0
    assert steps == ["cache", "device", "relu"]
