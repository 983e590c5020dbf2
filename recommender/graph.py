"""What editors' links say of an article: who links to it, how often, and what the editors of similar stories linked to.

The links of an article are the judgment that a ranking is measured by, so **its own links never enter its own score**: every
method here leaves them out. An evaluation says, in addition, from which instant on nothing is known (``before``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.vectors import UNDATED

Rows = NDArray[np.int64]
MAX_VOTERS = 30


@dataclass(frozen=True, slots=True)
class Votes:
    """What the editors of similar stories linked to.

    Attributes:
        rows: targets, ascending, shape (m,).
        shares: the share of the votes that each got, 0 to 1, shape (m,).
    """

    rows: Rows
    shares: NDArray[np.float64]


NO_VOTES = Votes(np.zeros(0, np.int64), np.zeros(0))


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
        return [int(target) for target in self.edges[self._starts[row] : self._starts[row + 1], 1]]

    def linking_to(self, row: int) -> list[int]:
        """Return the rows whose editors link to this row, ascending."""
        at = self._by_target[self._target_starts[row] : self._target_starts[row + 1]]
        return [int(source) for source in self.edges[at, 0]]

    def in_degree(self, own_row: int | None, before: int | None = None) -> NDArray[np.int64]:
        """Return how many articles link to each row, shape (n,); without the links of ``own_row``.

        Args:
            own_row: the article that is asked about; None for one that is not here.
            before: seconds; only links of articles published earlier than this count. None for all.
        """
        if before is None:
            counted = self._in_degree.copy()
            if own_row is not None:
                np.subtract.at(counted, self.linked_by(own_row), 1)
            return counted
        known = self._known(self.edges[:, 0], own_row, before)
        return np.bincount(self.edges[known, 1], minlength=len(self._in_degree)).astype(np.int64)

    def votes(self, similar: Sequence[tuple[int, float]], own_row: int | None, before: int | None = None) -> Votes:
        """Return what the most similar stories link to, each of the first 30 that link voting with its squared similarity.

        Args:
            similar: (row, cosine), the most similar first.
            own_row, before: as in :meth:`in_degree`.

        Source: item-based k-nearest-neighbour scoring with amplified weights, as in Sarwar et al., "Item-based
        Collaborative Filtering Recommendation Algorithms", WWW 2001; here the items are stories and the votes editors' links.
        """
        rows = np.array([row for row, cosine in similar if cosine > 0], np.int64)
        weights = np.array([cosine for _, cosine in similar if cosine > 0]) ** 2
        voting = (self._starts[rows + 1] > self._starts[rows]) & self._known(rows, own_row, before)
        rows, weights = rows[voting][:MAX_VOTERS], weights[voting][:MAX_VOTERS]
        if not len(rows):
            return NO_VOTES
        spans = [self.edges[self._starts[row] : self._starts[row + 1], 1] for row in rows]
        targets, which = np.unique(np.concatenate(spans).astype(np.int64), return_inverse=True)
        got = np.bincount(which, np.repeat(weights, [len(span) for span in spans]))
        return Votes(targets, got / weights.sum())

    def nearness(self, own_row: int | None, before: int | None = None) -> dict[int, float]:
        """Return rows that links join to an article, whichever way they point: 1 for one link away, ½ for two.

        One away is a story whose editor links to this one. Two away are what that editor links to beside it, and who links
        to that story.
        """
        if own_row is None:
            return {}
        near: dict[int, float] = {}
        linking = self._only_known(self.linking_to(own_row), own_row, before)
        for row in linking:
            beyond = self._only_known(self.linking_to(row), own_row, before)
            near.update((other, 0.5) for other in (*self.linked_by(row), *beyond) if other not in near)
        near.update((row, 1.0) for row in linking)
        near.pop(own_row, None)
        return near

    def _only_known(self, rows: Sequence[int], own_row: int | None, before: int | None) -> list[int]:
        known = self._known(np.array(rows, np.int64), own_row, before)
        return [row for row, is_known in zip(rows, known, strict=True) if is_known]

    def _known(self, sources: NDArray[np.integer], own_row: int | None, before: int | None) -> NDArray[np.bool_]:
        """Tell which linking articles may be listened to."""
        known = np.ones(len(sources), np.bool_) if own_row is None else sources != own_row
        if before is not None:
            dates = self._published_at[sources]
            known &= (dates < before) & (dates != UNDATED)
        return known
