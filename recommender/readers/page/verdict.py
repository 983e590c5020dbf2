"""Whether a page is a story at all."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.html import HtmlElement

from recommender.errors import RecordError
from recommender.phrases import begins_with_phrase
from recommender.readers.page import site
from recommender.readers.page.claims import Claims
from recommender.readers.page.container import n_own_chars

# Classes of ``<body>`` by which WordPress, Ghost and others say what a page is.
_LISTS = frozenset(
    (
        *(
            "home",
            "blog",
            "archive",
            "category",
            "tag",
            "search",
            "search-results",
            "search-no-results",
            "author",
            "date",
            "taxonomy",
        ),
        *(
            "home-template",
            "tag-template",
            "author-template",
            "post-type-archive",
            "page-template-front-page",
            "frontpage",
            "front-page",
        ),
        "section-front",
    )
)
_LEAST_WORDS = 40
_LINKED_HEADINGS = XPath("count(.//*[self::h2 or self::h3][a[@href]])")
_MOST_LINKED_HEADINGS = 5
_MEND = "; give the address of a story, or leave it out"


def check(tree: HtmlElement, claims: Mapping[str, Claims], title: str | None, url: str | None) -> None:
    """Raise RecordError for what says that it is no story: a front page, a list, an error page, a page without headline."""
    body = next(tree.iter("body"), None)
    kinds = set(body.get("class", "").lower().split()) if body is not None else set()
    is_article = any(claims[source].is_article for source in ("json-ld", "microdata"))
    if title is None:
        raise RecordError("names no headline (JSON-LD headline, og:title, <h1> or <title>); a story needs one")
    shown = f"{title[:80]!r}"
    if "error404" in kinds or (not is_article and len(title) < 60 and begins_with_phrase(title, "not_found")):
        raise RecordError(f"is an error page: its headline is {shown}{_MEND}")
    if url is not None and site.is_front(url) and not is_article:
        raise RecordError(f"is a front page ({urlsplit(url).hostname}), not a story{_MEND}")
    if is_article:
        return
    if kinds & _LISTS and not kinds & {"single", "single-post", "post-template"}:
        raise RecordError(
            f"is a list of stories, not one: its <body> has the class {sorted(kinds & _LISTS)[0]!r}{_MEND}"
        )
    if claims["json-ld"].is_article is False:
        raise RecordError(f"is a list of stories or a page about the site, by its JSON-LD{_MEND}")


def check_body(claims: Mapping[str, Claims], story: HtmlElement, n_words: int) -> None:
    """Raise RecordError for a page that does not say that it is a story, and does not read like one.

    Args:
        claims: of the page.
        story: what was taken for its story, before links were taken out.
        n_words: in its text.
    """
    if any(each.is_article for each in claims.values()):
        return
    if n_words < _LEAST_WORDS:
        raise RecordError(
            f"does not say that it is a story, and has {n_words} words of text; at least {_LEAST_WORDS} are asked for then"
        )
    if n_own_chars(story) < len(str(story.text_content())) / 2:
        raise RecordError(f"is mostly links, and does not say that it is a story{_MEND}")
    if _LINKED_HEADINGS(story) >= _MOST_LINKED_HEADINGS:
        raise RecordError(f"is a list of stories, not one: its headings are links{_MEND}")
