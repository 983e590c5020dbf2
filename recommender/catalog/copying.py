"""A copy of the catalog as of one moment, made while others write."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

_PAGES = 2048  # of 4 kB each, between two looks at the progress


def copy_database(source: sqlite3.Connection, path: Path, watch: Callable[[int, int], None]) -> None:
    """Copy ``source`` into a new file at ``path``.

    The pages are copied inside one read transaction: SQLite's backup would otherwise begin anew whenever another process
    commits, and under a long ingest never end. In WAL mode a reader stops no writer.

    Raises:
        sqlite3.Error: nothing useful is at ``path``.
    """
    page_bytes = source.execute("PRAGMA page_size").fetchone()[0]
    target = sqlite3.connect(path, isolation_level=None)
    try:
        target.execute("PRAGMA synchronous = OFF")
        source.execute("BEGIN")
        try:
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on the moment is fixed
            source.backup(
                target,
                pages=_PAGES,
                progress=lambda status, left, total: watch((total - left) * page_bytes, total * page_bytes),
            )
        finally:
            source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode = DELETE")  # one file; the first writer sets WAL again
    finally:
        target.close()
