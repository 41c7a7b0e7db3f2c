"""Specs, configurations and records that nobody would write: understood, or refused in one line.

A soak: `JAXACT_FUZZ_EXAMPLES=2500 pytest tests/test_hostile_input.py`.
"""

import dataclasses
import json
import math
import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, assume, given, settings

from jaxact import activations, command_line, config_file
from jaxact.activations import ActivationError
from jaxact.config import RULES, Config, check, default_config
from jaxact.errors import ConfigError, WorkdirError
from jaxact.runs.records import checksums, lock, record_files, workdirs

hostile = settings(
    max_examples=int(os.environ.get("JAXACT_FUZZ_EXAMPLES", "80")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([2**31, 2**32, 2**63, 10**400, -0.0, 1e308, 5e-324])
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.text(),
    st.binary(),
    st.lists(NUMBERS, max_size=2),
    st.tuples(NUMBERS),
    st.dictionaries(st.text(max_size=3), NUMBERS, max_size=2),
)
WORDS = [
    "alpha",
    "negative_slope",
    "beta",
    "1e999",
    "0x1",
    "1e-400",
    "nan",
    "__class__",
    "[1]",
    "nowhere",
    "True",
    "None",
]
PIECES = st.sampled_from([*activations.names()[:12], *WORDS, *"()=,'\":. \n\0-é\u202e", "9" * 400])


def assert_one_line(error: Exception) -> None:
    assert "\n" not in str(error)
    assert str(error).isprintable()


@hostile
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
def test_specs(text):
    assume(":" not in text or "nowhere" in text)  # `module:function` imports the module
    try:
        found = activations.get(text)
    except ActivationError as error:
        assert_one_line(error)
    else:
        assert activations.get(found.spec).spec == found.spec


@hostile
@given(st.one_of(st.none(), st.booleans(), NUMBERS, st.binary(), st.lists(st.text(), max_size=2)))
def test_specs_that_are_no_text(value):
    with pytest.raises(ActivationError) as caught:
        activations.get(value)
    assert_one_line(caught.value)


@hostile
@given(st.sampled_from(sorted(RULES)), VALUES)
def test_values_of_fields(field, value):
    config = default_config()
    try:
        with config.ignore_type():
            config[field] = value
    except (OverflowError, ValueError):
        return  # refused by the ConfigDict: an int too large for its float, a dictionary's key
    try:
        checked = check(config)
    except ConfigError as error:
        assert_one_line(error)
        named = str(error)
    else:
        named = f"config.{field}="
        stored = getattr(checked, field)
        assert not isinstance(stored, float) or math.isfinite(stored)
        assert json.loads(json.dumps(dataclasses.asdict(checked), allow_nan=False))
    assert named.startswith(f"config.{field}=")


@hostile
@given(st.text(min_size=1).filter(lambda name: name not in RULES and "." not in name))
def test_names_of_fields(name):
    config = default_config().unlock()
    try:
        config[name] = 1
    except Exception:  # not a name that a ConfigDict takes
        assume(False)
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert_one_line(caught.value)


@hostile
@given(st.lists(st.one_of(st.text(), st.text().map("--config={}".format)), max_size=4))
def test_words_of_the_command_line(words):
    try:
        config_file.locate(command_line.split_config(words)[0])
    except ConfigError as error:
        assert_one_line(error)


@hostile
@given(st.one_of(st.binary(), VALUES.map(repr).map(lambda text: text.encode(errors="replace"))))
def test_stored_configurations(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, record_files.CONFIG)
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            workdirs.check_workdir(Path(folder), dataclasses.asdict(Config()))
        assert_one_line(caught.value)
        assert path.read_bytes() == content


@hostile
@given(st.text())
def test_paths_of_workdirs(text):
    assume("/" not in text)
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder, "runs", text)
        try:
            workdirs.check_workdir(workdir, {})
            with workdirs.opened_workdir(workdir, {}, {"fingerprint": None}):
                assert record_files.read_json(workdir / record_files.CONFIG) == {}
        except (ConfigError, WorkdirError) as error:
            assert_one_line(error)


@hostile
@given(st.data())
def test_rows_that_were_cut_anywhere(data):
    rows = [{"epoch": epoch, "loss": 1.5, "name": "é"} for epoch in range(1, 4)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, record_files.METRICS)
        for row in rows:
            record_files.append_row(path, row)
        content = path.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:cut])
        assert record_files.read_rows(path) == rows[: content[:cut].count(b"\n")]


@hostile
@given(st.data())
def test_sealed_folders_that_were_changed(data):
    contents = {"a": b"some bytes", "b/c": b"\0" * 40, "b/empty": b""}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for name, content in contents.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        checksums.seal(folder)
        assert checksums.damage(folder) is None
        path = folder / data.draw(st.sampled_from([*contents, checksums.SUMS]))
        content = path.read_bytes()
        kind = data.draw(st.sampled_from(["flip", "cut", "longer", "gone"]))
        if kind == "flip" and content:
            changed = bytearray(content)
            changed[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(
                st.integers(0, 7)
            )
            path.write_bytes(changed)
        elif kind == "cut" and content:
            path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        elif kind == "longer":
            path.write_bytes(content + data.draw(st.binary(min_size=1)))
        else:
            path.unlink()
        assert checksums.damage(folder) is not None


@hostile
@given(st.binary())
def test_what_a_lock_file_held(content):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, lock.LOCK).write_bytes(content)
        with lock.held(Path(folder)):
            assert str(os.getpid()) in Path(folder, lock.LOCK).read_text()


@pytest.mark.parametrize("parent", ["", "made/by/it"])
def test_names_longer_than_any_file_system_takes(tmp_path, parent):
    with pytest.raises(ConfigError, match="choose another folder"):
        workdirs.check_workdir(tmp_path / parent / ("é" * 128), {})
    assert not list(tmp_path.iterdir())
