"""One file back into a home: taken out aside, checked as every reader would, and put in place by one step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recommender import disk, snapshot
from recommender.backup import tar
from recommender.backup.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, parsed
from recommender.backup.place import aside_of, carry_over, check_place, put_in_place
from recommender.catalog import Catalog
from recommender.errors import BackupError, CatalogError, SnapshotError
from recommender.home import Home

Watch = Callable[[str, int, int, str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now.

    Attributes:
        created_at: when the backup was made.
        articles: in the catalog.
        snapshot: the live one, None where the backup held none.
        problem: why that one cannot be served, where it is of another format.
    """

    created_at: str
    articles: int
    snapshot: str | None
    problem: str | None


def restore(
    home: Home,
    file: Path,
    *,
    force: bool = False,
    watch: Watch = lambda stage, done, total, unit: None,
) -> Restored:
    """Make a home of a backup. Whatever goes wrong, and whenever, the home is the old one or the new one, and whole.

    Everything is taken out into a folder beside the home and checked there: each file against the size and sha256 that
    the backup's manifest gives, then the catalog and the snapshot as their readers do. That folder becomes the home by
    one rename, or changes places with the old home. What a backup does not speak of (exported encoders, other people's
    files) stays.

    Args:
        home: missing, without data, or with ``force`` any.
        file: written by :func:`back_up`.
        force: replace the data of the home.
        watch: takes note of the progress.

    Raises:
        BackupError: the file is damaged or no backup, the home holds data, or the disk refused.
        BusyError: another process is writing to the home or restoring it.
    """
    place = Home(home.path.resolve())
    if not file.is_file():  # a pipe would never end
        raise BackupError(f"{file}: no such file; name one that recommender backup wrote")
    try:
        with file.open("rb") as stream, contextlib.ExitStack() as stack:
            manifest = _read_manifest(stream, file)
            occupied = check_place(place, file, force)
            if occupied:
                stack.enter_context(place.writer("a restore"))
                stack.enter_context(place.replacing())
                check_place(place, file, force)  # nobody puts anything there from now on
            aside = stack.enter_context(aside_of(place, manifest.n_bytes, occupied))
            _take_out(stream, file, manifest, aside, watch)
            problem = _check(aside, file, manifest)
            if occupied:
                carry_over(place, aside)
            disk.sync_folders(aside.path)
            put_in_place(aside, place, occupied)
    except OSError as error:
        raise BackupError(f"{home.path}: could not be restored from {file} ({error}); it is as it was") from error
    return Restored(manifest.created_at, manifest.articles, manifest.snapshot, problem)


def _read_manifest(stream: BinaryIO, file: Path) -> Manifest:
    try:
        size, content = tar.read_member(stream, MANIFEST, MAX_MANIFEST_BYTES)
        manifest = parsed(b"".join(content))
    except ValueError as error:
        raise BackupError(
            f"{file}: is no backup of a home, or its beginning is damaged: {error}; use another one"
        ) from error
    found, expected = os.fstat(stream.fileno()).st_size, manifest.archive_bytes(size)
    if found != expected:
        raise BackupError(f"{file}: has {found:,} bytes, it was written with {expected:,}; use another backup")
    return manifest


def _take_out(stream: BinaryIO, file: Path, manifest: Manifest, aside: Home, watch: Watch) -> None:
    counted = tar.counting(lambda done: watch("restoring", done, manifest.n_bytes, "B"))
    try:
        for member in manifest.members:
            _, content = tar.read_member(stream, member.name, member.size)
            path = aside.path / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            disk.write_pieces(path, member.checked(counted(content)))
        tar.read_end(stream)
    except ValueError as error:
        raise BackupError(f"{file}: is damaged: {error}; use another backup") from error


def _check(aside: Home, file: Path, manifest: Manifest) -> str | None:
    """Read what was taken out as its readers will, and return why the snapshot needs a rebuild, None where it does not."""
    try:
        with Catalog(aside.catalog) as catalog:
            problems = catalog.check_articles()
        if problems:
            raise BackupError(f"{file}: its catalog is damaged ({problems[0]}); use another backup")
        return _check_snapshots(aside) if manifest.snapshot else None
    except (CatalogError, SnapshotError) as error:
        raise BackupError(f"{file}: what is in it cannot be used: {error}; use another backup") from error


def _check_snapshots(aside: Home) -> str | None:
    current, problem = snapshot.read_current(aside), None
    for name in {current.name, *snapshot.names(aside)}:
        state, told = snapshot.state_of(aside.snapshots / name, current.manifests.get(name))
        if state is not snapshot.State.OTHER_FORMAT:
            snapshot.load(aside, name)
        elif name == current.name:
            problem = told
    return problem
