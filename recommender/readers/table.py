"""CSV with the record's field names as its header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import BinaryIO

from recommender.errors import RecordError
from recommender.readers.entry import Entry, undecodable
from recommender.readers.record import MAX_TEXT_CHARS
from recommender.readers.shown import entry_of

_LISTS = {"tags": ";", "authors": ";", "read_more": "\n"}
_DELIMITERS = ",;\t"


def read_csv(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield one entry a row.

    The delimiter (comma, semicolon or tab) is the one that stands most often in the header. A list is written as JSON
    (``["a", "b"]``), or as ``a; b`` for tags and authors and one title a line for ``read_more``. ``line`` is the
    line on which the row ends. Bytes that are not UTF-8 cost their row alone.
    """
    csv.field_size_limit(4 * MAX_TEXT_CHARS)
    # Undecodable bytes travel as lone surrogates, so that the row they stand in can be named and refused.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        header = text.readline(2**16)
        if not header.strip():
            return
        delimiter = _delimiter(header)
        names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
        if "title" not in names:
            shown = header.strip()[:80].encode("utf-8", "backslashreplace").decode()
            reason = f"the first line must name the columns and one must be 'title'; it reads {shown!r}"
            yield Entry(source, 1, len(header), reason=reason)
            return
        yield from _rows(source, stream, names, csv.reader(text, delimiter=delimiter, strict=True))
    finally:
        text.detach()  # the stream is the caller's to close


def _rows(source: str, stream: BinaryIO, names: list[str], rows: Iterator[list[str]]) -> Iterator[Entry]:
    while True:
        try:
            row = next(rows, None)
            if row is None:
                return
            if not any(row):
                continue
            yield entry_of(_record(names, row), source, _line(rows), stream.tell())
        except csv.Error as error:
            yield Entry(source, _line(rows), stream.tell(), reason=f"is not CSV: {error}")
        except RecordError as error:
            yield Entry(source, _line(rows), stream.tell(), reason=str(error))


def _line(rows: Iterator[list[str]]) -> int:
    return int(getattr(rows, "line_num", 0)) + 1  # the header was read before


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _record(names: list[str], row: list[str]) -> dict[str, object]:
    if len(row) != len(names):
        raise RecordError(f"has {len(row)} cells where the header names {len(names)}; is a quote or delimiter missing?")
    for cell in row:
        try:
            cell.encode("utf-8", "surrogateescape").decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(undecodable(error)) from None
    return {name: _value(name, cell) for name, cell in zip(names, row, strict=True) if cell.strip()}


def _value(name: str, cell: str) -> object:
    if name not in _LISTS:
        return cell
    if cell.lstrip().startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            raise RecordError(f"{name}: {cell[:60]!r} begins like a JSON list and is none") from None
    return [part.strip() for part in cell.split(_LISTS[name]) if part.strip()]
