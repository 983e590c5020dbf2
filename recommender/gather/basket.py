"""Stories on their way into the catalog, a few at a time: first the articles, then the ledger says that they are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from recommender.article import Article
from recommender.catalog import Catalog, Ledger, Listing, Page, Source
from recommender.fetch import shown_url
from recommender.gather.report import GatherReport
from recommender.gather.visit import Came, Visit
from recommender.home import Home
from recommender.ingest import Intake, Refusal

_MAX_STORIES = 20
_MAX_SECONDS = 2.0
_MAX_GONE = 10

Record = Source | Page | Listing


class Basket:
    """Collects what was fetched and puts it down, some stories in one transaction.

    The catalog is written before the ledger. So whoever is killed between the two fetches a few pages again and finds
    them unchanged; no story is lost, and none stands twice.
    """

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        intake: Intake,
        report: GatherReport,
        tell: Callable[[Refusal], None],
        *,
        gone_seconds: float,
        by_name: bool = False,
    ) -> None:
        """Take where things go.

        Args:
            home, ledger, intake: where to.
            report, tell: what is to be known of it.
            gone_seconds: least time between the two answers that make a page gone.
            by_name: the operator named these very pages, so that also what was withdrawn by hand comes back.
        """
        self._home = home
        self.ledger = ledger
        self._intake = intake
        self.report = report
        self._tell = tell
        self._gone_seconds = gone_seconds
        self._by_name = by_name
        self._gone_for_good: list[tuple[Page, str]] = []
        self._stories: list[tuple[Article, bool]] = []
        self._records: list[Record] = []
        self._since = time.monotonic()

    def refuse(self, source: str, number: int | None, reason: str) -> None:
        """Note what did not go in: where it stands, and why."""
        self._tell(self.report.refuse(shown_url(source), number, reason))

    def add(self, visited: Visit, records: Iterable[Record], now: int) -> None:
        """Take what came of a visit, with what the ledger is to know of it besides."""
        page = visited.page
        if visited.came is Came.STORY and visited.article is not None:
            self.put(visited.article, [page, *records], was_ours=bool(page.is_withdrawn))
            return
        if visited.came is Came.SAME:
            self.report.n_same += 1
        elif visited.came is Came.GONE:
            self._gone(visited, now)
        else:
            self.refuse(page.url, None, visited.reason)
        told = visited.came in (Came.SAME, Came.GONE) or page.problem is not None
        self._note([page, *records] if told else records)

    def put(self, article: Article, records: Iterable[Record], *, was_ours: bool = False) -> None:
        """Take a story. ``was_ours``: it was withdrawn since its page was gone, and the page is there again."""
        self._stories.append((article, was_ours))
        self._note(replace(each, is_withdrawn=0) if isinstance(each, Page) else each for each in records)

    def _note(self, records: Iterable[Record]) -> None:
        self._records.extend(records)
        if len(self._stories) >= _MAX_STORIES or time.monotonic() - self._since > _MAX_SECONDS:
            self.flush()

    def _gone(self, visited: Visit, now: int) -> None:
        """Note a page that is gone: the first time that is all, the second time its story is to be withdrawn."""
        page = visited.page
        if page.article_id is None:
            self.refuse(page.url, None, visited.reason)
        elif page.is_withdrawn:
            return
        elif page.gone_at is None or page.gone_at >= now or now - page.gone_at < self._gone_seconds:
            self.report.n_gone += 1
        else:
            self._gone_for_good.append((page, f"{shown_url(page.url)} {visited.reason}, and did before"))

    def settle(self, source: str, share: float, *, force: bool = False) -> None:
        """Withdraw the stories whose pages were found gone twice, at the end of a run, unless they are too many to be believed.

        A site that is set up wrongly answers 404 for everything, too.

        Args:
            source: what was gathered.
            share: most of its stories that may go at once, 0 to 1; ten may in any case.
            force: whatever their number is.
        """
        self.flush()
        gone, self._gone_for_good = self._gone_for_good, []
        n_known = self.ledger.n_articles(source)
        if len(gone) > max(share * n_known, _MAX_GONE) and not force:
            told = f"{len(gone):,} of {n_known:,} stories are gone, more than fetch.prune_share allows ({share:g})"
            self.refuse(source, None, f"{told}; none is withdrawn. --force does it all the same")
        elif gone:
            self.withdraw(gone)

    def withdraw(self, pages: Iterable[tuple[Page, str]]) -> None:
        """Take the stories of these pages out of the archive, in one step, each for its reason."""
        self.flush()
        pages = list(pages)
        # Noted first: a kill in between must not make it look as if somebody had withdrawn them by hand.
        self.ledger.save(replace(page, is_withdrawn=1) for page, _ in pages)
        gone = set(self._intake.withdraw([page.article_id for page, _ in pages if page.article_id]).ids)
        self.report.withdrawn += [(page.article_id, why) for page, why in pages if page.article_id in gone]

    def flush(self) -> None:
        """Put everything down."""
        stories, self._stories = self._stories, []
        records, self._records = self._records, []
        self._since = time.monotonic()
        wanted = [article for article, _ in stories]
        if stories and not self._by_name:
            by_hand = withdrawn_ids(self._home, [article.id for article, was_ours in stories if not was_ours])
            wanted = [article for article in wanted if article.id not in by_hand]
            for article_id in sorted(by_hand):
                self.refuse(article_id, None, "was withdrawn by hand; to take it in again, ingest its page by name")
        if wanted:
            self.report.outcomes.update(self._intake.upsert(wanted, "the web").outcomes)
        if records:
            self.ledger.save(records)


def withdrawn_ids(home: Home, ids: list[str]) -> set[str]:
    """Return which of these ids were articles once, and were taken away."""
    if not ids or not home.catalog.exists():
        return set()
    with Catalog(home.catalog) as catalog:
        return catalog.withdrawn(ids)


def missing_ids(home: Home, ids: Iterable[str]) -> set[str]:
    """Return which of these ids the catalog never heard of: it is not the catalog any more that they went into."""
    ids = sorted(set(ids))
    if not home.catalog.exists():
        return set(ids)
    with Catalog(home.catalog) as catalog:
        return set(ids) - catalog.known(ids) - catalog.withdrawn(ids)
