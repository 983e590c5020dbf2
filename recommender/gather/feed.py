"""One reading of one feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from recommender import readers
from recommender.article import Article
from recommender.catalog import Listing, Page, Source
from recommender.errors import FetchError, FetchRefusedError, RecordError
from recommender.fetch import Fetched, Fetcher, shown_url
from recommender.gather.basket import Basket, missing_ids
from recommender.gather.visit import Came, Visit, visit
from recommender.home import Home
from recommender.readers import Body, Feed, FeedEntry
from recommender.settings import FetchSettings

MAX_FEED_BYTES = 8 * 2**20
_MAX_LOOKS = 20  # at pages that left a feed early, in one reading

FollowLinks = Literal["auto", "always", "never"]
FOLLOW_LINKS: tuple[FollowLinks, ...] = ("auto", "always", "never")


def parse(fetched: Fetched) -> Feed:
    """Return the feed that was fetched, of whichever kind. Raises SourceError."""
    raw = readers.unzipped(fetched.body, MAX_FEED_BYTES)
    if readers.begins_json(raw):
        return readers.parse_json_feed(raw, url=fetched.url)
    return readers.parse_feed(raw, url=fetched.url, charset=fetched.charset)


class FeedReading:
    """Reads feeds once: entries that are new or changed go in, as the feed gives them or from their pages."""

    def __init__(
        self,
        home: Home,
        fetcher: Fetcher,
        basket: Basket,
        *,
        settings: FetchSettings,
        follow_links: FollowLinks,
        now: int,
        force: bool = False,
    ) -> None:
        """Take where things are, the bounds, whether entries' pages are fetched, and the time in seconds since 1970.

        ``force``: what is gone is withdrawn however much it is.
        """
        self._home = home
        self._fetcher = fetcher
        self._basket = basket
        self._ledger = basket.ledger
        self._report = basket.report
        self._follow_links = follow_links
        self._settings = settings
        self._now = now
        self._force = force

    def read(self, url: str, fetched: Fetched | None = None) -> None:
        """Read a feed, unless it is as it was when everything in it was done.

        Args:
            url: of the feed.
            fetched: its answer, where somebody has asked already.

        Raises:
            FetchError: it does not answer, or with an error; what the catalog holds of it stays.
            SourceError: it is no feed.
        """
        source = self._ledger.source(url)
        fetched = fetched or self.fetch(url)
        if fetched.status != 304:
            source = self._take(source, fetched)
        self._look_at_vanished(source)
        self._basket.settle(source.url, self._settings.prune_share, force=self._force)
        self._ledger.save([replace(source, asked_at=self._now)])

    def fetch(self, url: str) -> Fetched:
        """Return what lies at the address of a feed, without a body where it is as it was. Raises FetchError."""
        source = self._ledger.source(url)
        return self._fetcher.get(url, etag=source.etag, last_modified=source.last_modified, max_bytes=MAX_FEED_BYTES)

    def _take(self, source: Source, fetched: Fetched) -> Source:
        if not 200 <= fetched.status < 300:
            kind = FetchError if fetched.status == 429 or fetched.status >= 500 else FetchRefusedError
            raise kind(f"{shown_url(source.url)}: answers {fetched.status}")
        feed = parse(fetched)
        for number, reason in feed.refused:
            self._basket.refuse(source.url, number, reason)
        if feed.problem:
            self._report.notes.append(f"{shown_url(source.url)}: {feed.problem}; what could be read of it went in")
        run = source.run + 1
        before = self._report.n_waiting
        for entry, listing in self._wanted(source.url, feed.entries, run):
            if self._fetcher.is_ending:
                self._report.n_waiting += 1
            else:
                self._entry(entry, listing)
        # Entries that wait are found again only where the feed is sent again as a whole.
        all_done = self._report.n_waiting == before
        etag, last_modified = (fetched.etag, fetched.last_modified) if all_done else (None, None)
        return replace(source, run=run, etag=etag, last_modified=last_modified)

    def _wanted(self, url: str, entries: Sequence[FeedEntry], run: int) -> list[tuple[FeedEntry, Listing]]:
        """Return the entries that are new, changed, or were not done; note of the others that they are still there.

        The oldest come first, so that a story is there before those that link to it.
        """
        pages = [self._ledger.page(entry.key).article_id for entry in entries]
        missing = missing_ids(self._home, filter(None, pages))
        still: list[Listing] = []
        wanted: list[tuple[FeedEntry, Listing]] = []
        for entry, article_id in zip(entries, pages, strict=True):
            told = entry.published_at or entry.modified_at
            changed_at = int(told.timestamp()) if told else None
            known = self._ledger.listing(url, entry.key) or Listing(url, entry.key, run)
            listing = replace(known, run=run, changed_at=changed_at, is_checked=0)
            if known.digest == entry.digest and article_id not in missing:
                still.append(listing)
            else:
                wanted.append((entry, listing))
        self._ledger.save(still)
        return wanted[::-1]

    def _entry(self, entry: FeedEntry, listing: Listing) -> None:
        done = replace(listing, digest=entry.digest, done=listing.run)
        page = self._ledger.page(entry.key)
        try:
            body = readers.body_of(entry)
            if not self._must_follow(entry, body, listing.source):
                self._keep(self._own_words(entry, body, page, listing.source), page, done)
                return
        except RecordError as error:
            if self._fetcher.is_ending:  # a signal may have ended what takes texts apart
                self._report.n_waiting += 1
                return
            self._basket.refuse(entry.key, None, str(error))
            self._ledger.save([done])
            return
        self._report.n_fetched += 1
        visited = visit(self._fetcher, page, self._now)
        if visited.article is not None:
            visited = replace(visited, article=_filled(visited.article, entry))
        if visited.came is Came.FAILED:
            self._report.n_waiting += 1
            self._basket.add(visited, [], self._now)
        elif visited.came is Came.REFUSED and self._follow_links == "auto" and page.article_id is None:
            self._instead(entry, visited, done)
        else:
            self._basket.add(visited, [done], self._now)

    def _instead(self, entry: FeedEntry, visited: Visit, done: Listing) -> None:
        """Take what the feed says of a story whose page tells none."""
        try:
            article = self._own_words(entry, readers.body_of(entry), visited.page, done.source)
        except RecordError:
            self._basket.add(visited, [done], self._now)
            return
        self._report.notes.append(f"{shown_url(entry.key)}: {visited.reason}; the feed's own words went in")
        self._keep(article, visited.page, done)

    def _keep(self, article: Article, page: Page, done: Listing) -> None:
        kept = replace(page, article_id=article.id, asked_at=self._now, gone_at=None, problem=None)
        self._basket.put(article, [kept, done], was_ours=bool(page.is_withdrawn))

    def _must_follow(self, entry: FeedEntry, body: Body, source: str) -> bool:
        if self._follow_links == "never" or entry.url is None:
            return False
        whole = readers.is_whole(body) and readers.same_site(entry.url, source)
        return self._follow_links == "always" or not whole

    def _own_words(self, entry: FeedEntry, body: Body, page: Page, source: str) -> Article:
        """Return what the feed says of a story; of a story of another site only where nobody else has brought it."""
        article = readers.article_from_entry(entry, body)
        foreign = entry.url is not None and not readers.same_site(entry.url, source)
        if foreign and page.article_id is None and not missing_ids(self._home, [article.id]):
            raise RecordError(
                "is a story of another site, and was brought by another source; only its page could change it"
            )
        return article

    def _look_at_vanished(self, source: Source) -> None:
        """Look at pages that left the feed while older entries stayed: that is how a story looks that was taken down.

        What left at the feed's end only made room for others.
        """
        oldest = self._ledger.oldest(source.url, source.run)
        looks = 0
        for listing, page in self._ledger.vanished(source.url, source.run, unchecked=True):
            early = listing.changed_at is not None and oldest is not None and listing.changed_at > oldest
            if not early or not page.url.startswith("http"):
                self._ledger.save([replace(listing, is_checked=1)])
                continue
            waits = page.gone_at is not None and self._now - page.gone_at < max(self._settings.gone_hours * 3600, 1)
            if waits or looks == _MAX_LOOKS:
                continue
            looks += 1
            self._report.n_fetched += 1
            visited = visit(self._fetcher, page, self._now)
            if visited.came is Came.GONE:
                self._basket.add(visited, [], self._now)
            elif visited.came is not Came.FAILED:
                self._ledger.save([replace(listing, is_checked=1)])


def _filled(article: Article, entry: FeedEntry) -> Article:
    """Return a page's article with the date that only the feed tells."""
    if article.published_at is not None or entry.published_at is None:
        return article
    return replace(article, published_at=entry.published_at)
