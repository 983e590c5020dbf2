"""What a newsroom has without us: chance, the newest, full-text search. The one owner of bm25s."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.snapshot import View
from recommender.tokens import terms

Ranking = Callable[[int], NDArray[np.float64]]
"""Row of a query to the score of every row; -inf for what it does not find."""
_K1, _B = 1.2, 0.75


def chance(snapshot: View) -> Ranking:
    """Return a ranking by lot, the same at every run."""

    def ranking(row: int) -> NDArray[np.float64]:
        seed = int.from_bytes(hashlib.blake2b(snapshot.dense.ids[row].encode(), digest_size=8).digest(), "little")
        return np.random.default_rng(seed).random(len(snapshot))

    return ranking


def newest_in_section(snapshot: View) -> Ranking:
    """Return a ranking by the time between the two, stories of the article's own section first."""
    columns = snapshot.columns

    def ranking(row: int) -> NDArray[np.float64]:
        apart = -np.abs(columns.published_at.astype(np.float64) - float(columns.published_at[row]))
        return np.where(columns.section == columns.section[row], apart, apart - 1e12)

    return ranking


class TermBaselines:
    """BM25 and tf-idf over single stems of title and body, the whole article as query: what a full-text engine would do."""

    def __init__(self, texts: Iterable[tuple[str, str | None]]) -> None:
        """Take every row's text and language, in the order of rows."""
        import bm25s  # half a second that only an evaluation pays

        logging.getLogger("bm25s").setLevel(logging.ERROR)  # it sets itself to DEBUG
        self._tokens = [terms(text, language) for text, language in texts]
        self._bm25: Any = bm25s.BM25(k1=_K1, b=_B)
        self._bm25.index(self._tokens, show_progress=False)
        self._number: dict[str, int] = {}
        self._n_rows = len(self._tokens)
        self._rows: list[NDArray[np.int32]] = []
        self._weights: list[NDArray[np.float64]] = []
        self._index()

    def bm25(self, row: int) -> NDArray[np.float64]:
        """Return BM25 (k1 1.2, b 0.75) of every row; -inf where no term is shared."""
        tokens = self._tokens[row]
        scores = np.asarray(self._bm25.get_scores(tokens), np.float64) if tokens else np.zeros(self._n_rows)
        return np.where(scores > 0, scores, -np.inf)

    def bm25_of(self, text: str, language: str | None) -> NDArray[np.float64]:
        """Return BM25 of every row for a text; 0 where no term is shared."""
        known = [term for term in terms(text, language) if term in self._number]
        if not known:
            return np.zeros(self._n_rows)
        return np.asarray(self._bm25.get_scores(known), np.float64)

    def tfidf(self, row: int) -> NDArray[np.float64]:
        """Return the cosine of tf-idf vectors (sublinear, smoothed idf) of every row; -inf where no term is shared.

        Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 6.4.
        """
        scores = np.zeros(self._n_rows)
        for term in dict.fromkeys(self._tokens[row]):
            number = self._number[term]
            rows, weights = self._rows[number], self._weights[number]
            scores[rows] += weights * weights[np.searchsorted(rows, row)]
        return np.where(scores > 0, scores, -np.inf)

    def _index(self) -> None:
        found: list[list[tuple[int, int]]] = []
        for row, tokens in enumerate(self._tokens):
            names, counts = np.unique(np.array(tokens, dtype=object), return_counts=True) if tokens else ((), ())
            for name, count in zip(names, counts, strict=True):
                number = self._number.setdefault(str(name), len(found))
                if number == len(found):
                    found.append([])
                found[number].append((row, int(count)))
        squares = np.zeros(self._n_rows)
        for postings in found:
            rows = np.array([row for row, _ in postings], np.int32)
            idf = np.log((1 + self._n_rows) / (1 + len(rows))) + 1
            weights = (1 + np.log([count for _, count in postings])) * idf
            squares[rows] += weights**2
            self._rows.append(rows)
            self._weights.append(weights)
        lengths = np.sqrt(squares)
        for number, rows in enumerate(self._rows):
            self._weights[number] = self._weights[number] / lengths[rows]
