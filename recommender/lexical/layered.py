"""A large index with a small one over it: rows that were added, replaced or withdrawn since the large one was built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.lexical.counts import Keys, counts_of
from recommender.lexical.fit import LexicalFit
from recommender.lexical.index import LexicalIndex, Questions, Scores
from recommender.lexical.query import TermQuery
from recommender.lexical.weighing import POSTING, entries_of, lengths_of, postings_of, strongest, weigh
from recommender.text import base_language
from recommender.vectors import found_in


class Document(NamedTuple):
    """A text as the index sees it: its language, and its terms with how often each stands there."""

    language: str
    keys: Keys
    counts: NDArray[np.float32]

    @classmethod
    def of(cls, title: str, body: str, language: str | None) -> Document:
        """Return the document of a text."""
        return cls(base_language(language), *counts_of(title, body, base_language(language)))


def index_of(documents: Sequence[Document], fit: LexicalFit) -> LexicalIndex:
    """Return an index in memory over a few documents, one a row, weighed by a fit."""
    n = len(documents)
    languages = tuple(sorted({document.language for document in documents}))
    n_articles = np.array([fit.n_articles.get(document.language, 0) for document in documents], np.int64)
    found = [postings_of(row, document.keys, document.counts) for row, document in enumerate(documents)]
    squares = np.zeros(n)
    weighed = weigh(np.concatenate([*found, np.zeros(0, POSTING)]), n_articles, squares, fit)
    lengths = lengths_of(squares)
    scaled = weighed.postings["count"] / lengths[weighed.postings["row"]]
    numbers = np.repeat(np.arange(len(weighed.keys), dtype=np.int32), weighed.sizes)
    entries = strongest(entries_of(weighed.postings["row"], numbers, scaled.astype(np.float16)))
    arrays = {
        "languages": np.array(languages, np.str_),
        "articles": np.array([fit.n_articles.get(language, 0) for language in languages], np.int64),
        "constants": np.array([fit.rarest, fit.mean_length]),
        "keys": weighed.keys,
        "idf": weighed.idf,
        "articles_with": weighed.n_with,
        "lengths": lengths.astype(np.float32),
        "offsets": np.concatenate([[0], np.cumsum(weighed.sizes)]).astype(np.int64),
        "rows": weighed.postings["row"].copy(),
        "weights": scaled.astype(np.float16),
        "query_offsets": np.searchsorted(entries["row"], np.arange(n + 1)).astype(np.int64),
        "query_terms": np.ascontiguousarray(entries["number"]),
        "query_weights": np.ascontiguousarray(entries["weight"]),
    }
    return LexicalIndex(arrays, n)


class LayeredIndex(Questions):
    """Two indexes under one fit that answer as one; safe to share between threads.

    A term has the number that it has in the large index; those that stand in the small one alone come after.
    """

    def __init__(self, base: LexicalIndex, changed: LexicalIndex, place: NDArray[np.int64]) -> None:
        """Take the two.

        Args:
            base: the large one.
            changed: over the changed rows, made with ``index_of`` under the fit of ``base``.
            place: of each row: its row in ``base``, or the size of ``base`` plus its row in ``changed``; shape (n,).
        """
        super().__init__()
        self.fit = base.fit
        self._base, self._changed, self._place = base, changed, place
        at, known = found_in(base.keys, changed.keys)
        self._extra: Keys = changed.keys[~known]
        # By number in the small index, the number here.
        self._numbers = at.astype(np.int32)
        self._numbers[~known] = len(base.keys) + np.arange(len(self._extra), dtype=np.int32)
        self._order = np.argsort(self._numbers)
        live = np.zeros(len(base), np.bool_)
        live[place[place < len(base)]] = True
        self._gone = self._without_rows(live)
        self.languages = tuple(sorted({*base.languages, *changed.languages}))

    def _without_rows(self, live: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the large index's terms that the fit does not know and no row holds any more, ascending."""
        unfitted = np.flatnonzero(np.asarray(self.fit.n_with) == 0)
        still = np.isin(unfitted, self._numbers)
        gone = [number for number in unfitted[~still].tolist() if not live[self._base.rows_with(number)].any()]
        return np.array(gone, np.int64)

    def __len__(self) -> int:
        return len(self._place)

    def lookup(self, keys: Keys) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return the numbers of terms, and which of them are known."""
        numbers, known = self._base.lookup(keys)
        known &= ~found_in(self._gone, numbers)[1]
        at, extra = found_in(self._extra, keys)
        return np.where(extra, len(self._base.keys) + at, numbers).astype(np.int32), known | extra

    def idf_of(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the idf of known terms by number, 0 for one that is too common to be listed."""
        idf = np.zeros(len(numbers), np.float32)
        old = numbers < len(self._base.keys)
        idf[old] = self._base.idf_of(numbers[old])
        idf[~old] = self._changed.idf_of(self._local(numbers[~old])[0])
        return idf

    def query_of_row(self, row: int) -> TermQuery:
        """Return the strongest terms of a row, at most 300, the strongest first; ties in the order of keys."""
        place = int(self._place[row])
        if place < len(self._base):
            return self._base.query_of_row(place)
        found = self._changed.query_of_row(place - len(self._base))
        return TermQuery(found.keys, self._numbers[found.numbers], found.weights)

    def scores(self, query: TermQuery) -> Scores:
        """Return the cosine of every row with the query, 0 to 1, shape (n,); see ``LexicalIndex.scores``."""
        old = query.numbers < len(self._base.keys)
        of_base = self._base.scores(TermQuery(query.keys[old], query.numbers[old], query.weights[old], query.short))
        return np.concatenate([of_base, self.changed_scores(query)])[self._place]

    def stretched(self, values: Scores, rows: NDArray[np.int64]) -> Scores:
        """Return cosines with some rows as those of a short query, shape (len(rows),)."""
        place, n_base = self._place[rows], len(self._base)
        old = place < n_base
        found = np.array(values)
        found[old] = self._base.stretched(values[old], place[old])
        found[~old] = self._changed.stretched(values[~old], place[~old] - n_base)
        return found

    def changed_scores(self, query: TermQuery) -> Scores:
        """Return the cosine of every row of the small index alone with the query."""
        local, here = self._local(query.numbers)
        return self._changed.scores(TermQuery(query.keys[here], local[here], query.weights[here], query.short))

    def _local(self, numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return the numbers in the small index, and which of the terms it has."""
        at, here = found_in(self._numbers[self._order], numbers)
        return self._order[at].astype(np.int32) if len(self._order) else at.astype(np.int32), here
