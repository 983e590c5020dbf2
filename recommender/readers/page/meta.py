"""Claims of ``<meta>``: OpenGraph, ``article:``, Dublin Core and the names that analytics services read; and of microdata."""

from __future__ import annotations

import re
from collections import defaultdict

from lxml.etree import XPath
from lxml.html import HtmlElement

from recommender.readers.page.claims import Claims

_ARTICLE_TYPE = re.compile(r"(?:\w*NewsArticle|Article|BlogPosting|LiveBlogPosting|AdvertiserContentArticle|Report)$")
_SCOPES = XPath("//*[@itemscope]")
_PROPERTIES = XPath(".//*[@itemprop]")
_LISTED = 200
_MOST_CHARS = 10_000


def meta(tree: HtmlElement) -> dict[str, list[str]]:
    """Return the contents of ``<meta>`` by lower-case ``property``, ``name`` or ``itemprop``, in the order of the page."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for element in tree.iter("meta"):
        content = element.get("content", "").strip()[:_MOST_CHARS]
        name = element.get("property") or element.get("name") or ""
        if content and name:
            for each in name.lower().split():
                found[each].append(content)
    return found


def opengraph(names: dict[str, list[str]]) -> Claims:
    """Return what OpenGraph and its ``article:`` names claim."""
    kinds = names.get("og:type", [])
    found = Claims(
        titles=_of(names, "og:title"),
        descriptions=_of(names, "og:description"),
        published=_of(names, "article:published_time", "article:published", "og:article:published_time"),
        modified=_of(names, "article:modified_time", "article:modified", "og:updated_time"),
        authors=[each for each in _of(names, "article:author", "og:article:author") if not each.startswith("http")],
        sections=_of(names, "article:section"),
        tags=_of(names, "article:tag"),
        images=_of(names, "og:image:secure_url", "og:image:url", "og:image"),
        languages=_of(names, "og:locale"),
        urls=_of(names, "og:url"),
        site_names=_of(names, "og:site_name"),
    )
    if any(kind.lower() in ("article", "news.article", "og:article") for kind in kinds) or found.published:
        found.is_article = True
    elif any(kind.lower() in ("website", "profile", "blog") for kind in kinds):
        found.is_article = False
    if any(each.lower() == "true" for each in _of(names, "article:opinion")):
        found.kinds.append("opinion")
    return found


def dublin_core(names: dict[str, list[str]]) -> Claims:
    """Return what Dublin Core and the plain names (``author``, ``keywords``, ``parsely-…``, ``sailthru.…``) claim."""
    keywords = _of(names, "news_keywords", "keywords", "parsely-tags", "sailthru.tags")[:1]
    return Claims(
        titles=_of(names, "dc.title", "dcterms.title", "parsely-title", "sailthru.title", "twitter:title"),
        descriptions=_of(names, "description", "dc.description", "dcterms.description", "twitter:description"),
        published=_of(
            names, "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date", "dcterms.date", "parsely-pub-date", "sailthru.date",
            "cxenseparse:recs:publishtime", "pubdate", "publish-date", "publish_date", "publication_date", "date", "article.published",
        ),
        modified=_of(names, "dcterms.modified", "dc.date.modified", "last-modified", "article.updated", "lastmod"),
        authors=[each for each in _of(names, "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author", "author") if not each.startswith("http")],
        sections=_of(names, "parsely-section", "dc.subject", "section"),
        tags=[part for each in keywords for part in each.split(",")],
        images=_of(names, "twitter:image", "twitter:image:src", "parsely-image-url", "sailthru.image.full"),
        languages=_of(names, "dc.language", "dcterms.language", "content-language", "language"),
        urls=_of(names, "parsely-link"),
        site_names=_of(names, "application-name"),
    )  # fmt: skip


def _of(names: dict[str, list[str]], *wanted: str) -> list[str]:
    return [each for name in wanted for each in names.get(name, ())][:_LISTED]


def microdata(tree: HtmlElement) -> Claims:
    """Return what the first ``itemscope`` of an article on the page claims by microdata."""
    found = Claims()
    scope = next((each for each in _SCOPES(tree) if _ARTICLE_TYPE.search(each.get("itemtype", ""))), None)
    if scope is None:
        return found
    found.is_article = True
    found.kinds.append(scope.get("itemtype", "").rsplit("/", 1)[-1])
    into = {
        "headline": found.titles, "description": found.descriptions, "datepublished": found.published, "datemodified": found.modified,
        "articlesection": found.sections, "keywords": found.tags, "inlanguage": found.languages, "image": found.images, "url": found.urls,
        "mainentityofpage": found.urls, "author": found.authors,
    }  # fmt: skip
    for element in _PROPERTIES(scope):
        for name in element.get("itemprop", "").lower().split():
            if name in into and _scope_of(element) is scope:
                into[name] += [each for each in (_value(element),) if each][: _LISTED - len(into[name])]
    return found


def _scope_of(element: HtmlElement) -> HtmlElement | None:
    parent = element.getparent()
    while parent is not None and parent.get("itemscope") is None:
        parent = parent.getparent()
    return parent


def _value(element: HtmlElement) -> str:
    if element.get("itemscope") is not None:
        inner = next(
            (
                each
                for each in element.iter()
                if each.get("itemprop", "").lower() in ("name", "url") and each is not element
            ),
            None,
        )
        return "" if inner is None else _value(inner)
    for name in ("content", "datetime", "src", "href"):
        if element.get(name):
            return str(element.get(name)).strip()
    return " ".join(str(element.text_content()).split())
