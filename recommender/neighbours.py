"""The rows that are most like each row, found when an index is built and kept with both their cosines.

A list of a known article needs the cosines of some hundreds of rows, and looks through the whole archive to find them. Kept, they
need no search. What is kept also says what it does not know: of every other row, the cosine that it has at most (:class:`Floors`), so that
whoever asks for more than is kept can tell, and search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.disk import mapped_array, open_array, save_array
from recommender.errors import SnapshotError
from recommender.vectors import positions

Rows = NDArray[np.int64]
Cosines = NDArray[np.float32]
_NAMES = ("offsets", "rows", "dense", "lexical", "floors")
FILES = tuple(f"neighbours.{name}.npy" for name in _NAMES)


@dataclass(frozen=True, slots=True)
class Own:
    """Which rows may stand in an article's list for being similar: no stubs, and of the others these.

    Attributes:
        kinds: of these kinds; empty for any.
        same_language: none that is known to be in another language than the article.
        past_only: none that is younger than the article, or without a date, where the article has one.
    """

    kinds: tuple[str, ...] = ()
    same_language: bool = True
    past_only: bool = False

    def covers(self, other: Own) -> bool:
        """Tell whether every row that may stand in a list of the other may stand in this one's."""
        kinds = not self.kinds or (bool(other.kinds) and set(other.kinds) <= set(self.kinds))
        return kinds and self.same_language <= other.same_language and self.past_only <= other.past_only


class Floors(NamedTuple):
    """What rows that are not kept have at most, cosines of vectors and of terms.

    Attributes:
        dense, lexical: any row.
        own_dense, own_lexical: a row that may stand in the article's list for being similar, see :class:`Own`.
    """

    dense: float
    lexical: float
    own_dense: float
    own_lexical: float

    def of_dense(self, *, own: bool) -> float:
        """Return what a row that is not kept has at most, of those that may stand in the list where ``own``."""
        return min(self.dense, self.own_dense) if own else self.dense

    def of_lexical(self, *, own: bool) -> float:
        """Return the same of terms."""
        return min(self.lexical, self.own_lexical) if own else self.lexical


class Near(NamedTuple):
    """What is kept for one row.

    Attributes:
        rows: ascending, without the row itself, shape (m,).
        dense, lexical: their cosines, shape (m,).
        floors: of all others.
    """

    rows: Rows
    dense: Cosines
    lexical: Cosines
    floors: Floors


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is kept for every row of an index.

    Attributes:
        offsets: where each row's neighbours start, shape (n + 1,).
        rows, dense, lexical: of all neighbours, one row's after the other's, shape (m,).
        floors: columns in the order of :class:`Floors`, shape (n, 4).
        own: which rows may stand in a list, as the floors have it.
    """

    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    dense: Cosines
    lexical: Cosines
    floors: Cosines
    own: Own

    @staticmethod
    def write(folder: Path, every: Iterable[Near]) -> None:
        """Write the files into ``folder``, of the rows in their order. Raises OSError when the disk refuses."""
        found = [Near(near.rows.astype(np.int32), *near[1:]) for near in every]
        offsets = np.concatenate([[0], np.cumsum([len(near.rows) for near in found])]).astype(np.int64)
        save_array(folder / FILES[0], offsets)
        save_array(
            folder / FILES[-1], np.array([near.floors for near in found], np.float32).reshape(-1, len(Floors._fields))
        )
        for name, file in list(zip(_NAMES, FILES, strict=True))[1:-1]:
            kind = np.dtype(np.int32 if name == "rows" else np.float32)
            with open_array(folder / file, kind, int(offsets[-1])) as stream:
                for near in found:
                    stream.write(getattr(near, name).tobytes())

    @classmethod
    def read(cls, folder: Path, n_rows: int, own: Own) -> Neighbours:
        """Map the files of ``folder``. The caller has checked their sha256.

        Raises:
            SnapshotError: a file cannot be read as an array, or they do not belong to ``n_rows`` rows.
        """
        try:
            arrays = {name: mapped_array(folder / file) for name, file in zip(_NAMES, FILES, strict=True)}
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotError(f"{folder}: the neighbours cannot be read: {error}") from error
        n = len(arrays["rows"])
        whole = (
            arrays["offsets"].shape == (n_rows + 1,)
            and arrays["floors"].shape == (n_rows, len(Floors._fields))
            and arrays["offsets"][-1] == n == len(arrays["dense"]) == len(arrays["lexical"])
        )
        if not whole:
            raise SnapshotError(f"{folder}: the neighbours do not belong to these rows; run: recommender rebuild")
        return cls(**arrays, own=own)

    def near(self, row: int) -> Near:
        """Return what is kept for a row."""
        span = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        floors = Floors(*map(float, self.floors[row]))
        return Near(self.rows[span].astype(np.int64), self.dense[span], self.lexical[span], floors)

    def around(self, rows: Rows) -> Rows:
        """Return the nearest of some rows by vectors, one's after the other's; a row may be among them twice."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        at = positions(starts, ends)
        nearest = self.dense[at] >= np.repeat(self.floors[rows, 0], ends - starts)
        return self.rows[at[nearest]].astype(np.int64)
