"""The rows most like a text, found from neighbour to neighbour: a large archive is not searched for them.

What was kept of the rows most like each leads from any row to those about the same. A text starts at the rows that share most
of its terms, and at landmarks all over the archive, and takes two steps from the nearest of them. Cosines of what was seen are exact; a
row that no step led to is not found. How many that are, tests and the table in ARCHITECTURE.md ("A free text walks") say.

Source: greedy search in a graph of nearest neighbours, as in Hajebi et al., "Fast Approximate Nearest-Neighbor Search with
k-Nearest Neighbor Graph", IJCAI 2011; here the graph was there already, and full-text search says where to start.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.neighbours import Floors, Near
from recommender.rank import Mask
from recommender.snapshot import View
from recommender.vectors import Vector

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
BY_TERMS, NEAREST = (
    600,
    800,
)  # of the rows that share most, and of the nearest; a list asks for 200 that may stand in it
_STEPS = 2
_OPENED = 16  # rows whose neighbours are looked at in a step
_UNSEEN = -2.0  # below any cosine: of rows that were not seen nothing is claimed


class Start(NamedTuple):
    """Where a walk starts, found without the question's vector.

    Attributes:
        lexical: the question's cosines with all rows by terms, shape (n,).
        shared: the rows that share most, 600 at most.
        floor: what the others share at most.
    """

    lexical: Scores
    shared: Rows
    floor: float


def start(lexical: Scores) -> Start:
    """Return where a walk starts, by the cosines of terms with all rows."""
    return Start(lexical, *most(lexical, BY_TERMS))


def surroundings(snapshot: View, vector: Vector, begun: Start) -> Near:
    """Return the rows most like a question, with exact cosines, from a walk; those that share most in terms are all among them.

    Args:
        snapshot: with neighbours.
        vector: of the question.
        begun: where it starts.
    """
    lexical, shared, floor = begun
    seen, opened = np.zeros(len(snapshot), np.bool_), np.zeros(len(snapshot), np.bool_)
    seen[shared] = seen[snapshot.landmarks()] = True
    found, every, kept = np.flatnonzero(seen), np.zeros(0, np.int64), np.zeros(0, np.float32)
    for step in range(_STEPS + 1):
        every = np.concatenate([every, found])
        kept = np.concatenate([kept, snapshot.dense.cosines_of(vector, found)])
        if step < _STEPS:
            best = every[_largest(kept, _OPENED)]
            found = np.flatnonzero(_led_to(snapshot, best[~opened[best]]) & ~seen)
            opened[best] = seen[found] = True
    dense = np.zeros(len(snapshot), np.float32)
    dense[every] = kept
    seen[:] = False
    seen[every[_largest(kept, NEAREST)]] = seen[shared] = True
    rows = np.flatnonzero(seen)
    return seen_alone(rows, dense[rows], lexical[rows], floor)


def seen_alone(rows: Rows, dense: Scores, lexical: Scores, lexical_floor: float = 0.0) -> Near:
    """Return what is known of some rows, where others are looked at only when these are too few.

    Args:
        rows: ascending, shape (m,).
        dense, lexical: their cosines, shape (m,).
        lexical_floor: what others share in terms at most.
    """
    return Near(rows, dense, lexical, Floors(_UNSEEN, lexical_floor, _UNSEEN, lexical_floor))


def most(values: Scores, n: int) -> tuple[Rows, float]:
    """Return the rows with the largest values, at most ``n`` and all above 0, and what the others have at most."""
    least = float(np.partition(values, -n)[-n]) if len(values) > n else 0.0
    if least <= 0:
        return np.flatnonzero(values > 0), 0.0
    above, equal = np.flatnonzero(values > least), np.flatnonzero(values == least)
    return np.concatenate([above, equal[: n - len(above)]]), least


def _largest(values: Scores, n: int) -> Rows:
    """Return the places of the largest values, in no order."""
    return np.argpartition(values, -n)[-n:] if len(values) > n else np.arange(len(values))


def _led_to(snapshot: View, rows: Rows) -> Mask:
    led = np.zeros(len(snapshot), np.bool_)
    led[snapshot.around(rows)] = True
    return led
