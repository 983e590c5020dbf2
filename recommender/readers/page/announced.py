"""The feeds that a page announces to browsers and readers of feeds."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from lxml.html import HtmlElement

from recommender.readers.page.document import decoded, parse
from recommender.text import clean_line

_TYPES = frozenset(("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"))
_MOST = 20
_MOST_CHARS = 2_000
_COMMENTS = ("/comments/", "comments/feed", "comment-page")


@dataclass(frozen=True, slots=True)
class Announced:
    """A feed as a page names it: its absolute http(s) address, and its title, which may be empty."""

    url: str
    title: str


def announced(raw: bytes, url: str, charset: str | None) -> list[Announced]:
    """Return the feeds that a page announces; see ``page.feeds_of_page``."""
    tree = parse(decoded(raw, charset))
    base = _joined(url, next((each.get("href", "") for each in tree.iter("base")), "")) or url
    found: dict[str, Announced] = {}
    for link in tree.iter("link"):
        address = _joined(base, link.get("href", "")) if _is_feed(link) else None
        if address is not None and not any(part in address.lower() for part in _COMMENTS):
            found.setdefault(address, Announced(address, clean_line(link.get("title", ""))[:200]))
    return list(found.values())[:_MOST]


def _is_feed(link: HtmlElement) -> bool:
    kind = link.get("type", "").partition(";")[0].strip().lower()
    return kind in _TYPES and "alternate" in link.get("rel", "").lower().split()


def _joined(base: str, href: str) -> str | None:
    """Return an address as it stands on the page, made absolute; None where it leads elsewhere than to http(s), or from https to http."""
    href = href.strip()
    if not href or len(href) > _MOST_CHARS:
        return None
    try:
        joined = urljoin(base, href)
    except ValueError:
        return None
    fit = ("https://",) if base.lower().startswith("https://") else ("https://", "http://")
    return joined if joined.lower().startswith(fit) else None
