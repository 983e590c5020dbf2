"""What editors' links say of an article: who links to it, how often, and what the editors of similar stories linked to.

The links of an article are the judgment that a ranking is measured by, so **its own links never enter its own score**: every
method here leaves them out. An evaluation says, in addition, from which instant on nothing is known (``before``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.vectors import UNDATED, positions

Rows = NDArray[np.int64]
MAX_VOTERS = 30


@dataclass(frozen=True, slots=True)
class RowValues:
    """Numbers that a few rows have; every other row has 0.

    Attributes:
        rows: ascending, shape (m,).
        values: shape (m,).
    """

    rows: Rows
    values: NDArray[np.float64]

    def of(self, rows: Rows) -> NDArray[np.float64]:
        """Return the number of each of ``rows``, shape (len(rows),)."""
        if not len(self.rows):
            return np.zeros(len(rows))
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[at] == rows, self.values[at], 0.0)


NOTHING = RowValues(np.zeros(0, np.int64), np.zeros(0))


class LinkGraph:
    """Editors' links between rows, in the order in which they stand under each article."""

    def __init__(self, edges: NDArray[np.int32], published_at: NDArray[np.int64]) -> None:
        """Take links as (row of the linking article, row of the target), shape (m, 2), and the rows' dates in seconds."""
        order = np.argsort(edges[:, 0], kind="stable")
        self.edges = edges[order]
        self._published_at = published_at
        n = len(published_at)
        self._starts = np.searchsorted(self.edges[:, 0], np.arange(n + 1))
        self._by_target = np.argsort(self.edges[:, 1], kind="stable")
        self._target_starts = np.searchsorted(self.edges[self._by_target, 1], np.arange(n + 1))
        self._in_degree = np.bincount(self.edges[:, 1], minlength=n).astype(np.int64)

    def linked_by(self, row: int) -> list[int]:
        """Return the rows to which this row's editor links, in the editor's order."""
        targets: list[int] = self.edges[self._starts[row] : self._starts[row + 1], 1].tolist()
        return targets

    def linking_to(self, row: int) -> list[int]:
        """Return the rows whose editors link to this row, ascending."""
        at = self._by_target[self._target_starts[row] : self._target_starts[row + 1]]
        sources: list[int] = self.edges[at, 0].tolist()
        return sources

    def in_degree(
        self, own_row: int | None, before: int | None = None, *, rows: Rows | None = None
    ) -> NDArray[np.int64]:
        """Return how many articles link to each row, without the links of ``own_row``.

        Args:
            own_row: the article that is asked about; None for one that is not here.
            before: seconds; only links of articles published earlier than this count. None for all.
            rows: of so many rows it is wanted, shape (m,), the result's shape; None for all.
        """
        wanted = slice(None) if rows is None else rows
        if before is None:
            counted = np.array(self._in_degree[wanted])
            if own_row is not None:
                own = self.edges[self._starts[own_row] : self._starts[own_row + 1], 1]
                for target, n in zip(*np.unique(own, return_counts=True), strict=True):
                    counted[target if rows is None else rows == target] -= n
            return counted
        known = self._known(self.edges[:, 0], own_row, before)
        return np.bincount(self.edges[known, 1], minlength=len(self._in_degree)).astype(np.int64)[wanted]

    def votes(
        self, rows: Rows, alike: NDArray[np.float64], own_row: int | None, before: int | None = None
    ) -> RowValues:
        """Return what the most similar stories link to: the share of the votes that each target got, 0 to 1.

        Each of the first 30 that link votes with its squared similarity.

        Args:
            rows: the most similar first, shape (n,).
            alike: how similar each is, shape (n,); who is not above 0 does not vote.
            own_row, before: as in :meth:`in_degree`.

        Source: item-based k-nearest-neighbour scoring with amplified weights, as in Sarwar et al., "Item-based
        Collaborative Filtering Recommendation Algorithms", WWW 2001; here the items are stories and the votes editors' links.
        """
        starts, ends = self._starts[rows], self._starts[rows + 1]
        voting = np.flatnonzero((alike > 0) & (ends > starts) & self._known(rows, own_row, before))[:MAX_VOTERS]
        if not len(voting):
            return NOTHING
        starts, ends, weights = starts[voting], ends[voting], alike[voting] ** 2
        targets, which = np.unique(self.edges[positions(starts, ends), 1], return_inverse=True)
        got = np.bincount(which, np.repeat(weights, ends - starts))
        return RowValues(targets.astype(np.int64), got / weights.sum())

    def nearness(self, own_row: int | None, before: int | None = None) -> RowValues:
        """Return rows that links join to an article, whichever way they point: 1 for one link away, ½ for two.

        One away is a story whose editor links to this one. Two away are what that editor links to beside it, and who links
        to that story.
        """
        if own_row is None:
            return NOTHING
        linking = self._linking_to(np.array([own_row]), own_row, before)
        if not len(linking):
            return NOTHING
        beside = self.edges[positions(self._starts[linking], self._starts[linking + 1]), 1]
        near = np.unique(np.concatenate([linking, beside, self._linking_to(linking, own_row, before)]))
        near = near[near != own_row].astype(np.int64)
        return RowValues(near, np.where(np.isin(near, linking), 1.0, 0.5))

    def _linking_to(self, rows: NDArray[np.integer], own_row: int, before: int | None) -> NDArray[np.int32]:
        """Return whose editors link to any of these rows, of those that may be listened to."""
        at = self._by_target[positions(self._target_starts[rows], self._target_starts[rows + 1])]
        sources = self.edges[at, 0]
        return np.asarray(sources[self._known(sources, own_row, before)])

    def _known(self, sources: NDArray[np.integer], own_row: int | None, before: int | None) -> NDArray[np.bool_]:
        """Tell which linking articles may be listened to."""
        known = np.ones(len(sources), np.bool_) if own_row is None else sources != own_row
        if before is not None:
            dates = self._published_at[sources]
            known &= (dates < before) & (dates != UNDATED)
        return known
