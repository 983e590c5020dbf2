"""One value of a parameter, read from the text that it comes as. Pure; each refusal is in a reader's words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from recommender.answer import MAX_K
from recommender.errors import QueryError
from recommender.text import url_key

Read = Callable[[str, str], object]
"""Takes a parameter's name and its text. Raises QueryError."""

_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_NUMBER_CHARS = 40


def text(name: str, value: str) -> str:
    """Return it as it is."""
    return value


def lowered(name: str, value: str) -> str:
    """Return it in lower case."""
    return value.lower()


def whole(name: str, value: str) -> int:
    """Return a whole number of at most twelve digits."""
    if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 12:
        raise QueryError(f"{name}: {value[:40]!r} is no whole number; give 1 to {MAX_K}")
    return int(value)


def number(name: str, value: str) -> float:
    """Return a finite number, written as JSON writes it."""
    if len(value) > _MAX_NUMBER_CHARS or not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
        raise QueryError(f"{name}: {value[:40]!r} is no number")
    return float(value)


def flag(name: str, value: str) -> bool:
    """Return what ``1``, ``true``, ``yes`` and their opposites say, in any case of letters."""
    if value.lower() not in _YES:
        raise QueryError(f"{name}: {value[:40]!r} is neither 1 nor 0")
    return _YES[value.lower()]


def instant(name: str, value: str) -> datetime:
    """Return an aware instant; a day without a time is its beginning in UTC, a time needs an offset."""
    try:
        # A plus sign in a query string arrives as a blank.
        told = value.strip().upper()
        read = datetime.fromisoformat(told.replace(" ", "+") if "T" in told else told)
        if read.tzinfo is None and "T" in told:
            raise ValueError
        aware = read if read.tzinfo else datetime.fromisoformat(f"{told}T00:00:00+00:00")
        aware.timestamp()
    except (ValueError, OverflowError):
        raise QueryError(
            f"{name}: {value[:40]!r} is no date; write it like 2025-03-14 or 2025-03-14T09:30:00Z"
        ) from None
    return aware


def address(name: str, value: str) -> str:
    """Return an absolute http(s) address as it is."""
    if not value:
        raise QueryError(missing_address(name))
    if url_key(value) is None:
        raise QueryError(f"{name}: {value[:200]!r} is not an absolute http(s) address")
    return value


def missing_address(name: str) -> str:
    """Return what is said where no address is given."""
    return f"{name}: is missing; give the article's address, or use /v1/articles/{{id}}/related"


def one_of(names: Sequence[str]) -> Read:
    """Return what reads one of these names."""

    def read(name: str, value: str) -> str:
        if value not in names:
            raise QueryError(f"{name}: {value[:40]!r} is none; {name}s are {', '.join(names)}")
        return value

    return read


def bounded(most: int, hint: str) -> Read:
    """Return what reads a text of at most so many characters; ``hint`` says where a longer one may go."""

    def read(name: str, value: str) -> str:
        if len(value) > most:
            raise QueryError(f"{name}: has {len(value):,} characters, at most {most:,} are taken; {hint}")
        return value

    return read
