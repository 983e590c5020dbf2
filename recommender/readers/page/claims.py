"""What one kind of metadata claims of a page; several kinds may claim one thing, and ``fields`` says who is believed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Claims:
    """Every list is in the order of the page; empty where nothing is claimed.

    Attributes:
        kinds: words that tell what sort of story it is (``OpinionNewsArticle``, ``live``, ``sponsored``).
        is_article: whether the page says that it is a story; None where it says nothing.
        site_names: of the paper, to be taken off headlines.
        bodies: the whole text, for pages that show it by a script only.
        agencies: organisations that wrote the story or gave it.
    """

    titles: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    modified: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    site_names: list[str] = field(default_factory=list)
    agencies: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    is_article: bool | None = None
