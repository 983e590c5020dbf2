"""The plain data that everything else speaks of: articles and their editors' links."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

KINDS = ("news", "opinion", "wire", "live", "sponsored")


@dataclass(frozen=True, slots=True)
class ReadMore:
    """One editor's link as it stands under a story: the headline shown and, where known, its address."""

    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """A cleaned, valid article. ``readers.record.article_from_record`` makes one from what a newsroom sends.

    Attributes:
        id: stable key, 1 to 512 characters.
        title: headline, one line, never empty.
        description: standfirst, may be empty.
        text: body, paragraphs parted by single newlines, without its "Read more" block; may be empty.
        url, image_url: absolute http(s), canonical, or None.
        published_at, modified_at: aware UTC, or None.
        language: BCP 47 tag in lower case (``en``, ``uk``, ``pt-br``), or None where nothing is known.
        kind: one of ``KINDS``.
        read_more: the editor's links, in order.
    """

    id: str
    title: str
    description: str = ""
    text: str = ""
    url: str | None = None
    image_url: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    kind: str = "news"
    read_more: tuple[ReadMore, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Link:
    """One "Read more" link of the archive.

    Attributes:
        article_id: the article under which the link stands.
        position: 0 for the first link of that article.
        title, url: as the editor wrote them.
        target_id: the article or stub it leads to; None while nobody has looked.
        method: how the target was found: ``url``, ``title``, ``fuzzy``, ``stub``, or ``self`` and ``repeat`` for a link
            that is not counted.
    """

    article_id: str
    position: int
    title: str
    url: str | None = None
    target_id: str | None = None
    method: str | None = None
