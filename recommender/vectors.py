"""Vectors and scores: normalised, combined, ordered. Pure functions over NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""Shape (dim,)."""
Matrix = NDArray[np.float32]
"""Shape (n, dim), one row a vector."""

SCORE_DIGITS = 6
UNDATED = np.iinfo(np.int64).min
"""Stands for the date of what has none, in seconds."""
_BLOCK_ROWS = 8192
_LEAST_LENGTH = 1e-3


class Hit(NamedTuple):
    """A candidate: an article's id and its score (higher is better; for the dense index a cosine, -1 to 1)."""

    article_id: str
    score: float


def normalise(matrix: Matrix) -> Matrix:
    """Return the rows at unit length, float32; a row of zeros stays zeros (it is similar to nothing)."""
    matrix = np.asarray(matrix, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
    unit: Matrix = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    return unit


def combine(views: Sequence[tuple[float, Vector]]) -> Vector:
    """Return the unit vector of a weighted sum of views, each normalised first.

    Args:
        views: (weight, vector) pairs, at least one; weights need not sum to 1.

    Source: weighted view averaging as in classical late fusion of field representations; MODELS of this project
    measured it against one truncated text (see ARCHITECTURE.md, "The article vector").
    """
    total = np.sum([np.float32(weight) * normalise(vector) for weight, vector in views], axis=0)
    return normalise(total)


def mean_vector(matrix: Matrix) -> Vector:
    """Return the unit vector of the mean of the rows; shape (dim,). At least one row is needed."""
    return normalise(np.mean(normalise(matrix), axis=0))


def positions(starts: NDArray[np.integer], ends: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the positions of several spans in one array, span after span, so that all are read at once.

    Args:
        starts, ends: of half-open spans, each shape (n,); a span may be empty.
    """
    sizes = ends - starts
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum(), dtype=np.int64)


def found_in(ascending: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each of ``values`` stands in an ascending array, and whether it does; a place is 0 in an empty array.

    Each of the two has shape (len(values),).
    """
    if not len(ascending):
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return at, np.asarray(ascending[at] == values)


def rounded(hit: Hit) -> Hit:
    """Return the hit with its score rounded to six decimals, as every score is before it is compared or shown."""
    return Hit(hit.article_id, round(float(hit.score), SCORE_DIGITS))


class Centres:
    """The mean vector of each language, taken away so that a language is no direction of its own.

    An encoder places the articles of one language close together, whatever they are about; the mean of a language is
    that common part. Without it a story's nearest neighbours are about its subject rather than in its language, and a
    cosine of 0 means "as alike as two articles drawn at random". A language with few articles has no mean worth
    trusting, so it is shrunk by n / (n + shrinkage).

    Source: Libovický, Rosa and Fraser, "On the Language Neutrality of Pre-trained Multilingual Representations",
    Findings of EMNLP 2020 (section 3, centring). The shrinkage is ours.

    Attributes:
        languages: the languages in order, ``""`` for articles whose language is unknown.
        matrix: shape (len(languages), dim), the shrunk means.
    """

    def __init__(self, languages: Sequence[str], matrix: Matrix) -> None:
        if len(languages) != len(matrix):
            raise ValueError(f"{len(languages)} languages for {len(matrix)} centres")
        self.languages = tuple(languages)
        self.matrix = matrix
        self._row_of = {language: row for row, language in enumerate(self.languages)}

    @classmethod
    def fit(cls, vectors: Matrix, languages: Sequence[str], shrinkage: float) -> Centres:
        """Return the centres of ``vectors``, shape (len(languages), dim); ``shrinkage`` 0 gives none at all."""
        names = sorted(set(languages)) if shrinkage > 0 else []
        codes = np.array(list(languages), dtype=object)
        matrix = np.zeros((len(names), vectors.shape[1]), np.float32)
        for row, name in enumerate(names):
            rows = np.flatnonzero(codes == name)
            # float64: the mean of a million float32 rows must not depend on their order
            mean = np.zeros(vectors.shape[1])
            for start in range(0, len(rows), _BLOCK_ROWS):
                mean += vectors[rows[start : start + _BLOCK_ROWS]].sum(axis=0, dtype=np.float64)
            matrix[row] = mean / (len(rows) + shrinkage)
        return cls(names, matrix)

    def apply(self, vectors: Matrix, languages: Sequence[str]) -> Matrix:
        """Return unit vectors with their language's centre taken away; a language not seen keeps its vectors.

        A vector of zeros stays one, and one that is nothing but its language's centre (the only article of an archive,
        say) is left as it is.
        """
        centred = np.array(vectors, dtype=np.float32)
        if self.languages:
            rows = np.array([self._row_of.get(language, -1) for language in languages], dtype=np.int64)
            for start in range(0, len(centred), _BLOCK_ROWS):  # in blocks: an archive is copied once, not thrice
                self._take_away(centred[start : start + _BLOCK_ROWS], rows[start : start + _BLOCK_ROWS])
        return normalise(centred)

    def _take_away(self, block: Matrix, rows: NDArray[np.int64]) -> None:
        """Take the centres away from ``block`` in place; ``rows`` are rows of ``matrix``, -1 for none."""
        moved = block - np.where(rows[:, None] >= 0, self.matrix[rows], np.float32(0))
        fit = (np.linalg.norm(moved, axis=1) > _LEAST_LENGTH) & block.any(axis=1)
        block[fit] = moved[fit]
