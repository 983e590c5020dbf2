"""Lists that were finished when an index was built, as they are answered: one a row, compressed.

They are read, not mapped: what was asked for once stays with the system's cache instead of counting as the process's, and a file
that is cut while it is open costs nothing but the time to make lists anew.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.disk import mapped_array, save_array
from recommender.errors import SnapshotError

FILES = ("lists.offsets.npy", "lists.bin")
_USUAL_BYTES = 4096


def packed(answer: bytes) -> bytes:
    """Return an answer as it is kept."""
    return zlib.compress(answer, 6)


class ReadyLists:
    """The finished lists of an index, read from its files; safe to share between threads."""

    def __init__(self, offsets: NDArray[np.int64], file: int) -> None:
        """Take where each row's list starts, shape (n + 1,), and the lists' file; the descriptor is closed with this object."""
        self._offsets, self._file = offsets, file
        weakref.finalize(self, os.close, file)

    @classmethod
    def read(cls, folder: Path, n_rows: int) -> ReadyLists:
        """Open the files of ``folder``. The caller has checked their sha256.

        Raises:
            SnapshotError: a file cannot be read, or they do not belong to ``n_rows`` rows.
        """
        try:
            offsets = mapped_array(folder / FILES[0])
            lists = cls(offsets, os.open(folder / FILES[1], os.O_RDONLY | os.O_CLOEXEC))
            size = os.fstat(lists._file).st_size
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotError(f"{folder}: the finished lists cannot be read: {error}") from error
        if offsets.shape != (n_rows + 1,) or offsets[-1] != size:
            raise SnapshotError(f"{folder}: the finished lists do not belong to these rows; run: recommender rebuild")
        return lists

    @staticmethod
    def write(folder: Path, every: Iterable[bytes]) -> None:
        """Write the files into ``folder``, of the rows in their order; an empty list of bytes for none.

        Raises:
            OSError: the disk refused.
        """
        offsets = [0]
        with (folder / FILES[1]).open("wb") as stream:
            for each in every:
                stream.write(each)
                offsets.append(offsets[-1] + len(each))
        save_array(folder / FILES[0], np.array(offsets, np.int64))

    def of(self, row: int) -> bytes | None:
        """Return the list of a row, None where it has none, or its bytes were changed since the files were opened."""
        start, end = int(self._offsets[row]), int(self._offsets[row + 1])
        if start == end:
            return None
        try:
            return zlib.decompress(os.pread(self._file, end - start, start), bufsize=_USUAL_BYTES)
        except (OSError, zlib.error):  # ``verify`` tells of it; a reader is better served with a list that is made anew
            return None
