"""What an evaluation has to know of an article to name it and to put it in a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from recommender.text import clean_line

WEEK, MONTH, YEAR, OLDER, NEWER, UNDATED = (
    "within a week", "within a month", "within a year", "older", "newer", "undated",
)  # fmt: skip
AGES = (WEEK, MONTH, YEAR, OLDER, NEWER, UNDATED)
"""How old a judged target was when the story was published, as ``age_of`` tells it."""

_LIMITS = ((WEEK, timedelta(days=7)), (MONTH, timedelta(days=30)), (YEAR, timedelta(days=365)))


@dataclass(frozen=True, slots=True)
class Facts:
    """One article of the archive.

    Attributes:
        title: headline; anything a newsroom may send, nothing here trusts it.
        section, language: None where nothing is known.
        published_at: aware UTC, or None.
    """

    title: str
    section: str | None = None
    language: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An article as an evaluation names it: cleaned to one line; the id stands for a title that is not known."""

    id: str
    title: str
    section: str | None
    language: str | None
    published_at: datetime | None


def listed(facts: Mapping[str, Facts], article_id: str) -> Listed:
    """Return what is known of an article; one that the archive does not hold has its id alone."""
    found = facts.get(article_id) or Facts("")
    return Listed(
        article_id,
        clean_line(found.title) or clean_line(article_id),
        clean_line(found.section or "") or None,
        clean_line(found.language or "") or None,
        found.published_at,
    )


def age_of(target: Facts | Listed | None, query: Facts | Listed | None) -> str:
    """Return how old ``target`` was when ``query`` was published, one of ``AGES``.

    A month is 30 days and a year 365; both ends belong to the shorter age. ``undated`` where either has no date.
    """
    if target is None or query is None or target.published_at is None or query.published_at is None:
        return UNDATED
    age = query.published_at - target.published_at
    if age < timedelta(0):
        return NEWER
    return next((name for name, limit in _LIMITS if age <= limit), OLDER)
