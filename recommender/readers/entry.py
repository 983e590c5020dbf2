"""What every reader yields: an article, or the reason why there is none, with the place it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from recommender.article import Article


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a source: exactly one of ``article`` and ``reason`` is set.

    Attributes:
        source: the file as the caller named it.
        line: 1-based line (or record) number, None where the whole source is one record.
        offset_bytes: how far the source is read, for a progress bar.
    """

    source: str
    line: int | None
    offset_bytes: int
    article: Article | None = None
    reason: str | None = None


Reader = Callable[[BinaryIO, str], Iterator[Entry]]
"""Takes an open binary stream and the name to give it in entries."""


def undecodable(error: UnicodeDecodeError) -> str:
    """Return the reason given for bytes that are not UTF-8."""
    return (
        f"is not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start}); "
        "convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
    )


def bounded_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield (line, its size in bytes); of a line longer than ``limit`` only the first ``limit`` + 1 bytes are kept."""
    while head := stream.readline(limit + 1):
        size = len(head)
        tail = head
        while len(tail) > limit and not tail.endswith(b"\n"):
            tail = stream.readline(limit + 1)
            size += len(tail)
        yield head, size
