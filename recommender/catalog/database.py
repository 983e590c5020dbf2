"""SQLite files as all of this room's are used: opened, and written all or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


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
