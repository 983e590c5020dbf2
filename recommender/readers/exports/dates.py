"""Dates as exports write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")


def instant(value: object) -> datetime | None:
    """Return the aware UTC instant that a value means; without an offset it counts as UTC. None where it means none.

    Known: RFC 3339 and its looser forms (a blank for the T, no time), RFC 822, the compact form of NITF; dates of YAML and TOML as they are.
    """
    if isinstance(value, datetime):
        found: datetime | None = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)
    else:
        found = _written(value.strip()) if isinstance(value, str) and len(value) < 100 else None
    if found is None:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _written(value: str) -> datetime | None:
    for read in (_iso, _compact, parsedate_to_datetime):
        try:
            return read(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _iso(value: str) -> datetime:
    if not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError
    # Hugo and Jekyll write "2025-03-14 09:30:00 +0100".
    return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", value).upper())


def _compact(value: str) -> datetime:
    found = _COMPACT.fullmatch(value)
    if not found:
        raise ValueError
    year, month, day, hour, minute, second, offset = found.groups()
    return datetime.fromisoformat(
        f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}{offset or ''}"
    )


def rfc3339(value: object) -> str | None:
    """Return the instant that a value means as the record writes it, None where it means none."""
    found = instant(value)
    return found.isoformat() if found else None
