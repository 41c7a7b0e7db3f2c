"""The chance in a comparison: estimates with intervals, paired tests, power, performance profiles.

The unit is a seed. Every function is pure and returns the same figures each time;
docs/statistics.md says why each method was chosen.

    from jaxact import statistics

    statistics.compare({"relu": errors, "mish": other_errors}, baseline="relu")
"""

from jaxact.statistics.comparisons import (
    BETTER as BETTER,
    EQUIVALENT as EQUIVALENT,
    POINTS as POINTS,
    SHARE as SHARE,
    UNDECIDED as UNDECIDED,
    WORSE as WORSE,
    Comparison as Comparison,
    Margin as Margin,
    all_pairs as all_pairs,
    compare as compare,
    corrected as corrected,
    excess as excess,
    flipped as flipped,
)
from jaxact.statistics.estimates import (
    MIN_PAIRS as MIN_PAIRS,
    SIGNIFICANCE as SIGNIFICANCE,
    Estimate as Estimate,
    Values as Values,
    coverage as coverage,
    interval_words as interval_words,
    intervals_in_words as intervals_in_words,
    mean as mean,
    median as median,
    quartiles as quartiles,
)
from jaxact.statistics.paired_tests import holm as holm
from jaxact.statistics.power import (
    detection as detection,
    fewest_seeds as fewest_seeds,
    seeds_needed as seeds_needed,
)
from jaxact.statistics.profiles import (
    performance_profile as performance_profile,
    reached_over_time as reached_over_time,
)
