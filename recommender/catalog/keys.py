"""What articles and links are looked up by: addresses, headlines, and the words of these. Derived, and kept with every write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from recommender.article import ReadMore
from recommender.text import telling_words, title_key, url_key

VARIABLES = 500  # SQLite takes at least 999 in one statement


def url_key_of(url: str | None) -> str | None:
    """Return the key of an address, None for none."""
    return url_key(url) if url else None


def add_words(db: sqlite3.Connection, article_id: str, title: str, read_more: Iterable[ReadMore]) -> None:
    """Note the words of a headline, and of the links that may mean a headline nearly the same."""
    db.executemany(
        "INSERT OR IGNORE INTO title_words VALUES (?, ?)",
        ((word, article_id) for word in set(title_key(title).split())),
    )
    telling = {word for link in read_more if not link.url for word in telling_words(title_key(link.title))}
    db.executemany("INSERT OR IGNORE INTO link_words VALUES (?, ?)", ((word, article_id) for word in telling))


def drop_words(db: sqlite3.Connection, article_id: str) -> None:
    """Forget the words of an article as it stands in the catalog, before it changes or goes."""
    row = db.execute("SELECT title_key FROM articles WHERE id = ?", (article_id,)).fetchone()
    words = set(row[0].split()) if row else set()
    db.executemany("DELETE FROM title_words WHERE word = ? AND id = ?", ((word, article_id) for word in words))
    rows = db.execute("SELECT title_key FROM links WHERE article_id = ? AND url IS NULL", (article_id,))
    telling = {word for (key,) in rows.fetchall() for word in telling_words(key)}
    db.executemany("DELETE FROM link_words WHERE word = ? AND id = ?", ((word, article_id) for word in telling))


def fill(db: sqlite3.Connection) -> None:
    """Make the keys and words of everything that is there."""
    for article_id, title, url in db.execute("SELECT id, title, url FROM articles").fetchall():
        keys = (url_key_of(url), title_key(title), article_id)
        db.execute("UPDATE articles SET url_key = ?, title_key = ? WHERE id = ?", keys)
        links = db.execute("SELECT position, title, url FROM links WHERE article_id = ?", (article_id,)).fetchall()
        db.executemany(
            "UPDATE links SET url_key = ?, title_key = ? WHERE article_id = ? AND position = ?",
            ((url_key_of(link[2]), title_key(link[1]), article_id, link[0]) for link in links),
        )
        add_words(db, article_id, title, [ReadMore(link[1], link[2]) for link in links])


def leading_to(db: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return the articles whose links lead to one of these."""
    return _sources(db, "target_id IN ({})", ids)


def meaning(db: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return the articles whose links name the address or the headline of one of these."""
    urls = "url_key IN (SELECT url_key FROM articles WHERE id IN ({}) AND url_key IS NOT NULL)"
    titles = "title_key IN (SELECT title_key FROM articles WHERE id IN ({}) AND title_key != '')"
    return _sources(db, urls, ids) | _sources(db, titles, ids)


def links_with(db: sqlite3.Connection, words: Sequence[str]) -> list[tuple[str, str]]:
    """Return (article, title key) of the links without an address one of whose telling words is among these."""
    found: set[tuple[str, str]] = set()
    for some in chunked(words):
        sql = (
            "SELECT DISTINCT links.article_id, links.title_key FROM link_words JOIN links ON links.article_id = link_words.id "
            f"WHERE link_words.word IN ({marks(some)}) AND links.url IS NULL"
        )
        found.update(db.execute(sql, some))
    return sorted(found)


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
