"""Where on a page its story stands: by what the markup says, else by what trafilatura takes for the story."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial

from lxml.etree import XPath, iterwalk
from lxml.html import HtmlElement

from recommender.readers.page import marks
from recommender.readers.page.blocks import SILENT, drop, paragraphs

_ENOUGH_OF_PAGE = 0.4
_MOST_OF_STORY = 0.8
_PARAGRAPH_CHARS = 80
_MOST_LINKS = 3
_LINKED_SHARE = 0.5
_NAMED = XPath(".//*[@class or @id or @hidden or @style]")
_MARKED = XPath(".//*[@class or @id or @itemprop]")
_N_CHARS = XPath("string-length()")
_SAID = XPath("boolean(.//p | .//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6 | .//a | .//li | .//blockquote | .//br)")
_FRAMES = frozenset(("div", "span", "td", "tr", "tbody", "table", "center", "figure", "section", "font", "small"))
_CAPTION_CHARS = 200
_LINKED = XPath("descendant-or-self::a//text()", smart_strings=False)
_NOT_KEY = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Container:
    """The element that holds a story's body.

    Attributes:
        element: the smallest one that is known to hold all of it.
        known: keys of the paragraphs in it that belong to the story; None for all.
        text: what trafilatura made of the page; None where it was not asked.
    """

    element: HtmlElement
    known: frozenset[str] | None = None
    text: str | None = None

    def story(self) -> list[str]:
        """Return the paragraphs of the story that stand in the element now."""
        found = paragraphs(self.element)
        return found if self.known is None else [each for each in found if key(each) in self.known]


def key(paragraph: str) -> str:
    """Return what two renderings of one paragraph share: its letters and digits."""
    return _NOT_KEY.sub("", paragraph).casefold()


def prune(root: HtmlElement) -> None:
    """Take out what is no part of any story; nothing that holds a headline, a body or most of the page's text."""
    n_all = max(1, n_own_chars(root))
    silent = [each for each in root.iter(*SILENT) if each.tag != "form" or n_own_chars(each) < n_all / 2]
    drop(silent)
    drop([each for each in _NAMED(root) if _goes(each, n_all)])
    drop(_captioned(root, n_all))


def _goes(element: HtmlElement, n_all: int) -> bool:
    hidden = element.get("hidden") is not None or "display:none" in element.get("style", "").replace(" ", "").lower()
    if not (hidden or marks.is_junk(element)) or marks.is_body(element) or element.tag in ("body", "main"):
        return False
    if any(marks.is_body(each) or each.tag == "h1" for each in element.iter()):
        return False
    return "comment" in f"{element.get('class')}{element.get('id')}" or n_own_chars(element) < n_all / 2


def _captioned(root: HtmlElement, n_all: int) -> list[HtmlElement]:
    """Return the largest boxes around pictures that hold only what is said of these: some words, no paragraph, no heading, no link."""
    is_frame: dict[HtmlElement, bool] = {}
    found: dict[HtmlElement, None] = {}
    for picture in root.iter("img", "amp-img"):
        box = None
        for each in picture.iterancestors():
            if each not in is_frame:
                few = each.tag in _FRAMES and int(_N_CHARS(each)) <= min(_CAPTION_CHARS, n_all / 2)
                is_frame[each] = few and not _SAID(each)
            if not is_frame[each]:
                break
            box = each
        if box is not None:
            found[box] = None
    return list(found)


def n_own_chars(element: HtmlElement) -> int:
    """Return how many characters of an element's text are not inside links."""
    return int(_N_CHARS(element)) - sum(map(len, _LINKED(element)))


def find(body: HtmlElement) -> Container:
    """Return where the story stands in a pruned ``<body>``; ``body`` itself where nobody can tell."""
    declared = _declared(body)
    return Container(declared) if declared is not None else _extracted(body)


def _declared(body: HtmlElement) -> HtmlElement | None:
    marked = [each for each in _MARKED(body) if marks.is_body(each) and not marks.is_automatic(each)]
    found = [each for each in marked if not any(up in marked for up in each.iterancestors())]
    if not found:
        return None
    sizes = [n_own_chars(each) for each in found]
    n_all = n_own_chars(body)
    best = max(range(len(found)), key=sizes.__getitem__)
    if sizes[best] >= _ENOUGH_OF_PAGE * n_all and sizes[best] >= _MOST_OF_STORY * sum(sizes):
        return found[best]
    together = _shared(found)
    if sum(sizes) >= _ENOUGH_OF_PAGE * n_all and n_own_chars(together) <= 1.2 * sum(sizes):
        return together
    return None


def _shared(elements: Sequence[HtmlElement]) -> HtmlElement:
    """Return the smallest element that holds all of these."""
    chains = [[*reversed(list(each.iterancestors())), each] for each in elements]
    shared = chains[0][0]
    for level in zip(*chains, strict=False):
        if any(each is not level[0] for each in level):
            break
        shared = level[0]
    return shared


@cache
def load() -> Callable[[HtmlElement], str | None]:
    """Return trafilatura's extraction, which takes a third of a second to import: the caller of a page has no use for it."""
    from trafilatura import extract
    from trafilatura.settings import Extractor

    # No second extractors, no metadata (these are read already), no dates, no search for what stands twice.
    options = Extractor(fast=True, comments=False, tables=True, dedup=False, with_metadata=False)
    return partial(extract, options=options)


def _without_lists(body: HtmlElement) -> HtmlElement:
    """Return a copy of the page without boxes of links: what is left is quicker to look through.

    Scripts go, too: trafilatura would read JSON-LD's body out of them, in one paragraph.
    """
    page: HtmlElement = deepcopy(body.getroottree().getroot())
    drop(list(page.iter("script", "style", "meta", "link")))
    n_chars: dict[HtmlElement, tuple[int, int, int]] = {}
    lists = []
    for _, each in iterwalk(page, events=("end",)):
        n_all, n_linked, n_links = len(each.text or ""), 0, 0
        for child in each:
            child_all, child_linked, child_links = n_chars.pop(child)
            n_all += child_all + len(child.tail or "")
            n_linked += child_linked
            n_links += child_links
        if each.tag == "a":
            n_linked, n_links = n_all, 1
        if n_links >= _MOST_LINKS and n_linked > _LINKED_SHARE * n_all and each.tag not in ("body", "html"):
            lists.append(each)
            n_all = n_linked = n_links = 0
        n_chars[each] = n_all, n_linked, n_links
    drop(lists)
    return page


def _extracted(body: HtmlElement) -> Container:
    text = load()(_without_lists(body)) or ""
    known = frozenset(key(line) for line in text.split("\n")) - {""}
    if not known:
        written = [each for each in body.iter("p") if n_own_chars(each) >= _PARAGRAPH_CHARS]
        return Container(_shared(written)) if written else Container(body, frozenset(), "")
    weights: defaultdict[HtmlElement, int] = defaultdict(int)
    for each in body.iter():
        own = key("".join([each.text or "", *(child.tail or "" for child in each)]))
        whole = key(str(each.text_content())) if own or each.tag in ("p", "li", "blockquote") else ""
        if whole in known:
            for up in (each, *each.iterancestors()):
                weights[up] += len(whole)
    element, most = body, _MOST_OF_STORY * weights[body]
    while (inner := next((child for child in element if weights.get(child, 0) >= most > 0), None)) is not None:
        element = inner
    if key("".join(paragraphs(element))) in known:  # one block, parted by <br> at best
        return Container(element, None, text)
    return Container(element, known, text)


def widened(found: Container) -> Container:
    """Return where all updates of a live blog stand, for one in which some of them do: what holds three boxes of one kind."""
    for each in (found.element, *found.element.iterancestors()):
        if each.tag in ("main", "body"):
            break
        alike = [
            other
            for other in _boxes(each.getparent())
            if (other.tag, other.get("class")) == (each.tag, each.get("class"))
        ]
        if len(alike) >= 3 and all(n_own_chars(other) for other in alike):
            return Container(each.getparent())
    boxes = [inner for inner in found.element.iter("article", "div", "li", "section") if inner.get("class")]
    counts = Counter((inner.getparent(), inner.tag, inner.get("class")) for inner in boxes if n_own_chars(inner) > 80)
    (parent, *_), n_most = counts.most_common(1)[0] if counts else ((None,), 0)
    return Container(parent) if n_most >= 3 and parent is not None else found


def _boxes(parent: HtmlElement | None) -> list[HtmlElement]:
    return [] if parent is None else [each for each in parent if each.get("class")]
