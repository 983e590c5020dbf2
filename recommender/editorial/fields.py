"""The values of a rule's fields, each checked and brought to one form."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from recommender.editorial.problems import shown
from recommender.text import clean_line

LEAST_FACTOR = 0.1
MOST_FACTOR = 10.0
FACTORS = f"a number from {LEAST_FACTOR:g} to {MOST_FACTOR:g}"
A_DATE = "for example 2026-12-24 or 2026-12-24T18:00:00+01:00"
MAX_REFERENCE_CHARS = 4096
MAX_SECTION_CHARS = 300
MAX_NOTE_CHARS = 500

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class Unfit(ValueError):
    """A value cannot be taken; the message says why and how to mend it, without the name of its field."""


def reference(value: object) -> str:
    """Return an id or a url as it is written; a whole number is an id too, as in an article's record."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    if not isinstance(value, str):
        raise Unfit(f'must be an id or a url in quotes, such as "politics-123", it is {shown(value)}')
    value = value.strip()
    if not value:
        raise Unfit("is empty; give an id or a url")
    if len(value) > MAX_REFERENCE_CHARS:
        raise Unfit(f"has {len(value):,} characters, at most {MAX_REFERENCE_CHARS:,} are taken; is a quote missing?")
    if _UNPRINTABLE.search(value):
        raise Unfit(f"{shown(value)} has control characters; copy the id or url again")
    return value


def one_reference(value: object) -> tuple[str, ...]:
    """Return an id or a url as the only one of its rule."""
    return (reference(value),)


def references(value: object) -> tuple[str, ...]:
    """Return the ids and urls of a list in order; at least one."""
    if not isinstance(value, list):
        raise Unfit(f'must be a list, such as ["politics-123", "sport-7"], it is {shown(value)}')
    if not value:
        raise Unfit("is empty; name at least one article, or take the rule out")
    found: list[str] = []
    for number, item in enumerate(value, start=1):
        try:
            found.append(reference(item))
        except Unfit as error:
            raise Unfit(f"article {number} of the list {error}") from None
    return tuple(found)


def section(value: object) -> str:
    """Return a section's name, cleaned as in an article's record; never empty."""
    name = _line(value, MAX_SECTION_CHARS)
    if not name:
        raise Unfit("is empty; give the name of a section")
    return name


def note(value: object) -> str:
    """Return a note on one line, may be empty."""
    return _line(value, MAX_NOTE_CHARS)


def factor(value: object) -> float:
    """Return a factor from 0.1 to 10."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST_FACTOR <= value <= MOST_FACTOR:
        raise Unfit(f"must be {FACTORS}, it is {shown(value)}")
    return float(value)


def instant(value: object) -> datetime:
    """Return a moment in UTC; a bare date is its first moment, 00:00 UTC. Text is read as TOML reads its dates."""
    moment = _read_instant(value.strip()) if isinstance(value, str) else value
    if not isinstance(moment, date):
        raise Unfit(f"must be a date, {A_DATE}, it is {shown(value)}")
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        example = moment.isoformat()
        raise Unfit(f"{example} is a time without an offset from UTC; write {example}+01:00, or {example}Z for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unfit(f"{moment.isoformat()} is beyond the calendar; give a date, {A_DATE}") from None


def _read_instant(text: str) -> date | None:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
    except ValueError:  # the 31st of February
        return None


def _line(value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise Unfit(f"must be text in quotes, it is {shown(value)}")
    if len(value) > limit:
        raise Unfit(f"has {len(value):,} characters, at most {limit} are taken; shorten it")
    return clean_line(value)
