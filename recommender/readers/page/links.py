"""The editor's own links in a story: announced ones, boxes made by hand, and links in the running text.

Precision before recall: what might be a list that the site made by itself is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml.html import HtmlElement

from recommender.article import ReadMore
from recommender.phrases import begins_with_phrase, is_phrase
from recommender.readers.page import marks, site
from recommender.readers.page.blocks import drop, text_of

_HEADS = frozenset(
    (
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "div",
        "span",
        "strong",
        "b",
        "em",
        "dt",
        "summary",
        "header",
        "li",
        "section",
        "figure",
    )
)
_TITLES = frozenset(("h2", "h3", "h4", "h5", "h6"))
_INLINE = frozenset(("strong", "b", "em", "i", "u", "span", "a", "font", "small", "mark"))
_LINES = frozenset(("p", "div", "li", "blockquote", "figure", "aside", "section"))
_HEAD_CHARS = 80
_LINE_CHARS = 500
_TEASER_CHARS = 300
_MOST_SIBLINGS = 15
_MOST_LINKS = 30
_UNLINKED_CHARS = 25
_TITLE_WORDS = 4
_ALL_LINKED = 0.9
_BAD_RELATIONS = frozenset(("tag", "author", "sponsored", "ugc", "category", "next", "prev", "nofollow", "license"))


@dataclass(slots=True)
class Found:
    """Links in the order of the page, and the elements that hold nothing else."""

    links: list[ReadMore] = field(default_factory=list)
    blocks: list[HtmlElement] = field(default_factory=list)


class Seeker:
    """Looks for the editor's links of one page."""

    def __init__(self, url: str | None, elsewhere: frozenset[str] = frozenset()) -> None:
        """Take what is known of the page.

        Args:
            url: of the page; without it an absolute link counts where it is announced only.
            elsewhere: where navigation, header and footer lead to (``fields.navigation``).
        """
        self._url = url
        self._elsewhere = elsewhere
        self._linked: dict[HtmlElement, bool] = {}
        self._taken: set[str] = {site.key(url) or ""} if url else set()

    def take(self, container: HtmlElement, below: list[HtmlElement]) -> list[ReadMore]:
        """Return the editor's links in ``container`` and in what follows it; blocks of links are taken out of the tree.

        Announced links and boxes come first, then the links in the running text.
        """
        blocks = Found()
        self._boxes_and_lists(container, blocks, inside=True)
        for element in below:
            self._boxes_and_lists(element, blocks, inside=False)
        drop(blocks.blocks)
        return blocks.links + list(self._in_text(container))

    def _boxes_and_lists(self, root: HtmlElement, into: Found, *, inside: bool) -> None:
        done: set[HtmlElement] = set()
        for each in list(root.iter()):
            if each.getparent() in done or each in done:
                done.add(each)
                continue
            block = self._block(each, root, inside=inside) if each is not root or not inside else None
            if block is None:
                continue
            elements, links = block
            done.update(elements)
            into.blocks += elements
            into.links += links

    def _block(
        self, each: HtmlElement, root: HtmlElement, *, inside: bool
    ) -> tuple[list[HtmlElement], list[ReadMore]] | None:
        """Return the elements of a block that begins here and its links (none for the site's own lists), else None."""
        if marks.is_automatic(each) and not marks.is_body(each):
            return ([each], []) if not inside or _linked_share(each) > 0.5 else None
        if each.tag in _HEADS | _LINES or each.tag in ("ul", "ol", "nav"):
            text = text_of(each) if each.tag not in ("ul", "ol") else ""
            if text and len(text) <= _HEAD_CHARS and not any(True for _ in each.iter("a")):
                return self._headed(each, text, root, inside=inside)
            if inside and each.tag in _LINES and 0 < len(text) <= _LINE_CHARS:
                line = self._announced_line(each, text)
                if line:
                    return [each], line
        if inside and (marks.is_related(each) or each.tag == "aside") and _linked_share(each) > 0.4:
            found = self._links(each, announced=True)
            return ([each], found) if found else None
        alone = inside and each.tag == "p" and _linked_share(each) > _ALL_LINKED
        if alone and all(len(_title(anchor).split()) >= _TITLE_WORDS for anchor in each.iter("a")):
            found = self._links(each, announced=False)
            return ([each], found) if found else None
        return None

    def _headed(
        self, head: HtmlElement, text: str, root: HtmlElement, *, inside: bool
    ) -> tuple[list[HtmlElement], list[ReadMore]] | None:
        """Return a block under a heading."""
        longer = (begins_with_phrase(text, "automatic") or "") if head.tag in _TITLES else ""  # "More from Politics"
        by_itself = is_phrase(text, "automatic") or " " in longer
        by_hand = is_phrase(text, "announce") or (inside and not by_itself and is_phrase(text, "announce_inside"))
        if not (by_hand or by_itself):
            return None
        first = head
        while (
            first.getnext() is None
            and first.getparent() is not root
            and first.getparent() is not None
            and first.tag not in ("body", "main")
        ):
            if text_of(first.getparent()) != text:
                break
            first = first.getparent()
        under = list(_carriers(first))
        if not under:
            return None
        links = [link for each in under for link in self._links(each, announced=True)] if by_hand else []
        if by_hand and not links:
            links = (
                [ReadMore(text_of(item)) for each in under for item in each.iter("li") if text_of(item)]
                if self._plain(under)
                else []
            )
            if not links:
                return None
        return [first, *under], links

    def _plain(self, under: list[HtmlElement]) -> bool:
        return all(each.tag in ("ul", "ol") and next(each.iter("a"), None) is None for each in under)

    def _announced_line(self, each: HtmlElement, text: str) -> list[ReadMore]:
        """Return the links of a line like ``Read also: <a>…</a>``."""
        first = next(each.iter("a"), None)
        if first is None or next(each.iter("ul", "ol", *_TITLES), None) is not None:
            return []
        linked = text_of(first)
        before = text.partition(linked)[0] if linked else text
        announcement = before if before.strip() else f"{linked.partition(':')[0]}:" if ":" in linked else ""
        if not (is_phrase(announcement, "announce") or is_phrase(announcement, "announce_inside")):
            return []
        n_linked = sum(len(text_of(link)) for link in each.iter("a"))
        if len(text) - n_linked > len(before) + _UNLINKED_CHARS:
            return []
        return self._links(each, announced=True)

    def _links(self, root: HtmlElement, *, announced: bool) -> list[ReadMore]:
        """Return the links to stories below an element: one for each address, with the best of its titles."""
        titles: dict[str, str] = {}
        for anchor in root.iter("a"):
            url = self._target(anchor, announced=announced)
            if url is not None and len(titles) < _MOST_LINKS:
                title = _without_phrase(_title(anchor))
                if not is_phrase(title, "announce") and len(title) > len(titles.get(url, "")):
                    titles[url] = title
                else:
                    titles.setdefault(url, "")
        found = [ReadMore(title or site.title_from(url) or url, url) for url, title in titles.items()]
        return [link for link in found if self._first_time(link)]

    def _in_text(self, container: HtmlElement) -> Iterator[ReadMore]:
        """Yield the links of the running text to other stories of the site."""
        if self._url is None:
            return
        for anchor in container.iter("a"):
            url = self._target(anchor, announced=False)
            if url is None or any(map(marks.is_automatic, _between(anchor, container))):
                continue
            if len(text_of(anchor).split()) < _TITLE_WORDS and self._is_of_links(anchor):
                continue
            text = anchor.get("title", "").strip() or text_of(anchor)
            title = text if len(text.split()) >= _TITLE_WORDS else site.title_from(url) or text
            link = ReadMore(title, url)
            if title and self._first_time(link):
                yield link

    def _is_of_links(self, anchor: HtmlElement) -> bool:
        """Tell whether a link stands in a line of nothing but links: a theme or a tag where it is short, whatever the markup calls it."""
        line = next((each for each in anchor.iterancestors() if each.tag not in _INLINE), None)
        if line is not None and line not in self._linked:
            self._linked[line] = _linked_share(line) > _ALL_LINKED
        return line is not None and self._linked[line]

    def _first_time(self, link: ReadMore) -> bool:
        key = site.key(link.url or "") or link.title
        if key in self._taken:
            return False
        self._taken.add(key)
        return True

    def _target(self, anchor: HtmlElement, *, announced: bool) -> str | None:
        """Return where a link leads, if that may be another story of this site."""
        if _BAD_RELATIONS & set(anchor.get("rel", "").lower().split()):
            return None
        href = anchor.get("href", "")
        url = site.absolute(href, self._url)
        if url is None or site.rough(href) in self._elsewhere or site.is_part(url, self._url):
            return None
        if self._url is not None and not site.same_site(url, self._url):
            return None
        return url if (site.may_be_story(url) if announced else site.is_story(url)) else None


def _between(inner: HtmlElement, outer: HtmlElement) -> Iterator[HtmlElement]:
    """Yield what lies between an element and one that holds it."""
    for each in inner.iterancestors():
        if each is outer:
            return
        yield each


def _title(anchor: HtmlElement) -> str:
    """Return the headline that a link shows: of a card its heading, else all of its text."""
    for each in anchor.iter():
        names = each.get("class", "").lower()
        if each is not anchor and (each.tag in _TITLES or "title" in names or "headline" in names):
            return text_of(each)
    return text_of(anchor)


def _without_phrase(title: str) -> str:
    """Return a link's text without "Read also:" in it."""
    head, colon, rest = title.partition(":")
    return rest.strip() if colon and rest.strip() and is_phrase(head, "announce") else title


def _carriers(head: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements after a heading that hold links rather than text."""
    for each in list(head.itersiblings())[:_MOST_SIBLINGS]:
        if each.tag in ("hr", "br"):
            continue
        if marks.is_automatic(each):
            return
        text = text_of(each)
        is_list = each.tag in ("ul", "ol")
        if each.tag in ("h1", "h2") or (each.tag in ("h3", "h4") and next(each.iter("a"), None) is None):
            return
        if not text:
            continue
        is_plain = is_list and next(each.iter("a"), None) is None
        if any(len(part) > _TEASER_CHARS for part in each.itertext()):  # a paragraph, whatever stands beside it
            return
        if not is_plain and (_linked_share(each) < 0.4 or each.tag in _INLINE - {"a", "span"}):
            return
        yield each
        if is_list:
            return


def _linked_share(element: HtmlElement) -> float:
    n_all = len(text_of(element))
    return sum(len(text_of(each)) for each in element.iter("a")) / n_all if n_all else 0.0
