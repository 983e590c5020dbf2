"""How often stories were shown and clicked, by day: a small database of its own, so that counting holds nobody up.

Nothing of a reader is in it: no address, no identifier, no time finer than a day.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from recommender.catalog.database import all_or_nothing, connected
from recommender.errors import CatalogError

APPLICATION_ID = 0x4E52_434C  # "NRCL"
VERSION = 1
MAX_ROWS_A_DAY = 200_000
KEPT_DAYS = 400
_PATIENCE_SECONDS = 10

_STATEMENTS = (
    """
    CREATE TABLE counts (
        day TEXT NOT NULL,              -- UTC, as 2026-12-24
        article TEXT NOT NULL,          -- under which the story stood
        shown TEXT NOT NULL,
        position INTEGER NOT NULL,      -- 1 for the first
        source TEXT NOT NULL,           -- pinned, link, similar
        n_shown INTEGER NOT NULL,
        n_clicked INTEGER NOT NULL,
        PRIMARY KEY (day, article, shown, position, source)
    ) WITHOUT ROWID
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)


class Place(NamedTuple):
    """What is counted: a story that stood at a position of an article's list on a day, and why it stood there."""

    day: date
    article: str
    shown: str
    position: int
    source: str


class Counted(NamedTuple):
    """How often something was shown, and clicked."""

    shown: int
    clicked: int


@dataclass(frozen=True, slots=True)
class Totals:
    """All that was counted.

    Attributes:
        since, until: the first and the last day.
        by_position: ascending.
        by_source: by name.
    """

    since: date
    until: date
    by_position: Mapping[int, Counted]
    by_source: Mapping[str, Counted]


class ClickCounts:
    """An open database of counts; use it in a ``with`` statement. One thread at a time, any number of processes."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        """Open the file at ``path``; ``write`` makes it when it is missing. Raises CatalogError."""
        self.path = path
        with self._guarded():
            self._db = connected(path, write=write, patience_seconds=_PATIENCE_SECONDS)
            try:
                self._prepare(write)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, write: bool) -> None:
        if write and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._db.execute("PRAGMA journal_mode = WAL")
            with all_or_nothing(self._db):
                if not self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
                    for statement in _STATEMENTS:
                        self._db.execute(statement)
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if (application, version) != (APPLICATION_ID, VERSION):
            raise CatalogError(
                f"{self.path}: holds no counts of this version of the program; move it away, and counting begins anew"
            )
        self._db.execute("PRAGMA synchronous = FULL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, counted: Mapping[Place, Counted], *, most_a_day: int = MAX_ROWS_A_DAY) -> int:
        """Add counts, all or none, and return when they are on the disk: how many places found no room.

        Args:
            counted: how often each was shown and clicked since the last time.
            most_a_day: rows that one day may have; a place that has none yet is left out then.
        """
        n_left_out = 0
        with self._guarded(), all_or_nothing(self._db):
            room = {day: most_a_day - self._rows_of(day) for day in {place.day for place in counted}}
            for place, count in counted.items():
                key = (place.day.isoformat(), *place[1:])
                if self._db.execute(
                    "UPDATE counts SET n_shown = n_shown + ?, n_clicked = n_clicked + ? "
                    "WHERE day = ? AND article = ? AND shown = ? AND position = ? AND source = ?",
                    (*count, *key),
                ).rowcount:
                    continue
                if room[place.day] <= 0:
                    n_left_out += 1
                    continue
                self._db.execute("INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)", (*key, *count))
                room[place.day] -= 1
        return n_left_out

    def forget_before(self, day: date) -> int:
        """Drop the counts of all days before one, and return how many rows they were."""
        with self._guarded(), all_or_nothing(self._db):
            return self._db.execute("DELETE FROM counts WHERE day < ?", (day.isoformat(),)).rowcount

    def totals(self) -> Totals | None:
        """Return all that was counted; None for nothing."""
        sums = "sum(n_shown), sum(n_clicked) FROM counts GROUP BY 1 ORDER BY 1"
        with self._guarded():
            since, until = self._db.execute("SELECT min(day), max(day) FROM counts").fetchone()
            positions = self._db.execute(f"SELECT position, {sums}").fetchall()
            sources = self._db.execute(f"SELECT source, {sums}").fetchall()
        if since is None:
            return None
        try:
            return Totals(
                date.fromisoformat(since),
                date.fromisoformat(until),
                {int(position): Counted(*map(int, counts)) for position, *counts in positions},
                {str(source): Counted(*map(int, counts)) for source, *counts in sources},
            )
        except (TypeError, ValueError) as error:
            raise CatalogError(f"{self.path}: is damaged ({error}); move it away, and counting begins anew") from error

    def _rows_of(self, day: date) -> int:
        return int(self._db.execute("SELECT count(*) FROM counts WHERE day = ?", (day.isoformat(),)).fetchone()[0])

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CatalogError(f"{self.path}: counts cannot be read or written ({error})") from error


def oldest_kept(today: date) -> date:
    """Return the first day whose counts are kept."""
    return today - timedelta(days=KEPT_DAYS)
