"""The rows of the table of a comparison, and what their columns mean.

Of the runs of an activation it holds: how many reached the target; medians of the first epoch and
of the training seconds at the target (a run that never got there counts as infinite), of the
training time, of the mean latency of one sample and of a step's time; the mean error at the end;
intervals; and the verdicts against the baseline. The paper's own row stands below ours where the
study follows its protocol.
"""

import math
from collections.abc import Sequence
from typing import Any

from jaxact import statistics
from jaxact.comparison.analysis import churn, measures, verdicts
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.output.tables import costs
from jaxact.comparison.output.tables.columns import BOTH, DETAILS, FIGURES, VERDICTS, Figure
from jaxact.comparison.paper import tables
from jaxact.comparison.study import DIVERGED, FAILED, MISSING, Study, Workload
from jaxact.presentation import numbers
from jaxact.presentation.columns import Row, with_interval
from jaxact.statistics import MIN_PAIRS, Comparison

MEASURED, PAPER = "measured", "paper"


def _tests(name: str, heading: str, measure: Measure) -> tuple[Figure, ...]:
    return (
        Figure(f"{name}_p_value", f"p {heading}", "{:.3f}", tables=VERDICTS, tests=measure),
        Figure(
            *(f"{name}_verdict", f"{heading} is"), tables=VERDICTS, tests=measure, shows="verdict"
        ),
        Figure(
            *(f"{name}_improvement", f"P({heading} better)", "{:.2f}"),
            tables=VERDICTS,
            tests=measure,
            shows="improvement",
        ),
    )


COLUMNS = (
    Figure("activation", "activation", tables=BOTH + VERDICTS),
    Figure("reached", "reached", tables=FIGURES),
    Figure("epoch_to_target", "epoch", "{:g}", "low", True, FIGURES, measures.epoch_to_target),
    Figure(
        *("seconds_to_target", "s to target", "{:.2f}", "low", True, BOTH),
        measure=measures.seconds_to_target,
    ),
    Figure("train_seconds", "train s", "{:.2f}", "low", True, FIGURES, measures.train_seconds),
    Figure("latency_ms", "ms/sample", "{:.4f}", "low", True, FIGURES, measures.latency_ms),
    Figure(
        *("error_percent", "error %", "{:.2f}", "low", True, BOTH, measures.error_percent),
        summarize=statistics.mean,
    ),
    *_tests("error", "error", measures.error_percent),
    *_tests("seconds", "time", measures.seconds_to_target),
    Figure("step_ms", "step ms", "{:.2f}", "low", True, DETAILS, measure_of=measures.step_ms),
    Figure("parameters", "parameters", "{:,.0f}", tables=DETAILS, measure=measures.parameters),
    Figure(
        *("train_memory_mib", "MiB", "{:,.1f}", "", False, DETAILS, measures.train_memory_mib),
        legend="MiB: held by the compiled training steps.",
    ),
)
CHURN = Figure(
    *("churn_percent", "churn %", "{:.2f}", "", True, DETAILS),
    ends=numbers.FROM_TO,
    legend="churn %: share of test images on which two seeds disagree, mean over the pairs of "
    "seeds (least to most).",
)
RATIO = Figure(
    *("parameters_ratio", "/ReLU", "{:.2f}"),
    tables=DETAILS,
    measure=measures.parameters_ratio,
    legend="/ReLU: parameters over those of the same network with ReLU.",
)
_TIMES = ("seconds_to_target", "train_seconds", "latency_ms", "step_ms")
_SEEN_RATIO = 0.005  # less is one number of parameters: a few slopes, learned
_FIGURES_LEGEND = (
    "epoch, s to target: the first epoch at the target, and the training time at its end. Medians "
    "over the seeds; error: mean."
)


def columns_of(study: Study) -> list[Figure]:
    """The columns of a study's table, as far as it has figures for them.

    Of its own runs all of COLUMNS, the churn where they kept their predictions, the ratio of
    parameters where activations change their number, costs where an hour has a price; of results
    made elsewhere what those hold.
    """
    ratios = map(measures.parameters_ratio, study.runs)
    has = {
        CHURN.name: any(record["pairs"] for record in study.churn),
        RATIO.name: any(abs(ratio - 1) > _SEEN_RATIO for ratio in ratios),
    }
    columns = [column for column in _possible(study) if has.get(column.name, True)]
    if study.plan.elsewhere is None:
        return columns
    table = [row for workload in study.workloads() for row in rows(study, workload)]
    return [column for column in columns if any(row[column.name] is not None for row in table)]


def _possible(study: Study) -> list[Figure]:
    return [*COLUMNS, RATIO, CHURN, *costs.columns(study.price)]


def legend(study: Study) -> str:
    """The meaning of the columns, brackets and marks of a study's table, and its baseline."""
    columns, plan = columns_of(study), study.plan
    seeds = measures.most_seeds(study)
    parts = [_FIGURES_LEGEND]
    if (elsewhere := plan.elsewhere) is not None:
        target = elsewhere.target or "the target"
        meanings = {
            "reached": f"reached: the runs that came to {target}.",
            "seconds_to_target": f"s to target: seconds to {target}, the median over the seeds.",
            "error_percent": "error: the mean over the seeds.",
        }
        parts = [meanings[column.name] for column in columns if column.name in meanings]
    if seeds > 1:
        parts.append(f"In brackets: {statistics.intervals_in_words(seeds)}.")
    if len(plan.rivals) > 1:
        parts.append(_tests_legend(study) if seeds >= MIN_PAIRS else _FEW_SEEDS)
    parts += [column.legend for column in columns if column.legend]
    if len(plan.rivals) > 1:
        parts.append(f"Baseline: {plan.baseline}.")
    return " ".join(parts)


_FEW_SEEDS = f"Nothing is tested, ranked or marked: it takes {MIN_PAIRS} seeds."


def _tests_legend(study: Study) -> str:
    is_timed = study.plan.is_timed
    margin = statistics.Margin(study.plan.margin_points).words("points")
    if is_timed:
        margin = f"{margin} or {statistics.SHARE.words('s')}"
    words = (
        "p: of a test of no difference to the baseline, paired by seed, Holm-corrected over the "
        f"column; brackets are of each alone. error is{', time is' * is_timed}: better or worse "
        "where p < 0.05 (and no miss points the other way), else equivalent where the difference "
        f"is shown to be within {margin}, else undecided. P(... better): the share of pairs of "
        "runs, one of the baseline, in which it is lower. Bold, * on the terminal: the best of a "
        "column, and those not shown to be worse, where any is (all pairs, Holm-corrected"
        f"{'; error and s to target together' * is_timed})."
    )
    if study.plan.is_sequential:
        words += (
            " All tests allow for seeds having been added by what they showed; brackets and "
            "P(... better) do not."
        )
    return words


def rows(study: Study, workload: Workload) -> list[Row]:
    """A row an activation, in the plan's order, each followed by the paper's where it has one.

    Keys: the names of `COLUMNS`; `<name>_low` and `<name>_high` where there is an interval, inf
    where misses make it so; `source`, MEASURED or PAPER; `best`, the columns in which the row
    is marked; `is_baseline`. A missing figure, or an infinite one, is None.
    """
    are_seconds_ranked = measures.time_axis(study, workload) is measures.SECONDS
    tested: dict[Measure, dict[str, Comparison]] = {
        measure: {
            comparison.name: comparison
            for comparison in verdicts.against_baseline(study, workload, measure)
            if are_seconds_ranked or measure is measures.error_percent
        }
        for measure in (measures.error_percent, measures.seconds_to_target)
    }
    measured = []
    for activation in study.plan.activations:
        row = _measured(study, workload, activation)
        for column in COLUMNS:
            if column.tests:
                row[column.name] = _shown(tested[column.tests].get(activation), column.shows)
        if twin := dict(study.plan.twins).get(activation):
            row |= dict.fromkeys(("error_verdict", "seconds_verdict"), f"= {twin}")
        measured.append(row)
    _mark(study, workload, measured)
    of_paper = _paper_rows(study, workload)
    both = []
    for row in measured:
        both.append(row)
        if row["activation"] in of_paper:
            figures = of_paper[row["activation"]]
            both.append(_of_paper(row["activation"], figures, _possible(study)))
    return both


def _shown(comparison: Comparison | None, what: str) -> Any:
    """A figure of a comparison with the baseline; None where nothing is tested."""
    return getattr(comparison, what) if comparison is not None and comparison.is_tested else None


def _measured(study: Study, workload: Workload, activation: str) -> Row:
    made = study.made(workload, activation)
    row: Row = {
        "activation": activation,
        "source": MEASURED,
        "is_baseline": activation == study.plan.baseline,
        "best": [],
        "reached": reached(study, workload, activation) if study.plan.is_timed else None,
        "reached_share": measures.reached(made) / len(made) if made else None,
    }
    row |= with_interval(CHURN.name, *churn.percent(study, workload, activation))
    for column in _possible(study):
        measure = column.measure_in(study)
        if measure is None:
            continue
        runs = study.of(workload, activation)
        cells = with_interval(column.name, *column.summarize([measure(run) for run in runs]))
        row |= cells if column.has_interval else {column.name: cells[column.name]}
    return row


def reached(study: Study, workload: Workload, activation: str) -> str:
    """The runs that reached the target, and what became of the rest: `1/4 (2 diverged)`."""
    made = study.made(workload, activation)
    missing = "to do" if study.plan.elsewhere is None else "missing"
    words = {DIVERGED: "diverged", FAILED: "failed", MISSING: missing}
    notes = measures.count_statuses(study.of(workload, activation), words)
    return f"{measures.reached(made)}/{len(made)}" + (f" ({notes})" if notes else "")


def _mark(study: Study, workload: Workload, table: Sequence[Row]) -> None:
    """Notes in each row's `best` the columns in which it is among the best, by tests of all pairs.

    Latencies that differ by less than the floor of a dispatch are ties.
    """
    if len(study.plan.rivals) < 2 or measures.most_seeds(study) < MIN_PAIRS:
        return
    floor = statistics.median([measures.latency_floor_ms(run) for run in study.runs]).value
    is_timed = measures.time_axis(study, workload) is measures.SECONDS
    spoken_of = verdicts.spoken_of(study, workload)
    together = verdicts.between(study, workload, *spoken_of)
    whole = verdicts.fewest_lost(study, workload)
    for column in COLUMNS:
        measure = column.measure_in(study)
        if not column.best or measure is None or (column.name in _TIMES and not is_timed):
            continue
        matrix = together.get(measure) or verdicts.between(study, workload, measure)[measure]
        centres = {row["activation"]: row[column.name] for row in table}
        known = {name: value for name, value in centres.items() if value is not None}
        if measure is measures.error_percent:
            known = {n: value for n, value in known.items() if n in whole}
        tie = floor if column.name == "latency_ms" and math.isfinite(floor) else 0.0
        best = verdicts.best(matrix, known, tie)
        for row in table:
            if row["activation"] in best:
                row["best"].append(column.name)


def _paper_rows(study: Study, workload: Workload) -> dict[str, tables.PaperRow]:
    """The paper's rows beside those of its own protocol: network, data, epochs and target."""
    config = study.plan.config
    table = tables.table_of(workload.dataset, config.model)  # none made elsewhere
    if table is None:
        return {}
    is_same = (
        config.epochs == table.epochs
        and math.isclose(study.plan.target_accuracy(workload.dataset), table.target_accuracy)
        and config.train_examples is None
        and config.test_examples is None
        and config.eval_split == "test"
        and config.optimizer == "adam"
    )
    return dict(table.rows) if is_same else {}


def _of_paper(activation: str, figures: tables.PaperRow, columns: Sequence[Figure]) -> Row:
    names = [column.name for column in columns]
    empty: Row = dict.fromkeys(names)
    intervals = [column.name for column in columns if column.has_interval]
    empty |= {f"{name}_{end}": None for name in intervals for end in ("low", "high")}
    return empty | {
        "activation": f"{activation} (paper)",
        "source": PAPER,
        "is_baseline": False,
        "best": [],
        "reached": "0/1" if figures.epoch_to_target is None else "1/1",
        "reached_share": None,
        "blank": [
            name for name in names if name not in (*figures._fields, "activation", "reached")
        ],
        **figures._asdict(),
    }


def paper_legend(study: Study, workload: Workload) -> str:
    """The meaning of the paper's rows; "" where there are none."""
    table = tables.table_of(workload.dataset, study.plan.config.model)
    if table is None or not _paper_rows(study, workload).keys() & {*study.plan.activations}:
        return ""
    return (
        f"(paper): its {table.title}, target {100 * table.target_accuracy:g} %, {table.epochs} "
        "epochs, one run on a GTX 1060."
    )


def comparison_cells(comparison: Comparison) -> list[str]:
    """A comparison in texts: difference, interval, p, effect size, pairs, P(better), verdict."""
    missing, difference = "N/A", comparison.difference
    p_value, effect = comparison.corrected_p_value, comparison.effect_size
    is_finite = math.isfinite(difference.value)
    return [
        numbers.SIGNED(difference.value) if is_finite else missing,
        numbers.interval(difference.low, difference.high, numbers.SIGNED) or missing,
        missing if math.isnan(p_value) else numbers.p_value(p_value),
        missing if math.isnan(effect) else f"{effect:.2f}",
        str(comparison.pairs),
        f"{comparison.improvement:.2f}" if comparison.is_tested else missing,
        comparison.verdict if comparison.is_tested else f"fewer than {MIN_PAIRS} pairs",
    ]
