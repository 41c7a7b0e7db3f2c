"""Files of results made elsewhere: what is read, and what is wrong with its line."""

import pytest

from jaxact.comparison import results_file
from jaxact.errors import ConfigError

GOOD = "activation,seed,error\nrelu,0,1.93\nGELU (ours),0,1.5\n"


def read(text):
    return results_file.read("my.csv", text if isinstance(text, bytes) else text.encode())


def plain(results):
    return [(run.dataset, *run[2:]) for run in results.runs]


FORMS = {
    "as it is": GOOD,
    "Windows": GOOD.replace("\n", "\r\n"),
    "BOM": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "semicolons and decimal commas": GOOD.replace(",", ";").replace(".", ","),
    "tabs": GOOD.replace(",", "\t"),
    "as Excel says": "sep=;\n" + GOOD.replace(",", ";"),
    "blanks": GOOD.replace(",", " , ").replace("\n", "\n\n"),
    "order and capitals": "Error,Activation,SEED\n1.93 %,relu,0.0\n1.5%,GELU (ours),0e0\n",
    "quotes": 'activation,seed,error\n"relu",0,1.93\n"GELU\n(ours)",0,1.5\n',
    "the words of summary.json": GOOD.replace("error", "error_percent"),
    "separators at the end": "activation,seed,error\nrelu,0,1.93,,\nGELU (ours),0,1.5,\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_one_table_in_many_forms(form):
    results = read(FORMS[form])
    assert plain(results) == [("", "relu", 0, 1.93, None), ("", "GELU (ours)", 0, 1.5, None)]
    assert not results.is_timed
    assert results.notes == ()


def test_seconds_data_sets_and_what_diverged():
    rows = ("a,relu,7,2,12.5", "a,relu,8,2,inf", "a,x,7,2,", "a,x,8,Diverged,", "b,x,7,2,never")
    results = read("dataset,activation,seed,error,seconds\n" + "\n".join(rows))
    assert plain(results) == [
        ("a", "relu", 7, 2, 12.5),
        ("a", "relu", 8, 2, None),
        ("a", "x", 7, 2, None),
        ("a", "x", 8, None, None),
        ("b", "x", 7, 2, None),
    ]
    assert results.is_timed
    assert results.notes == ("relu has no results on b.",)


HEAD = "activation,seed,error,seconds\n"
WRONG = {
    "": "my.csv is empty; its first line is to be activation,seed,error",
    "\n \n": "my.csv is empty",
    HEAD: "my.csv holds a header, and no results below it",
    "relu,0,1.93\n": "the first line is to name the columns, activation,seed,error",
    "activation,seed,eror\nrelu,0,1\n": "has no column error: .* did you mean eror",
    "activation,seed,test_accuracy\nrelu,0,98\n": "error is 100 minus the accuracy",
    "activation,error\nrelu,1\n": "has no column seed",
    "activation,seed,error,Error\nrelu,0,1,1\n": "has two columns error",
    HEAD + "relu,0,1,2\n,1,1,2\n": "line 3: the activation is empty",
    HEAD + "a\x1bb,0,1,2\n": "line 2: activation='a\\\\x1bb' holds a character",
    HEAD + "relu,0,1,2\n\nrelu,first,1,2\n": "line 4: seed='first' must be a whole number from 0",
    HEAD + "relu,0.5,1,2\n": "line 2: seed=0.5 must be a whole number from 0",
    HEAD + "relu,-1,1,2\n": "line 2: seed=-1 must be",
    HEAD + "relu,0,,2\n": "line 2: error='' must be a number in percent, or diverged",
    HEAD + "relu,0,nan,2\n": "line 2: error='nan' must be",
    HEAD + "relu,0,1_0,2\n": "line 2: error='1_0' must be",
    HEAD + "relu,0,1e999,2\n": "line 2: error='1e999' must be",
    HEAD + "relu,0,-0.1,2\n": "line 2: error=-0.1 must be from 0 to 100",
    HEAD + "relu,0,100.1,2\n": "line 2: error=100.1 must be from 0 to 100",
    HEAD + 'relu,0,"1,5",2\n': "line 2: error='1,5' must be .*write decimals with a point",
    HEAD + "relu,0,1,-2\n": "line 2: seconds=-2 must be at least 0",
    HEAD + "relu,0,1,soon\n": "line 2: seconds='soon' must be a number of seconds; empty, inf",
    HEAD + "relu,0,1,93,2\n": "line 2 has 5 values, the header 4: .* decimals with a point",
    HEAD + "relu,0,1\n": "line 2 has 3 values, the header 4",
    HEAD + "relu,0,1,2\nx,0,1,2\nrelu,0,3,4\n": "line 4: relu, seed 0 stands in line 2 already",
    HEAD + 'x,0,1,2\n"relu,0,1,2\n': "line 3 cannot be taken apart .* a quote not closed",
    b"activation,seed,error\nrelu,0,1\nh\xe4,0,1\n": "line 3 is not in UTF-8: save the file",
    b"\x00\x01\x02": "holds null characters",
    "dataset,activation,seed,error\n,relu,0,1\n": "line 2: the dataset is empty",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_in_a_line_with_its_number(text):
    with pytest.raises(ConfigError, match=WRONG[text]) as refused:
        read(text)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("my.csv")


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("activation,seed,error,note,\na,0,1,x,\n", ["Columns that are not read: note"]),
        ("activation,seed,error\na,0,0.02\nb,0,0.03\n", ["Every error is below 1, and taken as"]),
        ("activation,seed,error\na,0,98\nb,0,97\n", ["Every error is above 50 %"]),
        ("activation,seed,error\na,0,0\n", []),
        (
            "activation,seed,error\nReLU,0,2\nrelu,0,3\nre_lu,0,3\n",
            ["ReLU, relu, re_lu are taken as different activations."],
        ),
        (
            "activation,seed,error\na,0,2\na,1,3\na,2,3\nb,1,3\n",
            ["b has no seed 0, 2: its pairs are left out."],
        ),
    ],
)
def test_what_may_be_meant_otherwise_is_noted(text, notes):
    found = read(text).notes
    assert len(found) == len(notes)
    assert all(note in said for note, said in zip(notes, found, strict=True))
