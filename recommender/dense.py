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

_swig: Any = faiss  # its stubs do not know the keyword and array forms of these two constructors

faiss.omp_set_num_threads(1)
# A damaged file can ask for any amount of memory; files are checked by hash first, this is the second lock.
faiss.set_deserialization_vector_byte_limit(64 * 2**30)
faiss.set_deserialization_loop_limit(2**31)

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class DenseIndex:
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

    def write(self, path: Path) -> None:
        """Write the index file. Raises OSError when the disk refuses."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, article_id: str) -> int | None:
        """Return the row of an id, None when it is not here."""
        return self._row_of.get(article_id)

    def require_row(self, article_id: str) -> int:
        """Return the row of an id that is here. Raises KeyError."""
        return self._row_of[article_id]

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

    def scores(self, query: Vector, rows: Rows) -> NDArray[np.float32]:
        """Return the inner product of ``query`` with each of ``rows``, shape (len(rows),); the same whatever rows stand beside."""
        # A product of matrices sums in another order for another number of rows.
        scores: NDArray[np.float32] = np.einsum("ij,j->i", self.vectors(rows), query.astype(np.float32))
        return scores

    def search(self, query: Vector, k: int, allowed: Mask | None = None) -> list[Hit]:
        """Return the ``k`` best hits, best first; fewer when fewer are allowed.

        Args:
            query: shape (dim,); it is normalised here, so a score is a cosine. A query of zeros finds nothing.
            k: at least 1; any size.
            allowed: shape (len(self),), True where a row may be found; None for all. Rows are left out inside the
                search, before the cut to ``k``.

        Scores are rounded to six decimals, ties are broken by id, also at the cut: where the k-th and the next score are equal,
        more are fetched until the tie is whole.
        """
        n_allowed = len(self) if allowed is None else int(np.count_nonzero(allowed))
        query = normalise(query)
        if k < 1 or n_allowed == 0 or not query.any():
            return []
        parameters: Any = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")  # must outlive the search: FAISS keeps its address
            parameters = _swig.SearchParameters(sel=_swig.IDSelectorBitmap(bits))
        k = min(k, n_allowed)
        fetch = min(n_allowed, k + 16)
        while True:
            found, rows = self._index.search(query[None, :], fetch, params=parameters)
            scores = np.round(found[0].astype(np.float64), SCORE_DIGITS)
            if fetch == n_allowed or scores[fetch - 1] < scores[k - 1]:
                break
            fetch = min(n_allowed, 2 * fetch)
        best = np.lexsort((rows[0], -scores))[:k]
        return [Hit(self.ids[rows[0][at]], float(scores[at])) for at in best]
