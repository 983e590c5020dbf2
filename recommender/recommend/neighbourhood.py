"""The rows that are most like each, found when an index is built and kept with it; see ``recommender.neighbours``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender import compose, rank
from recommender.answer import DEFAULT_OPTIONS
from recommender.catalog import Catalog
from recommender.errors import CatalogError, SnapshotError
from recommender.fusion import Model
from recommender.home import Home
from recommender.neighbours import Floors, Near, Own
from recommender.rank import Filters, Mask
from recommender.recommend.carried import Carried, may_carry
from recommender.recommend.evidence import DEPTH, Inquiry
from recommender.recommend.likeness import Likeness
from recommender.recommend.parts import Watch, n_processes, opened, row_by_row
from recommender.recommend.query import Query, query_of_row
from recommender.settings import Settings
from recommender.snapshot import Found, Snapshot, load
from recommender.vectors import UNDATED

KEPT = 240  # of each kind; a list asks for DEPTH, the others make up for rows that go or may not stand in it
_ENOUGH = DEPTH + 20
_LOOKED_THROUGH = 3 * KEPT  # of the nearest, for those that may stand in the list
_BLOCK = 512
_ROUNDING = 1e-5  # of what is searched in blocks
_MOST_CHANGED = 0.05  # share of the archive; a fit does not outlive more

Rows = NDArray[np.int64]


class Finder:
    """Finds the neighbours of rows; all that may be asked of them is exact, see ``likeness.Likeness``."""

    def __init__(self, snapshot: Snapshot, model: Model, own: Own, carried: Carried | None = None) -> None:
        """Take an index.

        Args:
            snapshot: whose rows.
            model: tells whose links count for a list.
            own: which rows may stand in one.
            carried: what the index before kept of them; None where nothing can be taken over.
        """
        self._carried = carried
        self._snapshot = snapshot
        self._model = model
        self._own = own
        self._every = np.arange(len(snapshot))
        self._fit = rank.allowed(snapshot.columns, Filters(kinds=own.kinds, stubs=False))

    def near(self, rows: Rows) -> list[Near]:
        """Return what is to be kept for some rows."""
        near = {int(row): self._taken_over(int(row)) for row in rows} if self._carried else {}
        anew = np.array([row for row in rows if near.get(int(row)) is None], np.int64)
        if len(anew):
            found, cosines = self._snapshot.dense.near_rows(anew, min(len(self._snapshot), _LOOKED_THROUGH))
            near |= {int(row): self._of(int(row), *each) for row, *each in zip(anew, found, cosines, strict=True)}
        return [each for row in rows if (each := near[int(row)]) is not None]

    def _taken_over(self, row: int) -> Near | None:
        """Return what is to be kept for a row from what was kept before, None where that is too little by now."""
        near = self._carried.near(row) if self._carried else None
        if near is None:
            return None
        query = query_of_row(self._snapshot, row)
        if not self._is_enough(query, near):
            return None
        asked = replace(query, near=near)
        joined = Inquiry(self._snapshot, self._model, asked, DEFAULT_OPTIONS).joined()
        missing = np.setdiff1d(np.concatenate([joined, np.array(query.linked, np.int64)]), [*near.rows, row])
        if not len(missing):
            return near
        dense, lexical = (each.astype(np.float32) for each in Likeness(self._snapshot, asked).of(missing))
        rows = np.concatenate([near.rows, missing])
        order = np.argsort(rows)
        both = np.concatenate([near.dense, dense]), np.concatenate([near.lexical, lexical])
        return Near(rows[order], both[0][order], both[1][order], near.floors)

    def _is_enough(self, query: Query, near: Near) -> bool:
        """Tell whether a list has what it asks for in what is kept, and something to spare."""
        own, floors = self._own_rows(query, near.rows), near.floors
        return (
            _enough(near.dense, floors.dense, -np.inf)
            and _enough(near.dense[own], floors.of_dense(own=True), -np.inf)
            and _enough(near.lexical, floors.lexical, 0.0)
            and _enough(near.lexical[own], floors.of_lexical(own=True), 0.0)
        )

    def _of(self, row: int, found: Rows, cosines: NDArray[np.float32]) -> Near:
        """Return what is to be kept for a row; the nearest rows are given, best first, itself among them."""
        query = query_of_row(self._snapshot, row)
        own = self._own_rows(query, self._every)
        every = len(found) == len(self._snapshot)
        nearest, dense_floor = _first(found, cosines, found != row, every=every)
        own_nearest, own_dense_floor = _first(found, cosines, own[found], every=every)
        if not every and len(own_nearest) < _ENOUGH:
            own_nearest, own_dense_floor = self._own_nearest(row, own)
        lexical = self._snapshot.lexical.scores(query.terms)
        lexical[row] = 0.0
        matching, lexical_floor = _best(lexical, np.flatnonzero(lexical > 0))
        own_matching, own_lexical_floor = matching, lexical_floor
        if lexical_floor > 0 and own[matching].sum() < _ENOUGH:
            own_matching, own_lexical_floor = _best(lexical, np.flatnonzero(own & (lexical > 0)))
        floors = Floors(dense_floor, lexical_floor, own_dense_floor, own_lexical_floor)
        near = self._with(query, np.concatenate([nearest, own_nearest, matching, own_matching]), lexical, floors)
        joined = Inquiry(self._snapshot, self._model, replace(query, near=near), DEFAULT_OPTIONS).joined()
        return self._with(query, np.concatenate([near.rows, joined, np.array(query.linked, np.int64)]), lexical, floors)

    def _own_rows(self, query: Query, rows: Rows) -> Mask:
        """Return which rows may stand in the article's list for being similar."""
        own, columns = self._fit[rows] & (rows != query.own_row), self._snapshot.columns
        if self._own.same_language:
            own &= ~rank.other_language(columns, query.language, rows)
        if self._own.past_only and query.published_at != UNDATED:
            own &= rank.not_younger(columns, query.published_at, rows)
        return np.asarray(own)

    def _with(self, query: Query, rows: Rows, lexical: NDArray[np.float32], floors: Floors) -> Near:
        rows = np.unique(rows)
        rows = rows[rows != query.own_row]
        return Near(rows, self._snapshot.dense.cosines_of(query.vector, rows), lexical[rows], floors)

    def _own_nearest(self, row: int, own: Mask) -> tuple[Rows, float]:
        """Return the nearest of the rows that may stand in the article's list, and what the others of them have at most."""
        found, cosines = self._snapshot.dense.near_rows(np.array([row]), min(KEPT, len(own)), own)
        there = found[0] >= 0
        return found[0][there], float(cosines[0, -1]) + _ROUNDING if there.all() else -np.inf


def _enough(values: NDArray[np.float32], floor: float, least: float) -> bool:
    """Tell whether so many lie above the floor as are asked for, or nothing can lie below it."""
    return floor <= least or int((values > floor).sum()) >= _ENOUGH


def _first(found: Rows, cosines: NDArray[np.float32], wanted: Mask, *, every: bool) -> tuple[Rows, float]:
    """Return the first of the rows that are wanted, and what the others of them have at most.

    Args:
        found: rows, best first.
        cosines: of these, about.
        wanted: which of them are.
        every: whether all rows of the index were found.
    """
    at = np.flatnonzero(wanted)
    if len(at) <= KEPT and every:
        return found[at], -np.inf
    last = at[KEPT - 1] if len(at) >= KEPT else -1
    return found[at[:KEPT]], float(cosines[last]) + _ROUNDING


def _best(values: NDArray[np.float32], rows: Rows) -> tuple[Rows, float]:
    """Return the rows with the largest values, and what the others have at most."""
    if len(rows) <= KEPT:
        return rows, 0.0
    found = values[rows]
    least = np.partition(found, -KEPT)[-KEPT]
    above = rows[found > least]
    return np.concatenate([above, rows[found == least][: KEPT - len(above)]]), float(least)


def find_neighbours(snapshot: Snapshot, folder: Path, settings: Settings, *, watch: Watch) -> Found | None:
    """Return what finds the neighbours of a new index, row by row as they are taken; None where the settings keep none.

    Args:
        snapshot: lies in ``folder``, where other processes open it where it is large.
        settings: of this process.
        watch: takes note of the progress.
    """
    n = len(snapshot)
    if not settings.index.neighbours or n < settings.index.neighbours_from:
        return None
    ranking = settings.ranking
    own = Own(ranking.kinds, ranking.same_language, ranking.past_only)
    return Found(_every(snapshot, folder, settings, own, watch), own)


def _former(snapshot: Snapshot, settings: Settings, own: Own) -> tuple[Snapshot, list[str]] | None:
    """Return the live index and what changed since, None where nothing can be taken over from it."""
    home = Home(settings.home)
    try:
        former = load(home)
        with Catalog(home.catalog) as catalog:
            changed = [article_id for article_id, _ in catalog.changed_since(former.change)]
    except (SnapshotError, CatalogError):
        return None
    few = len(changed) <= _MOST_CHANGED * len(snapshot)
    return (former, changed) if few and former.neighbours is not None and may_carry(former, snapshot, own) else None


def _every(snapshot: Snapshot, folder: Path, settings: Settings, own: Own, watch: Watch) -> Iterator[Near]:
    n = len(snapshot)
    parts = [np.arange(start, min(n, start + _BLOCK)) for start in range(0, n, _BLOCK)]
    former = _former(snapshot, settings, own)
    told: tuple[Snapshot | None, list[str] | None] = former or (None, None)
    if n_processes(settings, n) > 1:
        told = (None, told[1])  # they open it themselves: it is the live one, and whoever publishes is this process
    try:
        yield from row_by_row(
            "finding neighbours", _near, parts, _open, settings, snapshot, folder, own, *told, watch=watch
        )
    finally:
        _finder.clear()


_finder: list[Finder] = []  # of a process that finds neighbours; one


def _open(
    settings: Settings,
    snapshot: Snapshot | str,
    folder: Path,
    own: Own,
    former: Snapshot | None,
    changed: list[str] | None,
) -> None:
    home, new = Home(settings.home), opened(settings, snapshot, folder)
    carried = None if changed is None else Carried(former or load(home), new, changed)
    _finder[:] = [Finder(new, compose.ranking_model(home, settings.ranking), own, carried)]


def _near(rows: Rows) -> list[Near]:
    return _finder[0].near(rows)
