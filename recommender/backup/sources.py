"""What goes into a backup: open files, so that what is dropped or replaced meanwhile can still be read to its end."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recommender import snapshot
from recommender.backup.manifest import CURRENT, DESK, Member
from recommender.backup.tar import pieces
from recommender.disk import folder_bytes
from recommender.errors import NoSnapshotError, SnapshotError
from recommender.home import Home

SMALL_BYTES = 100_000_000  # a former snapshot up to this size goes along, so that rollback works after a restore


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be copied, opened at its beginning, and what was found in it."""

    member: Member
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots that go along.

    Attributes:
        live, former: their names, None for none.
        sources: their files, and a ``CURRENT`` that names no other snapshot.
        left_out: what is not among them, and why.
    """

    live: str | None
    former: str | None
    sources: Sequence[Source]
    left_out: Sequence[str]


def hashed(name: str, stream: BinaryIO) -> Source:
    """Return an open file as a source. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces(stream):
        digest.update(piece)
        size += len(piece)
    stream.seek(0)
    return Source(Member(name, size, digest.hexdigest()), stream)


def desk_sources(home: Home) -> list[Source]:
    """Return the desk's rules and the tuned weights, where there are any. Raises OSError."""
    return [hashed(name, io.BytesIO((home.path / name).read_bytes())) for name in DESK if (home.path / name).is_file()]


def snapshot_sources(home: Home, stack: contextlib.ExitStack) -> Snapshots:
    """Return the live snapshot and the one before it, opened; ``stack`` closes them.

    No lock is held: where the live one is replaced and dropped meanwhile, the one that is live by then is taken.
    """
    while True:
        try:
            current = snapshot.read_current(home)
        except NoSnapshotError:
            return Snapshots(None, None, (), ())
        except SnapshotError as error:
            return Snapshots(None, None, (), (str(error),))
        try:
            sources = _opened(home, current, current.name, stack)
            break
        except SnapshotError as error:
            if snapshot.readable(home) == current:
                return Snapshots(None, None, (), (str(error),))
    before, left_out = snapshot.former(home, current.name), []
    if before is not None:
        try:
            sources += _former(home, current, before, stack)
        except SnapshotError as error:
            left_out.append(str(error))
            before = None
    told = current.only([before] if before else []).as_bytes()
    return Snapshots(current.name, before, [*sources, hashed(CURRENT, io.BytesIO(told))], left_out)


def _former(home: Home, current: snapshot.Current, name: str, stack: contextlib.ExitStack) -> list[Source]:
    try:
        size = folder_bytes(home.snapshots / name)
    except OSError as error:
        raise SnapshotError(f"{home.snapshots / name}: cannot be read ({error.strerror})") from error
    if size > SMALL_BYTES:
        raise SnapshotError(f"{name}, which rollback goes to: has {size:,} bytes, up to {SMALL_BYTES:,} go along")
    return _opened(home, current, name, stack)


def _opened(home: Home, current: snapshot.Current, name: str, stack: contextlib.ExitStack) -> list[Source]:
    """Return the files of one snapshot, opened before they are checked, so that what was checked is what is copied."""
    folder = home.snapshots / name
    try:
        there = ("manifest.json", *(file for file in snapshot.FILES if (folder / file).exists()))
        streams = {file: stack.enter_context(_binary(folder / file)) for file in there}
        problems = snapshot.verify(folder, current.manifests.get(name))
        if problems:
            raise SnapshotError(problems[0])
        return [hashed(f"snapshots/{name}/{file}", stream) for file, stream in streams.items()]
    except OSError as error:
        raise SnapshotError(f"{folder}: cannot be read ({error})") from error


def _binary(path: Path) -> BinaryIO:
    return path.open("rb")
