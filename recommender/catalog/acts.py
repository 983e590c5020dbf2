"""The desk's log: every pin, block, boost and undo, who did it and when. Lines are added and never removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommender.catalog.rows import instant_of
from recommender.errors import CatalogError

_COLUMNS = "number, at, who, kind, undoes, article, under, section, factor, until, note, top, ended_by"
_IN_FORCE = "ended_by IS NULL AND undoes IS NULL"
_MAX_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What the desk wants of lists.

    Attributes:
        kind: ``pin``, ``block`` or ``boost``.
        article: id of the story that it is about; None for a boost of a section.
        under: id of the story under which it holds; None for everywhere. A pin always has one.
        section: what a boost without an article is about.
        factor: of a boost; 1 for the other kinds.
        until: from then on it does nothing; aware UTC; None for no end.
        note: the desk's own words, may be empty.
        top: a pin that stands above those that were there.
    """

    kind: str
    article: str | None = None
    under: str | None = None
    section: str | None = None
    factor: float = 1.0
    until: datetime | None = None
    note: str = ""
    top: bool = False

    def same_as(self, other: Wish) -> bool:
        """Tell whether both are of one kind, about the same thing in the same place: the later takes the place of the earlier."""
        mine, theirs = ((each.kind, each.article, each.under, each.section) for each in (self, other))
        return mine == theirs


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the log.

    Attributes:
        number: ascending, never given twice.
        at: when, aware UTC.
        who: name of the key, or of who typed the command.
        wish: what was wanted; of an undo, what it took back.
        undoes: the line that an undo takes back; None for any other.
        ended_by: the line that took this one back, or took its place; its own number where its time was over; None for what
            is in force, and for an undo.
    """

    number: int
    at: datetime
    who: str
    wish: Wish
    undoes: int | None = None
    ended_by: int | None = None

    @property
    def in_force(self) -> bool:
        """Tell whether it is a rule that nothing ended; its time may be over all the same."""
        return self.undoes is None and self.ended_by is None


def last_act(db: sqlite3.Connection) -> int:
    """Return the number of the last line; 0 where there is none, or no log yet."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM desk_log").fetchone()[0]) if _is_there(db) else 0


def in_force(db: sqlite3.Connection) -> list[Act]:
    """Return the rules that nothing ended, the earliest first."""
    if not _is_there(db):
        return []
    return [_act(row) for row in db.execute(f"SELECT {_COLUMNS} FROM desk_log WHERE {_IN_FORCE} ORDER BY number")]


def log(db: sqlite3.Connection, most: int, before: int | None) -> list[Act]:
    """Return at most ``most`` lines with numbers under ``before``, the latest first."""
    if not _is_there(db):
        return []
    sql = f"SELECT {_COLUMNS} FROM desk_log WHERE number < ? ORDER BY number DESC LIMIT ?"
    return [_act(row) for row in db.execute(sql, (2**62 if before is None else before, min(most, _MAX_LINES)))]


def act(db: sqlite3.Connection, number: int) -> Act | None:
    """Return one line; None where there is none of this number."""
    if not _is_there(db) or not 0 < number < 2**62:
        return None
    row = db.execute(f"SELECT {_COLUMNS} FROM desk_log WHERE number = ?", (number,)).fetchone()
    return _act(row) if row else None


def ended_by(db: sqlite3.Connection, number: int) -> list[Act]:
    """Return the lines whose place this one took."""
    sql = f"SELECT {_COLUMNS} FROM desk_log WHERE ended_by = ? AND number != ended_by ORDER BY number"
    return [_act(row) for row in db.execute(sql, (number,))] if _is_there(db) else []


def set_rule(db: sqlite3.Connection, wish: Wish, who: str, at: datetime) -> int:
    """Add a rule and return its number; what it is the same as has ended with it, and what is over by itself is noted so."""
    seconds = int(at.timestamp())
    db.execute(f"UPDATE desk_log SET ended_by = number WHERE {_IN_FORCE} AND until <= ?", (seconds,))
    number = _add(db, wish, who, seconds, None)
    db.execute(
        f"UPDATE desk_log SET ended_by = ? WHERE {_IN_FORCE} AND number != ? AND kind = ? AND article IS ? AND under IS ? "
        "AND section IS ?",
        (number, number, wish.kind, wish.article, wish.under, wish.section),
    )
    return number


def undo(db: sqlite3.Connection, undone: Act, who: str, at: datetime) -> int:
    """Take a rule back, and return the number of the line that says so; what it had taken the place of holds again."""
    number = _add(db, undone.wish, who, int(at.timestamp()), undone.number)
    db.execute("UPDATE desk_log SET ended_by = NULL WHERE ended_by = ? AND number != ended_by", (undone.number,))
    db.execute("UPDATE desk_log SET ended_by = ? WHERE number = ?", (number, undone.number))
    return number


def log_problems(db: sqlite3.Connection) -> list[str]:
    """Return which lines point at lines that are not there."""
    if not _is_there(db):
        return []
    sql = (
        "SELECT number FROM desk_log WHERE ended_by NOT IN (SELECT number FROM desk_log) "
        "OR undoes NOT IN (SELECT number FROM desk_log) ORDER BY number LIMIT 20"
    )
    return [f"line {row[0]} of the desk's log: what it names is not there" for row in db.execute(sql)]


def _is_there(db: sqlite3.Connection) -> bool:
    return bool(db.execute("PRAGMA user_version").fetchone()[0] >= 3)


def _add(db: sqlite3.Connection, wish: Wish, who: str, seconds: int, undoes: int | None) -> int:
    until = None if wish.until is None else int(wish.until.timestamp())
    values = (
        seconds,
        who,
        wish.kind,
        undoes,
        wish.article,
        wish.under,
        wish.section,
        wish.factor,
        until,
        wish.note,
        wish.top,
    )
    sql = (
        "INSERT INTO desk_log (at, who, kind, undoes, article, under, section, factor, until, note, top) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    return int(db.execute(sql, values).lastrowid or 0)


def _act(row: Sequence[Any]) -> Act:
    number, at, who, kind, undoes, article, under, section, factor, until, note, top, ended = row
    try:
        texts = (who, kind, note, *(each for each in (article, under, section) if each is not None))
        if not (all(isinstance(each, str) for each in texts) and isinstance(factor, int | float)):
            raise TypeError("a field is of another kind than its column")
        wish = Wish(kind, article, under, section, float(factor), instant_of(until), note, bool(top))
        return Act(number, datetime.fromtimestamp(at, UTC), who, wish, undoes, ended)
    except (TypeError, ValueError, OverflowError) as error:
        raise CatalogError(f"line {number} of the desk's log: is damaged in the catalog ({error})") from error
