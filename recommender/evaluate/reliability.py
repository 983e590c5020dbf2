"""Whether probabilities hold: what was said of pairs, beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.text import clean_line

Values = NDArray[np.float64]

EDGES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Links are rare, one pair in hundreds: tenths would put nearly every pair into the first bin."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs whose probability was said to lie in one range.

    Attributes:
        low, high: the range, ``high`` not in it unless it is 1.
        n_pairs: how many pairs; where they are a sample, how many it stands for.
        n_linked: those that an editor linked.
        said: their mean probability.
        found: share of them that were linked.
    """

    low: float
    high: float
    n_pairs: int
    n_linked: int
    said: float
    found: float


def reliability(said: Values, linked: Values, weight: Values | None = None) -> tuple[Bin, ...]:
    """Return said against found by ranges of the probability; ranges without a pair are left out.

    Args:
        said: probabilities, 0 to 1, shape (n,).
        linked: 1.0 where an editor linked the two, else 0.0, shape (n,).
        weight: how many pairs each stands for, shape (n,); one each where None.
    """
    weight = np.ones(len(said)) if weight is None else weight
    at = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    n_pairs, sums, n_linked = (
        np.bincount(at, each, len(EDGES) - 1) for each in (weight, weight * said, weight * linked)
    )
    return tuple(
        Bin(
            EDGES[number],
            EDGES[number + 1],
            round(float(n_pairs[number])),
            round(float(n_linked[number])),
            float(sums[number] / n_pairs[number]),
            float(n_linked[number] / n_pairs[number]),
        )
        for number in np.flatnonzero(n_pairs)
    )


def reliability_lines(bins: Sequence[Bin]) -> list[str]:
    """Return said against found as lines for a terminal."""
    told = [f"{'probability':<16}{'pairs':>12}{'linked':>8}{'said':>9}{'found':>9}"]
    return told + [
        f"{range_of(one):<16}{one.n_pairs:>12,}{one.n_linked:>8,}{one.said:>9.4f}{one.found:>9.4f}" for one in bins
    ]


def whose_text(name: str) -> str:
    """Return of which questions a table speaks, by its name."""
    return {"*": "all articles", "text": "free texts"}.get(name, f"articles in {clean_line(name)}")


def range_of(one: Bin) -> str:
    """Return the range of a bin as text."""
    return f"{one.low:g} to {one.high:g}"
