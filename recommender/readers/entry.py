"""What every reader yields: an article, or why there is none, with the place it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from recommender.article import Article


@dataclass(frozen=True, slots=True)
class About:
    """What a file does not say of itself.

    Attributes:
        site: the address that its paths are joined to, where it has no other.
        now: aware; a story under embargo until later is left out. None: every story under embargo is.
    """

    site: str | None = None
    now: datetime | None = None


NOTHING = About()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that its source does not show to readers, or that is no story; nothing is wrong with it.

    Attributes:
        status: in a word or two: ``draft``, ``withdrawn``, ``a page``.
        ids: which an article had that was made of this record when it was shown; what of them is in the catalog goes.
        guessed: the ids are what they may have been, so that what the same file has shown under one of them stays.
    """

    status: str
    ids: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a source: exactly one of ``article``, ``reason`` and ``left_out`` is set.

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
    left_out: LeftOut | None = None


Reader = Callable[[BinaryIO, str], Iterator[Entry]]
"""Takes an open binary stream and the name to give it in entries."""


def is_ahead(instant: datetime | None, now: datetime | None) -> bool:
    """Tell whether an embargo until ``instant`` is in force; without ``now`` every one is."""
    return instant is not None and (now is None or instant > now)


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
