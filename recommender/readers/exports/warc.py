"""WARC: pages as a web archive keeps them. The one owner of warcio."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from recommender.errors import RecordError, SourceError
from recommender.readers.entry import Entry, LeftOut
from recommender.readers.exports.packed import unpacked
from recommender.readers.page import article_from_page, in_parallel
from recommender.readers.page.guard import MAX_BYTES

_MAX_LINE_BYTES = 64 * 2**20
_HTML = ("text/html", "application/xhtml+xml")


class _Capture(NamedTuple):
    """One record: a page, or why it is none."""

    number: int
    offset_bytes: int
    url: str = ""
    raw: bytes = b""
    charset: str | None = None
    left_out: str | None = None
    reason: str | None = None


def read_warc(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield one entry a record: pages that were answered with 200 are read, other records left out and counted. ``line`` counts the records.

    Compressed or not. Of several captures of a page the first one is read.

    Raises:
        SourceError: the extra is not installed.
    """
    seen: set[str] = set()
    for entry in in_parallel(lambda capture: _entry(capture, source), _captures(stream)):
        article_id = entry.article.id if entry.article else None
        if article_id in seen:
            yield Entry(source, entry.line, entry.offset_bytes, left_out=LeftOut("captured again"))
            continue
        if article_id:
            seen.add(article_id)
        yield entry


def _entry(capture: _Capture, source: str) -> Entry:
    line = capture.number or None
    if capture.left_out:
        return Entry(source, line, capture.offset_bytes, left_out=LeftOut(capture.left_out))
    try:
        if capture.reason:
            raise RecordError(capture.reason)
        return Entry(
            source,
            line,
            capture.offset_bytes,
            article=article_from_page(capture.raw, url=capture.url, charset=capture.charset),
        )
    except RecordError as error:
        named = f"{capture.url[:300]}: " if capture.url else ""
        return Entry(source, line, capture.offset_bytes, reason=f"{named}{error}")


def _captures(stream: BinaryIO) -> Iterator[_Capture]:
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError:
        raise SourceError("WARC needs warcio: pip install 'newsroom-recommender[warc]'") from None
    # What its parser raises at records that are none; each costs itself, or what follows.
    broken = (
        ArchiveLoadFailed,
        SourceError,
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        LookupError,
        AttributeError,
        TypeError,
    )
    number = 0
    try:
        lines = _Lines(_opened(stream))
        records = ArchiveIterator(lines, no_record_parse=False, check_digests=False)
        while True:
            with contextlib.redirect_stderr(_Nowhere()):  # it prints what it wonders at, bodies and all
                record = next(records, None)
                if record is None:
                    break
                number += 1
                try:
                    capture = _capture(record, number, stream.tell())
                except broken as error:
                    capture = _Capture(number, stream.tell(), reason=f"cannot be read ({type(error).__name__})")
            yield capture
        if not lines.end_well:
            yield _Capture(number + 1, stream.tell(), reason="the archive ends within a record; it was cut")
    except broken as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        yield _Capture(number + 1, 0, reason=f"the archive is damaged or cut here, and is not read further ({told})")


def _opened(stream: BinaryIO) -> BinaryIO:
    is_gzip = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return unpacked(stream, ".gz") if is_gzip else stream


class _Lines:
    """A stream in which no line is endless: the parser reads one whole, wherever it ends."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._n_since = 0
        self._last = b""
        self.tell = stream.tell

    def read(self, n: int = -1) -> bytes:
        some = self._stream.read(n)
        self._last = (self._last + some[-4:])[-4:]
        end = some.rfind(b"\n")
        self._n_since = self._n_since + len(some) if end < 0 else len(some) - end
        if self._n_since > _MAX_LINE_BYTES:
            raise EOFError(f"{_MAX_LINE_BYTES:,} bytes without a line's end")
        return some

    @property
    def end_well(self) -> bool:
        """Whether what was read ends as a record does, or is nothing."""
        return not self._last or self._last.replace(b"\r", b"").endswith(b"\n\n")

    def close(self) -> None:
        """Leave the stream open; it is the caller's."""


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def _capture(record: Any, number: int, offset: int) -> _Capture:
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    if record.rec_type not in ("response", "resource"):
        return _Capture(number, offset, left_out=f"of type {record.rec_type}"[:50])
    headers = record.http_headers if record.rec_type == "response" else None
    if record.rec_type == "response" and headers is None:
        return _Capture(number, offset, left_out="without HTTP")
    status = headers.get_statuscode() if headers else "200"
    if status != "200":
        return _Capture(number, offset, left_out=f"status {status}"[:20])
    media = (headers or record.rec_headers).get_header("Content-Type") or ""
    if media.partition(";")[0].strip().lower() not in _HTML:
        return _Capture(number, offset, left_out="other than pages")
    cut = record.rec_headers.get_header("WARC-Truncated")
    if cut:
        return _Capture(number, offset, url, reason=f"was cut when it was archived ({cut[:40]})")
    raw = _read(record.content_stream())
    charset = media.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    return _Capture(number, offset, url, raw, charset or None)


def _read(content: Any) -> bytes:
    found = bytearray()
    while len(found) <= MAX_BYTES:
        some = content.read(min(65_536, MAX_BYTES + 1 - len(found)))
        if not some:
            break
        found += some
    return bytes(found)
