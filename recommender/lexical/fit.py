"""How telling each term is, counted once over an archive and kept until it is counted again.

A row's weights follow from its own text and the fit alone. So a row that is added later weighs what it would weigh in an
index built anew under the same fit, and no row changes because another one came or went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.lexical.counts import PAIR, Keys
from recommender.vectors import found_in


@dataclass(frozen=True, slots=True)
class LexicalFit:
    """The fit.

    Attributes:
        n_articles: by language.
        keys: of the terms, ascending, shape (m,).
        idf: 0 for a term that is too common to be listed, shape (m,).
        n_with: in how many articles each stood; 0 for one that was not there yet, shape (m,).
        rarest: the largest idf.
        mean_length: of the rows, before they were made of unit length.
    """

    n_articles: Mapping[str, int]
    keys: Keys
    idf: NDArray[np.float32]
    n_with: NDArray[np.int32]
    rarest: float
    mean_length: float

    def idf_of(self, keys: Keys, n_in_language: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return idf and number of articles of any terms, each shape (len(keys),).

        A term that was not there counts as one that stood in one article of its language; a pair as nothing.

        Args:
            keys: of the terms.
            n_in_language: how many articles of each term's language there were.
        """
        at, known = found_in(self.keys, keys)
        if len(self.keys):
            known &= self.n_with[at] > 0
        idf = np.where(keys & PAIR == 0, smoothed_idf(n_in_language, np.ones(len(keys), np.int64)), np.float32(0))
        idf[known] = self.idf[at[known]]
        n_with = np.zeros(len(keys), np.int32)
        n_with[known] = self.n_with[at[known]]
        return idf, n_with


def smoothed_idf(n_articles: NDArray[np.int64], n_with: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the smoothed idf of terms.

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 6.2; scikit-learn smooths it the same way.
    """
    return np.asarray(np.log((1 + n_articles) / (1 + n_with)) + 1, np.float32)
