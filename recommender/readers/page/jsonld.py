"""JSON-LD: every script of a page, every shape (``@graph``, lists, nested, by reference), also where it is slightly broken."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from typing import Any

from lxml.html import HtmlElement

from recommender.readers.page.claims import Claims
from recommender.readers.page.site import absolute, same_page
from recommender.text import title_key

Node = dict[str, Any]

_MAX_NODES = 5_000
_MAX_DEPTH = 50
_MOST_CHARS = 10_000  # of a string: no field of a record but the body is longer
_ARTICLES = re.compile(
    r"(?:\w*NewsArticle|Article|BlogPosting|LiveBlogPosting|AdvertiserContentArticle|Report|TechArticle|SatiricalArticle)"
)
_NO_ARTICLES = frozenset(
    (
        "CollectionPage",
        "SearchResultsPage",
        "ProfilePage",
        "ContactPage",
        "AboutPage",
        "CheckoutPage",
        "FAQPage",
        "Blog",
    )
)
# What stands under these is about other stories.
_OTHERS = frozenset(
    (
        "itemListElement",
        "hasPart",
        "citation",
        "mentions",
        "relatedLink",
        "isRelatedTo",
        "isBasedOn",
        "subjectOf",
        "blogPost",
        "liveBlogUpdate",
        "comment",
    )
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_WRAPPING = re.compile(r"<!\[CDATA\[|\]\]>|<!--|-->|^\s*//.*$", re.MULTILINE)
_BROKEN_STRING = re.compile(r"[\x00-\x1f]+")


def claims(tree: HtmlElement, page_urls: list[str], titles: list[str]) -> Claims:
    """Return what the JSON-LD of a page claims of the page itself.

    Args:
        tree: of the page.
        page_urls: by which the page is known otherwise; with the titles they tell its own story from those that it links to.
        titles: by which the page is known otherwise.
    """
    nodes = list(_nodes([document for script in _scripts(tree) for document in _documents(script)]))
    by_id = {node["@id"]: node for node, _ in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    articles = [(node, is_other, at) for at, (node, is_other) in enumerate(nodes) if _is_article(node)]
    found = Claims()
    if articles:
        keys = {title_key(title) for title in titles}
        node = min(articles, key=lambda each: (-_fit(each[0], page_urls, keys, is_other=each[1]), each[2]))
        if not node[1] or _fit(node[0], page_urls, keys, is_other=True) > 0:
            _read(node[0], by_id, found)
            found.is_article = True
    if not found.is_article and any(_types(node) & _NO_ARTICLES for node, is_other in nodes if not is_other):
        found.is_article = False
    _read_surroundings(nodes, by_id, found)
    return found


def _scripts(tree: HtmlElement) -> Iterator[str]:
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "").lower() and script.text:
            yield script.text


def _documents(script: str) -> Iterator[object]:
    """Yield the JSON values of one script, mended where that is plain: comments, CDATA, trailing commas, raw line breaks."""
    mended = _WRAPPING.sub("", script)
    attempts = (
        script,
        mended,
        _TRAILING_COMMA.sub("", mended),
        _BROKEN_STRING.sub(" ", _TRAILING_COMMA.sub("", unescape(mended))),
    )
    for text in attempts:
        try:
            values, at = [], 0
            text = text.strip().rstrip(";").rstrip()
            while at < len(text):
                value, end = _DECODER.raw_decode(text, at)
                values.append(value)
                at = end + len(text[end:]) - len(text[end:].lstrip(" \t\r\n,;"))
        except (ValueError, RecursionError):
            continue
        yield from values
        return


_DECODER = json.JSONDecoder(strict=False)


def _nodes(documents: list[object]) -> Iterator[tuple[Node, bool]]:
    """Yield every object of the documents, those near the top first, and whether it stands among other stories."""
    waiting: deque[tuple[object, bool, int]] = deque((document, False, 0) for document in documents)
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        value, is_other, depth = waiting.popleft()
        if depth > _MAX_DEPTH:
            continue
        if isinstance(value, list):
            waiting.extend((item, is_other, depth + 1) for item in value[:_MAX_NODES])
        elif isinstance(value, dict):
            yield value, is_other
            inside = is_other or "ItemList" in _types(value)
            waiting.extend(
                (each, inside or name in _OTHERS, depth + 1)
                for name, each in value.items()
                if isinstance(each, dict | list)
            )


def _types(node: Node) -> set[str]:
    return {re.split(r"[/#:]", name)[-1] for name in strings(node.get("@type"))}


def _is_article(node: Node) -> bool:
    return any(_ARTICLES.fullmatch(name) for name in _types(node)) and any(
        name in node for name in ("headline", "name", "datePublished", "articleBody", "author")
    )


def _fit(node: Node, page_urls: list[str], keys: set[str], *, is_other: bool) -> int:
    """Return how surely a node is about this page: by its address, by its headline, by standing on its own."""
    addresses = [absolute(each, None) for each in _addresses(node)]
    by_address = any(same_page(each, page) for each in addresses for page in page_urls)
    by_title = any(
        title_key(clean_string(each)) in keys for each in strings(node.get("headline")) + strings(node.get("name"))
    )
    return 4 * by_address + 2 * by_title + (not is_other)


def _addresses(node: Node) -> list[str]:
    found = strings(node.get("url")) + ids(node.get("mainEntityOfPage")) + ids(node.get("@id"))
    return [each.split("#", 1)[0] for each in found]


def _read(node: Node, by_id: dict[str, Node], into: Claims) -> None:
    into.titles += strings(node.get("headline")) or strings(node.get("name"))
    into.descriptions += strings(node.get("description")) + strings(node.get("alternativeHeadline"))
    into.published += strings(node.get("datePublished")) + strings(node.get("dateCreated"))
    into.modified += strings(node.get("dateModified"))
    for name in ("author", "creator"):
        if not into.authors:
            into.authors += _names(node.get(name), by_id)
    into.agencies += _names(node.get("sourceOrganization"), by_id)
    into.sections += strings(node.get("articleSection"))
    keywords = strings(node.get("keywords"))
    into.tags += [part for each in keywords for part in (each.split(",") if len(keywords) == 1 else [each])]
    into.images += _images(node.get("image"), by_id) + _images(node.get("thumbnailUrl"), by_id)
    into.languages += strings(node.get("inLanguage"))
    into.urls += _addresses(node)
    into.kinds += sorted(_types(node))
    if isinstance(node.get("articleBody"), str):
        into.bodies.append(clean_string(node["articleBody"]))
    into.site_names += _names(node.get("publisher"), by_id)


def _read_surroundings(nodes: list[tuple[Node, bool]], by_id: dict[str, Node], into: Claims) -> None:
    for node, _ in nodes:
        types = _types(node)
        if "WebSite" in types:
            into.site_names += strings(node.get("name"))
        elif "WebPage" in types and into.is_article:
            into.languages += strings(node.get("inLanguage"))
            into.published += strings(node.get("datePublished"))
            into.modified += strings(node.get("dateModified"))
        elif "BreadcrumbList" in types and isinstance(node.get("itemListElement"), list):
            crumbs = [
                name
                for item in node["itemListElement"][:20]
                for name in _names(item, by_id) or _names(_item(item), by_id)
            ]
            into.sections += crumbs[-2:-1] if len(crumbs) > 2 else []


def _item(value: object) -> object:
    return value.get("item") if isinstance(value, dict) else None


def strings(value: object) -> list[str]:
    """Return the strings of a value that may be one, a list of them, or objects with ``@value``, ``name``."""
    if isinstance(value, str):
        return [clean_string(value[:_MOST_CHARS])] if value.strip() else []
    if isinstance(value, list):
        return [each for item in value[:200] if not isinstance(item, list) for each in strings(item)]
    if isinstance(value, dict):
        return strings(value.get("@value") or value.get("name") or value.get("alternateName"))
    return []


def ids(value: object) -> list[str]:
    """Return the addresses of a value: itself, or its ``@id`` and ``url``."""
    if isinstance(value, dict):
        return strings(value.get("@id")) + strings(value.get("url"))
    if isinstance(value, list):
        return [each for item in value[:20] if not isinstance(item, list) for each in ids(item)]
    return strings(value)


def clean_string(value: str) -> str:
    """Return a string of JSON-LD as text: entities resolved, also those that were escaped twice, and tags taken out."""
    for _ in range(2):
        if "&" in value:
            value = unescape(value)
    return re.sub(r"</?[a-zA-Z][^<>]{0,200}>", "", value).strip()


def _names(value: object, by_id: dict[str, Node]) -> list[str]:
    if isinstance(value, list):
        return [each for item in value[:50] if not isinstance(item, list) for each in _names(item, by_id)]
    if isinstance(value, dict):
        own = strings(value.get("name"))
        referred = by_id.get(value["@id"]) if isinstance(value.get("@id"), str) else None
        return own or (strings(referred.get("name")) if referred else [])
    return [each for each in strings(value) if not each.startswith(("http://", "https://", "#"))]


def _images(value: object, by_id: dict[str, Node]) -> list[str]:
    if isinstance(value, list):
        return [each for item in value[:20] if not isinstance(item, list) for each in _images(item, by_id)]
    if isinstance(value, dict):
        referred = by_id.get(value["@id"], {}) if isinstance(value.get("@id"), str) else {}
        found = [strings(node.get(name)) for node in (value, referred) for name in ("url", "contentUrl")]
        return [each for some in found for each in some] or strings(value.get("@id"))
    return strings(value)
