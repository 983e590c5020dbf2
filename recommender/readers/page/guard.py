"""What is refused before any parser sees it, and what of a parsed page no extractor should see."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from recommender.errors import RecordError

MAX_BYTES = 2 * 2**20
MAX_ATTRIBUTES = 1_000
MAX_DEPTH = 1_000

# One pass: a comment, a script or style with what is in it, or a tag as HTML reads it (quotes count after "=" only).
_TAG = re.compile(
    r"<(?:!--.*?(?:-->|\Z)"
    r"|(?i:script|style)\b[^>]*+>.*?(?:</(?i:script|style)\b|\Z)"
    r"|(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z))",
    re.DOTALL,
)
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)")
_NEVER_OPEN = frozenset(
    (
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
            "wbr",
        ),
        *(
            "p",
            "li",
            "td",
            "th",
            "tr",
            "tbody",
            "thead",
            "dt",
            "dd",
            "option",
            "html",
            "head",
            "body",
            "path",
            "circle",
            "rect",
        ),
    )
)


def check_size(raw: bytes) -> None:
    """Raise RecordError for a page that is larger than any story."""
    if len(raw) > MAX_BYTES:
        raise RecordError(f"the page has {len(raw):,} bytes, at most {MAX_BYTES:,} are taken; is it a story?")


def check_markup(html: str) -> None:
    """Raise RecordError for markup that is made to keep a parser busy; one pass, linear in the length of ``html``."""
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag["name"]
        if name is None:
            continue
        rest = tag["rest"]
        if len(rest) > 2 * MAX_ATTRIBUTES and len(re.split(r"[\s/]+", _QUOTED.sub(" ", rest))) > MAX_ATTRIBUTES:
            raise RecordError(f"a <{name[:20]}> tag has over {MAX_ATTRIBUTES:,} attributes; no story needs that")
        if name.lower() in _NEVER_OPEN or rest.endswith("/"):
            continue
        depth = max(0, depth - 1) if tag["end"] else depth + 1
        if depth > MAX_DEPTH:
            raise RecordError(f"over {MAX_DEPTH:,} elements are open at once; no story needs that")


def check_tree(tree: HtmlElement) -> None:
    """Raise RecordError where the parser read more attributes than the scan before it."""
    if any(len(element.attrib) > MAX_ATTRIBUTES for element in tree.iter()):
        raise RecordError(f"an element has over {MAX_ATTRIBUTES:,} attributes; no story needs that")
