"""What the names in a page's markup say of an element; the names stand in ``marks.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files

from lxml.html import HtmlElement

_MAX_CHARS = 500


@cache
def names(use: str) -> frozenset[str]:
    """Return the names of one use: ``body``, ``junk``, ``automatic``, ``related``, ``paths``."""
    table = tomllib.loads(files("recommender.readers.page").joinpath("marks.toml").read_text("utf-8"))
    return frozenset(table[use])


def is_body(element: HtmlElement) -> bool:
    """Tell whether the markup says that this element holds the body of a story."""
    return "articlebody" in element.get("itemprop", "").lower() or "body" in _uses(element)


def is_junk(element: HtmlElement) -> bool:
    """Tell whether the names of an element say that it is no part of a story."""
    return "junk" in _uses(element)


def is_automatic(element: HtmlElement) -> bool:
    """Tell whether the names of an element say that the site made it by itself."""
    return "automatic" in _uses(element)


def is_related(element: HtmlElement) -> bool:
    """Tell whether the names of an element say that an editor put links into it."""
    uses = _uses(element)
    return "related" in uses and "automatic" not in uses


def _uses(element: HtmlElement) -> frozenset[str]:
    named, known_as = element.get("class"), element.get("id")
    return _uses_of(f"{named or ''} {known_as or ''}"[:_MAX_CHARS]) if named or known_as else frozenset()


@lru_cache(maxsize=8192)  # a site's pages say the same again and again
def _uses_of(found: str) -> frozenset[str]:
    found = re.sub(r"-{2,}|_+", "-", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", found)).lower()
    uses = {use for use in ("junk", "automatic", "related") if _words(use).search(found)}
    return frozenset(uses if names("body").isdisjoint(found.split()) else uses | {"body"})


@cache
def _words(use: str) -> re.Pattern[str]:
    longest_first = sorted(names(use), key=len, reverse=True)
    return re.compile(rf"(?:^|[-\s])(?:{'|'.join(map(re.escape, longest_first))})(?:[-\s]|$)")
