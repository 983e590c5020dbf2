"""Where things lie in a home, and who may write there. No data is read here."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recommender.errors import BusyError, CatalogError

_UNWRITABLE = "{}: cannot be written ({}); choose another with --home"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds one archive. ``index/README.md`` describes every file in it."""

    path: Path

    @property
    def catalog(self) -> Path:
        """The SQLite file: the only truth."""
        return self.path / "catalog.db"

    @property
    def snapshots(self) -> Path:
        """The folder of published snapshots."""
        return self.path / "snapshots"

    @property
    def current(self) -> Path:
        """The small file that names the live snapshot."""
        return self.path / "CURRENT"

    @property
    def weights(self) -> Path:
        """Weights learned from this archive's links, where ``recommender tune`` kept any."""
        return self.path / "weights.json"

    @property
    def rules(self) -> Path:
        """The desk's pins, blocks and boosts, where there are any."""
        return self.path / "rules.toml"

    @property
    def keys(self) -> Path:
        """Who may write over HTTP."""
        return self.path / "keys.json"

    @property
    def desk_secret(self) -> Path:
        """What signs the sessions of the desk."""
        return self.path / "desk.secret"

    @property
    def clicks(self) -> Path:
        """How often stories were shown and clicked, where that is counted."""
        return self.path / "clicks.db"

    @property
    def evaluation(self) -> Path:
        """The page of the last evaluation."""
        return self.path / "evaluation.html"

    @property
    def encoders(self) -> Path:
        """The folder of exported models."""
        return self.path / "encoders"

    @property
    def ledger(self) -> Path:
        """What was fetched from which feed and sitemap, and when; nothing that could not be fetched again."""
        return self.path / "gather.db"

    def make(self) -> None:
        """Make the folder where it is missing. Raises CatalogError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogError(_UNWRITABLE.format(self.path, error.strerror)) from error

    @contextlib.contextmanager
    def writer(self, purpose: str) -> Iterator[None]:
        """Hold the lock of whoever publishes, rolls back, prunes or repairs; one at a time. Articles may go in meanwhile.

        The folder is made when it is missing. The kernel frees the lock of a killed process.

        Args:
            purpose: what is being done, told to whoever comes second.

        Raises:
            BusyError: another process holds it.
            CatalogError: the folder cannot be made or written.
        """
        with self._locked("writer.lock", fcntl.LOCK_EX) as descriptor:
            _sign(descriptor, purpose)
            yield

    @contextlib.contextmanager
    def storing(self) -> Iterator[None]:
        """Hold the lock of whoever writes articles; any number at a time, SQLite lets one after the other in.

        Raises:
            BusyError: the catalog is being replaced.
            CatalogError: the folder cannot be made or written.
        """
        with self._locked("catalog.lock", fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def replacing(self) -> Iterator[None]:
        """Hold the lock of whoever replaces the catalog as a whole: nobody writes articles meanwhile.

        Raises:
            BusyError: somebody writes articles.
            CatalogError: the folder cannot be made or written.
        """
        with self._locked("catalog.lock", fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def encoding(self) -> Iterator[None]:
        """Hold the lock of the one process that makes vectors for new articles while a service runs.

        Raises:
            BusyError: another process does.
            CatalogError: the folder cannot be made or written.
        """
        with self._locked("encoding.lock", fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def embedder(self) -> Iterator[None]:
        """Hold the lock of whoever encodes in the background, which keeps no writer waiting; raises as :meth:`writer` does."""
        with self._locked("embed.lock", fcntl.LOCK_EX) as descriptor:
            _sign(descriptor, "an embed")
            yield

    @contextlib.contextmanager
    def follower(self) -> Iterator[None]:
        """Hold the lock of the one process that follows feeds; raises as :meth:`writer` does."""
        with self._locked("follow.lock", fcntl.LOCK_EX) as descriptor:
            _sign(descriptor, "a follow")
            yield

    @contextlib.contextmanager
    def crawler(self) -> Iterator[None]:
        """Hold the lock of the one process that crawls sitemaps; raises as :meth:`writer` does."""
        with self._locked("crawl.lock", fcntl.LOCK_EX) as descriptor:
            _sign(descriptor, "a crawl")
            yield

    @contextlib.contextmanager
    def keyholder(self) -> Iterator[None]:
        """Hold the lock of whoever changes keys, which a rebuild does not hold; raises as :meth:`writer` does."""
        with self._locked("keys.lock", fcntl.LOCK_EX) as descriptor:
            _sign(descriptor, "a change of keys")
            yield

    @contextlib.contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[int]:
        self.make()
        path = self.path / name
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise CatalogError(_UNWRITABLE.format(self.path, error.strerror)) from error
        try:
            _lock(descriptor, path, kind)
            yield descriptor
        finally:
            os.close(descriptor)


def take_lock(path: Path, purpose: str) -> int:
    """Lock a file for this process alone and return its descriptor: whoever closes it, or dies, frees the lock.

    Args:
        path: made when it is missing; it stays, and says who holds the lock.
        purpose: what is being done, told to whoever comes second.

    Raises:
        BusyError: another process holds it.
        OSError: it cannot be opened or written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _lock(descriptor, path, fcntl.LOCK_EX)
        _sign(descriptor, purpose)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _sign(descriptor: int, purpose: str) -> None:
    """Tell whoever comes second who holds the lock; where the disk is full it does not, so that prune can make room."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        told = f"process {os.getpid()}, {purpose} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        os.pwrite(descriptor, told.encode(), 0)


def _lock(descriptor: int, path: Path, kind: int) -> None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise CatalogError(f"{path}: cannot be locked ({error.strerror})") from error
        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process"
        raise BusyError(f"{path.parent}: {holder} is writing here; wait for it, or end it, and try again") from None
