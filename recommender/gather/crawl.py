"""A site's archive by its sitemaps: what is new or changed is fetched, and a crawl that was interrupted goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from recommender.article import Article
from recommender.catalog import Listing, Page
from recommender.errors import FetchError
from recommender.fetch import Fetched, Fetcher, shown_url
from recommender.gather.basket import Basket, missing_ids
from recommender.gather.listing import Globs, SiteListing
from recommender.gather.visit import Came, visit
from recommender.home import Home
from recommender.settings import FetchSettings

_MAX_FAILURES_IN_A_ROW = 5
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")

Watch = Callable[[str, int, int, str], None]
"""Called with a stage, (done, total), and their unit."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """Whether stories that a sitemap no longer lists are withdrawn, and also where they are more than the bound."""

    on: bool = False
    force: bool = False


class Crawl:
    """Crawls one site. Everything is noted as it is done, so that it may be ended at any moment, in any way."""

    def __init__(
        self, home: Home, fetcher: Fetcher, basket: Basket, settings: FetchSettings, *, now: int, watch: Watch
    ) -> None:
        """Take where things are, the bounds, the time in seconds since 1970, and who watches."""
        self._home = home
        self._fetcher = fetcher
        self._basket = basket
        self._ledger = basket.ledger
        self._report = basket.report
        self._settings = settings
        self._now = now
        self._watch = watch
        self._n_done = self._n_failed = 0

    def run(
        self,
        url: str,
        sitemaps: Sequence[str],
        fetched: Fetched | None = None,
        *,
        globs: Globs,
        since: int | None = None,
        limit: int | None = None,
        pruning: Pruning,
    ) -> None:
        """Fetch what the sitemaps list and the catalog does not hold as it is now.

        Args:
            url: what the operator named, by which the crawl is known.
            sitemaps: where it begins.
            fetched: the answer of the first sitemap, where somebody has asked already.
            globs: which pages are wanted.
            since: nothing that changed before, in seconds since 1970.
            limit: so many pages at most; the next run goes on with the others.
            pruning: of stories that are no longer listed.

        Raises:
            BusyError: another process crawls for this home.
        """
        with self._home.crawler():
            source = self._ledger.source(url)
            run = source.run if source.is_open else source.run + 1
            self._ledger.save([replace(source, run=run, is_open=1, asked_at=self._now)])
            listing = SiteListing(self._fetcher, self._ledger, globs, self._basket.refuse)
            listing.read(url, run, sitemaps, fetched, lambda done, all_: self._watch("sitemaps", done, all_, "files"))
            if listing.n_foreign:
                self._report.notes.append(
                    f"{shown_url(url)}: {listing.n_foreign:,} addresses of other sites were passed over"
                )
            self._ask_again_for_lost(url, run)
            all_done = self._visit_all(url, run, since, limit)
            if listing.is_complete and listing.n_listed:
                self._vanished(url, run, pruning)
            elif pruning.on:
                self._basket.refuse(
                    url, None, "not all of it could be read, so nothing is withdrawn for not being listed"
                )
            self._basket.settle(url, self._settings.prune_share, force=pruning.force)
            if all_done:
                self._ledger.save([replace(self._ledger.source(url), is_open=0)])

    def _ask_again_for_lost(self, url: str, run: int) -> None:
        """Fetch again what the ledger says is in, and the catalog never heard of: it was replaced by another one."""
        pages = self._ledger.unchanged(url, run)
        missing = missing_ids(self._home, (page.article_id for page in pages if page.article_id))
        self._ledger.save(
            replace(page, article_id=None, lastmod="", etag=None, last_modified=None)
            for page in pages
            if page.article_id in missing
        )

    def _visit_all(self, url: str, run: int, since: int | None, limit: int | None) -> bool:
        """Return whether everything was dealt with."""
        waiting = self._ledger.to_visit(url, run, since)
        some = waiting if limit is None else waiting[:limit]
        self._watch("pages", 0, len(some), "pages")
        self._n_done = self._n_failed = 0
        try:
            failed = self._visit(url, run, some, last=False)
            self._visit(url, run, failed, last=True)
        finally:
            self._basket.flush()
            self._report.n_waiting += len(waiting) - self._n_done
        return self._n_done + self._n_failed == len(waiting)

    def _visit(self, source: str, run: int, urls: Sequence[str], *, last: bool) -> list[str]:
        """Ask for pages, and return those that did not answer; ``last``: nobody asks for them again in this run.

        Raises:
            FetchError: the site has stopped answering.
        """
        failed: list[str] = []
        in_a_row = 0
        for url in urls:
            listing = self._ledger.listing(source, url) or Listing(source, url, run)
            visited = visit(self._fetcher, replace(self._ledger.page(url), lastmod=listing.lastmod), self._now)
            self._report.n_fetched += 1
            if visited.came is Came.FAILED:
                failed.append(url)
                in_a_row += 1
            else:
                in_a_row = 0
            if visited.came is not Came.FAILED or last:
                if visited.article is not None:
                    visited = replace(visited, article=_filled(visited.article, listing))
                self._basket.add(visited, [replace(listing, done=run)], self._now)
                self._n_done += visited.came is not Came.FAILED
                self._n_failed += visited.came is Came.FAILED
                self._watch("pages", self._n_done, max(len(urls), self._n_done), "pages")
            if in_a_row == _MAX_FAILURES_IN_A_ROW:
                raise FetchError(
                    f"{shown_url(source)}: the site does not answer any more ({visited.reason}); "
                    "run it again later, it goes on where it stopped"
                )
        return failed

    def _vanished(self, url: str, run: int, pruning: Pruning) -> None:
        """Deal with stories that the site no longer lists: with pruning they go, else their pages are looked at once."""
        gone = self._ledger.vanished(url, run)
        if not gone:
            return
        if pruning.on:
            self._prune(url, [page for _, page in gone], pruning)
            return
        n_there = 0
        for listing, page in gone:
            waits = page.gone_at is not None and self._now - page.gone_at < self._settings.gone_hours * 3600
            if listing.is_checked or waits:
                n_there += bool(listing.is_checked)
                continue
            visited = visit(self._fetcher, page, self._now)
            self._report.n_fetched += 1
            if visited.came is Came.GONE:
                self._basket.add(visited, [], self._now)
            elif visited.came is not Came.FAILED:
                n_there += 1
                self._ledger.save([replace(listing, is_checked=1)])
        if n_there:
            self._report.notes.append(
                f"{shown_url(url)}: {n_there:,} stories are no longer listed, and their pages are there; --prune withdraws them"
            )

    def _prune(self, url: str, pages: Sequence[Page], pruning: Pruning) -> None:
        n_known = self._ledger.n_articles(url)
        if len(pages) > self._settings.prune_share * n_known and not pruning.force:
            self._basket.refuse(
                url,
                None,
                f"no longer lists {len(pages):,} of {n_known:,} stories, more than fetch.prune_share allows "
                f"({self._settings.prune_share:g}); nothing is withdrawn. --force does it all the same",
            )
            return
        self._basket.withdraw((page, f"{shown_url(url)} no longer lists {shown_url(page.url)}") for page in pages)


def _filled(article: Article, listing: Listing) -> Article:
    """Return a page's article with what it does not say and a news sitemap does."""
    if article.published_at is None and listing.published_at is not None:
        article = replace(article, published_at=datetime.fromtimestamp(listing.published_at, UTC))
    if article.language is None and _LANGUAGE.fullmatch(listing.language or ""):
        article = replace(article, language=listing.language)
    return article
