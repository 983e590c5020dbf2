"""A home into one file, while others write to that home."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from recommender.backup import tar
from recommender.backup.manifest import CATALOG, MANIFEST, Manifest
from recommender.backup.sources import Source, desk_sources, hashed, snapshot_sources
from recommender.catalog import Catalog
from recommender.disk import sync
from recommender.errors import BackupError, BusyError, CatalogError
from recommender.home import Home

Watch = Callable[[str, int, int, str], None]  # stage, done, total, unit


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds.

    Attributes:
        file, bytes: the backup itself.
        articles: in its catalog.
        snapshot, former: which are in it.
        members: paths in the home.
        left_out: what is not in it and why, for a person.
    """

    file: str
    bytes: int
    articles: int
    snapshot: str | None
    former: str | None
    members: Sequence[str]
    left_out: Sequence[str]


def back_up(
    home: Home,
    file: Path,
    *,
    now: datetime,
    force: bool = False,
    watch: Watch = lambda stage, done, total, unit: None,
) -> BackedUp:
    """Write catalog, live snapshot, the one before it where it is small, rules and weights into one file.

    No lock is taken, and none is waited for: the catalog is copied as of one moment, and a snapshot never changes. A
    snapshot that is damaged is left out, since it can be made again; a damaged catalog is refused, so that no good backup
    is replaced with a bad one. The file appears whole, by one rename, or not at all.

    Args:
        home: what is copied.
        file: where to; its folder needs room for the catalog a second time meanwhile.
        now: goes into the backup.
        force: replace a file that is there.
        watch: takes note of the progress.

    Raises:
        BackupError: the file is there already, or cannot be written.
        CatalogError: there is no catalog, or it is damaged.
        BusyError: another backup is writing the same file.
    """
    _check_place(file, force)
    with Catalog(home.catalog) as catalog:
        try:
            with _aside(file) as aside, contextlib.ExitStack() as stack:
                snapshots = snapshot_sources(home, stack)  # before the catalog, which then knows every article of it
                catalog.copy_to(aside.catalog, lambda done, total: watch("copying the catalog", done, total, "B"))
                articles = _checked(home, aside.catalog)
                copy = hashed(CATALOG, stack.enter_context(aside.catalog.open("rb")))
                sources = [copy, *snapshots.sources, *desk_sources(home)]
                members = tuple(source.member for source in sources)
                created_at = now.astimezone(UTC).isoformat(timespec="seconds")
                manifest = Manifest(created_at, articles, snapshots.live, members)
                _write(aside.stream, manifest, sources, int(now.timestamp()), watch)
                _check_place(file, force)
                aside.path.replace(file)
                sync(file.parent)
                size = os.fstat(aside.stream.fileno()).st_size
        except OSError as error:
            raise BackupError(
                f"{file}: could not be written ({error}); make room or mend the permissions there, or choose another place"
            ) from error
    names = tuple(member.name for member in members)
    return BackedUp(str(file), size, articles, snapshots.live, snapshots.former, names, snapshots.left_out)


@dataclass(frozen=True, slots=True)
class _Aside:
    """What is being written: the backup, and for a while a copy of the catalog beside it."""

    path: Path
    stream: BinaryIO
    catalog: Path


@contextlib.contextmanager
def _aside(file: Path) -> Iterator[_Aside]:
    """Yield the place where ``file`` is being made; nothing is left of it unless it was renamed."""
    path, catalog = file.parent / f".{file.name}.writing", file.parent / f".{file.name}.catalog"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as stream:
        _lock(stream, path, file)
        try:
            stream.truncate()  # of a backup that was killed
            catalog.unlink(missing_ok=True)
            yield _Aside(path, stream, catalog)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            for left_over in (catalog, catalog.with_name(f"{catalog.name}-journal")):
                left_over.unlink(missing_ok=True)


def _lock(stream: BinaryIO, path: Path, file: Path) -> None:
    """Lock what is open, and make sure that it still is what lies at ``path``: another backup may just have renamed it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    raise BusyError(f"{file}: another backup is writing it; wait for it, or choose another name")


def _check_place(file: Path, force: bool) -> None:
    if file.is_dir():
        raise BackupError(f"{file}: is a folder; name a file in it")
    if file.exists() and not force:
        raise BackupError(f"{file}: is there already; choose another name, or replace it with --force")


def _checked(home: Home, copy: Path) -> int:
    """Return how many articles the copy of the catalog holds. Raises CatalogError where it is damaged."""
    with Catalog(copy) as catalog:
        problems = catalog.check_articles()  # broken vectors can be encoded again, and keep no archive from being saved
        if problems:
            raise CatalogError(
                f"{home.catalog}: is damaged, a backup of it would be, too ({problems[0]}); run: recommender verify"
            )
        n_articles: int = catalog.counts()["n_articles"]
    return n_articles


def _write(stream: BinaryIO, manifest: Manifest, sources: Sequence[Source], mtime: int, watch: Watch) -> None:
    raw = manifest.as_bytes()
    counted = tar.counting(lambda done: watch("writing", done, manifest.n_bytes, "B"))
    tar.write_member(stream, MANIFEST, len(raw), mtime, [raw])
    for member, content in ((source.member, tar.pieces(source.stream)) for source in sources):
        try:
            tar.write_member(stream, member.name, member.size, mtime, member.checked(counted(content)))
        except ValueError as error:
            raise BackupError(f"{error}: it was changed while it was copied; run it again") from error
    tar.write_end(stream)
    stream.flush()
    os.fsync(stream.fileno())
