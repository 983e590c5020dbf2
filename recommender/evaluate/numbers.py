"""The arithmetic of an evaluation: means with intervals, differences with their chance, how unequal a spread is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.measures import MANY, bootstrap_interval

N_FLIPS = 10_000
# Two sums of the same numbers in another order may differ in the last digits; they must still count as equal.
_EQUAL = 1e-12
_SIGNS_AT_A_TIME = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % bootstrap interval, ``low`` ≤ ``mean`` ≤ ``high``."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Our system against one baseline, query by query.

    Attributes:
        baseline: its name.
        difference: ours − baseline, with the interval of the paired bootstrap.
        p_value: of the paired randomisation test, two-sided; not corrected for the number of baselines.
        ratio: our mean / the baseline's; None where the baseline scores 0.
        n_better, n_equal, n_worse: queries on which ours scores more, the same (to nine decimals), less.
    """

    baseline: str
    difference: Interval
    p_value: float
    ratio: float | None
    n_better: int
    n_equal: int
    n_worse: int


def interval_of(values: Sequence[float]) -> Interval:
    """Return the mean of ``values`` with its 95 % percentile bootstrap interval; zeros for none."""
    mean = math.fsum(values) / len(values) if values else 0.0
    low, high = bootstrap_interval(values)
    return Interval(mean, min(low, mean), max(high, mean))


def difference(baseline: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Difference:
    """Return how our per-query values compare with those of a baseline; both hold the same queries."""
    differences = [ours[query] - theirs[query] for query in ours]
    their_sum = math.fsum(theirs.values())
    signs = [(value > 1e-9) - (value < -1e-9) for value in differences]
    return Difference(
        baseline,
        interval_of(differences),
        randomisation_p(differences),
        math.fsum(ours.values()) / their_sum if their_sum > 0 else None,
        signs.count(1),
        signs.count(0),
        signs.count(-1),
    )


def randomisation_p(differences: Sequence[float], *, n_flips: int = N_FLIPS, seed: int = 0) -> float:
    """Return the two-sided p-value of the paired randomisation (sign-flip) test of the mean of ``differences``.

    Under the null hypothesis both systems are one, so each query's difference could as well have the other sign. The value
    is the share of ``n_flips`` random choices of signs whose mean lies at least as far from 0 as the one observed, the
    observed one counted among them: at least 1 / (n_flips + 1), and 1.0 for no differences at all.

    Source: Smucker, Allan, Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM 2007. They divide by the flips alone, which can print a p-value of 0.
    """
    sample = np.array([value for value in differences if value], np.float64)
    if not len(sample):
        return 1.0
    if len(sample) > MANY:  # the sum of so many flipped values is normally distributed
        return max(1 / (1 + n_flips), math.erfc(abs(math.fsum(sample)) / math.sqrt(2 * float(sample @ sample))))
    observed = abs(math.fsum(sample)) - _EQUAL * len(sample)
    generator = np.random.default_rng(seed)
    block = max(1, _SIGNS_AT_A_TIME // len(sample))
    n_as_far = 0
    for start in range(0, n_flips, block):
        flips = generator.integers(0, 2, (min(block, n_flips - start), len(sample)), dtype=np.int8)
        n_as_far += int((np.abs((2.0 * flips - 1.0) @ sample) >= observed).sum())
    return (1 + n_as_far) / (1 + n_flips)


def gini(counts: Sequence[int]) -> float:
    """Return the Gini coefficient of ``counts``: 0 where all are equal, (n − 1) / n where one has everything.

    0.0 for no counts and for zeros only.
    """
    total = sum(counts)
    if total == 0:
        return 0.0
    n = len(counts)
    return sum((2 * rank - n - 1) * count for rank, count in enumerate(sorted(counts), start=1)) / (n * total)
