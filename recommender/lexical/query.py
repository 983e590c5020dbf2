"""What is asked of a lexical index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.lexical.counts import Keys

MAX_QUERY_TERMS = 300


@dataclass(frozen=True, slots=True)
class TermQuery:
    """What is asked of the index.

    Attributes:
        keys: of the terms, shape (m,).
        numbers: their positions in the index that is asked, shape (m,).
        weights: their tf-idf weights in a vector of unit length before it was cut to the strongest, shape (m,).
        short: a free text. Long articles then lose only the square root of their length, as they hold more than it asks for.
    """

    keys: Keys
    numbers: NDArray[np.int32]
    weights: NDArray[np.float32]
    short: bool = False


NOTHING_ASKED = TermQuery(np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.float32))


def blend(query: TermQuery, others: Iterable[tuple[TermQuery, float]]) -> TermQuery:
    """Return ``query`` with the terms of other queries added, each at its weight; terms in ascending order of key."""
    parts = [(query, 1.0), *others]
    every = np.concatenate([part.keys for part, _ in parts])
    keys, first, which = np.unique(every, return_index=True, return_inverse=True)
    weights = np.bincount(which, np.concatenate([part.weights * weight for part, weight in parts]), len(keys))
    numbers = np.concatenate([part.numbers for part, _ in parts])[first]
    return TermQuery(keys, numbers, weights.astype(np.float32), query.short)
