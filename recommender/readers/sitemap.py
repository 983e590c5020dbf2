"""Sitemaps (sitemaps.org): lists of pages, lists of such lists, news sitemaps, and plain lists of addresses."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from recommender.errors import SourceError
from recommender.readers.xml import check_xml, root_name, unzipped, xml_text

MAX_BYTES = 50 * 2**20
"""As the protocol has it, decompressed."""

MAX_LISTED = 50_000
_ROOTS = {"urlset": False, "sitemapindex": True}
_MAX_URL_CHARS = 2_048
_URL = re.compile(r"https?://[^\s<>\"]{3,2040}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a sitemap.

    Attributes:
        url: of a page, or of another sitemap.
        lastmod: when it changed last, as written; empty where it is not told.
        title, published_at, language: of a news sitemap.
    """

    url: str
    lastmod: str = ""
    title: str = ""
    published_at: datetime | None = None
    language: str | None = None

    @property
    def changed_at(self) -> datetime | None:
        """When it changed last, None where that is not told."""
        return instant_of(self.lastmod)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap lists.

    Attributes:
        is_index: it lists other sitemaps.
        listed: in order.
        problem: why this is not all of it; None where it is.
    """

    is_index: bool
    listed: tuple[Listed, ...] = field(default=())
    problem: str | None = None


def is_sitemap(text: str) -> bool:
    """Tell whether a document is a sitemap or a list of them."""
    return root_name(text[:100_000]) in _ROOTS


def is_list_of_urls(text: str) -> bool:
    """Tell whether every line of a text that is not blank, and there is one, is an address."""
    lines = [line.strip() for line in text[:100_000].splitlines()]
    if len(text) > 100_000 and lines:
        lines.pop()
    lines = [line for line in lines if line]
    return bool(lines) and all(_URL.fullmatch(line) for line in lines)


def parse_sitemap(raw: bytes, *, charset: str | None = None) -> Sitemap:
    """Return what a sitemap lists; of one that is broken, what stands before the place, with its problem.

    Raises:
        SourceError: it is none, or one that must not be read; the message says why, without naming it.
    """
    raw = unzipped(raw, MAX_BYTES)
    if len(raw) > MAX_BYTES:
        raise SourceError(f"has {len(raw):,} bytes, at most {MAX_BYTES:,} are taken from a sitemap")
    text = xml_text(raw, charset)
    if is_sitemap(text):
        return _parsed(text)
    if not is_list_of_urls(text):
        raise SourceError("is no sitemap")
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    good = dict.fromkeys(line for line in lines[:MAX_LISTED] if _URL.fullmatch(line))
    problem = f"lists over {MAX_LISTED:,} addresses" if len(lines) > MAX_LISTED else None
    return Sitemap(False, tuple(Listed(line) for line in good), problem)


def _parsed(text: str) -> Sitemap:
    check_xml(text)  # raises where it must not be read; a broken one is read up to there
    is_index = _ROOTS[root_name(text[:100_000])]
    listed: dict[str, Listed] = {}
    problem = None
    try:
        for _, element in iterparse(io.BytesIO(text.encode("utf-8", "replace")), events=("end",), forbid_dtd=True):
            if _name(element) not in ("url", "sitemap"):
                continue
            if len(listed) >= MAX_LISTED:
                problem = f"lists over {MAX_LISTED:,} addresses"
                break
            found = _listed(element)
            if found is not None:
                listed.setdefault(found.url, found)
            element.clear()
    except ParseError as error:
        problem = f"is broken XML (line {error.position[0]})"
    except (DefusedXmlException, ValueError):
        raise SourceError("has a document type, which no sitemap needs; it is not read") from None
    return Sitemap(is_index, tuple(listed.values()), problem)


def _listed(element: Element) -> Listed | None:
    # Direct children only: pictures and films below have a `loc` of their own.
    told = {_name(each): (each.text or "").strip() for each in reversed(element)}
    url = told.get("loc", "")
    if not _URL.fullmatch(url):
        return None
    news = next((each for each in element if _name(each) == "news"), None)
    named: dict[str, Any] = {}
    if news is not None:
        inner = {_name(each): (each.text or "").strip() for each in news.iter()}
        named = {
            "title": " ".join(inner.get("title", "").split())[:1_000],
            "published_at": instant_of(inner.get("publication_date", "")),
            "language": inner.get("language", "").lower() or None,
        }
    return Listed(url, told.get("lastmod", "")[:64], **named)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def instant_of(value: str) -> datetime | None:
    """Return an instant in the form of the protocol (W3C Datetime, which may be a day, a month or a year), UTC without an offset."""
    value = value.strip().upper()
    try:
        if re.fullmatch(r"\d{4}(-\d\d)?", value):
            value = f"{value}-01-01"[:10]
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
