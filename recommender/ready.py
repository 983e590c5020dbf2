"""Lists that were finished when an index was built, as they are answered: one a row, compressed."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.disk import mapped_array, save_array
from recommender.errors import SnapshotError

FILES = ("lists.offsets.npy", "lists.bin")


def packed(answer: bytes) -> bytes:
    """Return an answer as it is kept."""
    return zlib.compress(answer, 6)


class ReadyLists:
    """The finished lists of an index, mapped from their files."""

    def __init__(self, offsets: NDArray[np.int64], lists: bytes | mmap.mmap) -> None:
        """Take where each row's list starts, shape (n + 1,), and the lists."""
        self._offsets, self._lists = offsets, lists

    @classmethod
    def read(cls, folder: Path, n_rows: int) -> ReadyLists:
        """Map the files of ``folder``. The caller has checked their sha256.

        Raises:
            SnapshotError: a file cannot be read, or they do not belong to ``n_rows`` rows.
        """
        try:
            offsets = mapped_array(folder / FILES[0])
            with (folder / FILES[1]).open("rb") as stream:
                size = stream.seek(0, 2)
                lists = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotError(f"{folder}: the finished lists cannot be read: {error}") from error
        if offsets.shape != (n_rows + 1,) or offsets[-1] != size:
            raise SnapshotError(f"{folder}: the finished lists do not belong to these rows; run: recommender rebuild")
        return cls(offsets, lists)

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
        """Return the list of a row, None where it has none."""
        kept = self._lists[self._offsets[row] : self._offsets[row + 1]]
        return zlib.decompress(kept) if kept else None
