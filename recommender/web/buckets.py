"""How much each of many has asked for lately: token buckets in one piece of memory that all workers of a service share.

The table has a fixed size, so that no crowd of strangers makes it grow: where a set of slots is full, whoever has asked for least is
forgotten and begins anew. What stands in it are keyed sums of names, never a name.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
import struct
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

WINDOW_SECONDS = 60.0

_SET = struct.Struct("=QdQdQdQd")  # four slots of a mark and the second at which its bucket is full again
_SLOT = struct.Struct("=Qd")
_N_SETS = 2**14
_N_SECRET = 32
_N_BYTES = _N_SECRET + _N_SETS * _SET.size


class Buckets:
    """Buckets that hold what may be asked for within a minute, and fill up again evenly.

    Safe between threads. Between processes an update may be lost where two of them take from one bucket within the same
    microseconds: then one request more goes through.
    """

    def __init__(self, file: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the file that :func:`make` made, for all who name it; None for a table of one's own.

        Args:
            file: memory that is shared.
            clock: the same for all; on Linux ``time.monotonic`` is.
        """
        if file is None:
            self._memory = mmap.mmap(-1, _N_BYTES)
            self._memory[:_N_SECRET] = secrets.token_bytes(_N_SECRET)
        else:
            with file.open("r+b") as stream:
                self._memory = mmap.mmap(stream.fileno(), _N_BYTES)
        self._secret = bytes(self._memory[:_N_SECRET])
        self._clock = clock
        self._lock = Lock()

    def take(self, who: str, per_minute: int) -> float:
        """Take one from a bucket, and return 0; where it is empty take nothing, and return after how many seconds it is not.

        Args:
            who: whose bucket.
            per_minute: how many are in a full one, at least 1.
        """
        mark, first = self._place(who)
        with self._lock:
            now = self._clock()
            found = _SET.unpack_from(self._memory, first)
            marks, full_at = found[::2], found[1::2]
            at = marks.index(mark) if mark in marks else full_at.index(min(full_at))
            begin = max(full_at[at], now) if marks[at] == mark else now
            full = begin + WINDOW_SECONDS / per_minute
            wait = full - now - WINDOW_SECONDS
            if wait > 1e-6:
                return wait
            _SLOT.pack_into(self._memory, first + at * _SLOT.size, mark, full)
        return 0.0

    def _place(self, who: str) -> tuple[int, int]:
        """Return the mark of a name, never 0, and where its set of slots begins."""
        digest = hashlib.blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()
        mark = int.from_bytes(digest[:8]) or 1
        return mark, _N_SECRET + int.from_bytes(digest[8:]) % _N_SETS * _SET.size


def make(file: Path) -> None:
    """Make the memory that the workers of one service share, empty; it is as large as it will ever be."""
    with file.open("xb") as stream:
        stream.write(secrets.token_bytes(_N_SECRET))
        stream.truncate(_N_BYTES)
