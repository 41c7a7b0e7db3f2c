"""The text of specs: what is understood, what is refused and how."""

import functools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from jaxact import activations, specs
from jaxact.activations import ActivationError
from jaxact.specs import Spec, split_list, text_of

parse = functools.partial(specs.parse, kind="activation", examples="relu", error=ActivationError)


@pytest.mark.parametrize(
    ("text", "target", "arguments"),
    [
        ("relu", "relu", {}),
        ("relu()", "relu", {}),
        ("  relu ( ) ", "relu", {}),
        ("elu(alpha=2)", "elu", {"alpha": 2}),
        ("elu( alpha = -2.5e-3 , )", "elu", {"alpha": -0.0025}),
        ("f(a=.5, b=1., c=+3)", "f", {"a": 0.5, "b": 1.0, "c": 3}),
        ("f(a=True,c='x, y=(',d=\"z\")", "f", {"a": True, "c": "x, y=(", "d": "z"}),
        ("f(a=[1, -2.5],b=[ .5 ], c=3)", "f", {"a": (1, -2.5), "b": (0.5,), "c": 3}),
        ("package.module:function", "package.module:function", {}),
        ("m:Class.method(k=1)", "m:Class.method", {"k": 1}),
    ],
)  # fmt: skip
def test_understood(text, target, arguments):
    spec = parse(text)
    assert spec == Spec(target, arguments)
    assert [type(v) for v in spec.arguments.values()] == [type(v) for v in arguments.values()]
    assert parse(text_of(*spec[:1], arguments.items())) == spec


@pytest.mark.parametrize(
    "parts",
    [
        ["relu"],
        ["relu", "elu(alpha=2, beta=3)", "apl(slopes=[1, 2],hinges=[0, 1])"],
        ["a.pairs:chain(outer='swish(beta=1.5)',inner='relu')", "relu"],
        ["a.pairs:chain(outer='elu(alpha=2)', inner=\"f(a='(,')\")", "", "tanh"],
        ["relu)", "tanh(a=(1,2),b=[(3,4)])", "f(a='"],
    ],
)
def test_a_list_is_split_at_commas_outside_brackets_and_quotes(parts):
    assert split_list(",".join(parts)) == parts
    assert split_list(" , ".join(parts)) == parts


BAD = {
    "": "write relu",
    " ": "write relu",
    "relu(": "write relu",
    "relu)": "write relu",
    "relu(0.1)": "key=value",
    "leaky_relu(negative_slope)": "key=value",
    "leaky_relu(negative_slope=)": "key=value",
    "leaky_relu(negative_slope=1+1)": "key=value",
    "leaky_relu(negative_slope=__import__('os'))": "key=value",
    "leaky_relu(negative_slope=0x10)": "key=value",
    "leaky_relu(negative_slope=[1])": "a finite number, not '[1]'",
    "apl(slopes=[])": "key=value",
    "apl(slopes=[1 2])": "key=value",
    "apl(slopes=[1, x])": "key=value",
    "apl(slopes=[1, 1e999])": "finite",
    "apl(slopes=1)": "a list [...], each a finite number, not '1'",
    "apl(slopes=[1, 2])": "slopes and hinges must have one length, not 2 and 5",
    "pau(numerator=[1, 2])": "numerator must have 2 numbers more than denominator, not 2 and 4",
    "affine_combination(weights=[1, 2])": "weights must be 3 numbers",
    "convex_combination(logits=[1, 2])": "logits must be 3 numbers",
    "pdelu(t=1)": "a number from 0.5 to 0.99",
    "leaky_relu(negative_slope=0.1 negative_slope=0.2)": "key=value",
    "leaky_relu(negative_slope=0.1, negative_slope=0.2)": "twice",
    "leaky_relu(negative_slope=nan)": "finite",
    "leaky_relu(negative_slope=-inf)": "finite",
    "leaky_relu(negative_slope=1e999)": "finite",
    "leaky_relu(negative_slope=1e39)": "finite",
    "leaky_relu(negative_slope=True)": "a finite number",
    "leaky_relu(negative_slope='0.1')": "a finite number",
    "leaky_relu(negative_slop=0.1)": "did you mean negative_slope?",
    "relu(alpha=1)": "it takes none",
    "silu(beta=2)": "it takes none",
    "celu(alpha=0)": "above 0",
    "celu(alpha=-1)": "above 0",
    "squareplus(b=0)": "above 0",
    "softmax(axis=0.5)": "an integer",
    "rellu": "did you mean relu",
    "ReLU": "unknown activation 'ReLU'",
    "quadratic_sine": "listed by `python -c",
    "relu;import os": "write relu",
    "lambda x: x": "write relu",
    "relu\x00": "write relu",
    "re\nlu": "write relu",
    "relu(alpha=1)(beta=2)": "key=value",
    ":relu": "write relu",
    "no_such_module_:f": "cannot import no_such_module_",
    "math:no_such_function": "math has no 'no_such_function'",
    "math:sqr": "did you mean sqrt",
    "math:pi": "neither a function nor an Activation",
    "..relative:f": "write relu",
}


@pytest.mark.parametrize("text", BAD)
def test_refused_in_one_line(text):
    with pytest.raises(ActivationError) as caught:
        activations.get(text)
    message = str(caught.value)
    assert BAD[text] in message
    assert "\n" not in message
    assert len(message) < 700
    assert message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "relu" + "(" * 100_000,
        "elu(alpha=" + "9" * 100_000 + ")",
        "elu(alpha=" + "9" * 480 + ")",
        "elu(alpha=" + "-" * 400 + "1)",
        "elu(alpha=" + "(" * 300 + ")",
        "a." * 200_000 + "b",
        "x" * 1_000_000,
        "f(" + "a=1," * 100_000 + ")",
        "elu(alpha='" + " " * 400,
        "\x00" * 50,
        "\ud800",
    ],
    ids=range(11),
)
def test_hostile_text_is_refused(text):
    with pytest.raises(ActivationError) as caught:
        activations.get(text)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("thing", [None, 3, b"relu", ["relu"]])
def test_what_is_no_text_is_refused(thing):
    with pytest.raises(ActivationError, match="given as text"):
        activations.get(thing)


def test_an_error_is_also_a_value_error_with_exit_code_2():
    with pytest.raises(ValueError, match="did you mean") as caught:
        activations.get("relux")
    assert caught.value.exit_code == 2  # pyright: ignore[reportAttributeAccessIssue]


def assert_understood_or_refused(text):
    try:
        spec = parse(text)
    except ActivationError as error:
        spec, message = None, str(error)
        assert message.isprintable()
    if spec is not None:
        assert parse(text_of(spec.target, spec.arguments.items())) == spec


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text):
    assert_understood_or_refused(text)


@given(st.text("()=,.:'\"-+ earlu_01\\\n", max_size=40), st.sampled_from(["elu", "relu", "a.b:c"]))
def test_any_arguments_are_understood_or_refused(text, target):
    assert_understood_or_refused(f"{target}({text})")


@given(st.floats(-1e30, 1e30, allow_nan=False))
def test_a_bound_number_is_kept_exactly(value):
    act = activations.get(f"leaky_relu(negative_slope={value!r})")
    assert dict(act.constants) == {"negative_slope": value}
    assert activations.get(act.spec) == act
