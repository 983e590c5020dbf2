"""Exact nearest neighbours by inner product of unit vectors. The one owner of FAISS.

One thread a search: with more, a query on a busy machine takes several times longer (faiss documents its OpenMP
threading for batches; a sidebar asks one row at a time).
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from recommender.errors import SnapshotError
from recommender.vectors import SCORE_DIGITS, Hit, Matrix, Vector, normalise

faiss.omp_set_num_threads(1)
# A damaged file can ask for any amount of memory; files are checked by hash first, this is the second lock.
faiss.set_deserialization_vector_byte_limit(64 * 2**30)
faiss.set_deserialization_loop_limit(2**31)

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cosines = NDArray[np.float32]
_A_TIE = np.float32(2 * 10**-SCORE_DIGITS)  # two cosines further apart cannot be one score


class Searched:
    """Rows with ids and vectors, for whatever knows the cosine of a vector with every row.

    Attributes:
        ids: ascending, so a tie by row is a tie by id.
        dim: of the vectors.
    """

    ids: list[str]
    dim: int

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, article_id: str) -> int | None:
        """Return the row of an id, None when it is not here."""
        raise NotImplementedError

    def require_row(self, article_id: str) -> int:
        """Return the row of an id that is here. Raises KeyError."""
        row = self.row_of(article_id)
        if row is None:
            raise KeyError(article_id)
        return row

    def vectors(self, rows: Rows) -> Matrix:
        """Return a copy of the unit vectors in rows, shape (len(rows), dim)."""
        raise NotImplementedError

    def vector(self, row: int) -> Vector:
        """Return a copy of the unit vector in a row, shape (dim,)."""
        vector: Vector = self.vectors(np.array([row], np.int64))[0]
        return vector

    def cosines(self, unit: Vector) -> Cosines:
        """Return the cosine of a vector with every row, shape (len(self),).

        A pair has one cosine to the last bit, whichever of the two is asked with and whatever else is in the index.

        Args:
            unit: shape (dim,), of unit length, as :meth:`vector` gives it, or zeros: their cosine with everything is 0.
        """
        raise NotImplementedError

    def cosines_of(self, unit: Vector, rows: Rows) -> Cosines:
        """Return the cosine of a vector with some rows, shape (len(rows),); those that :meth:`cosines` has there."""
        raise NotImplementedError

    def search(self, query: Vector, k: int, allowed: Mask | None = None) -> list[Hit]:
        """Return the ``k`` best hits, best first; fewer when fewer are allowed.

        Args:
            query: shape (dim,); it is normalised here, so a score is a cosine. A query of zeros finds nothing.
            k, allowed: see :func:`nearest`.

        Scores are rounded to six decimals, ties are broken by id.
        """
        if not query.any():
            return []
        cosines = self.cosines(normalise(query))
        rows = nearest(cosines, k, allowed)
        return [Hit(self.ids[row], score) for row, score in zip(rows, as_scores(cosines[rows]).tolist(), strict=True)]


class DenseIndex(Searched):
    """Vectors and the ids of their articles, row by row; ids are in ascending order, so a tie by row is a tie by id."""

    def __init__(self, ids: list[str], index: Any) -> None:
        """Take a FAISS inner-product ``index`` whose row ``i`` belongs to ``ids[i]``.

        Raises:
            SnapshotError: the two are not of one length, or the ids are not ascending and unique.
        """
        if index.ntotal != len(ids):
            raise SnapshotError(f"the index has {index.ntotal} vectors for {len(ids)} ids; run: recommender rebuild")
        if any(left >= right for left, right in itertools.pairwise(ids)):
            raise SnapshotError("the ids of the index are not ascending and unique; run: recommender rebuild")
        self.ids = ids
        self.dim = int(index.d)
        self._index = index
        self._row_of = {article_id: row for row, article_id in enumerate(ids)}

    @classmethod
    def build(cls, ids: list[str], vectors: Matrix) -> DenseIndex:
        """Return an index over ``vectors``, shape (len(ids), dim); rows are normalised here."""
        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(np.ascontiguousarray(normalise(vectors)))
        return cls(ids, index)

    @classmethod
    def of_rows(cls, ids: list[str], index: Searched, rows: Rows) -> DenseIndex:
        """Return an index over some rows of another one, vectors to the last bit; ``ids`` are theirs."""
        some = faiss.IndexFlatIP(index.dim)
        some.add(index.vectors(rows))
        return cls(ids, some)

    @classmethod
    def read(cls, ids: list[str], path: Path) -> DenseIndex:
        """Map the index file at ``path`` into memory, shared with every process that maps it.

        The caller has checked the file's sha256: FAISS answers wrongly, or crashes, on damaged ones.

        Raises:
            SnapshotError: FAISS cannot read it, or it is another kind of index.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise SnapshotError(f"{path}: FAISS cannot read it; run: recommender rebuild") from error
        if not isinstance(index, faiss.IndexFlat) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise SnapshotError(f"{path}: is not an exact inner-product index")
        return cls(ids, index)

    def near_rows(self, rows: Rows, k: int, allowed: Mask | None = None) -> tuple[Rows, Cosines]:
        """Return the ``k`` rows most like each of some rows, best first, and their cosines, about: each shape (len(rows), k).

        Many rows together are several times quicker than one after the other, but their cosines end in other digits, by less
        than 1e-5. Where fewer than ``k`` are allowed the places left have row -1.
        """
        chosen = None
        if allowed is not None:
            chosen = faiss.SearchParameters(  # type: ignore[call-arg]
                sel=faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))  # type: ignore[call-arg, arg-type]
            )
        cosines, found = self._index.search(self.vectors(rows), k, params=chosen)
        return found, cosines

    def write(self, path: Path) -> None:
        """Write the index file. Raises OSError when the disk refuses."""
        # FAISS's own writer does not tell when the disk refuses the last bytes.
        try:
            with path.open("wb") as stream:
                faiss.write_index(self._index, faiss.PyCallbackIOWriter(stream.write))  # type: ignore[attr-defined]
        except OSError as error:
            raise OSError(f"{path}: cannot be written: {error.strerror}") from error

    def row_of(self, article_id: str) -> int | None:
        """Return the row of an id, None when it is not here."""
        return self._row_of.get(article_id)

    def vectors(self, rows: Rows) -> Matrix:
        """Return a copy of the unit vectors in rows, shape (len(rows), dim)."""
        if len(rows) == 0:
            return np.zeros((0, self.dim), np.float32)
        vectors: Matrix = self._index.reconstruct_batch(np.asarray(rows, np.int64))
        return vectors

    def vector(self, row: int) -> Vector:
        """Return a copy of the unit vector in a row, shape (dim,)."""
        vector: Vector = self._index.reconstruct(row)
        return vector

    def cosines(self, unit: Vector) -> Cosines:
        """Return the cosine of a vector with every row, from one pass over the vectors."""
        return _every_cosine(self._index, unit)

    def cosines_of(self, unit: Vector, rows: Rows) -> Cosines:
        """Return the cosine of a vector with some rows, shape (len(rows),); those that :meth:`cosines` has there."""
        unit, rows = np.ascontiguousarray(unit, np.float32), np.ascontiguousarray(rows, np.int64)
        found = np.zeros(len(rows), np.float32)
        if len(rows):
            self._index.compute_distance_subset(
                1, faiss.swig_ptr(unit), len(rows), faiss.swig_ptr(found), faiss.swig_ptr(rows)
            )
        return found


class LayeredDense(Searched):
    """A large index with a small one over it: rows that were added, replaced or withdrawn since the large one was built."""

    def __init__(self, base: DenseIndex, changed: DenseIndex, place: Rows) -> None:
        """Take the two.

        Args:
            base: the large one.
            changed: over the changed rows.
            place: of each row, in ascending order of ids: its row in ``base``, or the size of ``base`` plus its row in
                ``changed``; shape (n,).
        """
        self.dim = base.dim
        self._base, self._changed, self._place = base, changed, place
        every = [*base.ids, *changed.ids]
        self.ids = [every[at] for at in place.tolist()]
        self._row_at = np.full(len(every), -1, np.int64)
        self._row_at[place] = np.arange(len(place))

    def row_of(self, article_id: str) -> int | None:
        """Return the row of an id, None when it is not here."""
        changed, base = self._changed.row_of(article_id), self._base.row_of(article_id)
        at = len(self._base) + changed if changed is not None else base
        row = -1 if at is None else int(self._row_at[at])
        return None if row < 0 else row

    def vectors(self, rows: Rows) -> Matrix:
        """Return a copy of the unit vectors in rows, shape (len(rows), dim)."""
        place = self._place[rows]
        old = place < len(self._base)
        vectors = np.zeros((len(rows), self.dim), np.float32)
        vectors[old] = self._base.vectors(place[old])
        vectors[~old] = self._changed.vectors(place[~old] - len(self._base))
        return vectors

    def changed_cosines(self, unit: Vector) -> Cosines:
        """Return the cosine of a vector with every row of the small index alone."""
        return self._changed.cosines(unit)

    def cosines(self, unit: Vector) -> Cosines:
        """Return the cosine of a vector with every row, from one pass over the vectors."""
        return np.concatenate([self._base.cosines(unit), self._changed.cosines(unit)])[self._place]

    def cosines_of(self, unit: Vector, rows: Rows) -> Cosines:
        """Return the cosine of a vector with some rows, shape (len(rows),); those that :meth:`cosines` has there."""
        place = self._place[rows]
        old = place < len(self._base)
        found = np.zeros(len(rows), np.float32)
        found[old] = self._base.cosines_of(unit, place[old])
        found[~old] = self._changed.cosines_of(unit, place[~old] - len(self._base))
        return found


def _every_cosine(index: Any, unit: Vector) -> Cosines:
    # FAISS's search for all that lies within any distance: it sorts nothing, and sums as its other searches do.
    _, found, rows = index.range_search(unit[None, :], -np.inf)
    cosines = np.zeros(index.ntotal, np.float32)
    cosines[rows] = found
    return cosines


def nearest(cosines: Cosines, k: int, allowed: Mask | None = None) -> Rows:
    """Return the rows with the ``k`` largest cosines, the largest first; fewer when fewer are allowed.

    Cosines are compared as scores, rounded to six decimals; ties are broken by row, also at the cut.

    Args:
        cosines: of every row, shape (n,).
        k: any size; below 1 nothing is found.
        allowed: shape (n,), True where a row may be found; None for all. The others are left out before the cut to ``k``.
    """
    rows: Rows = np.arange(len(cosines)) if allowed is None else np.flatnonzero(allowed)
    k = min(k, len(rows))
    if k < 1:
        return np.zeros(0, np.int64)
    found = cosines[rows]
    least = np.partition(found, -k)[-k]
    in_reach = found >= least - _A_TIE
    best = np.argsort(-as_scores(found[in_reach]), kind="stable")[:k]
    return np.asarray(rows[in_reach][best])


def as_scores(cosines: Cosines) -> NDArray[np.float64]:
    """Return cosines as they are compared and shown: rounded to six decimals."""
    return np.asarray(np.round(cosines.astype(np.float64), SCORE_DIGITS))
