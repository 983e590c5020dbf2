"""Sitemaps read to the end: which pages a site lists, noted in the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from recommender import readers
from recommender.catalog import Ledger, Listing
from recommender.errors import FetchError, FetchRefusedError, SourceError
from recommender.fetch import Fetched, Fetcher, shown_url, target
from recommender.readers import Listed, Sitemap
from recommender.readers.sitemap import MAX_BYTES

MAX_SITEMAPS = 2_000
MAX_PAGES = 2_000_000
_MAX_DEPTH = 3
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Globs:
    """Which addresses are wanted: those that match one of ``include`` (all where it is empty) and none of ``exclude``."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def want(self, url: str) -> bool:
        """Tell whether an address is wanted."""
        wanted = not self.include or any(fnmatchcase(url, glob) for glob in self.include)
        return wanted and not any(fnmatchcase(url, glob) for glob in self.exclude)


class SiteListing:
    """Reads the sitemaps of a site, the ones that they name, and so on.

    Attributes:
        is_complete: everything could be read, so that what is not listed is not there.
        n_listed: pages.
        n_foreign: addresses of other sites, which are passed over.
    """

    def __init__(
        self, fetcher: Fetcher, ledger: Ledger, globs: Globs, refuse: Callable[[str, int | None, str], None]
    ) -> None:
        """Take what fetches, where the list goes, which addresses are wanted, and who is told of what cannot be read."""
        self._fetcher = fetcher
        self._ledger = ledger
        self._globs = globs
        self._refuse = refuse
        self.is_complete = True
        self.n_listed = 0
        self.n_foreign = 0

    def read(
        self, source: str, run: int, first: Iterable[str], fetched: Fetched | None, watch: Callable[[int, int], None]
    ) -> None:
        """Read all sitemaps, beginning with ``first``, and note what they list under ``source``.

        Args:
            source: what the operator named; pages of other sites than its are passed over.
            run: number of this run.
            first: addresses of sitemaps.
            fetched: the answer of the first of them, where somebody has asked already.
            watch: called with the numbers of sitemaps read and known.
        """
        waiting = deque((url, 0) for url in first)
        seen = {url for url, _ in waiting}
        n_read = 0
        while waiting:
            url, depth = waiting.popleft()
            found = self._sitemap(url, fetched)
            fetched = None
            n_read += 1
            if found is not None and found.is_index:
                for each in self._inner(found, url, depth, seen):
                    seen.add(each)
                    waiting.append((each, depth + 1))
            elif found is not None:
                self._note(source, run, found.listed)
            watch(n_read, n_read + len(waiting))

    def _sitemap(self, url: str, fetched: Fetched | None) -> Sitemap | None:
        try:
            answer = fetched or self._fetcher.get(url, max_bytes=MAX_BYTES)
            if not 200 <= answer.status < 300:
                raise FetchRefusedError(f"answers {answer.status}")
            found = readers.parse_sitemap(answer.body, charset=answer.charset)
        except (FetchError, SourceError) as error:
            self._fail(url, str(error).removeprefix(f"{shown_url(url)}: "))
            return None
        if found.problem:
            self._fail(url, f"{found.problem}; what stands before went in")
        return found

    def _inner(self, index: Sitemap, url: str, depth: int, seen: set[str]) -> list[str]:
        if depth + 1 >= _MAX_DEPTH:
            self._fail(url, f"names more sitemaps over {_MAX_DEPTH} deep")
            return []
        inner: list[str] = []
        for each in index.listed:
            if not readers.same_site(each.url, url):
                self._fail(each.url, "is a sitemap on another site than the one that names it")
            elif each.url not in seen and len(seen) + len(inner) >= MAX_SITEMAPS:
                self._fail(url, f"names over {MAX_SITEMAPS:,} sitemaps")
                break
            elif each.url not in seen:
                inner.append(each.url)
        return list(dict.fromkeys(inner))

    def _note(self, source: str, run: int, listed: Iterable[Listed]) -> None:
        rows: list[Listing] = []
        for each in listed:
            if not readers.same_site(each.url, source):
                self.n_foreign += 1
            elif self.n_listed >= MAX_PAGES:
                self._fail(source, f"lists over {MAX_PAGES:,} pages")
                break
            elif self._globs.want(each.url) and (url := self._written(each.url)):
                self.n_listed += 1
                rows.append(_row(source, url, run, each))
            if len(rows) >= _PAGE:
                self._ledger.list_pages(rows)
                rows.clear()
        self._ledger.list_pages(rows)

    def _written(self, url: str) -> str | None:
        try:
            return target(url).url
        except FetchRefusedError as error:
            self._refuse(url, None, str(error).removeprefix(f"{shown_url(url)}: "))
            return None

    def _fail(self, url: str, reason: str) -> None:
        self.is_complete = False
        self._refuse(url, None, reason)


def _row(source: str, url: str, run: int, listed: Listed) -> Listing:
    return Listing(
        source,
        url,
        run,
        lastmod=listed.lastmod,
        changed_at=_seconds(listed.changed_at or listed.published_at),
        language=listed.language,
        published_at=_seconds(listed.published_at),
    )


def _seconds(instant: datetime | None) -> int | None:
    return int(instant.timestamp()) if instant else None
