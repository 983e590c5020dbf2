"""What is refused before any parser sees it, and what of a parsed page no extractor should see."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import XPath
from lxml.html import HtmlElement

from recommender.errors import RecordError

MAX_BYTES = 2 * 2**20
MAX_ATTRIBUTES = 1_000
MAX_DEPTH = 250

# One pass: a comment, a script or style with what is in it, or a tag as HTML reads it (quotes count after "=" only).
_TAGS = re.compile(
    r"<(?:!--.*?(?:-->|\Z)"
    r"|(?:script|style)\b[^>]*+>.*?(?:</(?:script|style)\b|\Z)"
    r"|[a-z][^\s/>]*+(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z))",
    re.DOTALL,
)
# A ">" within quotes after "=": only there may a tag go on behind it.
_QUOTED_END = re.compile(r"=\s*+(?:\"[^\">]*+>|'[^'>]*+>)")
_TAG_BEGINS = re.compile("<[a-zA-Z]")
_ATTRIBUTES = re.compile(r"<(?!script|style)[a-z][^\s/>]*(.*)", re.DOTALL)
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)")
_TOO_DEEP = XPath(f"boolean({'/*' * MAX_DEPTH})")
_TOO_MANY = XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES}])")


def check_size(raw: bytes) -> None:
    """Raise RecordError for a page that is larger than any story."""
    if len(raw) > MAX_BYTES:
        raise RecordError(f"the page has {len(raw):,} bytes, at most {MAX_BYTES:,} are taken; is it a story?")


def has_long_tag(html: str) -> bool:
    """Tell whether a tag may have more than ``MAX_ATTRIBUTES``, however the page is parsed. A quick look, linear in the length of ``html``.

    So many attributes take as many characters, and none of these is the ">" that ends a tag, unless it is quoted.
    """
    for start, end in _long_parts(html):
        begins = _TAG_BEGINS.search(html, start, end)
        if begins is not None and end - begins.start() > MAX_ATTRIBUTES:
            return True
    return _QUOTED_END.search(html) is not None


def _long_parts(html: str) -> Iterator[tuple[int, int]]:
    """Yield where more than ``MAX_ATTRIBUTES`` characters without a ">" begin and end; between them it goes from one ">" to a far one."""
    at = 0
    while at + MAX_ATTRIBUTES < len(html):
        last = html.rfind(">", at, at + MAX_ATTRIBUTES + 1)
        if last < 0:
            last = html.find(">", at)
            last = len(html) if last < 0 else last
            yield at, last
        at = last + 1


def check_markup(html: str) -> None:
    """Raise RecordError for a tag with more attributes than lxml reads in a moment (it takes 49 seconds for 40,000).

    One pass, linear in the length of ``html``.
    """
    for tag in (each for each in _TAGS.findall(html.lower()) if len(each) > 2 * MAX_ATTRIBUTES):
        attributes = _ATTRIBUTES.match(tag)
        if attributes and len(re.split(r"[\s/]+", _QUOTED.sub(" ", attributes[1]))) > MAX_ATTRIBUTES:
            raise RecordError(f"a tag has over {MAX_ATTRIBUTES:,} attributes ({tag[:20]} …); no story needs that")


def check_attributes(tree: HtmlElement) -> None:
    """Raise RecordError for a tree that has an element with too many attributes all the same."""
    if _TOO_MANY(tree):
        raise RecordError(f"an element has over {MAX_ATTRIBUTES:,} attributes; no story needs that")


def check_tree(tree: HtmlElement) -> None:
    """Raise RecordError for a tree that is not the whole page: lxml leaves out what is nested too deep."""
    if _TOO_DEEP(tree):
        raise RecordError(f"its elements are nested over {MAX_DEPTH} deep; are they closed?")
