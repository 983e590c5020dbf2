"""Which articles and stubs changed, and when: numbers that only grow, one a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def next_change(db: sqlite3.Connection) -> int:
    """Take the next number, for the transaction that is open."""
    number = last_change(db) + 1
    db.execute("INSERT OR REPLACE INTO facts VALUES ('change', ?)", (number,))
    return number


def touch(db: sqlite3.Connection, ids: Iterable[str], number: int) -> None:
    """Note under which number these changed last."""
    db.executemany("INSERT OR REPLACE INTO changes (id, number) VALUES (?, ?)", ((each, number) for each in ids))


def last_change(db: sqlite3.Connection) -> int:
    """Return the number of the last change, 0 where there was none."""
    row = db.execute("SELECT value FROM facts WHERE name = 'change'").fetchone()
    return int(row[0]) if row else 0


def changed_since(db: sqlite3.Connection, number: int) -> list[tuple[str, int]]:
    """Return (id, number) of what changed after a change, in the order of numbers, then of ids."""
    return db.execute("SELECT id, number FROM changes WHERE number > ? ORDER BY number, id", (number,)).fetchall()


def withdrawn_since(db: sqlite3.Connection, number: int) -> list[str]:
    """Return the ids that changed after a change and are no articles now; stubs are among them, there or not."""
    sql = "SELECT id FROM changes WHERE number > ? AND id NOT IN (SELECT id FROM articles) ORDER BY id"
    return [row[0] for row in db.execute(sql, (number,))]
