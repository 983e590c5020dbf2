"""Long XML documents, one record at a time: each is parted by its bytes and is a document of its own, so that what is broken within it stays there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from recommender.errors import RecordError
from recommender.readers.exports.xml import MAX_BYTES, WIDE

_CHUNK_BYTES = 2**18
_MOST_ENDLESS = 3
_KEPT_BYTES = 256  # longer than any tag that is looked for

_DECLARES = re.compile(rb"<!(?:ENTITY|DOCTYPE[^>\[]{0,1000}\[)")
_PROLOG = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(<\?xml\b[^>]{0,300}\?>)")
_CLOSING = {b"<![CDATA[": re.compile(rb"\]\]>"), b"<!--": re.compile(rb"-->")}


class Record(NamedTuple):
    """One element of a long document.

    Attributes:
        raw: a document of its own, None where it is over 16 MiB.
        line: 1-based, where it begins.
        offset_bytes: where it ends.
    """

    raw: bytes | None
    line: int
    offset_bytes: int


class Records:
    """The elements of one name in a document of any length, one at a time; ``head`` is what stands before the first.

    What is broken within an element stays within it. Characters of one byte each, or UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: bytes) -> None:
        """Take a stream at its beginning and the name of the elements."""
        self.head: bytes | None = b""
        self._stream = stream
        outer = rb"<!\[CDATA\[|<!--|"
        self._outside = re.compile(outer + rb"<" + name + rb"(?=[\s>/])")
        self._inside = re.compile(outer + rb"</" + name + rb"\s{0,100}>")
        self._found = bytearray()  # what goes off its front is not copied
        self._scanned = 0
        self._line = 1
        self._offset = 0
        self._prolog = b""

    def __iter__(self) -> Iterator[Record]:
        """Yield the elements in order.

        Raises:
            RecordError: the document is UTF-16, or declares a document type or entities of its own.
        """
        start = self._next(self._outside, keep=True)
        head = bytes(self._found[: start.start()] if start else self._found)
        if head.startswith(WIDE):
            raise RecordError("is UTF-16; convert it first, for example: iconv -f UTF-16 -t UTF-8 OLD > NEW")
        if _DECLARES.search(head):
            raise RecordError("declares entities or a document type of its own, which no export needs; it is not read")
        if start is None:
            self.head = head if len(head) <= MAX_BYTES else None
            return
        self.head = head
        prolog = _PROLOG.match(head)
        self._prolog = (prolog[1] if prolog else b"") + b'<!DOCTYPE rss SYSTEM "none">'
        n_endless = 0
        while start is not None:
            self._drop(start.start())
            line = self._line
            self._scanned = 1
            end = self._next(self._inside, keep=True)
            if end is None:
                endless = len(self._found) > MAX_BYTES
                yield Record(None if endless else self._prolog + bytes(self._found), line, self._offset)
                n_endless += endless  # the next one may begin within it; whoever repeats that is not followed
                self._drop(1 if endless and n_endless <= _MOST_ENDLESS else len(self._found))
            else:
                raw = self._prolog + bytes(self._found[: end.end()])
                self._drop(end.end())
                yield Record(raw, line, self._offset)
            start = self._next(self._outside, keep=False)

    def _drop(self, n: int) -> None:
        self._line += self._found.count(b"\n", 0, n)
        self._offset += n
        del self._found[:n]
        self._scanned = 0

    def _next(self, wanted: re.Pattern[bytes], *, keep: bool) -> re.Match[bytes] | None:
        """Return where it is found first, outside of comments and CDATA; None at the end, or past ``MAX_BYTES`` of what is kept."""
        closing: re.Pattern[bytes] | None = None
        while True:
            found = (closing or wanted).search(self._found, self._scanned)
            if found:
                self._scanned = found.end()
                if closing:
                    closing = None
                elif bytes(found[0]) in _CLOSING:
                    closing = _CLOSING[bytes(found[0])]
                else:
                    return found
                continue
            self._scanned = max(self._scanned, len(self._found) - _KEPT_BYTES)
            if keep and len(self._found) > MAX_BYTES:
                return None
            if not keep and self._scanned > _CHUNK_BYTES:
                self._drop(self._scanned)
            more = self._stream.read(_CHUNK_BYTES)
            if not more:
                return None
            self._found += more
