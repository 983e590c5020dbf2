"""The ledger of what is gathered from the web: which feeds and sitemaps, what they list, what was fetched. ``gather.db`` in the home.

It can be lost: the next run then fetches everything again and finds it unchanged.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from recommender.catalog.database import all_or_nothing, explained
from recommender.catalog.gathered import Listing, Page, Source
from recommender.errors import CatalogError

_APPLICATION_ID = 0x4E47_4154  # "NGAT"
_VERSION = 1
_PATIENCE_SECONDS = 30
_DAMAGED = dict.fromkeys(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), "is damaged; move it away, everything is fetched again then"
)
_TABLES = (
    """
    CREATE TABLE sources (
        url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT, run INTEGER NOT NULL, is_open INTEGER NOT NULL,
        asked_at INTEGER, due_at INTEGER, n_failures INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE pages (
        url TEXT PRIMARY KEY, article_id TEXT, lastmod TEXT NOT NULL, etag TEXT, last_modified TEXT, asked_at INTEGER,
        gone_at INTEGER, is_withdrawn INTEGER NOT NULL, problem TEXT
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE listings (
        source TEXT NOT NULL, url TEXT NOT NULL, run INTEGER NOT NULL, done INTEGER NOT NULL, lastmod TEXT NOT NULL,
        changed_at INTEGER, digest BLOB, language TEXT, published_at INTEGER, is_checked INTEGER NOT NULL,
        PRIMARY KEY (source, url)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX pages_by_article ON pages(article_id)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)


def _columns(kind: type[Source] | type[Page] | type[Listing], prefix: str = "") -> str:
    return ", ".join(prefix + each.name for each in fields(kind))


class Ledger:
    """An open ledger; use it in a ``with`` statement. One thread at a time, any number of processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            CatalogError: it cannot be opened, or is another program's or a newer one's.
        """
        self._path = path
        with self._guarded():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_SECONDS)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        made = (self._pragma("application_id"), self._pragma("user_version"))
        is_new = made == (0, 0) and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
        if not is_new and made != (_APPLICATION_ID, _VERSION):
            raise CatalogError(f"{self._path}: is not this version's; move it away, everything is fetched again then")
        # A commit that a power failure takes back costs fetching again: the article itself is on the disk before.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if is_new:
            with self.transaction():
                if not self._pragma("user_version"):  # another process may have been first
                    for statement in _TABLES:
                        self._db.execute(statement)

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        if self._db.in_transaction:
            yield
            return
        with self._guarded(), all_or_nothing(self._db):
            yield

    def source(self, url: str) -> Source:
        """Return what is known of a source; a new one where nothing is."""
        with self._guarded():
            row = self._db.execute(f"SELECT {_columns(Source)} FROM sources WHERE url = ?", (url,)).fetchone()
        return Source(*row) if row else Source(url)

    def page(self, url: str) -> Page:
        """Return what is known of a page; a new one where nothing is."""
        with self._guarded():
            row = self._db.execute(f"SELECT {_columns(Page)} FROM pages WHERE url = ?", (url,)).fetchone()
        return Page(*row) if row else Page(url)

    def listing(self, source: str, url: str) -> Listing | None:
        """Return that a source lists a page, None where it never did."""
        sql = f"SELECT {_columns(Listing)} FROM listings WHERE source = ? AND url = ?"
        with self._guarded():
            row = self._db.execute(sql, (source, url)).fetchone()
        return Listing(*row) if row else None

    def save(self, records: Iterable[Source | Page | Listing]) -> None:
        """Note all of these, or none."""
        tables = {Source: "sources", Page: "pages", Listing: "listings"}
        with self.transaction():
            for each in records:
                marks = ", ".join("?" * len(fields(each)))
                kind = type(each)
                sql = f"INSERT OR REPLACE INTO {tables[kind]} ({_columns(kind)}) VALUES ({marks})"
                self._db.execute(sql, astuple(each))

    def list_pages(self, listings: Iterable[Listing]) -> None:
        """Note what a sitemap lists in this run; what was done of it before stays noted."""
        sql = (
            f"INSERT INTO listings ({_columns(Listing)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, url) DO UPDATE SET "
            "done = CASE WHEN lastmod = excluded.lastmod THEN done ELSE 0 END, "
            "run = excluded.run, lastmod = excluded.lastmod, changed_at = excluded.changed_at, language = excluded.language, "
            "published_at = excluded.published_at, is_checked = 0"
        )
        with self.transaction():
            self._db.executemany(sql, map(astuple, listings))

    def to_visit(self, source: str, run: int, since: int | None = None) -> list[str]:
        """Return the pages that a source lists in a run and that were not dealt with in it, the youngest first.

        Left out is what has the ``lastmod`` at which it was fetched; where none is told, a page is always asked for.
        ``since`` leaves out what the source says changed before.
        """
        sql = (
            "SELECT l.url FROM listings l LEFT JOIN pages p ON p.url = l.url WHERE l.source = ?1 AND l.run = ?2 AND l.done < ?2 "
            "AND (?3 IS NULL OR l.changed_at IS NULL OR l.changed_at >= ?3) "
            "AND (p.url IS NULL OR l.lastmod = '' OR p.lastmod != l.lastmod OR p.gone_at IS NOT NULL) "
            "ORDER BY l.changed_at DESC NULLS LAST, l.url"
        )
        with self._guarded():
            return [row[0] for row in self._db.execute(sql, (source, run, since))]

    def unchanged(self, source: str, run: int) -> list[Page]:
        """Return the pages that a source lists in a run with the ``lastmod`` that they were fetched at, and that gave an article."""
        sql = (
            f"SELECT {_columns(Page, 'p.')} FROM listings l JOIN pages p ON p.url = l.url WHERE l.source = ? AND l.run = ? "
            "AND l.lastmod != '' AND l.lastmod = p.lastmod AND p.article_id IS NOT NULL AND p.is_withdrawn = 0"
        )
        with self._guarded():
            return [Page(*row) for row in self._db.execute(sql, (source, run))]

    def vanished(self, source: str, run: int, *, unchecked: bool = False) -> list[tuple[Listing, Page]]:
        """Return what gave an article, was listed by a source once and no longer is, at no other address; in the order of addresses.

        ``unchecked`` leaves out what was found to be there all the same.
        """
        sql = (
            f"SELECT {_columns(Listing, 'l.')}, {_columns(Page, 'p.')} FROM listings l JOIN pages p ON p.url = l.url "
            "WHERE l.source = ?1 AND l.run < ?2 AND l.is_checked <= ?3 AND p.article_id IS NOT NULL AND p.is_withdrawn = 0 AND NOT EXISTS "
            "(SELECT 1 FROM pages q JOIN listings m ON m.url = q.url WHERE q.article_id = p.article_id AND m.source = ?1 AND m.run >= ?2) "
            "ORDER BY l.url"
        )
        n = len(fields(Listing))
        with self._guarded():
            rows = self._db.execute(sql, (source, run, 0 if unchecked else 1)).fetchall()
        return [(Listing(*row[:n]), Page(*row[n:])) for row in rows]

    def oldest(self, source: str, run: int) -> int | None:
        """Return when the oldest page that a source lists in a run changed, seconds since 1970; None where none is dated."""
        sql = "SELECT min(changed_at) FROM listings WHERE source = ? AND run = ?"
        with self._guarded():
            found: int | None = self._db.execute(sql, (source, run)).fetchone()[0]
        return found

    def n_articles(self, source: str) -> int:
        """Return how many pages that a source lists, or listed, gave an article that was not withdrawn since."""
        sql = (
            "SELECT count(*) FROM listings l JOIN pages p ON p.url = l.url "
            "WHERE l.source = ? AND p.article_id IS NOT NULL AND p.is_withdrawn = 0"
        )
        with self._guarded():
            return int(self._db.execute(sql, (source,)).fetchone()[0])

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CatalogError(f"{self._path}: {explained(error, _DAMAGED)}") from error
