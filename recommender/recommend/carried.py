"""Neighbours taken over from the index before, where the article and the fit stayed: only what changed is looked at."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from recommender.dense import DenseIndex
from recommender.neighbours import Near, Own
from recommender.snapshot import Snapshot

Rows = NDArray[np.int64]


def may_carry(former: Snapshot, snapshot: Snapshot, own: Own) -> bool:
    """Tell whether rows that did not change are the same in both, and what is kept of them means the same."""
    same = all(former.manifest[name] == snapshot.manifest[name] for name in ("fit", "encoder"))
    return same and former.own == own


class Carried:
    """What the index before kept of each row, with what changed since.

    Rows that went are left out, and changed ones come in where they lie above the floors; these stay as they are.
    """

    def __init__(self, former: Snapshot, snapshot: Snapshot, changed: Collection[str]) -> None:
        """Take both, of which :func:`may_carry` holds.

        Args:
            former: the index before.
            snapshot: the new one.
            changed: ids of whatever may have changed in between, there or not.
        """
        self._former, self._snapshot = former, snapshot
        changed = set(changed)
        stayed = [None if each in changed else snapshot.dense.row_of(each) for each in former.dense.ids]
        self._row_now = np.array([-1 if row is None else row for row in stayed], np.int64)
        self._row_before = np.full(len(snapshot), -1, np.int64)
        there = np.flatnonzero(self._row_now >= 0)
        self._row_before[self._row_now[there]] = there
        self._changed = np.flatnonzero(self._row_before < 0)
        ids = [snapshot.dense.ids[row] for row in self._changed]
        self._dense = DenseIndex.of_rows(ids, snapshot.dense, self._changed)
        self._lexical = snapshot.lexical.only(self._changed)

    def near(self, row: int) -> Near | None:
        """Return what is kept of a row, None for one that changed."""
        before = int(self._row_before[row])
        kept = self._former.near(before) if before >= 0 else None
        if kept is None:
            return None
        dense = self._dense.cosines(self._snapshot.dense.vector(row))
        lexical = self._lexical.scores(self._snapshot.lexical.query_of_row(row))
        floors = kept.floors
        high = (dense > floors.of_dense(own=True)) | (lexical > floors.of_lexical(own=True))
        rows = np.concatenate([self._row_now[kept.rows], self._changed[high]])
        there = np.flatnonzero(rows >= 0)
        order = there[np.argsort(rows[there])]
        both = np.concatenate([kept.dense, dense[high]]), np.concatenate([kept.lexical, lexical[high]])
        return Near(rows[order], both[0][order], both[1][order], floors)
