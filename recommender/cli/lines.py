"""Files of tab-separated lines, such as queries and pairs: read one at a time, a bad line never costs the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from recommender.cli.output import talk
from recommender.errors import SourceError
from recommender.text import clean

_MAX_LINE_BYTES = 2_000_000


class Lines:
    """The rows of a TSV file (``-`` for standard input); a bad line is named on stderr and passed over.

    ``finish`` gives the exit code: 1 if any line was refused.
    """

    def __init__(self, path: Path, n_columns: int) -> None:
        self._path = path
        self._n_columns = n_columns
        self._n_refused = 0
        self._line = 0

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each good line. Raises SourceError when the file cannot be read."""
        from recommender.readers import bounded_lines  # parsers of feeds and pages come with it

        try:
            with sys.stdin.buffer if str(self._path) == "-" else self._path.open("rb") as stream:
                for self._line, (raw, size) in enumerate(bounded_lines(stream, _MAX_LINE_BYTES), start=1):
                    row = self._row(raw, size)
                    if row:
                        yield row
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _row(self, raw: bytes, size: int) -> list[str] | None:
        if size > _MAX_LINE_BYTES:
            self.refuse(f"has {size:,} bytes, at most {_MAX_LINE_BYTES:,} are taken")
            return None
        try:
            line = raw.decode("utf-8-sig" if self._line == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            self.refuse("is not UTF-8")
            return None
        if not line.strip():
            return None
        row = line.split("\t", self._n_columns - 1)
        if len(row) < self._n_columns or not all(map(clean, row)):
            self.refuse(f"needs {self._n_columns} columns parted by a tab")
            return None
        return row

    def refuse(self, reason: str) -> None:
        """Name the line that was read last and say what is wrong with it."""
        self._n_refused += 1
        talk(f"refused: {self._path}, line {self._line}: {reason}")

    def finish(self) -> int:
        """Return the exit code."""
        return 1 if self._n_refused else 0
