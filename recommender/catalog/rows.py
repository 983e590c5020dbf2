"""Articles to rows and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

from recommender.article import Article, Link, ReadMore
from recommender.errors import CatalogError
from recommender.text import digest

COLUMNS = (
    "id", "title", "description", "text", "url", "image_url", "published_at", "modified_at", "language", "section",
    "tags", "authors", "kind",
)  # fmt: skip
_ALWAYS = frozenset({"id", "title", "description", "text", "tags", "authors", "kind"})
_NUMBERS = frozenset({"published_at", "modified_at"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_row(article: Article) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``."""
    return (
        article.id,
        article.title,
        article.description,
        article.text,
        article.url,
        article.image_url,
        _seconds(article.published_at),
        _seconds(article.modified_at),
        article.language,
        article.section,
        json.dumps(article.tags, ensure_ascii=False),
        json.dumps(article.authors, ensure_ascii=False),
        article.kind,
    )


def from_row(row: Sequence[Any], read_more: tuple[ReadMore, ...] = ()) -> Article:
    """Return the article of a row of ``COLUMNS``. Raises CatalogError where its fields are none."""
    try:
        _check_kinds(row)
        return Article(
            id=row[0],
            title=row[1],
            description=row[2],
            text=row[3],
            url=row[4],
            image_url=row[5],
            published_at=instant_of(row[6]),
            modified_at=instant_of(row[7]),
            language=row[8],
            section=row[9],
            tags=tuple(json.loads(row[10])),
            authors=tuple(json.loads(row[11])),
            kind=row[12],
            read_more=read_more,
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise CatalogError(f"article {row[0]!r}: is damaged in the catalog ({error}); ingest it again") from error


def link_from_row(row: Sequence[Any]) -> Link:
    """Return the link of a row: article, position, title, url, target, method. Raises CatalogError where they are none."""
    article_id, position, title, *others = row
    texts = (article_id, title, *(each for each in others if each is not None))
    if not (isinstance(position, int) and all(isinstance(each, str) for each in texts)):
        raise CatalogError(f"links of article {article_id!r}: are damaged in the catalog; ingest it again")
    return Link(*row)


def record_digest(article: Article) -> bytes:
    """Return the digest that changes with any field of the article or any of its links."""
    return digest(*(repr(value) for value in to_row(article)), *(repr(astuple(link)) for link in article.read_more))


def _check_kinds(row: Sequence[Any]) -> None:
    """Raise TypeError where a value is of another kind than its column: SQLite hands out whatever a damaged file says."""
    for name, value in zip(COLUMNS, row, strict=True):
        kind = int if name in _NUMBERS else str
        if not isinstance(value, kind) and (value is not None or name in _ALWAYS):
            raise TypeError(f"its {name} is no {'number' if kind is int else 'text'}")


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // timedelta(seconds=1)


def instant_of(seconds: int | None) -> datetime | None:
    """Return an instant from seconds since 1970."""
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)
