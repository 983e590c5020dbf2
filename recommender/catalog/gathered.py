"""The rows of the ledger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Source:
    """A feed or a sitemap.

    Attributes:
        etag, last_modified: of its last answer of which everything is done.
        run: number of the run that is open, or was the last one.
        is_open: the run has not come to its end.
        asked_at, due_at: seconds since 1970.
        n_failures: in a row.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    run: int = 0
    is_open: int = 0
    asked_at: int | None = None
    due_at: int | None = None
    n_failures: int = 0


@dataclass(slots=True)
class Page:
    """A page that was asked for.

    Attributes:
        article_id: of the article that it holds; None where it gave none.
        lastmod: what the sitemap said when it was fetched.
        gone_at: when the site first said that it is gone, seconds since 1970; None where it is there.
        is_withdrawn: its article was withdrawn for that, not by hand.
        problem: why it gave no article.
    """

    url: str
    article_id: str | None = None
    lastmod: str = ""
    etag: str | None = None
    last_modified: str | None = None
    asked_at: int | None = None
    gone_at: int | None = None
    is_withdrawn: int = 0
    problem: str | None = None


@dataclass(slots=True)
class Listing:
    """That a source lists a page.

    Attributes:
        run: the last one in which it did.
        done: the last run in which the page was dealt with.
        lastmod: as the source writes it.
        changed_at, published_at: seconds since 1970, where they are told.
        digest: of a feed's entry.
        is_checked: it is no longer listed, and the page was found to be there all the same.
    """

    source: str
    url: str
    run: int
    done: int = 0
    lastmod: str = ""
    changed_at: int | None = None
    digest: bytes | None = None
    language: str | None = None
    published_at: int | None = None
    is_checked: int = 0
