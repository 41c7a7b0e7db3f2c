"""Verdicts on paired seeds: better, worse, equivalent within a margin, or undecided.

One rule for all that is said of two activations. Of each pair of them two hypotheses are tested:
that they are alike (two-sided), and that they differ by the margin or more (two one-sided tests,
Schuirmann 1987). The p-values of either kind are corrected (Holm) over all comparisons made
together, so that in at most 5 % of studies anything is called better or worse that is not, and in
at most 5 % anything equivalent that is not.
"""

import itertools
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxact.statistics import paired_tests, sequential
from jaxact.statistics.estimates import MIN_PAIRS, SIGNIFICANCE, Estimate, Values, mean
from jaxact.statistics.paired_tests import Alternative, holm

BETTER, WORSE, EQUIVALENT, UNDECIDED = "better", "worse", "equivalent", "undecided"


class Margin(NamedTuple):
    """The largest difference that is of no account.

    Attributes:
      size: in the unit of the values; a share of the other's values, if `is_relative`.
    """

    size: float
    is_relative: bool = False

    def words(self, unit: str) -> str:
        """`0.2 points`, `5 %`."""
        return f"{100 * self.size:g} %" if self.is_relative else f"{self.size:g} {unit}".strip()


POINTS = Margin(0.2)  # of errors in percent
SHARE = Margin(0.05, is_relative=True)  # of times


class Comparison(NamedTuple):
    """An activation against another, over the seeds that both have; lower values are better.

    Attributes:
      name, baseline: what is compared.
      difference: mean of name - baseline over the pairs, in the unit of the values.
      p_value: of no difference, two-sided; nan with fewer than `MIN_PAIRS` pairs.
      corrected_p_value: Holm's, over all comparisons that were made together.
      effect_size: Cohen's d_z: the mean of the differences in their standard deviations; nan where
        they do not vary or are infinite.
      pairs: seeds that both have.
      significant: whether `corrected_p_value < SIGNIFICANCE`; never with fewer than `MIN_PAIRS`
        pairs, nor where misses leave no direction in which the two differ.
      equivalence_p_value: of a difference of the margin or more, the larger of two one-sided
        tests; nan without a margin or with fewer than `MIN_PAIRS` pairs.
      corrected_equivalence_p_value: Holm's, over all comparisons that were made together.
      verdict: BETTER or WORSE where significant, else EQUIVALENT where shown, else UNDECIDED.
      has_direction: whether the mean difference and, where misses leave ranks alone, those point
        one way.
      wins, ties, losses: pairs in which `name` is lower, the same, higher.
      improvement: probability that `name` is lower in one run than `baseline` in another, ties
        half: over all pairs of runs, of the same seed or not (Agarwal et al. 2021, "Deep
        reinforcement learning at the edge of the statistical precipice"); nan without runs.
    """

    name: str
    baseline: str
    difference: Estimate
    p_value: float
    corrected_p_value: float
    effect_size: float
    pairs: int
    significant: bool
    equivalence_p_value: float = math.nan
    corrected_equivalence_p_value: float = math.nan
    verdict: str = UNDECIDED
    has_direction: bool = False
    wins: int = 0
    ties: int = 0
    losses: int = 0
    improvement: float = math.nan

    @property
    def is_tested(self) -> bool:
        return self.pairs >= MIN_PAIRS


def compare(
    values: Mapping[str, Values],
    baseline: str,
    margin: Margin | float | None = None,
    *,
    anytime: bool = False,
) -> list[Comparison]:
    """Every activation against the baseline, on paired seeds, in the order of `values`.

    The test is the exact sign-flip permutation test of the mean difference. It holds its level
    at any number of pairs and for any symmetric noise, and unlike Wilcoxon's it uses the sizes of
    the differences, not their ranks alone. With misses only ranks are left; then it is Wilcoxon's
    (zeros as in Pratt 1959), and exact as well.

    Args:
      values: name to one value a seed, in the same order of seeds; inf for a miss; nan where there
        is no run: that pair is left out.
      baseline: one of the names.
      margin: what differences are of no account, in the unit of the values if a number; None: none
        is called equivalent.
      anytime: seeds were added, or may be, depending on what was seen: the tests are those of
        `jaxact.statistics.sequential`, which allow for that.

    Raises:
      ValueError: no such baseline, names with different numbers of values, or a margin that is
        not positive.

    Example:
      >>> errors = {"relu": [1.8, 1.9, 1.7, 1.8, 2.0, 1.9], "mish": [1.5, 1.5, 1.6, 1.4, 1.6, 1.7]}
      >>> [mish] = compare(errors, baseline="relu")
      >>> mish.verdict, mish.p_value, mish.wins
      ('better', 0.03125, 6)
    """
    _check(values, margin)
    if baseline not in values:
        there = ", ".join(map(str, values)) or "none"
        raise ValueError(f"baseline {baseline!r} has no values; there are: {there}")
    pairs = [(name, baseline) for name in values if name != baseline]
    return [
        comparison._replace(difference=mean(differences))
        for comparison, differences in _compared(values, pairs, margin, anytime)
    ]


def all_pairs(
    values: Mapping[str, Values],
    margin: Margin | float | None = None,
    *,
    anytime: bool = False,
) -> list[Comparison]:
    """Each name against each that follows it, corrected over all of these comparisons.

    What is said of a name that was chosen for its figures, the best one's lead say, rests on this:
    the correction is over all pairs among which it was chosen.

    Args:
      values, margin, anytime: as for `compare`.

    Returns:
      Comparisons as of `compare`, whose differences have no interval (nan): with many names there
      are too many to resample.

    Raises:
      ValueError: as `compare`.
    """
    _check(values, margin)
    pairs = list(itertools.combinations(values, 2))
    return [comparison for comparison, _ in _compared(values, pairs, margin, anytime)]


def flipped(comparison: Comparison) -> Comparison:
    """The same comparison seen from the other one."""
    value, low, high = comparison.difference
    return comparison._replace(
        name=comparison.baseline,
        baseline=comparison.name,
        difference=Estimate(0.0 - value, 0.0 - high, 0.0 - low),
        effect_size=0.0 - comparison.effect_size,
        verdict={BETTER: WORSE, WORSE: BETTER}.get(comparison.verdict, comparison.verdict),
        wins=comparison.losses,
        losses=comparison.wins,
        improvement=1 - comparison.improvement,
    )


def corrected(families: Sequence[Sequence[Comparison]]) -> list[list[Comparison]]:
    """The comparisons of several families with verdicts that are corrected over all of them."""
    together = [comparison for family in families for comparison in family]
    p_values = holm([c.p_value for c in together])
    equivalences = holm([c.equivalence_p_value for c in together])
    new = iter(
        _judged(
            comparison._replace(corrected_p_value=float(p), corrected_equivalence_p_value=float(q))
        )
        for comparison, p, q in zip(together, p_values, equivalences, strict=True)
    )
    return [[next(new) for _ in family] for family in families]


def excess(values: Values, baseline: Values, margin: Margin, *, anytime: bool = False) -> float:
    """The p-value of a difference of at most the margin, either way: small, it is shown to be more.

    nan with fewer than `MIN_PAIRS` pairs. Twice the smaller of two one-sided tests, at most 1.
    """
    test = sequential.anytime_test if anytime else _fixed
    above, below = _beyond(values, baseline, margin)  # value - upper limit, lower limit - value
    if len(above) < MIN_PAIRS:
        return math.nan
    return min(1.0, 2 * min(test(-above, "less"), test(-below, "less")))


def _check(values: Mapping[str, Values], margin: Margin | float | None) -> None:
    """Raises ValueError unless names have as many numbers each, and a margin is positive."""
    if not hasattr(values, "keys"):  # a frame's are its columns
        raise ValueError('values must be a mapping: {"relu": [1.8, 1.9], "mish": [1.5, 1.6]}')
    first = next(iter(values), "")
    for name in values:
        try:
            shape = np.asarray(values[name], float).shape
        except (TypeError, ValueError) as error:
            raise ValueError(f"the values of {name!r} must be numbers: {error}") from error
        if len(shape) != 1:
            raise ValueError(
                f"{name!r} has values of shape {list(shape)}: give [seeds], one a seed"
            )
        if len(values[name]) != len(values[first]):
            raise ValueError(
                f"{name!r} has {len(values[name])} values and {first!r} has {len(values[first])}: "
                "give one a seed, nan where there is no run"
            )
    size = margin.size if isinstance(margin, Margin) else margin
    if size is not None and not (isinstance(size, numbers.Real) and 0 < size < math.inf):
        raise ValueError(f"margin must be a positive number, not {size!r}")


def _compared(
    values: Mapping[str, Values],
    pairs: Sequence[tuple[str, str]],
    margin: Margin | float | None,
    anytime: bool,
) -> list[tuple[Comparison, np.ndarray]]:
    """The comparisons of the pairs, each with its differences."""
    allowed = margin if isinstance(margin, Margin) or margin is None else Margin(margin)
    test = sequential.anytime_test if anytime else _fixed
    differences = [paired_tests.differences(values[a], values[b]) for a, b in pairs]
    p_values, equivalences = [], []
    for (a, b), paired in zip(pairs, differences, strict=True):
        is_tested = len(paired) >= MIN_PAIRS
        p_values.append(test(paired, "two-sided") if is_tested else math.nan)
        equivalences.append(math.nan)
        if is_tested and allowed is not None:
            above, below = _beyond(values[a], values[b], allowed)
            equivalences[-1] = 1.0  # one that misses where the other does not is not the same
            if np.isfinite(paired).all():
                equivalences[-1] = max(test(above, "less"), test(below, "less"))
    made = [
        _comparison(a, b, values, paired, p_value, equivalence)
        for (a, b), paired, p_value, equivalence in zip(
            pairs, differences, p_values, equivalences, strict=True
        )
    ]
    return list(zip(corrected([made])[0], differences, strict=True))


def _comparison(
    name: str,
    baseline: str,
    values: Mapping[str, Values],
    differences: np.ndarray,
    p_value: float,
    equivalence: float,
) -> Comparison:
    """A comparison that is not yet corrected for others, nor judged."""
    differences = np.sort(differences)  # no figure depends on the order of the seeds by rounding
    # ranks and mean can point different ways: one miss outweighs every finite difference
    is_clear = len(differences) and not {-math.inf, math.inf} <= set(differences.tolist())
    value = float(np.mean(differences)) if is_clear else math.nan
    agree = np.sign(value) == np.sign(paired_tests.scores(differences).mean()) if is_clear else 0
    return Comparison(
        name=name,
        baseline=baseline,
        difference=Estimate(value, math.nan, math.nan),
        p_value=p_value,
        corrected_p_value=math.nan,
        effect_size=_effect_size(differences),
        pairs=len(differences),
        significant=False,
        equivalence_p_value=equivalence,
        has_direction=bool(agree and value),
        wins=int((differences < 0).sum()),
        ties=int((differences == 0).sum()),
        losses=int((differences > 0).sum()),
        improvement=improvement(values[name], values[baseline]),
    )


def _judged(comparison: Comparison) -> Comparison:
    significant = comparison.has_direction and comparison.corrected_p_value < SIGNIFICANCE
    verdict = UNDECIDED
    if significant:
        verdict = BETTER if comparison.difference.value < 0 else WORSE
    elif comparison.corrected_equivalence_p_value < SIGNIFICANCE:
        verdict = EQUIVALENT
    return comparison._replace(significant=significant, verdict=verdict)


def improvement(values: Values, baseline: Values) -> float:
    """Share of pairs of runs, one of each, in which `values` has the lower one; ties count half."""
    left, right = (np.asarray(v, float) for v in (values, baseline))
    left, right = left[~np.isnan(left), None], right[~np.isnan(right)]
    if not left.size or not right.size:
        return math.nan
    return float(np.mean(left < right) + np.mean(left == right) / 2)


def _fixed(differences: np.ndarray, alternative: Alternative) -> float:
    return paired_tests.sign_flip_test(paired_tests.scores(differences), alternative)


def _beyond(values: Values, baseline: Values, margin: Margin) -> tuple[np.ndarray, np.ndarray]:
    """By pair, the distances above the upper and below the lower end of what is of no account."""
    if margin.is_relative:
        above = paired_tests.differences(values, baseline, 1 + margin.size)
        return above, -paired_tests.differences(values, baseline, 1 - margin.size)
    paired = paired_tests.differences(values, baseline)
    return paired - margin.size, -paired - margin.size


def _effect_size(differences: np.ndarray) -> float:
    """Cohen's d_z, the mean over the standard deviation (of n - 1); nan where undefined."""
    if len(differences) < 2 or not np.isfinite(differences).all() or np.ptp(differences) == 0:
        return math.nan
    return float(np.mean(differences) / np.std(differences, ddof=1))
