"""Keys of the write routes: who may write. Kept are names and sha256 sums, never a key itself.

A key is 32 random bytes from the system, so that a plain sha256 of it is as good as a slow one: there is nothing to guess.
The file is read by its owner alone; one that others may read or that is damaged opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender.disk import replace_synced, sealed, unsealed
from recommender.errors import InputError, KeysError

SCOPES = ("write", "desk")
FORMAT = 1
MAX_PER_NAME = 2

_PREFIX = "nrk_"  # so that a scanner for secrets, and a person, knows one
_N_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWNER_ALONE = 0o600


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key.

    Attributes:
        name: of whoever holds it.
        scope: ``write`` (articles) or ``desk`` (pins, blocks and boosts); a key has one.
        sha256: of the key, hex.
        created_at: RFC 3339.
    """

    name: str
    scope: str
    sha256: str
    created_at: str


class Keys:
    """The keys of one file, as they are now: it is read again when it was replaced. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Take where the file lies, or will lie; nothing is read before the first question."""
        self._path = path
        self._read: tuple[tuple[int, ...] | None, tuple[Key, ...]] = None, ()

    def __len__(self) -> int:
        """Return how many keys there are. Raises KeysError."""
        return len(self._now())

    def check(self, presented: str, scope: str) -> str | None:
        """Return the name of the key that was presented where it is one of this scope, else None.

        Every key is compared, each in a time that does not depend on where it differs; no file means no keys.

        Raises:
            KeysError: the file is damaged, or others may read it.
        """
        sha256 = _sha256(presented)
        found: str | None = None
        for key in self._now():
            if hmac.compare_digest(key.sha256, sha256) and key.scope == scope:
                found = key.name
        return found

    def holder(self, key_id: str, scope: str) -> str | None:
        """Return the name of the key of this scope that has an id (:func:`key_id`) and was not removed, else None. Raises KeysError."""
        found: str | None = None
        for key in self._now():
            if hmac.compare_digest(_id_of(key.sha256), key_id) and key.scope == scope:
                found = key.name
        return found

    def _now(self) -> tuple[Key, ...]:
        stamp = _stamp(self._path)
        seen, keys = self._read
        if stamp != seen:
            keys = read_keys(self._path)
            self._read = stamp, keys
        return keys


def key_id(presented: str) -> str:
    """Return what a key can be known by later without being kept: it tells nothing of the key, nor of its sha256."""
    return _id_of(_sha256(presented))


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the keys of a file in the order in which they were added; none where there is no file.

    Raises:
        KeysError: it is damaged, or others may read it.
    """
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            if mode & ~_OWNER_ALONE:
                raise KeysError(f"{path}: others may read or write it (mode {mode:o}); run: chmod 600 {path}")
            return _parsed(unsealed(stream.read()))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeysError(
            f"{path}: is damaged ({error}); remove it and add every key anew with: recommender keys add NAME --scope write|desk"
        ) from error


def add_key(path: Path, name: str, scope: str, *, now: datetime) -> str:
    """Make a key, keep its sha256, and return the key, which nobody can tell again.

    A name may have two keys, so that its holder can change from one to the other. The caller lets nobody else change the
    file meanwhile.

    Raises:
        InputError: the name or the scope is none, or the name has two keys, or one of another scope.
        KeysError: the file is damaged or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:80]!r} is no name for a key; take 1 to 64 letters, digits, dots, dashes, underscores")
    if scope not in SCOPES:
        raise InputError(f"{scope[:80]!r} is no scope; scopes are {', '.join(SCOPES)}")
    keys = read_keys(path)
    same = [key for key in keys if key.name == name]
    if any(key.scope != scope for key in same):
        raise InputError(f"{name} has a key of scope {same[0].scope}; take another name for scope {scope}")
    if len(same) >= MAX_PER_NAME:
        raise InputError(
            f"{name} has {len(same)} keys already; when the new one is in use, run: recommender keys remove {name} --older"
        )
    made = _PREFIX + secrets.token_urlsafe(_N_BYTES)
    created_at = now.astimezone(UTC).isoformat(timespec="seconds")
    _write(path, (*keys, Key(name, scope, _sha256(made), created_at)))
    return made


def remove_keys(path: Path, name: str, *, older: bool = False) -> int:
    """Drop the keys of a name and return how many they were. The caller lets nobody else change the file meanwhile.

    Args:
        path: of the file.
        name: of the holder.
        older: keep the one that was added last.

    Raises:
        InputError: there is no such key.
        KeysError: the file is damaged or cannot be written.
    """
    keys = read_keys(path)
    dropped = [key for key in keys if key.name == name]
    if not dropped:
        names = ", ".join(dict.fromkeys(key.name for key in keys)) or "none"
        raise InputError(f"there is no key of {name[:80]!r}; there are keys of: {names}")
    if older and not (dropped := dropped[:-1]):
        raise InputError(f"{name} has one key alone; without --older it is removed")
    _write(path, [key for key in keys if key not in dropped])
    return len(dropped)


def _write(path: Path, keys: Iterable[Key]) -> None:
    try:
        fields = {"format": FORMAT, "keys": [asdict(key) for key in keys]}
        replace_synced(path, sealed(fields), mode=_OWNER_ALONE)
    except OSError as error:
        raise KeysError(f"{path}: could not be written ({error.strerror}); the keys are as they were") from error


def _parsed(fields: dict[str, Any]) -> tuple[Key, ...]:
    if fields["format"] != FORMAT:
        raise ValueError(f"it has format {fields['format']!r}, this program reads {FORMAT}")
    keys = tuple(Key(**said) for said in fields["keys"])
    for key in keys:
        if not (_NAME.fullmatch(key.name) and key.scope in SCOPES and _SHA256.fullmatch(key.sha256)):
            raise ValueError(f"the entry of {key.name!r} is no key's")
    return keys


def _id_of(sha256: str) -> str:
    return hashlib.sha256(f"session of {sha256}".encode()).hexdigest()[:32]


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is replaced, changed or opened to others; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
