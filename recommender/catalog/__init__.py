"""The catalog: articles, links and embeddings in one SQLite file, the only truth. The one owner of sqlite3.

Everything else in a home can be made again from it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from recommender.article import Article, Link, ReadMore
from recommender.catalog import acts, changes, keys
from recommender.catalog.acts import Act, Wish
from recommender.catalog.checking import broken_vectors, read_vector, structure_problems
from recommender.catalog.copying import copy_database
from recommender.catalog.database import all_or_nothing, connected, explained
from recommender.catalog.gathered import Listing, Page, Source
from recommender.catalog.keys import chunked, marks
from recommender.catalog.ledger import Ledger
from recommender.catalog.rows import COLUMNS, from_row, instant_of, link_from_row, record_digest, to_row
from recommender.catalog.schema import APPLICATION_ID, FROM, STATEMENTS, VERSION
from recommender.errors import CatalogError
from recommender.text import title_key
from recommender.vectors import Vector

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM articles"
_LINK = "SELECT article_id, position, title, url, target_id, method FROM links"
_PAGE = 500
_PATIENCE_SECONDS = 30  # for another process's transaction
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup, or move it away and ingest again (the published snapshot still answers)",
    sqlite3.SQLITE_NOTADB: "is not a catalog; move it away, or choose another folder with --home",
}


__all__ = ["Catalog", "Ledger", "Listing", "Outcome", "Page", "Source"]


class _EarlierVersionError(CatalogError):
    """The catalog is of an earlier version: whoever writes first brings it up to date."""


class Outcome(StrEnum):
    """What became of an article that was written."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Catalog:
    """An open catalog; use it in a ``with`` statement. One thread at a time.

    Articles are written through ``ingest.Writer``, which also says where links lead. Any number of processes may write: each
    waits for the other's transaction.
    """

    @classmethod
    def require(cls, path: Path) -> None:
        """Return where a catalog with tables is, of this version or an earlier one; make nothing. Raises CatalogError."""
        with contextlib.suppress(_EarlierVersionError), cls(path):
            pass

    def __init__(self, path: Path, *, write: bool = False) -> None:
        """Open the file at ``path``.

        Args:
            path: the SQLite file.
            write: make it when it is missing, and allow writing.

        Raises:
            CatalogError: missing (when only reading), damaged, of a newer version, or not writable.
        """
        self.path = path
        self._change: int | None = None  # the number of the open transaction, once it has changed something
        if not write and not _exists(path):
            raise CatalogError(f"{path}: there is no catalog yet; run: recommender ingest SOURCE")
        with self._guarded():
            self._db = connected(path, write=write, patience_seconds=_PATIENCE_SECONDS)
            try:
                self._prepare(write)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, write: bool) -> None:
        version, application, empty = self._kind()
        if empty and not write:
            raise CatalogError(f"{self.path}: the catalog is empty; run: recommender ingest SOURCE")
        if not empty:
            self._check(version, application, write)
        if write:  # not before it is known to be ours: the journal mode is written into the file
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
        if write and (empty or version < VERSION):
            self._make()

    def _kind(self) -> tuple[int, int, bool]:
        """Return the version, whose database it is, and whether it is a new one."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        empty = version == application == 0 and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
        return version, application, empty

    def _make(self) -> None:
        """Make the tables, or bring those of an earlier version up to date; what another process did meanwhile stays."""
        with self.transaction():
            version, _, empty = self._kind()
            for statement in STATEMENTS if empty else FROM.get(version, ()):
                self._db.execute(statement)
            if version == 1:
                keys.fill(self._db)

    def _check(self, version: int, application: int, write: bool) -> None:
        if application != APPLICATION_ID:
            raise CatalogError(f"{self.path}: is another program's database; choose another folder with --home")
        if version == 1 and not write:
            raise _EarlierVersionError(
                f"{self.path}: was written by an earlier version of this program; "
                "bring it up to date with: recommender rebuild"
            )
        if not 1 <= version <= VERSION:
            raise CatalogError(
                f"{self.path}: has schema version {version}, this program reads {VERSION}; "
                "use the version of the program that wrote it, or ingest into a new home"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is written inside is on disk when the outermost block ends, or not at all when it raises."""
        if self._db.in_transaction:
            yield
            return
        with self._guarded(), all_or_nothing(self._db):
            self._change = None
            yield

    @contextlib.contextmanager
    def pinned(self) -> Iterator[None]:
        """Within the block everything is read as of one moment, whatever others write meanwhile."""
        with self._guarded():
            self._db.execute("BEGIN")
            try:
                changes.last_change(self._db)  # from here on the moment is fixed
                yield
            finally:
                self._db.execute("ROLLBACK")

    def upsert(self, articles: Iterable[Article], source: str | Iterable[str]) -> list[Outcome]:
        """Write articles by id, in one durable transaction, and return what became of each.

        An article that is the same to the last field is left alone. Links are replaced with their article, and lead nowhere
        until somebody resolves them. ``source`` is where all of them, or each of them, were read.
        """
        sources = repeat(source) if isinstance(source, str) else source
        with self.transaction():
            return [self._upsert(article, each) for article, each in zip(articles, sources, strict=False)]

    def _upsert(self, article: Article, source: str) -> Outcome:
        digest = record_digest(article)
        known = self._db.execute("SELECT digest FROM articles WHERE id = ?", (article.id,)).fetchone()
        if known and known[0] == digest == self._digest_now(article.id):
            return Outcome.UNCHANGED
        if known:
            keys.drop_keys(self._db, article.id)
        names = (*COLUMNS, "source", "digest", "url_key", "title_key")
        updates = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        self._db.execute(
            f"INSERT INTO articles ({', '.join(names)}) VALUES ({marks(names)}) ON CONFLICT(id) DO UPDATE SET {updates}",
            (*to_row(article), source, digest, keys.url_key_of(article.url), title_key(article.title)),
        )
        self._db.execute("DELETE FROM links WHERE article_id = ?", (article.id,))
        self._db.executemany(
            "INSERT INTO links (article_id, position, title, url, url_key, title_key) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (article.id, position, link.title, link.url, keys.url_key_of(link.url), title_key(link.title))
                for position, link in enumerate(article.read_more)
            ],
        )
        keys.add_keys(self._db, article.id, article.title, article.read_more)
        self.touch([article.id])
        return Outcome.CHANGED if known else Outcome.NEW

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove articles with their links, in one durable transaction; return which of them were there."""
        removed = []
        with self.transaction():
            for article_id in ids:
                keys.drop_keys(self._db, article_id)
                if self._db.execute("DELETE FROM articles WHERE id = ?", (article_id,)).rowcount:
                    removed.append(article_id)
            self.touch(removed)
        return removed

    def article(self, article_id: str) -> Article | None:
        """Return one article with its links, None when there is none."""
        with self._guarded():
            row = self._db.execute(f"{_SELECT} WHERE id = ?", (article_id,)).fetchone()
            if row is None:
                return None
            links = self._db.execute(
                "SELECT title, url FROM links WHERE article_id = ? ORDER BY position", (article_id,)
            )
            return from_row(row, tuple(ReadMore(*link) for link in links))

    def articles(self) -> Iterator[Article]:
        """Yield every article in the order of ids, without its links; a page at a time, so memory stays flat."""
        after = ""
        while True:
            with self._guarded():
                rows = self._db.execute(f"{_SELECT} WHERE id > ? ORDER BY id LIMIT {_PAGE}", (after,)).fetchall()
            if not rows:
                return
            yield from map(from_row, rows)
            after = rows[-1][0]

    def ids(self) -> set[str]:
        """Return the ids of all articles."""
        with self._guarded():
            return {row[0] for row in self._db.execute("SELECT id FROM articles")}

    def some_articles(self, ids: Sequence[str]) -> list[Article]:
        """Return those of these articles that are there, without their links, in the order of ids."""
        found: list[Article] = []
        with self._guarded():
            for some in chunked(ids):
                found += map(from_row, self._db.execute(f"{_SELECT} WHERE id IN ({marks(some)})", some).fetchall())
        return sorted(found, key=lambda article: article.id)

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return which of these ids are articles."""
        found: set[str] = set()
        with self._guarded():
            for some in chunked(ids):
                found.update(
                    row[0] for row in self._db.execute(f"SELECT id FROM articles WHERE id IN ({marks(some)})", some)
                )
        return found

    def withdrawn(self, ids: Sequence[str]) -> set[str]:
        """Return which of these ids were articles once, and were taken away."""
        found: set[str] = set()
        with self._guarded():
            for some in chunked(ids):
                sql = f"SELECT id FROM changes WHERE id IN ({marks(some)}) AND id NOT IN (SELECT id FROM articles)"
                found.update(row[0] for row in self._db.execute(sql, some))
        return found

    def languages(self) -> dict[str, str | None]:
        """Return the language of every article by id, in the order of ids."""
        with self._guarded():
            return dict(self._db.execute("SELECT id, language FROM articles ORDER BY id").fetchall())

    def links(self) -> list[Link]:
        """Return every link by article and position."""
        with self._guarded():
            return [link_from_row(row) for row in self._db.execute(f"{_LINK} ORDER BY 1, 2").fetchall()]

    def links_of(self, ids: Sequence[str]) -> list[Link]:
        """Return the links under these articles, by article and position."""
        return self._links("article_id", ids)

    def links_to(self, ids: Sequence[str]) -> list[Link]:
        """Return the links that lead to these articles and stubs, by article and position."""
        return self._links("target_id", ids)

    def _links(self, column: str, ids: Sequence[str]) -> list[Link]:
        found: list[Link] = []
        with self._guarded():
            for some in chunked(ids):
                rows = self._db.execute(f"{_LINK} WHERE {column} IN ({marks(some)})", some)
                found += [link_from_row(row) for row in rows.fetchall()]
        return sorted(found, key=lambda link: (link.article_id, link.position))

    def leading_to(self, ids: Sequence[str]) -> set[str]:
        """Return the articles whose links lead to one of these."""
        with self._guarded():
            return keys.leading_to(self._db, ids)

    def meaning(self, ids: Sequence[str]) -> set[str]:
        """Return the articles whose links name the address or the headline of one of these."""
        with self._guarded():
            return keys.meaning(self._db, ids)

    def links_with(self, link_keys: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return (key, article, title key) of the links without an address of the articles that have one of these link keys."""
        with self._guarded():
            return keys.links_with(self._db, link_keys)

    def at_url(self, key: str) -> str | None:
        """Return the article at an address (a url key), of several the first by id; None for none."""
        with self._guarded():
            row = self._db.execute("SELECT min(id) FROM articles WHERE url_key = ?", (key,)).fetchone()
        return None if row[0] is None else str(row[0])

    def titled(self, key: str) -> list[tuple[str, str, datetime | None]]:
        """Return (id, title key, date) of the articles with this headline (a title key)."""
        with self._guarded():
            rows = self._db.execute("SELECT id, title_key, published_at FROM articles WHERE title_key = ?", (key,))
            return [(row[0], row[1], instant_of(row[2])) for row in rows.fetchall()]

    def sharing(self, headline_keys: Sequence[str]) -> list[tuple[str, str, datetime | None]]:
        """Return (id, title key, date) of the articles whose headline has any of these keys."""
        sql = (
            "SELECT id, title_key, published_at FROM articles "
            f"WHERE id IN (SELECT id FROM headline_keys WHERE key IN ({marks(headline_keys)}))"
        )
        with self._guarded():
            return [(row[0], row[1], instant_of(row[2])) for row in self._db.execute(sql, headline_keys).fetchall()]

    def touch(self, ids: Iterable[str]) -> None:
        """Note that these articles or stubs changed, under the number of the open transaction."""
        ids = list(ids)
        with self.transaction():
            if ids and self._change is None:
                self._change = changes.next_change(self._db)
            if self._change is not None:
                changes.touch(self._db, ids, self._change)

    def last_change(self) -> int:
        """Return the number of the last transaction that changed what is served; 0 before the first."""
        with self._guarded():
            return changes.last_change(self._db)

    def changed_since(self, number: int) -> list[tuple[str, int]]:
        """Return (id, number) of the articles and stubs that changed after a change, in the order of numbers, then of ids.

        One that is no longer there was withdrawn.
        """
        with self._guarded():
            return changes.changed_since(self._db, number)

    def withdrawn_since(self, number: int) -> list[str]:
        """Return the ids that changed after a change and are no articles now; stubs are among them, there or not."""
        with self._guarded():
            return changes.withdrawn_since(self._db, number)

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed; for this connection's eyes only."""
        with self._guarded():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def fact(self, name: str) -> Any:
        """Return what was noted under a name, None for nothing."""
        with self._guarded():
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def note(self, name: str, value: float | str) -> None:
        """Note a fact, in one durable transaction."""
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def last_act(self) -> int:
        """Return the number of the last line of the desk's log; 0 where it is empty."""
        with self._guarded():
            return acts.last_act(self._db)

    def rules_in_force(self) -> list[Act]:
        """Return the desk's rules that nothing ended, the earliest first; the time of some may be over."""
        with self._guarded():
            return acts.in_force(self._db)

    def desk_log(self, most: int = 100, *, before: int | None = None) -> list[Act]:
        """Return at most so many lines of the desk's log (up to 1,000), the latest first, all of them before a number."""
        with self._guarded():
            return acts.log(self._db, most, before)

    def act(self, number: int) -> Act | None:
        """Return one line of the desk's log, None where there is none of this number."""
        with self._guarded():
            return acts.act(self._db, number)

    def ended_by(self, number: int) -> list[Act]:
        """Return the lines of the desk's log whose place this one took."""
        with self._guarded():
            return acts.ended_by(self._db, number)

    def set_rule(self, wish: Wish, who: str, at: datetime) -> int:
        """Add a rule of the desk in one durable transaction and return its number; it ends what is of its kind about the same."""
        with self.transaction():
            return acts.set_rule(self._db, wish, who, at)

    def undo_rule(self, undone: Act, who: str, at: datetime) -> int:
        """Take a rule of the desk back, in one durable transaction; what it had taken the place of holds again."""
        with self.transaction():
            return acts.undo(self._db, undone, who, at)

    def save_targets(self, links: Iterable[Link]) -> None:
        """Store what ``target_id`` and ``method`` say of each link, in one transaction."""
        with self.transaction():
            self._db.executemany(
                "UPDATE links SET target_id = ?, method = ? WHERE article_id = ? AND position = ?",
                ((link.target_id, link.method, link.article_id, link.position) for link in links),
            )

    def embeddings(self, encoder: str, digests: Sequence[bytes]) -> dict[bytes, Vector]:
        """Return the stored vectors of these views under ``encoder``; views without one, or with a broken one, are left out."""
        found: dict[bytes, Vector] = {}
        with self._guarded():
            for some in chunked(digests):
                sql = (
                    "SELECT digest, vector FROM embeddings WHERE encoder = (SELECT number FROM encoders WHERE name = ?) "
                    f"AND digest IN ({marks(some)})"
                )
                read = ((row[0], read_vector(row[1])) for row in self._db.execute(sql, (encoder, *some)))
                found.update((digest, vector) for digest, vector in read if vector is not None)
        return found

    def save_embeddings(self, encoder: str, vectors: Mapping[bytes, Vector]) -> None:
        """Store the vectors of views by digest, in one durable transaction."""
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO encoders (name) VALUES (?)", (encoder,))
            number = self._db.execute("SELECT number FROM encoders WHERE name = ?", (encoder,)).fetchone()[0]
            rows = ((number, digest, np.asarray(vector, "<f4").tobytes()) for digest, vector in vectors.items())
            self._db.executemany("INSERT OR REPLACE INTO embeddings (encoder, digest, vector) VALUES (?, ?, ?)", rows)

    def counts(self) -> dict[str, Any]:
        """Return how much there is: articles, by language, links, by method, embeddings by encoder."""
        with self._guarded():
            languages = self._db.execute(
                "SELECT coalesce(language, 'und'), count(*) FROM articles GROUP BY 1"
            ).fetchall()
            methods = self._db.execute(
                "SELECT coalesce(method, 'unresolved'), count(*) FROM links GROUP BY 1"
            ).fetchall()
            encoders = self._db.execute(
                "SELECT name, count(digest) FROM encoders LEFT JOIN embeddings ON encoder = number GROUP BY name"
            ).fetchall()
        return {
            "n_articles": sum(count for _, count in languages),
            "languages": dict(Counter(dict(languages)).most_common()),
            "n_links": sum(count for _, count in methods),
            "links": dict(methods),
            "embeddings": dict(encoders),
        }

    def copy_to(self, path: Path, watch: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Write the catalog as it is now into a new file; whoever writes meanwhile neither waits nor gets in.

        Args:
            path: of the copy; the caller brings it to the disk.
            watch: takes note of the bytes done, and of all.
        """
        with self._guarded():
            copy_database(self._db, path, watch)

    def check(self) -> list[str]:
        """Return what is wrong with the file; an empty list when nothing is."""
        return self.check_articles() or self.check_vectors()

    def check_articles(self) -> list[str]:
        """Return what is wrong with what cannot be made again.

        SQLite looks at its structure; every article is held against the digest that it was stored with.
        """
        with self._guarded():
            return structure_problems(self._db) or [*self._changed_articles(), *acts.log_problems(self._db)]

    def check_vectors(self) -> list[str]:
        """Return which stored vectors are not of length 1, or of no encoder. They can be encoded again."""
        with self._guarded():
            return [broken.problem for broken in broken_vectors(self._db)]

    def drop_broken_vectors(self) -> int:
        """Drop the vectors that :meth:`check_vectors` names, and return how many they were."""
        with self.transaction():
            broken = [(each.encoder, each.digest) for each in broken_vectors(self._db)]
            self._db.executemany("DELETE FROM embeddings WHERE encoder = ? AND digest = ?", broken)
        return len(broken)

    def drop_vectors_but(self, used: Iterable[bytes]) -> int:
        """Drop the vectors of all views but those with these digests, of every encoder, and return how many they were."""
        with self.transaction():
            self._db.execute("CREATE TEMP TABLE used (digest BLOB PRIMARY KEY) WITHOUT ROWID")
            self._db.executemany("INSERT OR IGNORE INTO used (digest) VALUES (?)", ((digest,) for digest in used))
            dropped = self._db.execute("DELETE FROM embeddings WHERE digest NOT IN (SELECT digest FROM used)").rowcount
            self._db.execute("DROP TABLE used")
        return dropped

    def _changed_articles(self) -> Iterator[str]:
        for article_id, stored in self._db.execute("SELECT id, digest FROM articles ORDER BY id").fetchall():
            if self._digest_now(article_id) != stored:
                yield f"article {article_id!r}: is not as it was stored (its digest differs); ingest it again"

    def _digest_now(self, article_id: str) -> bytes | None:
        """Return the digest of an article as its row and its links are now, None where they cannot be read."""
        try:
            article = self.article(article_id)
        except CatalogError:
            return None
        return record_digest(article) if article else None

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what SQLite raises into errors that say how to mend it."""
        try:
            yield
        except sqlite3.Error as error:
            raise CatalogError(f"{self.path}: {explained(error, _DAMAGED)}") from error


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise CatalogError(
            f"{str(path)[:200]!r}: cannot be opened ({error}); choose another folder with --home"
        ) from error
