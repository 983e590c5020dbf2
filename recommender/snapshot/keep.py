"""Which snapshots stay, and how the others go: renamed aside first, so that none is ever seen half gone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from recommender.disk import folder_bytes, sync
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.snapshot.current import Current, former, names, number_of, read_current, write_current

KEEP = 3
ASIDE = ".tmp-"  # what is being built, or being dropped


@dataclass(frozen=True, slots=True)
class Dropped:
    """A snapshot that is gone, and the bytes that its files held."""

    name: str
    bytes: int


def prune(home: Home, keep: int) -> list[Dropped]:
    """Drop all snapshots but ``keep`` and return them, the highest number first.

    The live one and the one that was live before it stay, whatever ``keep`` is, and count; the rest is filled up with
    the highest numbers. The caller holds the home's writer lock.

    Raises:
        NoSnapshotError: nothing has been published here.
        SnapshotError: ``CURRENT`` is damaged (then nothing is dropped), or the disk refused.
    """
    current = read_current(home)
    dropped = [name for name in names(home) if name not in _kept(home, current, keep)]
    try:
        clear_left_overs(home)
        if dropped and number_of(dropped[0]) > current.last:  # left by a killed publication: its number stays taken
            write_current(home, current._replace(last=number_of(dropped[0])))
        return [_drop(home, name) for name in dropped]
    except OSError as error:
        raise SnapshotError(f"{home.snapshots}: old snapshots could not be dropped ({error}); try again") from error


def clear_left_overs(home: Home) -> None:
    """Remove what a killed writer left aside. Raises OSError."""
    for left_over in home.snapshots.glob(f"{ASIDE}*"):
        shutil.rmtree(left_over)


def _kept(home: Home, current: Current, keep: int) -> set[str]:
    needed = [current.name, *filter(None, [former(home, current.name)])]
    others = [name for name in names(home) if name not in needed]
    return {*needed, *others[: max(0, keep - len(needed))]}


def _drop(home: Home, name: str) -> Dropped:
    aside = home.snapshots / f"{ASIDE}{name}"
    (home.snapshots / name).rename(aside)
    sync(home.snapshots)
    dropped = Dropped(name, folder_bytes(aside))
    shutil.rmtree(aside)
    return dropped
