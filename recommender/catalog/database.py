"""SQLite files as all of this room's are used: opened, and written all or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

_MENDS = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing of this step was written. Make room and run it again",
    sqlite3.SQLITE_READONLY: "cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_BUSY: "is locked by another process; try again when it has finished",
    sqlite3.SQLITE_IOERR: "the disk reported an error; nothing of this step was written",
}


def connected(path: Path, *, write: bool, patience_seconds: float) -> sqlite3.Connection:
    """Return an open file, which begins no transaction by itself; threads may take turns at it.

    Args:
        path: of the file.
        write: make it where it is missing.
        patience_seconds: to wait for another process's transaction.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    mode = "rwc" if write else "ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=patience_seconds,
        check_same_thread=False,
    )


@contextlib.contextmanager
def all_or_nothing(db: sqlite3.Connection) -> Iterator[None]:
    """Write what is written inside when the block ends, or nothing where it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def explained(error: sqlite3.Error, damaged: Mapping[int, str]) -> str:
    """Return what is wrong with a file and how to mend it.

    Args:
        error: of SQLite.
        damaged: what to say of a file that is damaged, and of one that is none, by SQLite's codes.
    """
    mend = {**_MENDS, **damaged}.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    return f"{mend} ({error})" if mend else str(error)
