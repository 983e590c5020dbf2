"""Counts held in memory and brought to the disk every few seconds by a thread of their own: who counts waits for nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from recommender.catalog.clicks import ClickCounts, Counted, Place, oldest_kept
from recommender.errors import CatalogError

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
MOST_HELD = 20_000
_LOOK_SECONDS = 0.5


class Tally:
    """Takes note of what was shown and clicked; safe to share between threads.

    A process that is killed loses what it counted in the last five seconds; one that ends brings it to the disk.
    """

    def __init__(self, path: Path, *, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        """Take where the counts lie; nothing is opened and no thread runs before something is counted."""
        self._path = path
        self._today = today
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._held: dict[Place, Counted] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._swept: date | None = None
        self._failing = False

    def count(self, article: str, shown: str, position: int, source: str, *, clicked: bool) -> None:
        """Count a story that was shown, or clicked, in a list. Beyond 20,000 places that wait for the disk none is added."""
        place = Place(self._today(), article, shown, position, source)
        with self._lock:
            known = self._held.get(place)
            if known is None and len(self._held) >= MOST_HELD:
                return
            n_shown, n_clicked = known or (0, 0)
            self._held[place] = Counted(n_shown + (not clicked), n_clicked + clicked)
            if self._thread is None:
                # Not a daemon: it ends by itself when the process does, after a last time at the disk.
                self._thread = threading.Thread(target=self._run, name="recommender-tally", daemon=False)
                self._thread.start()

    def flush(self) -> None:
        """Bring what is held to the disk, now; where that cannot be done it is held on."""
        with self._writing:
            with self._lock:
                held, self._held = self._held, {}
            if not held:
                return
            try:
                self._write(held)
                self._failing = False
            except CatalogError as error:
                if not self._failing:
                    log.error("clicks cannot be counted: %s", error)
                self._failing = True
                self._hold_on(held)

    def stop(self) -> None:
        """Bring everything to the disk and end the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _write(self, held: dict[Place, Counted]) -> None:
        with ClickCounts(self._path, write=True) as counts:
            left_out = counts.add(held)
            if left_out:
                log.warning("%d places were not counted: this day has as many as are kept", left_out)
            today = self._today()
            if self._swept != today:
                counts.forget_before(oldest_kept(today))
                self._swept = today

    def _hold_on(self, held: dict[Place, Counted]) -> None:
        with self._lock:
            for place, count in held.items():
                known = self._held.get(place)
                if known is not None or len(self._held) < MOST_HELD:
                    more = known or Counted(0, 0)
                    self._held[place] = Counted(count.shown + more.shown, count.clicked + more.clicked)

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stopping.wait(_LOOK_SECONDS) and threading.main_thread().is_alive():
            if time.monotonic() - last >= EVERY_SECONDS:
                self.flush()
                last = time.monotonic()
        self.flush()
