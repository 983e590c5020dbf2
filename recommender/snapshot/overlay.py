"""What changed since a snapshot, laid over it: rows added, replaced and withdrawn, as a rebuild under the same fit would have them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.copies import groups_of
from recommender.dense import DenseIndex, LayeredDense
from recommender.graph import LinkGraph
from recommender.lexical import LayeredIndex
from recommender.links import Headlines, LayeredHeadlines, Target
from recommender.neighbours import Near
from recommender.rank import Columns, layered
from recommender.snapshot.changed import ChangedRows
from recommender.snapshot.columns import columns_of
from recommender.snapshot.contents import Row
from recommender.snapshot.entry import Entry
from recommender.snapshot.live import Snapshot
from recommender.snapshot.view import View, numbers_by_key
from recommender.text import title_key, url_key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a snapshot.

    Attributes:
        change: number of the last change that is in here.
        entries: rows that are new or were replaced, by id.
        gone: ids of rows that are no longer there.
        targets: where the links of an article lead, in the editor's order, for every article whose links changed.
    """

    change: int
    entries: Mapping[str, Entry] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Overlay(View):
    """A snapshot with changes laid over it. Making one takes time with the size of the archive, and with that of the changes.

    Attributes:
        changes: what is laid over it.
    """

    dense: LayeredDense
    lexical: LayeredIndex

    def __init__(self, base: Snapshot, changes: Changes, before: View | None = None) -> None:
        """Lay changes over a snapshot.

        Args:
            base: the snapshot.
            changes: since it was built.
            before: what answered before; where that lay over the same snapshot, what the two have in common is taken from it.
        """
        self._base = base
        self.changes = changes
        self.name, self.manifest, self.change = base.name, base.manifest, changes.change
        self.centres, self.headline_centres = base.centres, base.headline_centres
        self.own, self.finished_with = base.own, base.finished_with
        ids = sorted(changes.entries)
        known = before._changed if isinstance(before, Overlay) and before._base is base else None
        entries = [changes.entries[article_id] for article_id in ids]
        changed = ChangedRows(entries, base.fit.lexical, base.dense.dim, known)
        self._changed: ChangedRows = changed
        self._rows = [entry.row for entry in entries]
        self._place = _places(base.dense.ids, ids, [base.dense.row_of(each) for each in {*ids, *changes.gone}])
        self.dense = LayeredDense(base.dense, DenseIndex.build(ids, changed.vectors), self._place)
        self.lexical = LayeredIndex(base.lexical, changed.lexical, self._place)
        self._row_at = np.full(len(base) + len(ids), -1, np.int64)
        self._row_at[self._place] = np.arange(len(self._place))
        self.columns = self._columns(changed)
        self.graph = LinkGraph(self._edges(changes.targets), self.columns.published_at)

    def row(self, number: int) -> Row:
        """Return what is served of one row."""
        place = int(self._place[number])
        return self._base.row(place) if place < len(self._base) else self._rows[place - len(self._base)]

    def near(self, number: int) -> Near | None:
        """Return what is kept of the rows most like one, with all the changed ones; None for a changed row."""
        place, n_base = int(self._place[number]), len(self._base)
        kept = self._base.near(place) if place < n_base else None
        if kept is None:
            return None
        rows = np.concatenate([self._row_at[kept.rows], self._row_at[n_base:]])
        dense = np.concatenate([kept.dense, self.dense.changed_cosines(self._base.dense.vector(place))])
        lexical = np.concatenate([kept.lexical, self.lexical.changed_scores(self._base.lexical.query_of_row(place))])
        there = np.flatnonzero(rows >= 0)
        order = there[np.argsort(rows[there])]
        return Near(rows[order], dense[order], lexical[order], kept.floors)

    def around(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nearest of some rows by vectors, as far as they are kept, in no order, some twice; none of a changed row."""
        place = self._place[rows]
        found = self._row_at[self._base.around(place[place < len(self._base)])]
        return found[found >= 0]

    def landmarks(self) -> NDArray[np.int64]:
        """Return rows from which any other is a few steps away, from neighbour to neighbour; changed rows are among them."""
        found = self._row_at[np.concatenate([self._base.landmarks(), np.arange(len(self._base), len(self._row_at))])]
        return np.sort(found[found >= 0])

    def finished(self, number: int) -> bytes | None:
        """Return a row's finished list, None where there is none, or something it depends on has changed."""
        place = int(self._place[number])
        if place >= len(self._base) or self._depends_on_changed(place, number):
            return None
        return self._base.finished(place)

    def _depends_on_changed(self, place: int, number: int) -> bool:
        """Tell whether the list of a row, given by its place in the snapshot and its number here, may depend on what changed."""
        kept, near = self._base.near(place), self.near(number)
        if kept is None or near is None:
            return True
        if self._altered[place] or self._altered[kept.rows].any():
            return True
        if len(near.rows) == len(kept.rows) and not self.changes.entries:
            return bool(self.changes.gone) and kept.floors.lexical <= 0
        floors = near.floors
        new = self._place[near.rows] >= len(self._base)
        above = (near.dense > floors.of_dense(own=True)) | (near.lexical > floors.of_lexical(own=True))
        # Where few rows share a term, those that share none are counted as well, and their number may have changed.
        return floors.lexical <= 0 or bool((new & above).any())

    @cached_property
    def _altered(self) -> NDArray[np.bool_]:
        """Which rows of the snapshot went, were replaced, link or are linked to otherwise, or have other near-copies, shape (n,)."""
        base, n_base = self._base, len(self._base)
        now = self._row_at[:n_base]
        altered = now < 0
        for source, targets in self.changes.targets.items():
            row = base.dense.row_of(source)
            before = [] if row is None else [row, *base.graph.linked_by(row)]
            after = [found for each in targets if (found := base.dense.row_of(each)) is not None]
            altered[[*before, *after]] = True
        copies = base.columns.copies
        expected = np.where(copies >= 0, now[copies], -1)
        altered |= self.columns.copies[np.maximum(now, 0)] != expected
        return altered

    @cached_property
    def url_keys(self) -> Sequence[str | None]:
        """The url key of every row, None for one without an address."""
        return self._laid(self._base.url_keys, self._changed_url_keys)

    @cached_property
    def _changed_url_keys(self) -> list[str | None]:
        return [url_key(row.url) if row.url else None for row in self._rows]

    @cached_property
    def _changed_by_url(self) -> dict[str, list[int]]:
        return numbers_by_key(self._changed_url_keys)

    def rows_at(self, key: str) -> list[int]:
        """Return the rows that have an address (a url key), ascending."""
        n_base = len(self._base)
        places = [*self._base.rows_at(key), *(n_base + at for at in self._changed_by_url.get(key, ()))]
        return sorted(row for place in places if (row := int(self._row_at[place])) >= 0)

    @cached_property
    def headlines(self) -> LayeredHeadlines:
        """The rows by headline, for links; the snapshot's are looked through once, whatever comes to lie over it."""
        changed = Headlines(Target(row.id, row.title, row.url) for row in self._rows)
        return LayeredHeadlines(self._base.headlines, changed, {*self.changes.entries, *self.changes.gone})

    @cached_property
    def title_keys(self) -> tuple[str, ...]:
        """The title key of every row; the snapshot's are made once, whatever comes to lie over it."""
        return tuple(self._laid(self._base.title_keys, (title_key(row.title) for row in self._rows)))

    def _laid(self, old: Iterable[T], new: Iterable[T]) -> list[T]:
        """Return what each row has, of what the snapshot's rows have and the changed ones."""
        every = [*old, *new]
        return [every[place] for place in self._place.tolist()]

    def _columns(self, changed: ChangedRows) -> Columns:
        of_changed = columns_of(
            self._rows,
            changed.published_at,
            [entry.n_words for entry in changed.entries],
            [entry.tags for entry in changed.entries],
            [entry.authors for entry in changed.entries],
            np.full(len(changed), -1, np.int32),
        )
        return layered(self._base.columns, of_changed, self._place, self._copies(changed))

    def _copies(self, changed: ChangedRows) -> NDArray[np.int32]:
        """Return the groups of near-copies: the pairs of old rows are known, those with a new one were found when it was made."""
        base, n_base = self._base, len(self._base)
        copies = [entry.copies for entry in changed.entries]
        numbers = np.repeat(n_base + np.arange(len(changed)), [len(each) for each in copies])
        between = np.stack([numbers, np.concatenate([*copies, np.zeros(0, np.int64)])], axis=1)
        pairs = self._row_at[np.concatenate([base.copy_pairs, changed.pairs + n_base, between])]
        pairs = pairs[(pairs >= 0).all(axis=1)]

        def both(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([old, new])[self._place]

        return groups_of(
            pairs,
            both(base.signatures.n_shingles, changed.signatures.n_shingles),
            both(base.signatures.marks, changed.signatures.marks),
            both(base.columns.published_at, changed.published_at),
        )

    def _edges(self, targets: Mapping[str, Sequence[str]]) -> NDArray[np.int32]:
        """Return the links between rows: those that did not change as they are, the others anew; none from or to nowhere."""
        old = self._base.graph.edges
        base_row = self._base.dense.row_of
        relinked = np.zeros(len(self._base), np.bool_)
        relinked[[row for each in targets if (row := base_row(each)) is not None]] = True
        moved = self._row_at[: len(self._base)].copy()
        for at, served in enumerate(self._rows):
            if (replaced := base_row(served.id)) is not None:
                moved[replaced] = self._row_at[len(self._base) + at]
        kept = moved[old[~relinked[old[:, 0]]]]
        new = [
            (self.dense.row_of(source), self.dense.row_of(each))
            for source in sorted(targets)
            for each in targets[source]
        ]
        there = np.array([edge for edge in new if None not in edge], np.int64).reshape(-1, 2)
        edges = np.concatenate([kept, there])
        return edges[(edges >= 0).all(axis=1)].astype(np.int32)


def _places(ids: Sequence[str], changed: Sequence[str], left_out: Iterable[int | None]) -> NDArray[np.int64]:
    """Return where the rows stand, in ascending order of ids: a row of the old ones, or their number plus one of the changed.

    Args:
        ids: of the old rows, ascending.
        changed: ids of the changed ones, ascending.
        left_out: old rows that are not there any more; None is none.
    """
    there = np.ones(len(ids), np.bool_)
    there[[row for row in left_out if row is not None]] = False
    old = np.flatnonzero(there)
    before = np.array([bisect_left(ids, each) for each in changed], np.int64)
    at = np.searchsorted(old, before, side="left")
    return np.insert(old, at, len(ids) + np.arange(len(changed)))
