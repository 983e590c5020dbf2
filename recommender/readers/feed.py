"""RSS and Atom. The one owner of feedparser, which is given bytes that were checked, never an address."""

from __future__ import annotations

import calendar
import html
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser

from recommender.errors import SourceError
from recommender.readers.xml import check_xml, root_name, unzipped, xml_text
from recommender.text import digest

MAX_BYTES = 8 * 2**20
MAX_ENTRIES = 2_000
_ROOTS = ("rss", "feed", "rdf")
_TAG = re.compile(r"<(script|style)\b[^<>]{0,2000}>.{0,20000}?</\1\s*>|<[^<>]{0,2000}>", re.IGNORECASE | re.DOTALL)


_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,9})|([0-9]{1,9}));?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a feed, as it stands there.

    Attributes:
        number: 1 for the first.
        url: of its page, absolute; None where it names none.
        guid: the feed's own key.
        title: without markup; may be empty.
        summary, content: HTML as it came; never to be shown as it is.
        published_at, modified_at: aware UTC.
    """

    number: int
    url: str | None = None
    guid: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published_at: datetime | None = None
    modified_at: datetime | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None
    image_url: str | None = None

    @property
    def key(self) -> str:
        """What an entry is known by from one reading to the next."""
        return self.url or self.guid or self.title

    @property
    def digest(self) -> bytes:
        """Changes with everything that the entry says of its story."""
        dates = (self.published_at, self.modified_at)
        words = (self.title, self.summary, self.content, *self.authors, *self.tags, self.language, self.image_url)
        return digest(*(str(each) for each in (*words, *dates)))


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed holds.

    Attributes:
        entries: in order.
        refused: (number, reason) of entries that hold nothing to go by.
        problem: what is wrong with its form, where it could be read all the same.
    """

    title: str = ""
    entries: tuple[FeedEntry, ...] = ()
    refused: tuple[tuple[int, str], ...] = field(default=())
    problem: str | None = None


def is_feed(text: str) -> bool:
    """Tell whether a document is RSS or Atom."""
    return root_name(text[:100_000]) in _ROOTS


def parse_feed(raw: bytes, *, url: str | None = None, charset: str | None = None) -> Feed:
    """Return the entries of an RSS or Atom feed.

    Args:
        raw: the file, also gzipped.
        url: where it came from; entries may name their pages relatively to it.
        charset: of the HTTP header.

    Raises:
        SourceError: it is no feed, or one that must not be read; the message says why, without naming it.
    """
    raw = unzipped(raw, MAX_BYTES)
    if len(raw) > MAX_BYTES:
        raise SourceError(f"has {len(raw):,} bytes, at most {MAX_BYTES:,} are taken from a feed")
    text = _REFERENCE.sub(_possible, xml_text(raw, charset))
    if not is_feed(text):
        raise SourceError("is no RSS or Atom feed")
    problem = check_xml(text)
    parsed = _parsed(text, url)
    return feed_of(
        str(parsed.feed.get("title") or ""),
        [_entry(number, each, parsed.feed, url) for number, each in enumerate(parsed.entries[:MAX_ENTRIES], start=1)],
        problem if problem and parsed.bozo else None,
        len(parsed.entries),
    )


def _possible(reference: re.Match[str]) -> str:
    """Return a reference to a character, or what stands for one that there is none of: feedparser would break."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if number in range(0xD800) or number in range(0xE000, 0x110000) else "\ufffd"


def _parsed(text: str, url: str | None) -> feedparser.FeedParserDict:
    # Nothing of a feed is shown as it came: texts are taken out of its markup, so that there is nothing to sanitise.
    headers = {"content-type": "application/xml; charset=utf-8", **({"content-location": url} if url else {})}
    raw = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        return feedparser.parse(raw, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # it is no part of its contract what broken markup makes it raise
        raise SourceError(f"cannot be read: it broke the parser ({type(error).__name__})") from error


def feed_of(title: str, found: list[FeedEntry], problem: str | None, n_entries: int) -> Feed:
    """Return a feed of entries, parted into those that say what they are about and those that do not."""
    entries: dict[str, FeedEntry] = {}
    refused: list[tuple[int, str]] = []
    for each in found:
        if not each.key:
            refused.append((each.number, "the entry has neither link nor title"))
        elif each.key in entries:
            refused.append((each.number, f"the entry stands twice; the first one counts ({each.key[:200]})"))
        else:
            entries[each.key] = each
    if n_entries > len(found):
        refused.append((len(found) + 1, f"the feed has {n_entries:,} entries, at most {len(found):,} are taken"))
    return Feed(plain(title), tuple(entries.values()), tuple(refused), problem)


def plain(markup: str) -> str:
    """Return a headline or name without tags and entities, on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", markup[:20_000])).split())


def page_url(link: object, base: str | None) -> str | None:
    """Return the absolute address that a feed means; None where it is none."""
    if not isinstance(link, str) or not link.strip():
        return None
    try:
        url = urljoin(base or "", link.strip())
    except ValueError:
        return None
    return url if re.match(r"https?://[^/?#\s]", url, re.IGNORECASE) else None


def _entry(number: int, found: Mapping[str, Any], feed: Mapping[str, Any], base: str | None) -> FeedEntry:
    contents = [each for each in found.get("content") or () if each.get("value")]
    content = max((str(each["value"]) for each in contents), key=len, default="")
    title = found.get("title_detail") or {}
    headline = str(found.get("title") or "")
    guid = str(found.get("id") or "")
    link = found.get("feedburner_origlink") or found.get("link") or (guid if guid.startswith("http") else None)
    return FeedEntry(
        number=number,
        url=page_url(link, base),
        guid=guid[:1_000],
        title=plain(headline) if title.get("type") != "text/plain" or "&" in headline else " ".join(headline.split()),
        summary=str(found.get("summary") or ""),
        content=content,
        published_at=_instant(found.get("published_parsed")),
        modified_at=_instant(found.get("updated_parsed")) if "updated" in found else None,
        authors=_names(found),
        tags=tuple(plain(str(each.get("label") or each.get("term") or "")) for each in (found.get("tags") or ())[:50]),
        language=_language(found, contents) or (str(feed.get("language") or "") or None),
        image_url=_image(found, base),
    )


def _language(found: Mapping[str, Any], contents: list[Any]) -> str | None:
    told = [each.get("language") for each in (found.get("title_detail") or {}, *contents)]
    return next((str(each) for each in told if each), None)


def _names(found: Mapping[str, Any]) -> tuple[str, ...]:
    names = [each.get("name") for each in found.get("authors") or ()] or [found.get("author")]
    return tuple(dict.fromkeys(plain(str(name)) for name in names[:50] if name))


def _image(found: Mapping[str, Any], base: str | None) -> str | None:
    media = [each for each in found.get("media_content") or () if _is_picture(each)]
    files = [each for each in found.get("enclosures") or () if str(each.get("type", "")).startswith("image/")]
    links = [each.get("url") or each.get("href") for each in (*media, *(found.get("media_thumbnail") or ()), *files)]
    return next((url for url in (page_url(link, base) for link in links) if url), None)


def _is_picture(media: Mapping[str, Any]) -> bool:
    return media.get("medium") == "image" or str(media.get("type", "")).startswith("image/")


def _instant(parsed: object) -> datetime | None:
    if not isinstance(parsed, time.struct_time | tuple):
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
