"""What answers now: the live snapshot with all that changed since, followed as long as the process runs."""

from __future__ import annotations

import contextlib
import logging
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from recommender import desk, memory, snapshot
from recommender.catalog import Catalog
from recommender.errors import BusyError, CatalogError, EncoderDisabledError, RecommenderError
from recommender.home import Home
from recommender.ingest import encode_missing
from recommender.recommend.changes import ChangeLog
from recommender.recommend.recommender import Recommender
from recommender.recommend.telling import Texts
from recommender.settings import Settings
from recommender.snapshot import Changes, Overlay

log = logging.getLogger(__name__)

_BEAT_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_GIVING_SECONDS = 5.0
_MOST_ENCODED = 16
_MOST_TAKEN_IN = 64
_NO_INDEX = "the newest index cannot be served, the former one answers; the service's log says why"
_NO_CATALOG = "what changed since the index was built cannot be read; the service's log says why"
_NO_VECTORS = "new stories cannot be encoded here and wait; the service's log says why"


class Live:
    """Holds the recommender that answers now.

    A request takes the reference once and works with it to its end, so no answer mixes two states. A newer snapshot that cannot
    be loaded leaves the former one in place; ``problem`` says so.

    What is withdrawn is looked for at every request, and is gone from the first answer after the writer was told that it went; what
    the desk sets and takes back is in force from there on, too.
    What is new or changed is taken in by a thread of its own (:meth:`start`), a fifth of a second after it was written and, where
    its texts have no vectors, after these were made: one process of a home makes them, the others wait for it. Without
    the thread that happens at requests, and nothing is encoded here.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        texts: Texts | None = None,
        pooled: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take whose home it is.

        Args:
            settings: of this process.
            texts: gives an article's body by id, for the sentences that ``explain`` quotes.
            pooled: encode what readers ask in a pool of threads, as a service does.
            clock: in seconds; only differences count.
        """
        self._settings = settings
        self._home = home = Home(settings.home)
        self._texts = texts
        self._pooled = pooled
        ranking = settings.ranking
        # A new snapshot, new weights, new rules of the desk or another catalog make a new recommender.
        self._watched = (home.current, ranking.weights or home.weights, ranking.rules or home.rules, home.catalog)
        self._clock = clock
        self._looking = Lock()
        self._following = Lock()
        self._probing = Lock()
        self._held: Recommender | None = None
        self._seen: tuple[object, ...] | None = None
        self._next_look = 0.0
        self._probe: Catalog | None = None
        self._reader: Catalog | None = None
        self._opened: object = None
        self._probed: tuple[int, weakref.ref[Recommender]] | None = None
        self._read_at = -1
        self._log: ChangeLog | None = None
        self._leading: contextlib.ExitStack | None = None
        self._encode_after = 0.0
        self._given_back = 0
        self._next_giving = 0.0
        self._stopping = Event()
        self._thread: Thread | None = None
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str | None:
        """What a person should know; None where nothing is wrong."""
        return next(iter(self._problems.values()), None)

    def get(self) -> Recommender:
        """Return the recommender that answers now.

        Raises:
            NoSnapshotError, SnapshotError: there is none that may be served.
        """
        if self._held is None or (self._thread is None and self._clock() >= self._next_look):
            self._look(wait=self._held is None)
        assert self._held is not None
        return self._without_what_went(self._held)

    def status(self) -> dict[str, Any]:
        """Return what lies over the snapshot."""
        view = self.get().snapshot
        changes = view.changes if isinstance(view, Overlay) else Changes(view.change)
        return {
            "change": view.change,
            "changed": len(changes.entries),
            "gone": len(changes.gone),
            "waiting": len(self._log.waiting) if self._log else 0,
        }

    def start(self) -> None:
        """Follow by a thread of its own from now on; it ends with the process, or with :meth:`stop`."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="recommender-live", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and close what is open."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._looking, self._following:
            self._close()
            if self._leading is not None:
                self._leading.close()

    def _run(self) -> None:
        while not self._stopping.wait(0.0 if self._encode() or self._has_more() else _BEAT_SECONDS):
            try:
                self._look(wait=True)
                self._give_back()
            except RecommenderError as error:
                log.warning("nothing can be served: %s", error)
                self._stopping.wait(self._settings.serve.poll_seconds)
            except Exception:
                log.exception("following the home failed; it goes on")
                self._stopping.wait(_PATIENCE_SECONDS)

    def _give_back(self) -> None:
        """Give back what former states left in pieces, where one was replaced."""
        serial = self._held.serial if self._held else 0
        if serial != self._given_back and self._clock() >= self._next_giving:
            self._next_giving = self._clock() + _GIVING_SECONDS
            self._given_back = serial
            memory.give_back()

    def _has_more(self) -> bool:
        """Tell whether rows are left to be tried since something was written."""
        return self._log is not None and self._log.n_untried > 0

    def _look(self, *, wait: bool) -> None:
        """Take in a new snapshot, new rules or weights, and what changed in the catalog."""
        if not self._looking.acquire(blocking=wait):
            return  # another thread is looking
        try:
            if self._held is None or self._clock() >= self._next_look:
                self._next_look = self._clock() + self._settings.serve.poll_seconds
                stamps = tuple(_stamp(path) for path in self._watched)
                if self._held is None or stamps != self._seen:
                    self._renew()
                    self._seen = stamps
            with self._following:
                self._follow()
        finally:
            self._looking.release()

    def _renew(self) -> None:
        """Open what is live now; readers have the former one until it is ready."""
        try:
            base = snapshot.load(self._home)
            opened = Recommender.over(base, self._settings, texts=self._texts, like=self._held, pooled=self._pooled)
        except RecommenderError as error:
            self._problems["index"] = _NO_INDEX
            if self._held is None:
                raise
            log.error("the newest snapshot cannot be served, the former one stays: %s", error)
            return
        self._problems.pop("index", None)
        with self._following:
            before = self._opened
            self._open_catalog()
            same = before is not None and self._opened == before
            changes = ChangeLog(base, opened.recipe, former=self._log if same else None)
        self._catch_up(changes)
        with self._following:
            self._log, self._read_at = changes, -1
            self._held = opened.with_view(Overlay(base, changes.changes())) if changes.altered else opened
            self._follow()

    def _catch_up(self, changes: ChangeLog) -> None:
        """Take in all that changed since a new snapshot was built, before it answers: no reader loses sight of what was there.

        It goes in pages, and between two of them the former snapshot takes in what is new, and vectors are made for it.
        """
        n_untried, first = 1, True
        while n_untried and not self._stopping.is_set():
            with self._following:
                if self._reader is None:
                    return
                try:
                    changes.read(self._reader, most=_MOST_TAKEN_IN, written=first)
                except CatalogError as error:
                    self._cannot_read(error)
                    return
                n_untried, first = changes.n_untried, False
                if n_untried and self._held is not None:
                    self._follow()
            if n_untried and self._thread is not None:
                self._encode()

    def _open_catalog(self) -> None:
        """Open the catalog, unless it is the one that is open."""
        file = _stamp(self._home.catalog)
        if file == self._opened:
            return
        self._close()
        self._problems.pop("catalog", None)
        try:
            if file is not None:
                with self._probing:
                    self._probe, self._probed = Catalog(self._home.catalog), None
                self._reader = Catalog(self._home.catalog)
            self._opened = file
        except CatalogError as error:
            self._close()
            self._cannot_read(error)

    def _close(self) -> None:
        with self._probing:
            if self._probe is not None:
                self._probe.close()
            self._probe = None
        if self._reader is not None:
            self._reader.close()
        self._reader = self._opened = None

    def _cannot_read(self, error: CatalogError) -> None:
        self._problems["catalog"] = _NO_CATALOG
        log.error("what changed since the index was built cannot be read: %s", error)

    def _follow(self, *, most: int | None = None) -> None:
        """Lay what changed over the snapshot; the lock is held.

        ``most`` rows are made at a time, so that nobody who drops a withdrawn story waits for long; see ``ChangeLog.read``.
        """
        most = _MOST_TAKEN_IN if most is None else most
        if self._reader is None or self._log is None or self._held is None:
            return
        try:
            version = self._reader.version()
            written = version != self._read_at
            if not written and not (self._log.n_untried and most):
                return
            changes = self._log.read(self._reader, most=most, written=written)
        except CatalogError as error:
            self._cannot_read(error)
            return
        self._read_at = version
        self._problems.pop("catalog", None)
        if changes is not None:
            self._held = self._held.with_view(Overlay(self._log.base, changes, self._held.snapshot))

    def _without_what_went(self, held: Recommender) -> Recommender:
        """Return what was held, or what takes its place where a row of it was withdrawn since.

        What is returned is what was looked through: another thread may put one in its place meanwhile that it read before
        the withdrawal.
        """
        with self._probing:
            if self._probe is None:
                return held
            try:
                version = self._probe.version()
                if self._probed is not None and self._probed[0] == version and self._probed[1]() is held:
                    return held
                gone = self._probe.withdrawn_since(held.snapshot.change)
                acts = self._probe.last_act()
            except CatalogError as error:
                self._cannot_read(error)
                return held
        if acts != held.desk.number and (renewed := self._with_desk()) is not None:
            return self._without_what_went(renewed)
        if any(held.snapshot.dense.row_of(article_id) is not None for article_id in gone):
            with self._following:
                self._follow(most=0)
                held = self._held or held
                if self._log is not None and self._log.shows_what_went(held.snapshot, gone):
                    # What is held was read before that, and put in place after the log had taken it in.
                    held = self._held = held.with_view(Overlay(self._log.base, self._log.changes(), held.snapshot))
        self._probed = version, weakref.ref(held)  # not before: whoever asks meanwhile must wait as well
        return held

    def _with_desk(self) -> Recommender | None:
        """Let the desk's rules hold as they are now, and return what answers then; None where they cannot be read.

        They are read from the catalog that is open: after a restore another one lies in its place, until it is opened as well.
        """
        with self._following:
            if self._reader is None or self._held is None:
                return None
            try:
                rules = desk.rules_in(self._reader)
            except CatalogError as error:
                self._cannot_read(error)
                return None
            self._held = self._held.with_desk(rules)
            return self._held

    def _encode(self) -> bool:
        """Make vectors for some of the texts that wait for them, if that is for this process to do; tell whether any were made."""
        if self._held is None or self._log is None or not self._log.waiting or self._clock() < self._encode_after:
            return False
        try:
            if self._leading is None:
                self._leading = contextlib.ExitStack()
                self._leading.enter_context(self._home.encoding())
            with self._following:
                page = self._log.missing(self._reader, _MOST_ENCODED) if self._reader else []
            if not page:
                return False
            with self._home.storing(), Catalog(self._home.catalog, write=True) as catalog:
                encode_missing(catalog, self._held.encoder(), page)
        except BusyError:  # another process makes them
            self._leading = None
            self._encode_after = self._clock() + 1.0
            return False
        except EncoderDisabledError:
            self._encode_after = float("inf")
            return False
        except RecommenderError as error:
            self._problems["vectors"] = _NO_VECTORS
            self._encode_after = self._clock() + _PATIENCE_SECONDS
            log.error("new stories cannot be encoded: %s", error)
            return False
        self._problems.pop("vectors", None)
        return True


def _stamp(path: Path) -> tuple[int, int] | int | None:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    # The catalog is written in place, which its own numbers tell.
    return found.st_ino if path.suffix == ".db" else (found.st_ino, found.st_mtime_ns)
