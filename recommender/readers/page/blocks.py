"""The text of an element: its paragraphs, as a reader sees them parted."""

from __future__ import annotations

import re

from lxml.etree import iterwalk
from lxml.html import HtmlElement

from recommender.phrases import begins_with_phrase

BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "center",
            "dd",
            "details",
            "dialog",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
        ),
        *(
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hgroup",
            "hr",
            "html",
            "li",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
        ),
        *("section", "summary", "table", "tbody", "thead", "tfoot", "tr", "ul"),
    )
)
# Never text of a story.
SILENT = (
    *(
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "picture",
        "form",
    ),
    *(
        "button",
        "input",
        "select",
        "textarea",
        "nav",
        "figcaption",
        "label",
        "dialog",
        "amp-ad",
        "amp-sidebar",
        "amp-consent",
    ),
)
_BLANKS = re.compile(r"\s+")
_LONGEST_BOILERPLATE_CHARS = 200
_LONGEST_STAMP_CHARS = 100
_TIME_OR_DAY = re.compile(r"\d{1,2}[:.]\d\d")


def drop(elements: list[HtmlElement]) -> None:
    """Take elements out of their tree; the text after them stays."""
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def text_of(element: HtmlElement) -> str:
    """Return the text of an element on one line."""
    return " ".join(str(element.text_content()).split())


def paragraphs(element: HtmlElement) -> list[str]:
    """Return the paragraphs of an element: one for each block, and one for each line that ``<br>`` parts."""
    found: list[str] = []
    line: list[str] = []

    def end() -> None:
        for part in "".join(line).split("\n"):
            if part := part.strip():
                found.append(part)
        line.clear()

    for event, each in iterwalk(element, events=("start", "end")):
        name = each.tag
        if event == "start":
            if name in BLOCKS:
                end()
            elif name == "br":
                line.append("\n")
            elif name in ("td", "th"):
                line.append(" ")
            if each.text:
                line.append(_BLANKS.sub(" ", each.text))
            continue
        if name in BLOCKS:
            end()
        if each.tail and each is not element:
            line.append(_BLANKS.sub(" ", each.tail))
    end()
    return [_BLANKS.sub(" ", each) for each in found]


def is_boilerplate(paragraph: str) -> bool:
    """Tell whether a paragraph is no part of the story: a stamp, or a short one that begins with a phrase that asks, credits or forbids.

    Short, because a story may begin a sentence with any of them; and a paragraph of its own, because that is how they stand.
    """
    if len(paragraph) > _LONGEST_BOILERPLATE_CHARS:
        return False
    if is_stamp(paragraph):
        return True
    phrase = begins_with_phrase(paragraph, "boilerplate")
    if phrase is None:
        return False
    # One word ("advertisement", "reklama") may begin a sentence: then it must stand alone.
    return " " in phrase or not phrase[-1].isalpha() or len(paragraph.split()) <= 2


def is_stamp(paragraph: str) -> bool:
    """Tell whether a short paragraph is days, times and counts rather than words: when it came out, how often it was read or liked."""
    if len(paragraph) > _LONGEST_STAMP_CHARS:
        return False
    n_letters, n_digits = sum(map(str.isalpha, paragraph)), sum(map(str.isdigit, paragraph))
    return n_letters < n_digits and (n_letters == 0 or _TIME_OR_DAY.search(paragraph) is not None)
