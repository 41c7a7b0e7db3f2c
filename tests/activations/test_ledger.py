"""A slice of the floats, another one each time, against the errors that the ledger found."""

import secrets

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.exactness import ledger, ledger_rows
from benchmarks.exactness.references import REFERENCES
from benchmarks.exactness.ulps import FORMATS, absolute_errors, neighbours, numbers, unit
from jaxact import activations
from jaxact.runs.records import record_files
from tests.support.groups import in_groups, op_by_op

# The digits that users get.
pytestmark = pytest.mark.usefixtures("optimized")

FORM = FORMATS["float32"]
COUNT = 2**15
FILES = {path.stem.removesuffix("-cpu"): path for path in ledger_rows.FOLDER.glob("*-cpu.json")}
NAMES = sorted(set(FILES) & set(activations.names()))
SEED = secrets.randbits(32)
# Another CPU has other vectors, and fuses other products with sums, than the one of the ledger.
SLACK = 0.3
SLACK_OF_STRIDES = 0.5  # a float that was left out may be a little worse


def slice_of_floats():
    """Normal floats, and as many of those up to 128 in magnitude and down to 1 / 128."""
    rng = np.random.default_rng(SEED)
    every = rng.integers(0, 2**32, COUNT, np.uint32).view(np.float32)
    low, high = np.asarray([2.0**-7, 2.0**7], np.float32).view(np.uint32).tolist()
    middle = rng.integers(low, high, COUNT, np.uint32).view(np.float32)
    signs = rng.choice(np.asarray([-1, 1], np.float32), COUNT)
    x = np.concatenate([every, signs * middle])
    x = np.where(np.isnan(x), np.float32(1), x)
    return np.where(np.abs(x) < 2.0**-126, np.float32(1), x)


X = slice_of_floats()


@in_groups(NAMES, X)
def results_of(activation, x):
    return ledger.value_and_gradient(activation)(x)


@op_by_op(X.astype(np.float64))
def truths_of(activation, x):
    return ledger.value_and_gradient(ledger.with_float32_parameters(activation))(x)


@pytest.mark.parametrize("name", NAMES)
def test_no_error_is_larger_than_the_ledgers(name):
    entry = record_files.read_json(FILES[name])
    for part, got, true in zip(ledger.PARTS, results_of(name), truths_of(name), strict=True):
        with jax.disable_jit(), jax.enable_x64(True):
            x = jnp.asarray(X, jnp.float64)
            found = ledger.counted(got, true, x, REFERENCES[name], FORM)
            errors = np.asarray(found["main"])
        worst = errors.argmax()
        bound = float(entry["float32"][part].get("main", {"worst": 0.0})["worst"])
        bound += SLACK_OF_STRIDES * (entry["stride"] > 1)
        assert errors[worst] <= bound * 1.05 + SLACK, f"{part} at {X[worst]!r}, seed {SEED}"


def test_the_ledger_has_every_activation_of_what_it_computes_now():
    """Other versions of JAX trace in other words."""
    names = ledger.names()
    assert NAMES
    assert set(names) == set(NAMES)
    entries = {name: record_files.read_json(FILES[name]) for name in names}
    stale = [
        name
        for name, entry in entries.items()
        if entry["jax"] == jax.__version__
        and ledger.programs(name) != {key: entry.get(key) for key in ("program", "truth")}
    ]
    assert not stale, f"python -m benchmarks.accuracy --exhaustive --activations={','.join(stale)}"


@pytest.mark.parametrize("name", NAMES)
def test_what_misses_the_goal_has_its_cause(name):
    entry = record_files.read_json(FILES[name])
    mains = {part: entry["float32"][part].get("main") for part in ledger.PARTS}
    misses = any(
        main and float(main["worst"]) > ledger_rows.GOALS[part] for part, main in mains.items()
    )
    assert misses == (name in ledger_rows.CAUSES)
    if REFERENCES[name].value_terms is None:  # of terms that cancel float64 has fewer digits, too
        assert max(entry["reference_ulps"].values()) < 1e-3, "the float64 evaluation is off"


def test_units_are_the_distances_of_floats():
    x = np.asarray([1.0, 1.5, 2.0, 0.1, -3.7e38 / 2, 1e-40, 0.0], np.float32)
    with jax.enable_x64(True):
        got = unit(jnp.asarray(x, jnp.float64), FORM)
    np.testing.assert_array_equal(got, np.spacing(np.abs(x)).astype(np.float64))


def test_errors_count_what_is_beyond_the_range_as_its_end():
    true = np.asarray([1e39, 3.0, np.nan, np.nan, 1.0])
    got = np.asarray([np.inf, 2.0, np.nan, 1.0, np.nan], np.float32)
    with jax.enable_x64(True):
        errors = absolute_errors(jnp.asarray(got), jnp.asarray(true), FORM)
    np.testing.assert_array_equal(errors, [0, 1, 0, np.inf, np.inf])


def test_every_number_of_a_format_is_taken_once():
    form = FORMATS["bfloat16"]
    x, is_number = numbers(jnp.uint32(0), 2**16, 1, form)
    taken = np.asarray(x)[np.asarray(is_number)].astype(np.float32)
    assert taken.size == 2**16 - 4 * (2**7 - 1)  # without NaNs and subnormal ones
    assert np.unique(taken.view(np.uint32)).size == taken.size
    assert not np.isnan(taken).any()


def test_neighbours_of_0_are_of_both_signs():
    x = neighbours(0.0, 6)
    tiny = np.float32(1e-45)
    np.testing.assert_array_equal(x, [-3 * tiny, -2 * tiny, -tiny, 0, tiny, 2 * tiny])
    assert neighbours(np.inf, 8)[-1] == np.inf


def test_a_wrong_digit_is_found():
    """A planted error of 4 ULP at one float, and a NaN at another."""
    x = np.linspace(1, 2, 1000, dtype=np.float32)
    compute = jax.jit(ledger.value_and_gradient(activations.get("tanh")))
    y, slope = (np.array(part) for part in compute(x))
    y[17] += 4 * np.spacing(y[17])
    slope[400] = np.nan
    found = ledger.of_results("tanh", x, (y, slope))
    assert 3 < found["value"]["main"]["worst"] < 6
    assert found["value"]["main"]["at"] == x[17]
    assert found["value"]["main"]["inputs"] == 1000
    assert found["derivative"]["main"]["worst"] == np.inf
    assert found["derivative"]["main"]["at"] == x[400]
