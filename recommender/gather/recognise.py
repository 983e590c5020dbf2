"""What lies at an address, told by looking at it."""

from __future__ import annotations

import zlib
from enum import StrEnum
from urllib.parse import urlsplit

from recommender import readers
from recommender.fetch import Fetched

_LOOKED_AT_BYTES = 100_000
_JSON_FEED = b"https://jsonfeed.org/version/1"


class Kind(StrEnum):
    """What a source is; ``SITE`` is the root of a site, whose robots.txt names its sitemaps."""

    PAGE = "page"
    FEED = "feed"
    SITEMAP = "sitemap"
    SITE = "site"


def kind_of(fetched: Fetched) -> Kind:
    """Return what was fetched; what looks like nothing else is a page. What the server says it is counts for nothing."""
    start = _start(fetched.body)
    text = readers.xml_text(start, fetched.charset)
    if readers.is_feed(text) or (readers.begins_json(start) and _JSON_FEED in start.replace(b"\\/", b"/")):
        return Kind.FEED
    if readers.is_sitemap(text) or readers.is_list_of_urls(text):
        return Kind.SITEMAP
    parts = urlsplit(fetched.url)
    return Kind.SITE if parts.path in ("", "/") and not parts.query else Kind.PAGE


def _start(raw: bytes) -> bytes:
    if not raw.startswith(b"\x1f\x8b"):
        return raw[:_LOOKED_AT_BYTES]
    try:
        return zlib.decompressobj(wbits=31).decompress(raw, _LOOKED_AT_BYTES)
    except zlib.error:
        return b""
