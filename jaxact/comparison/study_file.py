"""The first fault of a `study.json`, or of a run's records, that keeps it from being drawn.

Files are edited, cut off, and made by other versions. Fields that are not named here may be there
or not.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jaxact.config import RULES, field_kind

DONE, STATUSES = "done", ("done", "diverged", "failed", "missing")
Fault = str | None  # such as "runs[0].seed is missing"; None: there is none
Check = Callable[[Any, str], Fault]


def _is(holds: Callable[[Any], bool], what: str) -> Check:
    return lambda value, at: None if holds(value) else f"{at}={_short(value)} is no {what}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


NUMBER = _is(_is_number, "number")
WHOLE = _is(_is_whole, "whole number from 0")
COUNT = _is(lambda value: _is_whole(value) and value > 0, "whole number from 1")
TEXT = _is(lambda value: isinstance(value, str), "text")
YES_OR_NO = _is(lambda value: isinstance(value, bool), "true or false")
RECORD = _is(lambda value: isinstance(value, Mapping), "record")
POSITIVE = _is(lambda value: _is_number(value) and value > 0, "number above 0")
UNTIL = _is(lambda value: value in ("", "decided"), 'one of "", "decided"')
STATUS = _is(lambda value: value in STATUSES, f"one of {', '.join(STATUSES)}")


def or_null(check: Check) -> Check:
    return lambda value, at: None if value is None else check(value, at)


def listed(check: Check, least: int = 0) -> Check:
    """A list of so many entries at least, each of which passes."""

    def checked(value: Any, at: str) -> Fault:
        if not isinstance(value, list | tuple) or len(value) < least:
            return f"{at}={_short(value)} is no list" + f" of {least} or more" * bool(least)
        return _first(check(entry, f"{at}[{k}]") for k, entry in enumerate(value))

    return checked


def by_epoch(check: Check) -> Check:
    """A list of rows, each of which passes, of the epochs 1, 2, 3 and so on."""
    rows = listed(check)

    def checked(value: Any, at: str) -> Fault:
        return rows(value, at) or _first(
            f"{at}[{k}].epoch={_short(row['epoch'])} is no {k + 1}"
            for k, row in enumerate(value)
            if row["epoch"] != k + 1
        )

    return checked


def fields(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A record that has the required fields, and may have the others, each of which passes."""

    def checked(value: Any, at: str) -> Fault:
        if fault := RECORD(value, at or "it"):
            return fault
        before = f"{at}." if at else ""
        for name, check in {**(optional or {}), **required}.items():
            if name in value:
                fault = check(value[name], f"{before}{name}")
            elif name in required:
                fault = f"{before}{name} is missing"
            if fault:
                return fault
        return None

    return checked


def row(*checks: Check) -> Check:
    """A list of as many entries as there are checks, each of which passes its own."""
    whole = listed(lambda value, at: None)

    def checked(value: Any, at: str) -> Fault:
        if fault := whole(value, at):
            return fault
        if len(value) != len(checks):
            return f"{at}={_short(value)} is no list of {len(checks)}"
        entries = enumerate(zip(checks, value, strict=True))
        return _first(check(entry, f"{at}[{k}]") for k, (check, entry) in entries)

    return checked


def _first(faults: Iterable[Fault]) -> Fault:
    return next(filter(None, faults), None)


def _config_field(name: str) -> Check:
    kinds = {bool: YES_OR_NO, int: WHOLE, float: NUMBER, str: TEXT}
    check = kinds.get(field_kind(name), lambda value, at: None)
    return or_null(check) if RULES[name].holds(None) else check


_TIMES = dict.fromkeys(("train_seconds", "compile_seconds", "wall_seconds"), NUMBER)
# Those that every configuration has; another version may have more, or fewer.
_CONFIG = ("dataset", "model", "activation", "epochs", "batch_size", "learning_rate", "seed")
CONFIG = fields(
    {name: _config_field(name) for name in (*_CONFIG, "target_accuracy")},
    {name: _config_field(name) for name in RULES},
)
SUMMARY = fields(
    {
        "epochs": COUNT,
        "target_accuracy": NUMBER,
        "reached_target": YES_OR_NO,
        "epoch_to_target": or_null(COUNT),
        "seconds_to_target": or_null(NUMBER),
        "test_accuracy": NUMBER,
        "error_percent": NUMBER,
        "parameters": WHOLE,
        "images_per_second": or_null(NUMBER),
        "latency_ms": or_null(fields({"mean": NUMBER}, {"dispatch_floor_p50": or_null(NUMBER)})),
        **_TIMES,
    },
    {
        "parameters_with_relu": COUNT,
        "train_memory_bytes": or_null(NUMBER),
        "beside_compilation_seconds": NUMBER,
    },
)
METRICS = fields(
    {"epoch": COUNT, "train_seconds": NUMBER, "test_accuracy": or_null(NUMBER)},
    dict.fromkeys(
        (
            *("step", "train_loss", "train_accuracy", "test_loss", "validation_loss"),
            *("validation_accuracy", "images_per_second"),
        ),
        or_null(NUMBER),
    ),
)
LAYER = fields(
    {
        "layer": TEXT,
        **dict.fromkeys(("dead", "saturated", "mean", "deviation"), or_null(NUMBER)),
        "gradient_norm": or_null(NUMBER),
    }
)
HEALTH = fields({"epoch": COUNT, "layers": listed(LAYER)})
PLAN = fields(
    {
        "config": CONFIG,
        "datasets": listed(TEXT, 1),
        "learning_rates": listed(NUMBER, 1),
        "activations": listed(TEXT, 1),
        "seeds": COUNT,
        "baseline": TEXT,
        "targets": listed(NUMBER),
    },
    {
        "twins": listed(row(TEXT, TEXT)),
        "margin_points": POSITIVE,
        "until": UNTIL,
        "rate_seeds": WHOLE,
        "own_rates": listed(row(WHOLE, TEXT, NUMBER)),
        "only_own_rates": YES_OR_NO,
    },
)
RESULTS_PLAN = fields(
    {
        "elsewhere": fields(
            {
                "title": TEXT,
                "seeds": listed(WHOLE, 1),
                "target": TEXT,
                "is_timed": YES_OR_NO,
                "notes": listed(TEXT),
            }
        ),
        "datasets": listed(TEXT, 1),
        "activations": listed(TEXT, 1),
        "baseline": TEXT,
    }
)
RESULT = fields(
    {"error_percent": NUMBER},
    {"reached_target": YES_OR_NO, "seconds_to_target": or_null(NUMBER)},
)
_RUN = fields(
    {
        "dataset": TEXT,
        "learning_rate": NUMBER,
        "activation": TEXT,
        "seed": WHOLE,
        "status": STATUS,
        "note": TEXT,
        "summary": RECORD,
        "metrics": by_epoch(METRICS),
        "health": by_epoch(HEALTH),
        "environment": RECORD,
    }
)


PRICE = fields({"per_hour": NUMBER, "currency": TEXT})
CHURN = fields(
    {
        "dataset": TEXT,
        "learning_rate": NUMBER,
        "activation": TEXT,
        "pairs": listed(fields({"seeds": listed(WHOLE, 2), "disagreement": NUMBER})),
    }
)


def _study(plan: Check, summary: Check) -> Check:
    """A plan and its runs; one that is done has a summary."""

    def run(value: Any, at: str) -> Fault:
        if fault := _RUN(value, at):
            return fault
        return summary(value["summary"], f"{at}.summary") if value["status"] == DONE else None

    return fields(
        {"format": WHOLE, "plan": plan, "runs": listed(run)},
        {"price": PRICE, "churn": listed(CHURN)},
    )


_MADE, _RESULTS = _study(PLAN, SUMMARY), _study(RESULTS_PLAN, RESULT)


def STUDY(value: Any, at: str) -> Fault:
    """The first fault of a study, whether jaxact made its runs or they were made elsewhere."""
    plan = value.get("plan") if isinstance(value, Mapping) else None
    is_elsewhere = isinstance(plan, Mapping) and "elsewhere" in plan
    return (_RESULTS if is_elsewhere else _MADE)(value, at)
