"""The place of a home on the disk: what may be replaced there, and how a folder beside it takes its place in one step."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from recommender import disk, snapshot
from recommender.backup.manifest import CATALOG, CURRENT, DESK
from recommender.errors import BackupError, BusyError
from recommender.home import Home

_DATA = (CATALOG, "snapshots", CURRENT, *DESK)
_REPLACED = {*_DATA, f"{CATALOG}-wal", f"{CATALOG}-shm", f"{CATALOG}-journal", f".{CURRENT}.tmp"}


def check_place(place: Home, file: Path, force: bool) -> bool:
    """Return whether there is a folder with something in it. Raises BackupError where it must not be replaced."""
    if not place.path.exists():
        return False
    if not place.path.is_dir():
        raise BackupError(f"{place.path}: is no folder; choose another with --home")
    if place.snapshots in file.resolve().parents:
        raise BackupError(f"{file}: lies in what it would replace; move it out of {place.snapshots}")
    data = [name for name in _DATA if (place.path / name).exists()]
    if data and not force:
        raise BackupError(
            f"{place.path}: holds {', '.join(data)}; restore into another home with --home, or replace this one with --force"
        )
    return any(place.path.iterdir())


@contextlib.contextmanager
def aside_of(place: Home, n_bytes: int, occupied: bool) -> Iterator[Home]:
    """Yield an empty home beside ``place``; in the end what lies there goes: the old home, or what was not finished.

    Args:
        place: where the home is, or will be.
        n_bytes: how much room is needed.
        occupied: there is a folder with something in it; the caller holds its writer lock.
    """
    place.path.parent.mkdir(parents=True, exist_ok=True)
    path = place.path.parent / f".{place.path.name}.restoring"
    path.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _lock(descriptor, place)
        try:
            _clear(path)  # of a restore that was killed
            free = shutil.disk_usage(path).free
            if free < n_bytes:
                raise BackupError(f"{path.parent}: {n_bytes:,} bytes are needed there, {free:,} are free")
            yield Home(path)
        finally:
            if occupied or not _is_at(descriptor, place.path):
                shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, place: Home) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"{place.path}: another process is restoring it; wait for it, and try again") from None


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def carry_over(place: Home, aside: Home) -> None:
    """Give the new home what the old one has beside its data, the very same files: exports, the lock, a page of words."""
    for path in place.path.iterdir():
        if path.name not in _REPLACED:
            _link(path, aside.path / path.name)
    current, old = snapshot.readable(aside), snapshot.readable(place)
    if current and old and old.last > current.last:  # no number is given twice
        snapshot.write_current(aside, current._replace(last=old.last))


def _link(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir()
        for path in source.iterdir():
            _link(path, target / path.name)
    elif source.is_file():
        target.hardlink_to(source)


def put_in_place(aside: Home, place: Home, occupied: bool) -> None:
    """Make ``aside`` the home: from one step to the next the other one is there, and never none."""
    try:
        if place.path.exists():
            shutil.copymode(place.path, aside.path)
        if occupied:
            disk.exchange(aside.path, place.path)
        else:
            aside.path.rename(place.path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOSYS):
            raise BackupError(
                f"{place.path}: its file system cannot swap two folders in one step; move it away and run this again"
            ) from error
        if error.errno in (errno.EXDEV, errno.EBUSY):
            raise BackupError(
                f"{place.path}: is a mount point and cannot be replaced in one step; choose a folder in it with --home"
            ) from error
        raise
    try:
        disk.sync(place.path.parent)
    except OSError as error:
        raise BackupError(
            f"{place.path}: is restored, but the disk may forget it at a power failure ({error})"
        ) from error
