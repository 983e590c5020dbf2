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
    def encoders(self) -> Path:
        """The folder of exported models."""
        return self.path / "encoders"

    @contextlib.contextmanager
    def writer(self, purpose: str) -> Iterator[None]:
        """Hold the writer's lock; the folder is made when it is missing. The kernel frees the lock of a killed process.

        Args:
            purpose: what is being done, told to whoever comes second.

        Raises:
            BusyError: another process holds it.
            CatalogError: the folder cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise CatalogError(
                f"{self.path}: cannot be written ({error.strerror}); choose another with --home"
            ) from error
        try:
            _lock(descriptor, self.path)
            os.ftruncate(descriptor, 0)
            os.pwrite(
                descriptor,
                f"process {os.getpid()}, {purpose} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".encode(),
                0,
            )
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise CatalogError(f"{path / 'writer.lock'}: cannot be locked ({error.strerror})") from error
        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process"
        raise BusyError(f"{path}: {holder} is writing here; wait for it, or end it, and try again") from None
