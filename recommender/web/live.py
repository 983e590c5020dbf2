"""The recommender that answers now: one snapshot, swapped when a newer one is published, or weights or rules are new."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from recommender.errors import RecommenderError
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings

log = logging.getLogger(__name__)


class Live:
    """Holds the recommender of the live snapshot.

    A request takes the reference once and works with it to its end, so no answer mixes two snapshots. A newer snapshot that
    cannot be loaded leaves the former one in place; ``problem`` says so.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        home = Home(settings.home)
        ranking = settings.ranking
        # A new snapshot, new weights or new rules of the desk make a new recommender.
        self._watched = (home.current, ranking.weights or home.weights, ranking.rules or home.rules)
        self._clock = clock
        self._lock = Lock()
        self._recommender: Recommender | None = None
        self._seen: tuple[tuple[int, int] | None, ...] | None = None
        self._next_look = 0.0
        self.problem: str | None = None

    def get(self) -> Recommender:
        """Return the recommender of the live snapshot.

        Raises:
            NoSnapshotError, SnapshotError: there is none that may be served.
        """
        held = self._recommender
        if held is not None and self._clock() < self._next_look:
            return held
        if not self._lock.acquire(blocking=held is None):
            assert held is not None
            return held  # another thread is looking
        try:
            return self._look()
        finally:
            self._lock.release()

    def _look(self) -> Recommender:
        self._next_look = self._clock() + self._settings.serve.poll_seconds
        published = self._published()
        if self._recommender is None or published != self._seen:
            try:
                self._recommender = Recommender.open(self._settings)
                self.problem = None
            except RecommenderError as error:
                self.problem = "the newest index cannot be served, the former one answers; the service's log says why"
                if self._recommender is None:
                    raise
                log.error("the newest snapshot cannot be served, the former one stays: %s", error)
            self._seen = published
        return self._recommender

    def _published(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(path) for path in self._watched)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
