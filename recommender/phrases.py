"""What newsrooms write around their stories, in many languages: one table, ``phrases.toml``, and what plain text is parted by.

A phrase announces an editor's links, heads a list that a site makes by itself, or is no part of a story.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_BULLET = re.compile(r"^\s*(?:[-*•–—▪◦·]|\d{1,2}[.)])\s+")
_LINK_TITLE_CHARS = 300
_LINK_TITLE_IN_BODY_CHARS = 160
_AROUND = " \t\n\xa0:：;.!?…*_|-–—»«›‹>→▶•\"“”„’'‘()[]"


@cache
def phrases(use: str) -> frozenset[str]:
    """Return the phrases of one use in all languages, folded: ``announce``, ``automatic``, ``boilerplate``, ..."""
    table = tomllib.loads(files("recommender").joinpath("phrases.toml").read_text("utf-8"))
    return frozenset(phrase.casefold() for of_language in table[use].values() for phrase in of_language)


def folded(text: str) -> str:
    """Return ``text`` as phrases are compared: case folded, one blank between words, no punctuation around it."""
    return " ".join(text.casefold().replace("’", "'").split()).strip(_AROUND)


def is_phrase(text: str, use: str) -> bool:
    """Tell whether ``text``, but for case and the punctuation around it, is a phrase of this use."""
    return len(text) <= 120 and folded(text) in _bare(use)


def begins_with_phrase(text: str, use: str) -> str | None:
    """Return the longest phrase of this use that ``text`` begins with, None where there is none; a word is not cut."""
    found = _beginning(use).match(" ".join(text.casefold().split()))
    return found[0] if found else None


@cache
def _bare(use: str) -> frozenset[str]:
    return frozenset(map(folded, phrases(use)))


@cache
def _beginning(use: str) -> re.Pattern[str]:
    longest_first = sorted(phrases(use), key=len, reverse=True)
    return re.compile(
        "|".join(
            re.escape(each) + (r"(?!\w)" if each[-1].isascii() and each[-1].isalnum() else "") for each in longest_first
        )
    )


@cache
def _head() -> re.Pattern[str]:
    """Matched at the start of a line, in any case, before a colon or alone."""
    known = phrases("announce") | phrases("announce_inside")
    return re.compile(
        r"^\s*\W{0,3}\s*(?:"
        + "|".join(sorted(map(re.escape, known), key=len, reverse=True))
        + r")[\s*_»\"”’]*(:|：|$)[\s*_»\"”’]*",
        re.IGNORECASE,
    )


def split_link_block(text: str) -> tuple[str, list[str]]:
    """Part a cleaned body from its editors' "Read more" links.

    Two shapes are known: a line that announces (``Read more:``) with one title a line below it, and a line that
    announces and names the title itself (``Read more: Title``). A block with a colon at the very end takes
    every line, as long as all are short enough for titles and most end without a full stop; any other ends at the first
    line that reads like a paragraph.

    Returns:
        The body without the block or blocks, and the titles in order (without bullets).
    """
    lines = text.split("\n")
    body: list[str] = []
    titles: list[str] = []
    may_close = _ends_in_titles(lines)
    at = 0
    while at < len(lines):
        head = _head().match(lines[at])
        same_line = lines[at][head.end() :].strip() if head else ""
        if head is None or len(same_line) > _LINK_TITLE_CHARS:
            body.append(lines[at])
            at += 1
            continue
        at += 1
        if same_line:
            titles.append(same_line)
            continue
        start = at
        at_end = bool(head.group(1)) and may_close[start]
        while at < len(lines) and not _head().match(lines[at]) and (at_end or _is_title(lines[at])):
            titles.append(_BULLET.sub("", lines[at]).strip())
            at += 1
        if at == start and head.group(1) == "":
            body.append(lines[start - 1])  # a paragraph that merely says "Related": nothing follows, so it is text
    return "\n".join(body), [title for title in titles if title]


def _ends_in_titles(lines: list[str]) -> list[bool]:
    """Return for each line, and for the end, whether from there on all lines are short enough for titles, and most no sentences."""
    found = [True]
    n_sentences, all_short = 0, True
    for n_lines, line in enumerate(reversed(lines), start=1):
        n_sentences += line.endswith(".")
        all_short = all_short and len(line) <= _LINK_TITLE_CHARS
        found.append(all_short and (2 * n_sentences < n_lines or n_lines == 1))
    return found[::-1]


def _is_title(line: str) -> bool:
    return len(line) <= _LINK_TITLE_IN_BODY_CHARS and not line.endswith((".", "…", ":"))
