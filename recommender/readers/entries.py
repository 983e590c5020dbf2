"""Entries of feeds into articles, and feeds that lie in files."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from recommender.article import Article
from recommender.errors import RecordError, SourceError
from recommender.readers.entry import Entry
from recommender.readers.feed import MAX_BYTES, Feed, FeedEntry, parse_feed, plain
from recommender.readers.jsonfeed import parse_json_feed
from recommender.readers.page import Body, body_from_html
from recommender.readers.record import article_from_record
from recommender.text import canonical_url, words

FULL_TEXT_WORDS = 120
"""A text of fewer words may be a teaser."""

_CUT = re.compile(r"(\[?(…|\.\.\.)\]?|\[…\]|\[&#8230;\])\W*$")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def body_of(entry: FeedEntry) -> Body:
    """Return the text that a feed itself gives of a story, and the links under it. Raises RecordError where it cannot be read."""
    return body_from_html(entry.content or entry.summary, url=entry.url)


def is_whole(body: Body) -> bool:
    """Tell whether a feed gives a whole story: a text of some length that does not break off."""
    return len(words(body.text)) >= FULL_TEXT_WORDS and not _CUT.search(body.text[-40:])


def article_from_entry(entry: FeedEntry, body: Body | None = None) -> Article:
    """Return the article that an entry tells of, as far as the feed itself tells it; its id is the address of its page.

    Args:
        entry: of a feed.
        body: of the entry, where it has been taken out already.

    Raises:
        RecordError: the entry cannot be an article; the message says why.
    """
    body = body or body_of(entry)
    summary = plain(entry.summary) if entry.content else ""
    language = entry.language if entry.language and _LANGUAGE.fullmatch(entry.language) else None
    record: dict[str, Any] = {
        "url": canonical_url(entry.url) if entry.url else None,
        "title": entry.title[:1_000],
        "description": "" if body.text.startswith(summary[:200]) else summary[:10_000],
        "text": body.text,
        "published_at": _written(entry.published_at or entry.modified_at),
        "modified_at": _written(entry.modified_at),
        "language": language,
        "image_url": entry.image_url,
        "authors": list(entry.authors),
        "tags": list(entry.tags),
        "read_more": [{"title": each.title, "url": each.url} for each in body.read_more],
    }
    if record["url"] is None and entry.guid:
        record["id"] = " ".join(entry.guid.split())[:512]
    return article_from_record(record)


def read_feed(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield the entries of a feed in a file (RSS, Atom or JSON Feed) as articles; their pages are not fetched."""
    raw = stream.read(MAX_BYTES + 1)
    if not raw.strip():
        return
    try:
        feed = parse_json_feed(raw) if begins_json(raw) else parse_feed(raw)
    except SourceError as error:
        yield Entry(source, None, len(raw), reason=str(error))
        return
    yield from feed_entries(feed, source, len(raw))


def begins_json(raw: bytes) -> bool:
    """Tell whether bytes begin as a JSON object does, and no XML."""
    return raw[:100].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"


def feed_entries(feed: Feed, source: str, offset_bytes: int) -> Iterator[Entry]:
    """Yield the entries of a feed that has been parsed as articles, as far as the feed itself tells them."""
    for entry in feed.entries:
        try:
            yield Entry(source, entry.number, offset_bytes, article=article_from_entry(entry))
        except RecordError as error:
            yield Entry(source, entry.number, offset_bytes, reason=str(error))
    for number, reason in feed.refused:
        yield Entry(source, number, offset_bytes, reason=reason)
    if not feed.entries and not feed.refused:
        yield Entry(source, None, offset_bytes, reason=feed.problem or "the feed has no entry")


def _written(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
