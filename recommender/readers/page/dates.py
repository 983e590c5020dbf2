"""Instants as pages write them. Machine-readable forms only: what "03/04/2025" means, nobody can say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})"
    r"(?:(?:T|\s*,?\s+)(\d{1,2}):?(\d\d)(?::?(\d\d)(?:[.,]\d{1,9})?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?(?![\d:])",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\d{10}(\d{3})?")
_YEARS = range(1600, 2101)


def instant(value: str) -> datetime | None:
    """Return the instant that ``value`` names (ISO 8601 and its relatives, RFC 2822, seconds since 1970); naive without an offset."""
    value = value.strip()
    if not 8 <= len(value) <= 64:
        return None
    try:
        if _EPOCH.fullmatch(value):
            found = datetime.fromtimestamp(int(value[:10]), UTC)
        elif (match := _ISO.match(value)) is not None:
            found = _from(match)
        else:
            found = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return found if found.year in _YEARS else None


def _from(match: re.Match[str]) -> datetime:
    year, _, month, day, hour, minute, second, offset = match.groups()
    found = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59))
    if offset is None:
        return found
    if offset.upper() in ("Z", "UTC", "GMT"):
        return found.replace(tzinfo=UTC)
    digits = offset[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return found.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift))


def most_trusted(values: Iterable[str]) -> datetime | None:
    """Return the first of ``values`` that is an instant, said as precisely as a later one of the same day or hour says it."""
    found = [each for each in map(instant, values) if each is not None]
    if not found:
        return None
    best = found[0]
    if best.tzinfo is None:
        is_day = not (best.hour or best.minute or best.second)
        for other in found[1:]:
            same = other.date() == best.date() and (is_day or (other.hour, other.minute) == (best.hour, best.minute))
            if same and (other.tzinfo is not None or (is_day and (other.hour or other.minute))):
                return other
    return best
