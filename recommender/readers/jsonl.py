"""JSON: one object a line (``.jsonl``, ``.ndjson``), or one document with an object or a list (``.json``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from recommender.errors import RecordError
from recommender.readers.entry import Entry, bounded_lines, undecodable
from recommender.readers.shown import entry_of

V = TypeVar("V")

MAX_LINE_BYTES = 16 * 2**20
MAX_DOCUMENT_BYTES = 256 * 2**20


def parse_json(raw: bytes) -> object:
    """Return the JSON value in ``raw`` (UTF-8, a byte order mark is ignored).

    Raises:
        RecordError: not UTF-8, not JSON, or nested too deep; the message says where.
    """
    try:
        return json.loads(raw.decode("utf-8-sig").rstrip())
    except UnicodeDecodeError as error:
        raise RecordError(undecodable(error)) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        raise RecordError(f"is not JSON: {error.msg.removesuffix(' at')} at {where}; is it cut off?") from None
    except RecursionError:
        raise RecordError("is nested too deep to be an article") from None
    except ValueError as error:  # an integer of thousands of digits
        raise RecordError(f"is not JSON that can be read: {error}") from None


def read_jsonl(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield one entry a line; blank lines are skipped, a line over 16 MiB is refused without being held in memory."""
    offset = 0
    for number, (raw, size) in enumerate(bounded_lines(stream, MAX_LINE_BYTES), start=1):
        offset += size
        if size > MAX_LINE_BYTES:
            yield Entry(
                source, number, offset, reason=f"the line has {size:,} bytes, at most {MAX_LINE_BYTES:,} are taken"
            )
        elif raw.strip():
            yield _entry(source, number, offset, raw, parse_json)


def read_json(
    stream: BinaryIO, source: str, other: Callable[[object], Iterator[Entry] | None] = lambda document: None
) -> Iterator[Entry]:
    """Yield the articles of one JSON document: an object, or a list of objects (then ``line`` counts the items).

    Args:
        stream, source: as of every reader.
        other: gives the entries of a document that it knows as something else.
    """
    raw = stream.read(MAX_DOCUMENT_BYTES + 1)
    try:
        if len(raw) > MAX_DOCUMENT_BYTES:
            raise RecordError(
                f"the document has over {MAX_DOCUMENT_BYTES:,} bytes; write it as .jsonl, one object a line"
            )
        document = parse_json(raw) if raw.strip() else []
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))
        return
    known = other(document)
    if known is not None:
        yield from known
        return
    records = document if isinstance(document, list) else [document]
    for number, record in enumerate(records, start=1):
        yield _entry(source, number, len(raw), record, lambda value: value)


def _entry(source: str, number: int, offset: int, value: V, parse: Callable[[V], object]) -> Entry:
    try:
        return entry_of(parse(value), source, number, offset)
    except RecordError as error:
        return Entry(source, number, offset, reason=str(error))
