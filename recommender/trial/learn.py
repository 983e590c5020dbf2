"""Weights learned from links: which of an article's candidates did its editor link to?

A conditional logit over each question's candidates: the probability that an editor takes a story is e^score over the sum of
all candidates'. It is convex, has six weights, and its weights are the ranking's own. Weights are held at 0 or above, and
drawn towards the ones there were, so that few links change little.

Source: McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974; in ranking known as ListNet's top-one loss
(Cao et al., ICML 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recommender.answer import Options
from recommender.fusion import PARTS, Calibration, Values, Weights
from recommender.measures import Qrels
from recommender.rank import Columns, Mask
from recommender.recommend import Recommender
from recommender.vectors import UNDATED

DEPTH = 300
_MAX_STEPS = 100
_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one question, and which its editor took.

    Attributes:
        signals: what the weights multiply, shape (n, 6).
        taken: 1.0 where the editor linked, shape (n,).
    """

    signals: Values
    taken: Values


def choices(
    recommender: Recommender,
    qrels: Qrels,
    options: Options,
    watch: Callable[[str, int, int, str], None] = lambda stage, done, total, unit: None,
) -> list[Choice]:
    """Return the choices of every judged article of the archive, over any date and over the past alone.

    Each sees what it would have seen blind: see ``answer.Options.blind``. Candidates are the 300 best of each generator and
    every judged target.
    """
    snapshot = recommender.snapshot
    published_at, found = snapshot.columns.published_at, []
    for done, (query, grades) in enumerate(qrels.items(), start=1):
        row = snapshot.dense.row_of(query)
        known = (snapshot.dense.row_of(target) for target, grade in grades.items() if grade > 0)
        targets = np.array(sorted({target for target in known if target is not None} - {row}), np.int64)
        if row is None or not len(targets):
            continue
        inquiry = recommender.learning(query, replace(options, blind=True, ranker="full", freshness=True))
        rows = np.union1d(inquiry.candidates(partial(_others, snapshot.columns, row), DEPTH // 2), targets)
        signals = inquiry.signals(rows).matrix()
        taken = np.isin(rows, targets).astype(np.float64)
        found.append(Choice(signals, taken))
        past = (published_at[rows] <= published_at[row]) & (published_at[rows] != UNDATED)
        if published_at[row] != UNDATED and taken[past].any() and not past.all():
            found.append(Choice(signals[past], taken[past]))
        watch("learning", done, len(qrels), "questions")
    return found


def _others(columns: Columns, row: int, rows: NDArray[np.int64]) -> Mask:
    """Tell which rows are articles, but for one."""
    others: Mask = ~columns.stub[rows] & (rows != row)
    return others


def fit_weights(found: Sequence[Choice], prior: Weights, *, strength: float, fixed: Iterable[str] = ()) -> Weights:
    """Return the weights under which editors would most likely have taken what they took.

    Args:
        found: choices, at least one.
        prior: the weights to be drawn towards.
        strength: of that pull, in choices: so many choices weigh as much as the prior.
        fixed: parts that keep their prior weight.

    Newton's method with backtracking; a weight that would go below 0 is held there and the rest is fitted again.
    """
    scale = np.sqrt(np.mean([np.mean(choice.signals**2, axis=0) for choice in found], axis=0)) + 1e-9
    start = np.array([getattr(prior, name) for name in PARTS]) * scale
    free = np.array([name not in set(fixed) for name in PARTS])
    weights = start.copy()
    while True:
        weights = _newton(found, scale, weights, start, free, strength)
        negative = free & (weights < 0)
        if not negative.any():
            return Weights(**dict(zip(PARTS, (round(float(w), 4) for w in weights / scale), strict=True)))
        weights[negative] = 0.0
        free &= ~negative


def _newton(
    found: Sequence[Choice],
    scale: Values,
    weights: Values,
    prior: Values,
    free: NDArray[np.bool_],
    strength: float,
) -> Values:
    loss, slope, curvature = _loss(found, scale, weights, prior, strength)
    for _ in range(_MAX_STEPS):
        step = np.zeros_like(weights)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
        size = 1.0
        while True:
            moved = weights - size * step
            after = _loss(found, scale, moved, prior, strength)
            if after[0] <= loss or size < 1e-6:
                break
            size /= 2
        gain, weights, (loss, slope, curvature) = loss - after[0], moved, after
        if gain < _TOLERANCE * max(1.0, abs(loss)):
            break
    return weights


def _loss(
    found: Sequence[Choice], scale: Values, weights: Values, prior: Values, strength: float
) -> tuple[float, Values, Values]:
    """Return the penalised negative log likelihood, its gradient and its Hessian."""
    apart = weights - prior
    loss = 0.5 * strength * float(apart @ apart)
    slope = strength * apart
    curvature = strength * np.eye(len(weights))
    for choice in found:
        signals = choice.signals / scale
        scores = signals @ weights
        largest = float(scores.max())
        odds = np.exp(scores - largest)
        share = odds / odds.sum()
        n_taken = float(choice.taken.sum())
        mean = share @ signals
        loss -= float(choice.taken @ scores) - n_taken * (largest + float(np.log(odds.sum())))
        slope -= choice.taken @ signals - n_taken * mean
        apart_from_mean = signals - mean
        curvature += n_taken * (apart_from_mean * share[:, None]).T @ apart_from_mean
    return loss, slope, curvature


def fit_calibration(
    dense: Values, lexical: Values, linked: Values, weight: Values | None = None, *, strength: float = 1.0
) -> Calibration:
    """Return the logistic regression of being linked on the two cosines, over all pairs of a question and an article.

    All pairs, not the best ones alone: a probability that is fitted on what a ranking chose learns that choice.

    Args:
        dense, lexical: cosines, shape (n,).
        linked: 1.0 where the editor linked the two, shape (n,); at least one of each.
        weight: how many pairs each stands for, shape (n,); one each where None.
        strength: ridge penalty on the two slopes. A slope that would go below 0 is held there and the rest is fitted again.
    """
    signals = np.stack([np.ones_like(dense), dense, lexical], axis=-1)
    weight = np.ones_like(dense) if weight is None else weight
    free = np.ones(3, np.bool_)
    while True:
        weights = np.zeros(3)
        weights[free] = _logistic(signals[:, free], linked, weight, np.array([0.0, strength, strength])[free])
        negative = free & (weights < 0) & [False, True, True]
        if not negative.any():
            return Calibration(*(round(float(each), 4) for each in weights))
        free &= ~negative


def _logistic(signals: Values, linked: Values, counts: Values, penalty: Values) -> Values:
    """Return the weights of a logistic regression whose first column is the intercept's; each row counts ``counts`` times."""
    mean = float(np.average(linked, weights=counts))
    weights = np.zeros(signals.shape[1])
    weights[0] = float(np.log(mean / (1 - mean)))
    for _ in range(_MAX_STEPS):
        share = 1 / (1 + np.exp(-np.clip(signals @ weights, -60, 60)))
        slope = signals.T @ (counts * (share - linked)) + penalty * weights
        curvature = (signals * (counts * share * (1 - share))[:, None]).T @ signals + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        weights = weights - step * min(1.0, 4.0 / float(np.abs(step).max() + 1e-12))
        if float(np.abs(step).max()) < _TOLERANCE:
            break
    return weights


def as_plain(weights: Weights) -> dict[str, float]:
    """Return weights by name."""
    return {name: float(value) for name, value in asdict(weights).items()}
