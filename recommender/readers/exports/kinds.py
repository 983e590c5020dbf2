"""The kind of a story by the names that its newsroom gave it."""

from __future__ import annotations

from collections.abc import Iterable

from recommender.phrases import is_phrase


def kind_of(sections: Iterable[str], tags: Iterable[str] = ()) -> str:
    """Return ``sponsored`` or ``opinion`` where a section is called so in a language that is known, or a tag says sponsored; else ``news``."""
    sections = list(sections)
    if any(is_phrase(name, "sponsored") for name in [*sections, *tags]):
        return "sponsored"
    return "opinion" if any(is_phrase(name, "opinion") for name in sections) else "news"
