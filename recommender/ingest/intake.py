"""The way into a home for whoever has articles, not files: each call is one durable transaction, whoever else writes meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from recommender.article import Article
from recommender.catalog import Catalog, Outcome
from recommender.home import Home
from recommender.ingest.writer import Writer


class Written(NamedTuple):
    """What became of a write, when it is on the disk.

    Attributes:
        outcomes: of each article, in order.
        change: number of the catalog's last change by then; who has seen it has seen this write.
    """

    outcomes: list[Outcome]
    change: int


class Withdrawn(NamedTuple):
    """What was taken away, when that is on the disk: ``ids`` of those that were there; ``change`` as in :class:`Written`."""

    ids: list[str]
    change: int


class Intake:
    """Writes articles into a home and takes them away; safe to share between threads and processes."""

    def __init__(self, home: Home, *, fuzzy_threshold: float) -> None:
        """Take where, and how alike two headlines must be to be one (0 to 100)."""
        self._home = home
        self._threshold = fuzzy_threshold

    def upsert(self, articles: Iterable[Article], source: str) -> Written:
        """Write articles by id, all or none of them; see :meth:`Writer.upsert`.

        Raises:
            CatalogError, BusyError: nothing of this was written.
        """
        articles = list(articles)
        with self._open() as (catalog, writer):
            return Written(writer.upsert(articles, source), catalog.last_change())

    def withdraw(self, ids: Iterable[str]) -> Withdrawn:
        """Take articles away, all or none of them; see :meth:`Writer.withdraw`.

        Raises:
            CatalogError, BusyError: nothing of this was written.
        """
        with self._open() as (catalog, writer):
            return Withdrawn(writer.withdraw(ids), catalog.last_change())

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[Catalog, Writer]]:
        with self._home.storing(), Catalog(self._home.catalog, write=True) as catalog:
            yield catalog, Writer(catalog, fuzzy_threshold=self._threshold)
