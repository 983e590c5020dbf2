"""What a reader sees: rows that can be searched, whether they lie in one snapshot or partly over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.dense import Searched
from recommender.graph import LinkGraph
from recommender.lexical import LayeredIndex, LexicalIndex
from recommender.links import Headlines, LayeredHeadlines
from recommender.neighbours import Near, Own
from recommender.rank import Columns
from recommender.snapshot.contents import Row
from recommender.text import title_key
from recommender.vectors import Centres


class View:
    """Rows in ascending order of id: read-only, safe to share between threads.

    Attributes:
        name: of the snapshot, e.g. ``s00000017``.
        change: number of the catalog's last change that it knows.
        manifest: what the snapshot's ``manifest.json`` says.
        dense: the vector index; its ids give the row numbers used everywhere here.
        lexical: the index of terms, row by row the same.
        graph: editors' links.
        columns: what rules look at.
        centres, headline_centres: of the languages; see ``Fit``.
        own: which rows may stand in an article's list, as neighbours are kept; None where none are.
        finished_with: how the finished lists were made; None where there are none.
    """

    name: str
    change: int
    manifest: Mapping[str, Any]
    dense: Searched
    lexical: LexicalIndex | LayeredIndex
    graph: LinkGraph
    columns: Columns
    centres: Centres
    headline_centres: Centres
    own: Own | None
    finished_with: str | None

    def __len__(self) -> int:
        return len(self.dense)

    def row(self, number: int) -> Row:
        """Return what is served of one row."""
        raise NotImplementedError

    def near(self, number: int) -> Near | None:
        """Return what is kept of the rows most like one; None where nothing is."""
        raise NotImplementedError

    def around(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nearest of some rows by vectors, as far as they are kept, in no order, some twice; none of a changed row."""
        raise NotImplementedError

    def landmarks(self) -> NDArray[np.int64]:
        """Return rows from which any other is a few steps away, from neighbour to neighbour; changed rows are among them."""
        raise NotImplementedError

    def finished(self, number: int) -> bytes | None:
        """Return a row's finished list, None where there is none, or something it depends on has changed."""
        raise NotImplementedError

    @property
    def url_keys(self) -> Sequence[str | None]:
        """The url key of every row, None for one without an address."""
        raise NotImplementedError

    def rows_at(self, key: str) -> list[int]:
        """Return the rows that have an address (a url key), ascending."""
        raise NotImplementedError

    def row_at(self, key: str) -> int | None:
        """Return the row that has an address (a url key), of two the first by id; None where none has it."""
        return next(iter(self.rows_at(key)), None)

    @property
    def headlines(self) -> Headlines | LayeredHeadlines:
        """The rows by headline and address, for links; built when first asked for."""
        raise NotImplementedError

    @cached_property
    def title_keys(self) -> tuple[str, ...]:
        """The title key of every row; built when first asked for."""
        return tuple(title_key(self.row(number).title) for number in range(len(self)))


def numbers_by_key(keys: Iterable[str | None]) -> dict[str, list[int]]:
    """Return at which places each key stands, ascending; None is no key."""
    found: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        if key:
            found.setdefault(key, []).append(number)
    return found
