"""Which addresses belong to one site, and which of them lead to stories."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from recommender.readers.page.marks import names
from recommender.text import canonical_url, url_key

_MAX_CHARS = 2_000
_NAMES = re.compile(r"(?:[\w-]+\.)+[^\W\d][\w-]*")
_PAGE_FILE = re.compile(r"\.(?:html?|php|aspx?|shtml|jsp|amp)$")
_OTHER_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|pdf|mp[34]|m4a|zip|docx?|xlsx?|xml|json|css|js|ics|rss)$")
_BY_QUERY = frozenset(("p", "id", "article", "story", "newsid", "aid", "nid"))
_YEAR_BEFORE = re.compile(r"/(?:19|20)\d\d/")
_YEAR_ALONE = re.compile(r"(?:/(?:19|20)\d\d)?(?:/\d\d?){0,2}")


def absolute(href: str, base: str | None) -> str | None:
    """Return the canonical address of a link on a page, None when it leads to no http(s) page (or to a place on this one)."""
    href = href.strip()
    if not href or href.startswith("#") or len(href) > _MAX_CHARS:
        return None
    return _absolute(href, base)


@lru_cache(maxsize=4096)  # a site's pages link to the same sections again and again
def _absolute(href: str, base: str | None) -> str | None:
    try:
        return canonical_url(urljoin(base, href) if base else href)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def key(url: str) -> str | None:
    """Return what two addresses of one page share; ``url`` is an absolute one."""
    return url_key(url)


def rough(href: str) -> str:
    """Return an address as a page writes it without its host: quick, and enough to tell whether two links of one page are one."""
    return _rough(href) if len(href) <= _MAX_CHARS else ""


@lru_cache(maxsize=8192)  # every page of a site has the same menus
def _rough(href: str) -> str:
    at = href.find("//", 0, 8)
    if at >= 0:
        path = href.find("/", at + 2)
        href = href[path:] if path > 0 else ""
    return href.strip().rstrip("/")


def same_site(one: str, other: str) -> bool:
    """Tell whether two addresses have one registered domain (``www.paper.co.uk``, ``m.paper.co.uk``), or one host."""
    return registered_domain(one) == registered_domain(other)


def registered_domain(url: str) -> str:
    """Return the domain that somebody registered, by the public suffix list; of other names the last two parts, of numbers all."""
    try:
        return _registered(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def _registered(host: str) -> str:
    from tld import get_fld

    if not _NAMES.fullmatch(host):
        return host
    return get_fld(host, fail_silently=True, fix_protocol=True, search_private=True) or ".".join(host.split(".")[-2:])


def is_front(url: str) -> bool:
    """Tell whether an address is that of a site's front page."""
    parts = urlsplit(url)
    return parts.path.strip("/").lower() in ("", "index.html", "index.php", "home") and not parts.query


def may_be_story(url: str) -> bool:
    """Tell whether nothing in an address says that it leads elsewhere than to a story (a front page, a tag, a file)."""
    parts = urlsplit(url)
    path = unquote(parts.path).lower()
    segments = [segment for segment in path.split("/") if segment]
    if not segments:
        return any(name.lower() in _BY_QUERY for name, _ in parse_qsl(parts.query))
    return not (_OTHER_FILE.search(path) or _YEAR_ALONE.fullmatch(path) or names("paths") & set(segments))


def is_story(url: str) -> bool:
    """Tell whether an address looks like a story's: a year in its path, or a last part of several words, with a number, or
    with the ending of a page."""
    if not may_be_story(url):
        return False
    parts = urlsplit(url)
    if any(name.lower() in _BY_QUERY for name, _ in parse_qsl(parts.query)):
        return True
    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    last = segments[-1]
    if last in ("amp", "index.html") and len(segments) > 1:
        last = segments[-2]
    dated = bool(_YEAR_BEFORE.search(parts.path)) and not last.isdigit()
    return dated or bool(_PAGE_FILE.search(last)) or len(slug_words(last)) >= 3 or bool(re.search(r"\d{4}", last))


def slug_words(segment: str) -> list[str]:
    """Return the words of the last part of a path, without its ending and numbers."""
    bare = _PAGE_FILE.sub("", unquote(segment))
    return [word for word in re.split(r"[-_+. ]+", bare) if word and not word.isdigit()]


def title_from(url: str) -> str:
    """Return the words of an address as a headline; may be empty."""
    segments = [
        segment for segment in urlsplit(url).path.split("/") if segment and segment not in ("amp", "index.html")
    ]
    words = slug_words(segments[-1]) if segments else []
    return " ".join(words) if len(words) >= 3 else ""


def same_page(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are one page's."""
    return bool(one and other) and key(one or "") == key(other or "")


def is_part(url: str, page: str | None) -> bool:
    """Tell whether an address leads to a page itself: with another query (to share it, to print it), too, or to a page under it."""
    if page is None:
        return False
    if same_page(url, page):
        return True
    ours, theirs = (key(each.partition("?")[0]) or "" for each in (page, url))
    by_query = any(name.lower() in _BY_QUERY for name, _ in parse_qsl(urlsplit(page).query))
    return not by_query and not is_front(page) and (theirs == ours or theirs.startswith(f"{ours}/"))
