"""``CURRENT``: which snapshot is live, and which ones it took over from. It is replaced by one rename.

The former one of a snapshot is the one that was live before it, whatever their numbers are. Publishing puts what was live
on top of that history; going back takes it off again, and what was left by going back is no longer part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from recommender.disk import replace_synced, sealed, unsealed
from recommender.errors import NoSnapshotError, SnapshotError
from recommender.home import Home

REBUILD = "run: recommender rebuild"
NAME = re.compile(r"s\d{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSEALED = {"snapshot", "manifest_sha256"}  # as written before there was a history


class Current(NamedTuple):
    """What ``CURRENT`` says.

    Attributes:
        name: of the live snapshot.
        manifests: sha256 of the manifest of each snapshot that was ever live here and may still be there.
        former: what was live before, the last one first.
        last: the highest number that was ever given to a snapshot here; none is given twice.
    """

    name: str
    manifests: Mapping[str, str]
    former: tuple[str, ...]
    last: int

    @property
    def manifest_sha256(self) -> str:
        """Of the live snapshot."""
        return self.manifests[self.name]

    def after(self, name: str, manifest_sha256: str) -> Current:
        """Return what holds when ``name`` becomes live: its history ends there, or what was live goes on top of it."""
        line = (self.name, *self.former)
        former = line[line.index(name) + 1 :] if name in line else line
        manifests = {**self.manifests, name: manifest_sha256}
        return Current(name, manifests, former, max(self.last, number_of(name)))

    def only(self, there: Iterable[str]) -> Current:
        """Return the same without the history of snapshots that are not ``there``."""
        kept = {*there, self.name}
        manifests = {name: sha256 for name, sha256 in sorted(self.manifests.items()) if name in kept}
        return self._replace(manifests=manifests, former=tuple(name for name in self.former if name in kept))

    def as_bytes(self) -> bytes:
        """Return the file."""
        fields = {"snapshot": self.name, "manifest_sha256": self.manifest_sha256, "former": list(self.former)}
        return sealed(fields | {"manifests": dict(self.manifests), "last": self.last})


def number_of(name: str) -> int:
    """Return the number in a snapshot's name."""
    return int(name[1:])


def names(home: Home) -> list[str]:
    """Return the names of all snapshots that are there, the highest number first."""
    try:
        found = [path.name for path in home.snapshots.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, reverse=True)


def next_name(home: Home) -> str:
    """Return the name of the next snapshot: a number that none had before, also when the youngest ones are gone."""
    current = readable(home)
    last = current.last if current else 0
    return f"s{max([last, *map(number_of, names(home))]) + 1:08d}"


def taking_over(home: Home, name: str, manifest_sha256: str) -> Current:
    """Return what holds when ``name``, which is there, becomes live. Where ``CURRENT`` is damaged the numbers are the history."""
    current = readable(home)
    if current:
        return current.after(name, manifest_sha256)
    there = names(home)
    return Current(name, {name: manifest_sha256}, tuple(each for each in there if each < name), number_of(there[0]))


def former(home: Home, name: str) -> str | None:
    """Return the name of the snapshot that was live before ``name`` and is still there, None where there is none.

    For one that has no place in the history (it was left by going back) that is the next lower number.
    """
    there = names(home)
    current = readable(home)
    line = (current.name, *current.former) if current else ()
    before = line[line.index(name) + 1 :] if name in line else tuple(each for each in there if each < name)
    return next((each for each in before if each in there), None)


def read_current(home: Home) -> Current:
    """Return what is live.

    Raises:
        NoSnapshotError: nothing has been published here.
        SnapshotError: ``CURRENT`` is damaged.
    """
    try:
        return _parsed(home, home.current.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise NoSnapshotError(
            f"{home.path}: no index has been published here; run: recommender ingest SOURCE, then: recommender rebuild"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"{home.current}: is damaged ({error}); {REBUILD}") from error


def readable(home: Home) -> Current | None:
    """Return what is live, None where nothing is or ``CURRENT`` is damaged."""
    try:
        return read_current(home)
    except SnapshotError:
        return None


def write_current(home: Home, current: Current) -> None:
    """Make ``current`` what holds, in one step. Snapshots that are gone are forgotten. Raises OSError."""
    replace_synced(home.current, current.only(names(home)).as_bytes())


def _parsed(home: Home, raw: bytes) -> Current:
    fields: dict[str, Any] = json.loads(raw)
    if set(fields) == _UNSEALED:
        lower = tuple(name for name in names(home) if name < fields["snapshot"])
        fields |= {"former": lower, "manifests": {}, "last": number_of(max(names(home), default="s0"))}
    else:
        fields = unsealed(raw)
    name, sha256 = fields["snapshot"], fields["manifest_sha256"]
    line, manifests = tuple(fields["former"]), {**fields["manifests"], name: sha256}
    _check_names((name, *line, *manifests))
    if not all(_SHA256.fullmatch(each) for each in manifests.values()):
        raise ValueError("a manifest's sha256 is none")
    return Current(name, manifests, line, max(int(fields["last"]), number_of(name)))


def _check_names(given: Iterable[str]) -> None:
    for name in given:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no snapshot's name")
