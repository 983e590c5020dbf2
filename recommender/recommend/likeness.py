"""How like a question each row is, by vectors and by terms: of the rows that are kept for a known article, and of all where those do not do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recommender.dense import as_scores, nearest
from recommender.fusion import N_BEST, Spread, Values
from recommender.rank import Mask
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import SCORE_DIGITS

Rows = NDArray[np.int64]
Allowed = Callable[[Rows], Mask]
"""Tells which of some rows may be found; shape (len(rows),)."""
_A_TIE = 10**-SCORE_DIGITS


class Likeness:
    """The cosines of a question. What is asked here has the same answer, to the last bit, whether neighbours are kept or not.

    Attributes:
        rows: those whose cosines are known, ascending, shape (m,).
        dense, lexical: their cosines, shape (m,).
    """

    def __init__(self, snapshot: View, query: Query) -> None:
        """Take a question; what is kept for it is looked at first."""
        self._snapshot = snapshot
        self._query = query
        self._every_lexical = query.begun.lexical if query.begun else None
        self._near = query.near
        if self._near is None:
            self.widen()
        else:
            self.rows, self.dense, self.lexical, _ = self._near

    def widen(self) -> None:
        """Look through the whole archive, whatever is kept."""
        self._near = None
        self.rows = np.arange(len(self._snapshot))
        self.dense = self._snapshot.dense.cosines(self._query.vector)
        self.lexical = self._lexical_of_all()

    def _lexical_of_all(self) -> NDArray[np.float32]:
        if self._every_lexical is None:
            self._every_lexical = self._snapshot.lexical.scores(self._query.all_terms())
        return self._every_lexical

    def of(self, rows: Rows) -> tuple[Values, Values]:
        """Return the cosines of vectors and of terms with any rows, each shape (len(rows),)."""
        if self._near is None:
            return self.dense[rows].astype(np.float64), self.lexical[rows].astype(np.float64)
        at = np.minimum(np.searchsorted(self.rows, rows), max(0, len(self.rows) - 1))
        known = self.rows[at] == rows if len(self.rows) else np.zeros(len(rows), np.bool_)
        if known.all():
            return self.dense[at].astype(np.float64), self.lexical[at].astype(np.float64)
        dense, lexical = np.zeros(len(rows)), np.zeros(len(rows))
        dense[known], lexical[known] = self.dense[at[known]], self.lexical[at[known]]
        dense[~known] = self._snapshot.dense.cosines_of(self._query.vector, rows[~known])
        lexical[~known] = self._lexical_of_all()[rows[~known]]
        return dense, lexical

    def nearest(self, k: int, allowed: Allowed, *, own: bool) -> Rows:
        """Return the ``k`` rows whose vectors are most alike, best first, ties by row; none for a question without a vector.

        Args:
            k: at least 1.
            allowed: which rows may be found.
            own: all of these might stand in the article's list for being similar, see ``Neighbours``.
        """
        if not self._query.vector.any():
            return np.zeros(0, np.int64)
        found = nearest(self.dense, k, allowed(self.rows))
        if self._near is not None:
            floor = self._near.floors.of_dense(own=own)
            if np.isfinite(floor) and (len(found) < k or self.dense[found[-1]] <= floor + _A_TIE):
                self.widen()
                return self.nearest(k, allowed, own=own)
        return self.rows[found]

    def best_matching(self, k: int, allowed: Allowed, *, own: bool) -> Rows:
        """Return the ``k`` rows that share most in terms, ascending; of equals at the cut the first; none that share nothing.

        Args:
            k, allowed, own: as in :meth:`nearest`.
        """
        floor = 0.0 if self._near is None else self._near.floors.of_lexical(own=own)
        best, enough = _most(self.lexical, k, allowed(self.rows), floor)
        if enough:
            return self.rows[best]
        if self._every_lexical is not None:  # was counted already: no vector is needed for this
            return _most(self._every_lexical, k, allowed(np.arange(len(self._snapshot))), 0.0)[0]
        self.widen()
        return self.best_matching(k, allowed, own=own)

    def dense_spread(self, best: Rows) -> Spread:
        """Return the spread of the nearest rows, given best first."""
        return Spread.of(as_scores(self.of(best[:N_BEST])[0].astype(np.float32)))

    def lexical_spread(self, allowed: Allowed) -> Spread:
        """Return the spread of the rows that share most in terms, those that share nothing among them where there are few."""
        mask = allowed(self.rows)
        shared = self.lexical[mask]
        if self._near is None:
            return Spread.of(shared)
        floor = self._near.floors.lexical
        if len(shared) >= N_BEST and np.partition(shared, -N_BEST)[-N_BEST] >= floor:
            return Spread.of(shared)
        if floor > 0 and self._every_lexical is not None:
            return Spread.of(self._every_lexical[allowed(np.arange(len(self._snapshot)))])
        if floor > 0:
            self.widen()
            return self.lexical_spread(allowed)
        everyone = np.arange(len(self._snapshot))
        n_others = int(allowed(everyone).sum()) - len(shared)
        return Spread.of(np.concatenate([shared, np.zeros(min(N_BEST, n_others), np.float32)]))


def _most(values: NDArray[np.float32], k: int, allowed: Mask, floor: float) -> tuple[Rows, bool]:
    """Return the places of the ``k`` largest values above 0 that are allowed, ascending, and whether none below ``floor`` is missing."""
    matching = np.flatnonzero(allowed & (values > 0))
    if len(matching) < k:
        return matching, floor <= 0
    shared = values[matching]
    least = np.partition(shared, -k)[-k]
    above = matching[shared > least]
    best = np.sort(np.concatenate([above, matching[shared == least][: k - len(above)]]))
    return best, bool(floor <= 0 or least > floor)
