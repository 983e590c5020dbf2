"""Pages: the story that an HTML page of a news site tells, and the links that its editors set under it.

A page is taken apart in a process of its own (``pool``, ``child``), whose time and memory are bounded; what breaks it costs that page.

:func:`article_from_page` takes a page as it was stored or fetched, :func:`body_from_html` a piece of HTML that is a story's body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from recommender.article import Article, ReadMore
from recommender.errors import RecordError
from recommender.readers.entry import Entry
from recommender.readers.page.announced import Announced
from recommender.readers.page.extract import Body
from recommender.readers.page.guard import MAX_BYTES, check_size
from recommender.readers.page.pool import in_parallel, shared
from recommender.readers.record import article_from_record

__all__ = [
    "Announced",
    "Body",
    "article_from_page",
    "body_from_html",
    "body_from_markdown",
    "feeds_of_page",
    "in_parallel",
    "read_page",
]


def article_from_page(raw: bytes, *, url: str | None = None, charset: str | None = None) -> Article:
    """Return the story of a page.

    Args:
        raw: the page as it was sent.
        url: where it was found; without it a page's own canonical address is believed, else only where it is of the same site.
        charset: of the HTTP header, where there was one.

    Raises:
        RecordError: the page is no story (a front page, a list, an error page), or cannot be read; the message says why.
    """
    check_size(raw)
    answer = shared().ask({"kind": "page", "url": url, "charset": charset}, raw)
    return article_from_record(answer["record"])


def feeds_of_page(raw: bytes, *, url: str, charset: str | None = None) -> list[Announced]:
    """Return the feeds that a page announces (``<link rel=alternate>`` of a feed's type), in its order, those of comments left out.

    Args:
        raw: the page as it was sent.
        url: where it was found; relative addresses are joined to it (or to its ``<base>``).
        charset: of the HTTP header, where there was one.

    Raises:
        RecordError: it cannot be read.
    """
    check_size(raw)
    answer = shared().ask({"kind": "feeds", "url": url, "charset": charset}, raw)
    return [Announced(**each) for each in answer["feeds"]]


def body_from_html(html: str, *, url: str | None = None) -> Body:
    """Return the body that a piece of HTML holds: the content of a feed's entry or of an export's post.

    Args:
        html: all of it is taken for the story, but for scripts, forms, adverts, captions and boilerplate.
        url: of the story, to which relative links are joined; without it only announced links are taken, with absolute addresses.

    Raises:
        RecordError: over 2 MiB, or markup that keeps a parser busy.
    """
    if not html.strip():
        return Body("", ())
    raw = html.encode("utf-8", "surrogatepass")
    check_size(raw)
    body = shared().ask({"kind": "body", "url": url}, raw)["body"]
    return Body(body["text"], tuple(ReadMore(**link) for link in body["read_more"]))


def body_from_markdown(markdown: str, *, url: str | None = None) -> Body:
    """Return the body that Markdown holds; as :func:`body_from_html`, and as safe: its parser takes quadratic time for some nonsense.

    Raises:
        RecordError: over 2 MiB, or more than a parser takes in 2 seconds.
    """
    raw = markdown.encode("utf-8", "surrogatepass")
    check_size(raw)
    body = shared().ask({"kind": "markdown", "url": url}, raw)["body"]
    return Body(body["text"], tuple(ReadMore(**link) for link in body["read_more"]))


def read_page(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield the one story of a page in a file. Of a page over 2 MiB no more than that is read."""
    raw = stream.read(MAX_BYTES + 1)
    if not raw.strip():
        return
    try:
        yield Entry(source, None, len(raw), article=article_from_page(raw))
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))
