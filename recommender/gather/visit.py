"""One page asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from recommender import readers
from recommender.article import Article
from recommender.catalog import Page
from recommender.errors import FetchError, FetchRefusedError, RecordError
from recommender.fetch import Fetched, Fetcher, shown_url
from recommender.text import url_key


class Came(Enum):
    """What came of asking for a page."""

    STORY = "a story"
    SAME = "nothing new"
    GONE = "the site says that there is no such page"
    REFUSED = "something else than a story, or a page that must not be asked for"
    FAILED = "no answer for now"


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of asking for a page.

    Attributes:
        page: what is to be remembered of it.
        article: of a ``STORY``.
        reason: of a page that is gone, refused or failed.
    """

    came: Came
    page: Page
    article: Article | None = None
    reason: str = ""


def visit(fetcher: Fetcher, page: Page, now: int) -> Visit:
    """Ask for a page; one that gave its article before is sent again only where it has changed.

    Only 404 and 410 mean that a page is gone: not an error of the network, a 403, a 5xx, or what robots.txt says.
    """
    known = page.article_id is not None and not page.is_withdrawn
    try:
        fetched = fetcher.get(
            page.url, etag=page.etag if known else None, last_modified=page.last_modified if known else None
        )
    except FetchRefusedError as error:
        return Visit(Came.REFUSED, page, reason=_reason(page.url, error))
    except FetchError as error:
        return Visit(Came.FAILED, page, reason=_reason(page.url, error))
    found = taken(fetched, page, now)
    if found.came is Came.GONE and _has_another_address(page):
        return _at_its_own_address(fetcher, found, page)
    if found.came is Came.REFUSED and fetcher.is_ending:  # a signal may have ended what takes pages apart
        return Visit(Came.FAILED, page, reason=found.reason)
    return found


def taken(fetched: Fetched, page: Page, now: int) -> Visit:
    """Return what an answer means for its page."""
    asked = replace(page, asked_at=now)
    if fetched.is_gone:
        gone_at = now if page.gone_at is None else page.gone_at
        return Visit(Came.GONE, replace(asked, gone_at=gone_at), reason=f"answers {fetched.status}")
    if fetched.status == 304:
        return Visit(Came.SAME, replace(asked, gone_at=None))
    if fetched.status == 429 or fetched.status >= 500:
        return Visit(Came.FAILED, page, reason=f"answers {fetched.status}")
    if not 200 <= fetched.status < 300:
        return Visit(Came.REFUSED, page, reason=f"answers {fetched.status}")
    asked = replace(asked, gone_at=None, etag=fetched.etag, last_modified=fetched.last_modified)
    try:
        article = readers.article_from_page(fetched.body, url=fetched.url, charset=fetched.charset)
    except RecordError as error:
        return Visit(Came.REFUSED, replace(asked, problem=str(error)[:500]), reason=str(error))
    return Visit(Came.STORY, replace(asked, article_id=article.id, problem=None), article)


def _has_another_address(page: Page) -> bool:
    """Tell whether the story stood elsewhere when the page was fetched: a redirect, or a page for telephones."""
    own = page.article_id or ""
    return own.startswith(("http://", "https://")) and url_key(own) != url_key(page.url)


def _at_its_own_address(fetcher: Fetcher, found: Visit, page: Page) -> Visit:
    """Return that a page is gone only where the address of its story says so, too."""
    own = page.article_id or ""
    try:
        fetched = fetcher.get(own)
    except FetchError as error:
        return Visit(Came.FAILED, page, reason=_reason(own, error))
    return found if fetched.is_gone else Visit(Came.SAME, replace(found.page, gone_at=None))


def _reason(url: str, error: FetchError) -> str:
    return str(error).removeprefix(f"{shown_url(url)}: ")
