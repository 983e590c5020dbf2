"""A page into a record: everything together. Runs where a page that keeps it busy can be ended (``pool``)."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml.html import HtmlElement

from recommender.article import ReadMore
from recommender.readers.page import container, fields, jsonld, marks, verdict
from recommender.readers.page import meta as metadata
from recommender.readers.page.blocks import is_boilerplate, paragraphs
from recommender.readers.page.claims import Claims
from recommender.readers.page.document import decoded, parse
from recommender.readers.page.guard import check_size
from recommender.readers.page.links import Seeker
from recommender.readers.page.mend import mend
from recommender.readers.page.site import absolute
from recommender.text import title_key, words

Record = dict[str, Any]

_MOST_LINKS = 100
_SHOWN_CHARS = 200
_TIME_ALONE = re.compile(r"\d{1,2}[:.]\d\d(?:\s?[ap]\.?m\.?)?(?:\s[A-Z]{2,4})?")


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a story.

    Attributes:
        text: paragraphs parted by newlines, without the editor's block of links.
        read_more: the editor's links, in order.
    """

    text: str
    read_more: tuple[ReadMore, ...]


def body_of(html: str, *, url: str | None = None) -> Body:
    """Return the body that a piece of HTML holds; see ``page.body_from_html``."""
    check_size(html.encode("utf-8", "replace"))
    if not html.strip():
        return Body("", ())
    tree = parse(f"<html><body><div>{html}</div></body></html>")
    body = next(tree.iter("body"))
    mend(body)
    container.prune(body)
    read_more = Seeker(absolute(url, None) if url else None).take(body, [])
    text = [each for each in paragraphs(body) if not is_boilerplate(each)]
    return Body("\n".join(text), tuple(read_more[:_MOST_LINKS]))


def record_from_page(raw: bytes, url: str | None = None, charset: str | None = None) -> Record:
    """Return the record of the story on a page; ``readers.article_from_record`` makes an article of it.

    Raises:
        RecordError: it is no story, or none that can be read; the message says why.
    """
    check_size(raw)
    tree = parse(decoded(raw, charset))
    url = absolute(url, None) if url else None
    claims = _claims(tree, url)
    own = fields.url_of(claims, url)
    title = fields.title_of(claims)
    verdict.check(tree, claims, title, own)
    body = next(tree.iter("body"))
    elsewhere = fields.navigation(tree)
    mend(body)
    container.prune(body)
    story = container.find(body)
    if any("LiveBlogPosting" in each.kinds for each in claims.values()):
        story = container.widened(story)
    found = deepcopy(story.element) if not any(each.is_article for each in claims.values()) else story.element
    read_more = Seeker(own, elsewhere).take(story.element, _below(story.element))
    text = _text(story, title or "", claims)
    verdict.check_body(claims, found, len(words(text)))
    return _record(claims, tree, own, title, text, read_more)


def _claims(tree: HtmlElement, url: str | None) -> dict[str, Claims]:
    names = metadata.meta(tree)
    claims = {
        "opengraph": metadata.opengraph(names),
        "meta": metadata.dublin_core(names),
        "microdata": metadata.microdata(tree),
        "window": fields.window(tree),
        "page": fields.page(tree),
    }
    urls = [
        each
        for each in (url, *(absolute(each, url) for each in claims["page"].urls + claims["opengraph"].urls))
        if each
    ]
    titles = [*claims["opengraph"].titles, *claims["window"].titles, *claims["page"].titles]
    claims["json-ld"] = jsonld.claims(tree, urls, titles)
    if not fields.authors_of(claims):
        claims["page"].authors = list(fields.bylines(tree))
    return claims


def _below(element: HtmlElement) -> list[HtmlElement]:
    """Return what stands after the body inside the box that has the headline, too (or ``<article>``, ``<main>``), and is no sidebar."""
    found: list[HtmlElement] = []
    each = element
    while each.tag not in ("article", "main", "body") and next(each.iter("h1"), None) is None:
        found += [
            after
            for after in each.itersiblings()
            if after.tag not in ("aside", "footer", "nav") or marks.is_related(after)
        ]
        if each.getparent() is None:
            break
        each = each.getparent()
    return found


def _text(story: container.Container, title: str, claims: dict[str, Claims]) -> str:
    found = [each for each in story.story() if not (is_boilerplate(each) or _TIME_ALONE.fullmatch(each))]
    if story.text and sum(map(len, found)) < 0.6 * len(story.text):
        found = [each.removeprefix("- ") for each in story.text.split("\n") if not is_boilerplate(each)]
    declared = max(claims["json-ld"].bodies, key=len, default="")
    if sum(map(len, found)) < min(_SHOWN_CHARS, len(declared)):  # shown by a script, which nobody runs here
        found = [each for each in declared.split("\n") if each.strip() and not is_boilerplate(each)]
    known = {title_key(title)} | {title_key(each) for claim in claims.values() for each in claim.descriptions[:10]}
    while found and title_key(found[0]) in known:  # headline and standfirst stand in fields of their own
        found.pop(0)
    return "\n".join(found)


def _record(
    claims: dict[str, Claims],
    tree: HtmlElement,
    url: str | None,
    title: str | None,
    text: str,
    read_more: list[ReadMore],
) -> Record:
    published, modified = fields.dates_of(claims)
    section = fields.first(fields.in_order(claims, "sections"))
    authors = fields.authors_of(claims)
    image = fields.first(each for each in fields.in_order(claims, "images") if not each.startswith("data:"))
    standfirst = fields.first(fields.in_order(claims, "descriptions")) or ""
    return {
        "title": title,
        "description": "" if title_key(standfirst) == title_key(title or "") else standfirst,
        "text": text,
        "url": url,
        "image_url": image,
        "published_at": published.isoformat() if published else None,
        "modified_at": modified.isoformat() if modified else None,
        "language": fields.language_of(claims, f"{title}\n{text}"),
        "section": section[:300] if section else None,
        "tags": [each[:300] for each in fields.tags_of(claims)],
        "authors": [each[:300] for each in authors[:50]],
        "kind": fields.kind_of(claims, tree, section, authors),
        "read_more": [{"title": each.title[:1_000], "url": each.url} for each in read_more[:_MOST_LINKS]],
    }
