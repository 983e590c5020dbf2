"""One source of the web, whatever it is, into the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from recommender.catalog import Ledger
from recommender.errors import FetchError, SourceError
from recommender.fetch import Fetched, Fetcher, shown_url, target
from recommender.gather.basket import Basket
from recommender.gather.crawl import Crawl, Pruning, Watch
from recommender.gather.discover import announced, is_page
from recommender.gather.feed import FeedReading, FollowLinks
from recommender.gather.listing import Globs
from recommender.gather.recognise import Kind, kind_of
from recommender.gather.report import GatherReport
from recommender.gather.visit import Came, taken
from recommender.home import Home
from recommender.ingest import Intake, Refusal
from recommender.readers.sitemap import MAX_BYTES
from recommender.settings import FetchSettings

FORMATS = tuple(kind.value for kind in Kind)
_USUAL_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a source is gathered; see ``Crawl.run`` and ``FeedReading``."""

    follow_links: FollowLinks = "auto"
    globs: Globs = field(default_factory=Globs)
    since: int | None = None
    limit: int | None = None
    pruning: Pruning = field(default_factory=Pruning)


class Gatherer:
    """Gathers sources of the web into one home."""

    def __init__(
        self,
        home: Home,
        fetcher: Fetcher,
        intake: Intake,
        settings: FetchSettings,
        *,
        clock: Callable[[], int],
        tell: Callable[[Refusal], None] = lambda refusal: None,
        watch: Watch = lambda stage, done, total, unit: None,
    ) -> None:
        """Take where things go, what fetches them, a clock in seconds since 1970, and who is told."""
        self._home = home
        self._fetcher = fetcher
        self._intake = intake
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._watch = watch
        self._announced: dict[str, str] = {}  # by a page the feed of it that is read

    def gather(self, url: str, report: GatherReport, wanted: Wanted, kind: Kind | None = None) -> None:
        """Take in what lies at an address: a page, a feed, a sitemap, or the root of a site; ``kind`` where it is known.

        What cannot be had or read is named in the report, and costs no more than itself.

        Raises:
            CatalogError, BusyError: nothing more can be written; what was written stays.
        """
        report.n_files += 1
        try:
            url = target(url).url
            with self._home.storing(), Ledger(self._home.ledger) as ledger:
                by_name = kind in (None, Kind.PAGE)
                basket = self._basket(ledger, report, by_name=False)
                if kind is Kind.SITE:
                    self._crawl(url, None, basket, wanted)
                    return
                fetched = self._fetcher.get(url, max_bytes=MAX_BYTES)
                found = kind or (kind_of(fetched) if fetched.body else Kind.PAGE)
                if found is Kind.PAGE and by_name:
                    self._page(url, fetched, self._basket(ledger, report, by_name=True))
                elif found is Kind.FEED:
                    self._feed_reading(basket, wanted.follow_links, force=wanted.pruning.force).read(url, fetched)
                else:
                    self._crawl(url, None if found is Kind.SITE else fetched, basket, wanted)
        except (FetchError, SourceError) as error:
            self._tell(report.refuse(shown_url(url), None, str(error).removeprefix(f"{shown_url(url)}: ")))

    def read_feed(self, url: str, report: GatherReport, follow_links: FollowLinks) -> None:
        """Read a feed that is read again and again: only where it has changed.

        Of a page the first feed is read that it announces, from then on without the page, until that feed fails.

        Raises:
            FetchError: it does not answer, or with an error.
            SourceError: it is no feed, and no page that announces one.
            CatalogError, BusyError: nothing can be written now.
        """
        with self._home.storing(), Ledger(self._home.ledger) as ledger:
            reading = self._feed_reading(self._basket(ledger, report, by_name=False), follow_links)
            feed_url = self._announced.pop(url, None)
            fetched = None if feed_url else reading.fetch(url)
            if fetched is not None and 200 <= fetched.status < 300 and is_page(fetched):
                feed_url, fetched = announced(fetched, report), None
            reading.read(feed_url or url, fetched)
            if feed_url:
                self._announced[url] = feed_url

    def _basket(self, ledger: Ledger, report: GatherReport, *, by_name: bool) -> Basket:
        gone_seconds = self._settings.gone_hours * 3600
        return Basket(self._home, ledger, self._intake, report, self._tell, gone_seconds=gone_seconds, by_name=by_name)

    def _feed_reading(self, basket: Basket, follow_links: FollowLinks, *, force: bool = False) -> FeedReading:
        return FeedReading(
            self._home,
            self._fetcher,
            basket,
            settings=self._settings,
            follow_links=follow_links,
            now=self._clock(),
            force=force,
        )

    def _page(self, url: str, fetched: Fetched, basket: Basket) -> None:
        now = self._clock()
        visited = taken(fetched, basket.ledger.page(url), now)
        basket.report.n_fetched += 1
        if visited.came is Came.FAILED:
            basket.report.n_waiting += 1
        basket.add(visited, [], now)
        basket.settle(url, 1.0)

    def _crawl(self, url: str, fetched: Fetched | None, basket: Basket, wanted: Wanted) -> None:
        sitemaps = [url]
        if fetched is None:
            origin = target(url).origin
            sitemaps = self._fetcher.rules(url).sitemaps
            for path in _USUAL_SITEMAPS if not sitemaps else ():
                fetched = self._fetcher.get(origin + path, max_bytes=MAX_BYTES)
                if fetched.body and kind_of(fetched) is Kind.SITEMAP:
                    sitemaps = [origin + path]
                    break
                fetched = None
            if not sitemaps:
                raise SourceError(
                    f"names no sitemap in robots.txt and has none at {_USUAL_SITEMAPS[0]}; give the address of one, or of a feed"
                )
        crawl = Crawl(self._home, self._fetcher, basket, self._settings, now=self._clock(), watch=self._watch)
        crawl.run(
            url,
            sitemaps,
            fetched,
            globs=wanted.globs,
            since=wanted.since,
            limit=wanted.limit,
            pruning=wanted.pruning,
        )
