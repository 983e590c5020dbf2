"""What a reader sees: rows that can be searched, whether they lie in one snapshot or partly over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from recommender.dense import Searched
from recommender.graph import LinkGraph
from recommender.lexical import LayeredIndex, LexicalIndex
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

    def finished(self, number: int) -> bytes | None:
        """Return a row's finished list, None where there is none, or something it depends on has changed."""
        raise NotImplementedError

    @property
    def url_keys(self) -> Sequence[str | None]:
        """The url key of every row, None for one without an address."""
        raise NotImplementedError

    @cached_property
    def rows_by_url(self) -> dict[str, int]:
        """The row of each url key; built when first asked for. Of two articles with one address, the first by id."""
        keys = [(key, number) for number, key in enumerate(self.url_keys) if key]
        return dict(reversed(keys))

    @cached_property
    def title_keys(self) -> tuple[str, ...]:
        """The title key of every row; built when first asked for."""
        return tuple(title_key(self.row(number).title) for number in range(len(self)))

    @cached_property
    def id_keys(self) -> tuple[str, ...]:
        """The title key of every row's id; built when first asked for."""
        return tuple(title_key(article_id) for article_id in self.dense.ids)
