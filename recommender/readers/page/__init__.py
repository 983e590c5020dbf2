"""Pages: the story that an HTML page of a news site tells, and the links that its editors set under it.

:func:`article_from_page` takes a page as it was stored or fetched, :func:`body_from_html` a piece of HTML that is a story's body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from recommender.article import Article
from recommender.errors import RecordError
from recommender.readers.entry import Entry
from recommender.readers.page.extract import Body, body_from_html, record_from_page
from recommender.readers.page.guard import MAX_BYTES
from recommender.readers.record import article_from_record

__all__ = ["Body", "article_from_page", "body_from_html", "read_page"]


def article_from_page(raw: bytes, *, url: str | None = None, charset: str | None = None) -> Article:
    """Return the story of a page.

    Args:
        raw: the page as it was sent.
        url: where it was found; without it a page's own canonical address is believed, else only where it is of the same site.
        charset: of the HTTP header, where there was one.

    Raises:
        RecordError: the page is no story (a front page, a list, an error page), or cannot be read; the message says why.
    """
    return article_from_record(record_from_page(raw, url, charset))


def read_page(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield the one story of a page in a file. Of a page over 2 MiB no more than that is read."""
    raw = stream.read(MAX_BYTES + 1)
    if not raw.strip():
        return
    try:
        yield Entry(source, None, len(raw), article=article_from_page(raw))
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))
