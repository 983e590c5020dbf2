"""JSON Feed, versions 1 and 1.1 (jsonfeed.org): the entries of :mod:`recommender.readers.feed` from JSON."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from recommender.errors import RecordError, SourceError
from recommender.readers.feed import MAX_BYTES, MAX_ENTRIES, Feed, FeedEntry, feed_of, page_url, plain
from recommender.readers.jsonl import parse_json


def is_json_feed(document: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a JSON value is a feed."""
    return (
        isinstance(document, Mapping)
        and str(document.get("version", "")).startswith("https://jsonfeed.org/version/1")
        and isinstance(document.get("items"), list)
    )


def parse_json_feed(raw: bytes, *, url: str | None = None) -> Feed:
    """Return the entries of a JSON feed.

    Raises:
        SourceError: it is none; the message says why, without naming it.
    """
    if len(raw) > MAX_BYTES:
        raise SourceError(f"has {len(raw):,} bytes, at most {MAX_BYTES:,} are taken from a feed")
    try:
        document: Any = parse_json(raw)
    except RecordError as error:
        raise SourceError(str(error)) from None
    if not is_json_feed(document):
        raise SourceError("is no JSON Feed")
    return json_feed_of(document, url=url)


def json_feed_of(document: Mapping[str, Any], *, url: str | None = None) -> Feed:
    """Return the entries of a JSON value that is a feed; without ``url`` the feed's own addresses say where it is from."""
    items = document["items"]
    url = url or page_url(document.get("feed_url"), None) or page_url(document.get("home_page_url"), None)
    found = [_entry(number, each, document, url) for number, each in enumerate(items[:MAX_ENTRIES], start=1)]
    return feed_of(_text(document.get("title")), found, None, len(items))


def _entry(number: int, item: object, feed: Mapping[str, Any], base: str | None) -> FeedEntry:
    if not isinstance(item, Mapping):
        return FeedEntry(number)
    text = _text(item.get("content_text"))
    return FeedEntry(
        number=number,
        url=page_url(item.get("url") or item.get("external_url"), base),
        guid=_text(item.get("id"))[:1_000],
        title=plain(html.escape(_text(item.get("title")), quote=False)),
        summary=html.escape(_text(item.get("summary"))),
        content=_text(item.get("content_html"))
        or "".join(f"<p>{html.escape(line)}</p>\n" for line in text.splitlines()),
        published_at=_instant(item.get("date_published")),
        modified_at=_instant(item.get("date_modified")),
        authors=_names(item) or _names(feed),
        tags=tuple(_text(each) for each in _list(item.get("tags"))[:50]),
        language=_text(item.get("language")) or _text(feed.get("language")) or None,
        image_url=page_url(item.get("image") or item.get("banner_image"), base),
    )


def _names(of: Mapping[str, Any]) -> tuple[str, ...]:
    people = [*_list(of.get("authors")), of.get("author")]
    names = (_text(each.get("name")) for each in people[:50] if isinstance(each, Mapping))
    return tuple(dict.fromkeys(name for name in names if name))


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:100]
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(value).strip().upper())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
