"""Who is believed, field by field. The order is fixed, and it is documented in README ("From your own site")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from lxml.etree import XPath
from lxml.html import HtmlElement

from recommender.phrases import begins_with_phrase, is_phrase
from recommender.readers.page import marks, site
from recommender.readers.page.blocks import text_of
from recommender.readers.page.claims import Claims
from recommender.readers.page.dates import instant, most_trusted
from recommender.text import title_key

TRUST: Mapping[str, tuple[str, ...]] = {
    "titles": ("json-ld", "opengraph", "microdata", "meta", "window", "page"),
    "descriptions": ("json-ld", "opengraph", "microdata", "meta", "page"),
    "published": ("json-ld", "opengraph", "microdata", "meta", "page"),
    "modified": ("json-ld", "opengraph", "microdata", "meta", "page"),
    "authors": ("json-ld", "meta", "microdata", "opengraph", "page"),
    "sections": ("json-ld", "opengraph", "microdata", "meta", "page"),
    "tags": ("json-ld", "opengraph", "meta", "microdata", "page"),
    "images": ("json-ld", "opengraph", "microdata", "meta", "page"),
    "languages": ("page", "json-ld", "opengraph", "meta", "microdata"),
    "urls": ("page", "json-ld", "opengraph", "microdata", "meta"),
}
"""For each field the sources of :class:`Claims`, most trusted first."""

_AGENCIES = frozenset(
    (
        "reuters",
        "ap",
        "associated press",
        "the associated press",
        "afp",
        "agence france-presse",
        "dpa",
        "ansa",
        "efe",
        "pap",
        "ukrinform",
        "укрінформ",
        "interfax-ukraine",
        "інтерфакс-україна",
        "anp",
        "belga",
        "apa",
        "sda",
        "keystone-sda",
        "lusa",
        "upi",
        "xinhua",
        "tass",
        "тасс",
        "interfax",
        "интерфакс",
        "kyodo",
    )
)
_TITLE_CHARS = 1_000
_MOST_HEADINGS = 20
_HREFS = XPath(".//a/@href", smart_strings=False)
_TAGGED = XPath(".//a[contains(@rel, 'tag')]")
_WRITTEN = XPath(".//*[self::a or self::span][contains(concat(' ', @rel, ' '), ' author ')]")
_NAMED = XPath(".//*[contains(@class, 'byline') or contains(@class, 'author')]")
_BETWEEN_NAMES = re.compile(r"\s*(?:[,;|/]|\s(?:and|und|et|y|e|i|en|та|і|й|и)\s|&)\s*")
_SCRIPTS = {"latin": re.compile("[A-Za-z\u00c0-\u024f]"), "cyrillic": re.compile("[\u0400-\u04ff]"), "arabic": re.compile("[\u0600-\u06ff]"), "cjk": re.compile("[\u3040-\u30ff\u4e00-\u9fff]"), "hangul": re.compile("[\uac00-\ud7af]"), "greek": re.compile("[\u0370-\u03ff]"), "hebrew": re.compile("[\u0590-\u05ff]")}  # fmt: skip
_SCRIPT_OF = {
    **dict.fromkeys(("en", "de", "fr", "es", "pl", "it", "pt", "nl", "sv", "da", "no", "nb", "nn", "fi", "cs", "sk", "ro", "hu", "tr", "et", "lv", "lt", "hr", "sl"), "latin"),
    **dict.fromkeys(("uk", "ru", "be", "bg", "mk"), "cyrillic"),
    **dict.fromkeys(("ar", "fa", "ur"), "arabic"), **dict.fromkeys(("zh", "ja"), "cjk"), "ko": "hangul", "el": "greek", "he": "hebrew",
}  # fmt: skip


def in_order(claims: Mapping[str, Claims], name: str) -> Iterator[str]:
    """Yield all that is claimed of one field, most trusted first."""
    for source in TRUST[name]:
        yield from getattr(claims[source], name)


def page(tree: HtmlElement) -> Claims:
    """Return what a page says by its ordinary elements: headings, ``<time>``, ``rel=canonical``; see :func:`bylines`."""
    found = Claims()
    found.titles = [
        text for each in islice(tree.iter("h1"), _MOST_HEADINGS) if 0 < len(text := text_of(each)) <= _TITLE_CHARS
    ]
    found.urls = [
        each.get("href", "") for each in tree.iter("link") if "canonical" in each.get("rel", "").lower().split()
    ][:2]
    if tree.get("lang") or tree.get("xml:lang"):
        found.languages.append(tree.get("lang") or tree.get("xml:lang"))
    for each in _story(tree).iter("time"):
        marked = f"{each.get('itemprop', '')} {each.get('class', '')}".lower()
        when = each.get("datetime") or text_of(each)
        (found.modified if "modif" in marked or "updat" in marked else found.published).append(when)
    found.tags = [text_of(each) for each in _TAGGED(tree) if "category" not in each.get("rel", "").lower()]
    return found


def window(tree: HtmlElement) -> Claims:
    """Return what the title of a page's window says, the paper's name with it."""
    head = next(tree.iter("head"), tree)
    return Claims(titles=[text_of(each)[:_TITLE_CHARS] for each in islice(head.iter("title"), 1)])


def _story(tree: HtmlElement) -> HtmlElement:
    return next((each for each in tree.iter("article", "main")), tree)


def bylines(tree: HtmlElement) -> Iterator[str]:
    """Yield the authors that a page shows, for one that does not declare any: it takes a look at every element."""
    story = _story(tree)
    by_relation = [text_of(each) for each in _WRITTEN(story)]
    if by_relation:
        yield from by_relation
        return
    for each in _NAMED(story):
        words = re.split(r"[-_\s]+", each.get("class", "").lower())
        if ("byline" in words or "author" in words) and 3 <= len(text := text_of(each)) <= 120:
            yield text
            return


def title_of(claims: Mapping[str, Claims]) -> str | None:
    """Return the headline that readers see where a declared one vouches for it, else the most trusted declared one.

    Declared headlines are cut, or written for search engines; a page's ``<h1>`` may be the paper's name.
    """
    sites = {
        title_key(name[:_TITLE_CHARS]) for each in claims.values() for name in each.site_names[:_MOST_HEADINGS]
    } - {""}
    headings = claims["page"].titles
    declared = [
        _bare(each, sites) for source in TRUST["titles"][:-1] for each in claims[source].titles[:_MOST_HEADINGS]
    ]
    declared = [each for each in declared if 0 < len(each) <= _TITLE_CHARS and title_key(each) not in sites]
    known = [set(title_key(each).split()) for each in declared]
    for heading in headings:
        words = set(title_key(heading).split())
        if words and any(len(words & each) >= max(1, min(len(words), len(each)) / 2) for each in known if each):
            return heading
    if declared:
        return declared[0]
    return next((each for each in headings if title_key(each) not in sites), None)


def _bare(title: str, sites: set[str]) -> str:
    """Return a title without the paper's name after it."""
    for _ in range(2):
        found = re.match(r"(.*\S)\s+[|–—·•»:-]+\s+(\S[^|–—·•»]*)$", title)
        if found is None or title_key(found[2]) not in sites:
            break
        title = found[1]
    return title.strip()


def url_of(claims: Mapping[str, Claims], fetched: str | None) -> str | None:
    """Return the address that the page names as its own, where it is of the site that it came from; else where it came from.

    A front page is nobody's own address: systems that are set up wrongly name it on every page.
    """
    for claimed in in_order(claims, "urls"):
        url = site.absolute(claimed, fetched)
        if url is not None and not site.is_front(url) and (fetched is None or site.same_site(url, fetched)):
            return url
    return site.absolute(fetched, None) if fetched else None


def dates_of(claims: Mapping[str, Claims]) -> tuple[datetime | None, datetime | None]:
    """Return when the story was published and modified. A time of the page's body counts where nothing else does."""
    published = most_trusted(in_order(claims, "published"))
    modified = most_trusted(in_order(claims, "modified"))
    if modified is not None and published is not None and modified.date() < published.date():
        modified = None
    return published, modified


def authors_of(claims: Mapping[str, Claims]) -> list[str]:
    """Return the authors whom the most trusted source names, one a string, without "By"."""
    for source in TRUST["authors"]:
        found = [name for each in claims[source].authors for name in _people(each, split=source != "json-ld")]
        if found:
            return list(dict.fromkeys(found))
    return []


def _people(text: str, *, split: bool) -> Iterator[str]:
    by = begins_with_phrase(text, "by")
    text = " ".join(text.split())[len(by) if by else 0 :].strip(" :")
    for name in _BETWEEN_NAMES.split(text) if split else [text]:
        if 1 < len(name) <= 100 and not name.startswith(("http", "@")) and instant(name) is None:
            yield name


def language_of(claims: Mapping[str, Claims], text: str) -> str | None:
    """Return the first declared language whose letters the text is written in; None leaves it to be detected.

    A theme's ``lang="en"`` stands over stories in every language.
    """
    sample = text[:2_000]
    letters = {script: len(pattern.findall(sample)) for script, pattern in _SCRIPTS.items()}
    most = max(letters, key=letters.__getitem__)
    for claimed in in_order(claims, "languages"):
        tag = claimed.strip().lower().replace("_", "-").split(",")[0].split(".")[0]
        if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8})*", tag) and tag not in ("und", "mul", "zxx"):
            script = _SCRIPT_OF.get(tag.split("-")[0])
            if script is None or letters[most] == 0 or script == most or letters[script] > letters[most] / 2:
                return tag
    return None


def kind_of(claims: Mapping[str, Claims], tree: HtmlElement, section: str | None, authors: Iterable[str]) -> str:
    """Return the kind that the page declares: by type, by its section's name, by its agency; ``news`` where it says nothing."""
    types = {kind for each in claims.values() for kind in each.kinds}
    if "AdvertiserContentArticle" in types or any(is_phrase(tag, "sponsored") for tag in in_order(claims, "tags")):
        return "sponsored"
    if section and is_phrase(section, "sponsored"):
        return "sponsored"
    if "LiveBlogPosting" in types:
        return "live"
    if {"OpinionNewsArticle", "opinion"} & types or (section and is_phrase(section, "opinion")):
        return "opinion"
    agencies = {name.casefold() for each in claims.values() for name in each.agencies} | {
        name.casefold() for name in authors
    }
    return "wire" if agencies & _AGENCIES else "news"


def tags_of(claims: Mapping[str, Claims]) -> list[str]:
    """Return the tags that the most trusted source names."""
    for source in TRUST["tags"]:
        found = [each.strip() for each in claims[source].tags if 1 < len(each.strip()) <= 100]
        if found:
            return list(dict.fromkeys(found))[:50]
    return []


def first(values: Iterable[str]) -> str | None:
    """Return the first value that says something."""
    return next((each for each in values if each.strip()), None)


def navigation(tree: HtmlElement) -> frozenset[str]:
    """Return where navigation, header and footer of a page lead to, as ``site.rough`` writes it."""
    found = set()
    for part in tree.iter("nav", "header", "footer"):
        of_story = part.tag != "nav" and next(part.iterancestors("article"), None) is not None
        if not (of_story or marks.is_related(part)):
            found |= {site.rough(href) for href in set(_HREFS(part))}
    return frozenset(found - {""})
