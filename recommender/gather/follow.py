"""Feeds read again and again, each in its own time; one thread a host, and an end at once when it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random

from recommender.catalog import Ledger, Outcome
from recommender.errors import BusyError, CatalogError, FetchError, SourceError
from recommender.fetch import back_off_seconds, shown_url, target
from recommender.gather.feed import FollowLinks
from recommender.gather.report import GatherReport
from recommender.gather.sources import Gatherer
from recommender.home import Home

_MAX_THREADS = 16
_LOOK_SECONDS = 0.25  # between two looks at which feed is due, and at which has been read
_SPREAD = 0.1  # of the time between two readings, up or down by chance


@dataclass(slots=True)
class Round:
    """One reading of one feed.

    Attributes:
        url: of the feed.
        report: what it did.
        problem: why it could not be read; None where it could.
        next_seconds: until it is read again.
    """

    url: str
    report: GatherReport = field(default_factory=GatherReport)
    problem: str | None = None
    next_seconds: float = 0.0

    @property
    def did_something(self) -> bool:
        """Tell whether the archive changed, or something went wrong."""
        written = self.report.outcomes[Outcome.NEW] + self.report.outcomes[Outcome.CHANGED]
        return bool(written or self.report.withdrawn or self.report.n_refused or self.problem)


class Follower:
    """Follows feeds for one home. When each is due, and what was seen of it, stands in the ledger: a restart goes on."""

    def __init__(
        self,
        home: Home,
        gatherer: Gatherer,
        feeds: Sequence[str],
        *,
        every_seconds: float,
        follow_links: FollowLinks,
        clock: Callable[[], int],
        stop: threading.Event,
        chance: Random,
    ) -> None:
        """Take where things go, what reads feeds, and which; ``stop`` ends everything.

        Raises:
            FetchRefusedError: an address is none that may be asked.
        """
        self._home = home
        self._gatherer = gatherer
        self._hosts = {target(url).url: target(url).host for url in feeds}
        self._every = every_seconds
        self._follow_links = follow_links
        self._clock = clock
        self._stop = stop
        self._chance = chance

    def once(self) -> Iterator[Round]:
        """Read every feed once, whenever it is due, and yield what came of each."""
        for url in self._hosts:
            if not self._stop.is_set():
                yield self._read(url)

    def run(self) -> Iterator[Round]:
        """Read every feed when it is due, until ``stop`` is set; yield what came of each reading.

        Feeds of one host are read one after the other, those of others meanwhile: a slow site keeps nobody else waiting.
        """
        due = self._due()
        busy: dict[str, Future[Round]] = {}
        with ThreadPoolExecutor(min(len(set(self._hosts.values())), _MAX_THREADS), "follow") as threads:
            while not self._stop.is_set():
                now = self._clock()
                for url, at in sorted(due.items(), key=lambda each: each[1]):
                    host = self._hosts[url]
                    if at <= now and host not in busy:
                        busy[host] = threads.submit(self._read, url)
                for host, future in list(busy.items()):
                    if future.done():
                        del busy[host]
                        done = future.result()
                        due[done.url] = self._clock() + done.next_seconds
                        yield done
                self._stop.wait(_LOOK_SECONDS)

    def _due(self) -> dict[str, float]:
        """Return when each feed is due: as noted, but never later than if it had just been read."""
        latest = self._clock() + self._every
        with self._home.storing(), Ledger(self._home.ledger) as ledger:
            return {url: min(float(ledger.source(url).due_at or 0), latest) for url in self._hosts}

    def _read(self, url: str) -> Round:
        done = Round(url)
        try:
            self._gatherer.read_feed(url, done.report, self._follow_links)
        except (FetchError, SourceError) as error:
            done.problem = str(error).removeprefix(f"{shown_url(url)}: ")
        except (BusyError, CatalogError) as error:
            done.problem = str(error)
        if not self._stop.is_set():
            self._note(done)
        return done

    def _note(self, done: Round) -> None:
        """Say when the feed is due: in its time, and after failures later and later."""
        try:
            with self._home.storing(), Ledger(self._home.ledger) as ledger:
                source = ledger.source(done.url)
                n_failures = source.n_failures + 1 if done.problem else 0
                wait = self._every * self._chance.uniform(1 - _SPREAD, 1 + _SPREAD)
                done.next_seconds = max(wait, back_off_seconds(n_failures, self._chance, self._every))
                due_at = int(self._clock() + done.next_seconds)
                ledger.save([replace(source, n_failures=n_failures, due_at=due_at)])
        except (BusyError, CatalogError) as error:
            done.problem = done.problem or str(error)
            done.next_seconds = self._every
