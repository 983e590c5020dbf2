"""What articles and links are looked up by: addresses, headlines, and pairs of words of these. Derived, and kept with every write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from recommender.article import ReadMore
from recommender.text import headline_keys, link_keys, title_key, url_key

VARIABLES = 500  # SQLite takes at least 999 in one statement


def url_key_of(url: str | None) -> str | None:
    """Return the key of an address, None for none."""
    return url_key(url) if url else None


def add_keys(db: sqlite3.Connection, article_id: str, title: str, read_more: Iterable[ReadMore]) -> None:
    """Note the keys of a headline, and of the links that may mean a headline nearly the same."""
    _note(db, "headline_keys", article_id, headline_keys(title_key(title)))
    _note(
        db,
        "link_keys",
        article_id,
        {key for link in read_more if not link.url for key in link_keys(title_key(link.title))},
    )


def drop_keys(db: sqlite3.Connection, article_id: str) -> None:
    """Forget the keys of an article as it stands in the catalog, before it changes or goes."""
    row = db.execute("SELECT title_key FROM articles WHERE id = ?", (article_id,)).fetchone()
    _forget(db, "headline_keys", article_id, headline_keys(row[0]) if row else ())
    rows = db.execute("SELECT title_key FROM links WHERE article_id = ? AND url IS NULL", (article_id,))
    _forget(db, "link_keys", article_id, {key for (title,) in rows.fetchall() for key in link_keys(title)})


def _note(db: sqlite3.Connection, table: str, article_id: str, keys: Iterable[str]) -> None:
    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", ((key, article_id) for key in keys))


def _forget(db: sqlite3.Connection, table: str, article_id: str, keys: Iterable[str]) -> None:
    db.executemany(f"DELETE FROM {table} WHERE key = ? AND id = ?", ((key, article_id) for key in keys))


def fill(db: sqlite3.Connection) -> None:
    """Make the keys of everything that is there."""
    for article_id, title, url in db.execute("SELECT id, title, url FROM articles").fetchall():
        keys = (url_key_of(url), title_key(title), article_id)
        db.execute("UPDATE articles SET url_key = ?, title_key = ? WHERE id = ?", keys)
        links = db.execute("SELECT position, title, url FROM links WHERE article_id = ?", (article_id,)).fetchall()
        db.executemany(
            "UPDATE links SET url_key = ?, title_key = ? WHERE article_id = ? AND position = ?",
            ((url_key_of(link[2]), title_key(link[1]), article_id, link[0]) for link in links),
        )
        add_keys(db, article_id, title, [ReadMore(link[1], link[2]) for link in links])


def leading_to(db: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return the articles whose links lead to one of these."""
    return _sources(db, "target_id IN ({})", ids)


def meaning(db: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return the articles whose links name the address or the headline of one of these."""
    urls = "url_key IN (SELECT url_key FROM articles WHERE id IN ({}) AND url_key IS NOT NULL)"
    titles = "title_key IN (SELECT title_key FROM articles WHERE id IN ({}) AND title_key != '')"
    return _sources(db, urls, ids) | _sources(db, titles, ids)


def links_with(db: sqlite3.Connection, keys: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (key, article, title key) of the links without an address of the articles that have one of these link keys."""
    found: list[tuple[str, str, str]] = []
    for some in chunked(keys):
        sql = (
            "SELECT DISTINCT link_keys.key, links.article_id, links.title_key "
            "FROM link_keys JOIN links ON links.article_id = link_keys.id "
            f"WHERE link_keys.key IN ({marks(some)}) AND links.url IS NULL"
        )
        found += db.execute(sql, some).fetchall()
    return found


def chunked(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the values in pieces that one statement takes."""
    return (values[start : start + VARIABLES] for start in range(0, len(values), VARIABLES))


def marks(values: Sequence[Any]) -> str:
    """Return a question mark for each value, for the list of an ``IN``."""
    return ", ".join("?" * len(values))


def _sources(db: sqlite3.Connection, condition: str, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in chunked(ids):
        sql = f"SELECT DISTINCT article_id FROM links WHERE {condition.format(marks(some))}"
        found.update(row[0] for row in db.execute(sql, some))
    return found
