"""The feed of a page that somebody gave where a feed was asked for."""

from __future__ import annotations

from recommender import readers
from recommender.errors import RecordError, SourceError
from recommender.fetch import Fetched, shown_url
from recommender.gather.recognise import Kind, kind_of
from recommender.gather.report import GatherReport

_MEND = "give the address of the feed itself"


def is_page(fetched: Fetched) -> bool:
    """Tell whether something was fetched that is neither feed nor sitemap, and holds markup."""
    return bool(fetched.body) and kind_of(fetched) in (Kind.PAGE, Kind.SITE) and b"<" in fetched.body[:10_000]


def announced(fetched: Fetched, report: GatherReport) -> str:
    """Return the address of the first feed that a page announces, and note in the report which one it is.

    Raises:
        SourceError: it announces none.
    """
    try:
        found = readers.feeds_of_page(fetched.body, url=fetched.url, charset=fetched.charset)
    except RecordError as error:
        raise SourceError(f"is no feed, and as a page it cannot be read: {error}; {_MEND}") from None
    if not found:
        raise SourceError(
            f"is no feed, and a page that announces none (<link rel=alternate> of a feed's type); {_MEND}"
        )
    first, *others = found
    named = f" ({first.title})" if first.title else ""
    left = f"; {len(others)} more that it announces are not followed" if others else ""
    report.notes.append(
        f"{shown_url(fetched.url)}: is a page; its feed {shown_url(first.url)}{named} is followed{left}"
    )
    return first.url
