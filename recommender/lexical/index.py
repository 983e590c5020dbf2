"""The index opened for reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.disk import mapped_array
from recommender.errors import SnapshotError
from recommender.lexical.counts import PAIR, Keys, counts_of, keys_of
from recommender.lexical.fit import LexicalFit
from recommender.lexical.query import MAX_QUERY_TERMS, NOTHING_ASKED, TermQuery
from recommender.text import base_language
from recommender.tokens import terms
from recommender.vectors import found_in, positions

FILES = tuple(
    f"lexical.{name}.npy"
    for name in (
        *(
            "languages",
            "articles",
            "constants",
            "keys",
            "idf",
            "articles_with",
            "lengths",
            "offsets",
            "rows",
            "weights",
        ),
        *("query_offsets", "query_terms", "query_weights"),
    )
)
_TELLING_SHARE = 0.15
_FEW_ARTICLES = 7
_BLOCK_POSTINGS = 2**22
_MOST_REMEMBERED = 4096

Scores = NDArray[np.float32]


class Questions:
    """Makes queries, and tells telling words from others, for whatever knows its terms."""

    languages: tuple[str, ...]
    fit: LexicalFit

    def __init__(self) -> None:
        self._telling: dict[tuple[str, str | None], bool] = {}  # by word and language: readers ask for the same ones

    def lookup(self, keys: Keys) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return the numbers of terms, and which of them are known; each shape (len(keys),)."""
        raise NotImplementedError

    def idf_of(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the idf of known terms by number, 0 for one that is too common to be listed."""
        raise NotImplementedError

    def query_of_text(self, title: str, body: str, language: str | None) -> TermQuery:
        """Return the query of an article that is not in the index.

        Terms that stand nowhere in its language are not asked for, but count in its length as the rarest.
        """
        return self._query(title, body, base_language(language))

    def query_of_words(self, text: str) -> TermQuery:
        """Return the query of a free text, asked of every language with that language's stems."""
        asked = [self._query("", text, language) for language in self.languages]
        if not asked:
            return NOTHING_ASKED
        keys, first = np.unique(np.concatenate([each.keys for each in asked]), return_index=True)
        numbers = np.concatenate([each.numbers for each in asked])[first]
        return TermQuery(keys, numbers, np.concatenate([each.weights for each in asked])[first], short=True)

    def _query(self, title: str, body: str, language: str) -> TermQuery:
        keys, counts = counts_of(title, body, language)
        if not len(keys):
            return NOTHING_ASKED
        numbers, known = self.lookup(keys)
        # What stands nowhere counts as the rarest: a text about something else is not taken for its few known words.
        strange = (1 + np.log(counts[~known & (keys & PAIR == 0)])) * np.float32(self.fit.rarest)
        idf = np.zeros(len(keys), np.float32)
        idf[known] = self.idf_of(numbers[known])
        told = idf > 0
        keys, numbers = keys[told], numbers[told]
        weights = (1 + np.log(counts[told])) * idf[told]
        length = math.sqrt(float((weights.astype(np.float64) ** 2).sum() + (strange.astype(np.float64) ** 2).sum()))
        order = np.lexsort((keys, -weights))[:MAX_QUERY_TERMS]
        return TermQuery(keys[order], numbers[order], (weights[order] / (length or 1.0)).astype(np.float32))

    def tells(self, word: str, language: str | None) -> bool:
        """Tell whether a word is one that few articles of its language have: at most 15 %, or seven where there are few."""
        told = self._telling.get((word, language))
        if told is None:
            told = self._tells(word, language)
            if len(self._telling) >= _MOST_REMEMBERED:
                self._telling.clear()
            self._telling[word, language] = told
        return told

    def _tells(self, word: str, language: str | None) -> bool:
        keys = keys_of(terms(word, language), base_language(language))
        numbers, known = self.lookup(keys)
        if not len(keys) or not known.all():
            return False
        idf = self.idf_of(numbers)
        _, n_with = self.fit.idf_of(keys, np.zeros(len(keys), np.int64))
        share = np.exp(1 - idf)  # smoothed, from the idf
        return bool(((idf > 0) & ((share <= _TELLING_SHARE) | (n_with <= _FEW_ARTICLES))).any())


class LexicalIndex(Questions):
    """The index opened for reading; safe to share between threads."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], n_rows: int) -> None:
        """Take the arrays by name.

        Raises:
            SnapshotError: they do not belong together.
        """
        super().__init__()
        self.languages = tuple(str(name) for name in arrays["languages"])
        self.keys: Keys = arrays["keys"]
        self.lengths: NDArray[np.float32] = arrays["lengths"]
        self._idf: NDArray[np.float32] = arrays["idf"]
        self._offsets: NDArray[np.int64] = arrays["offsets"]
        self._rows: NDArray[np.int32] = arrays["rows"]
        self._weights: NDArray[np.float16] = arrays["weights"]
        self._query_offsets: NDArray[np.int64] = arrays["query_offsets"]
        self._query_terms: NDArray[np.int32] = arrays["query_terms"]
        self._query_weights: NDArray[np.float16] = arrays["query_weights"]
        self._n_rows = n_rows
        n_with = arrays["articles_with"]
        whole = (
            len(self.keys) == len(self._idf) == len(n_with) == len(self._offsets) - 1
            and len(self._rows) == len(self._weights) == self._offsets[-1]
            and len(self._query_offsets) == n_rows + 1
            and len(self.lengths) == n_rows
            and len(self._query_terms) == len(self._query_weights) == self._query_offsets[-1]
            and len(arrays["articles"]) == len(self.languages)
            and len(arrays["constants"]) == 2
        )
        if not whole:
            raise SnapshotError("the lexical index does not belong to these rows; run: recommender rebuild")
        rarest, mean_length = map(float, arrays["constants"])
        counted = {name: int(n) for name, n in zip(self.languages, arrays["articles"], strict=True)}
        self.fit = LexicalFit(counted, self.keys, self._idf, n_with, rarest, mean_length)
        self._stretch = stretch(self.lengths, mean_length)

    @classmethod
    def read(cls, folder: Path, n_rows: int) -> LexicalIndex:
        """Map the index files of ``folder``. The caller has checked their sha256.

        Raises:
            SnapshotError: a file cannot be read as an array, or they do not belong to ``n_rows`` rows.
        """
        try:
            arrays = {file.split(".")[1]: mapped_array(folder / file) for file in FILES}
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotError(f"{folder}: the lexical index cannot be read: {error}") from error
        return cls(arrays, n_rows)

    @classmethod
    def joined(cls, each: Sequence[LexicalIndex], fit: LexicalFit, row_at: NDArray[np.int64]) -> LexicalIndex:
        """Return one index over the rows of several; all were weighed by ``fit``.

        Args:
            each: the indexes.
            fit: of all of them.
            row_at: for their rows, one index after the other, the row here, shape (n,).
        """

        def all_of(kind: Any, arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate([*arrays, np.zeros(0, kind)]).astype(kind)

        sizes = np.array([len(index.keys) for index in each], np.int64)
        every = all_of(np.uint64, (index.keys for index in each))
        order = np.argsort(every, kind="stable")  # quick: it merges what is sorted already
        first = np.ones(len(every), np.bool_)
        first[1:] = every[order][1:] != every[order][:-1]
        number = np.empty(len(every), np.int32)  # of each one's terms, in the whole
        number[order] = np.cumsum(first) - 1
        chosen = order[first]
        # The list of a term is what each has of it; those that are too common have none.
        listed = all_of(np.int64, (np.diff(index._offsets) for index in each))
        ends = np.cumsum(listed)
        postings = positions((ends - listed)[order], ends[order])
        n_rows = np.array([len(index) for index in each], np.int64)
        first_rows = np.cumsum(n_rows) - n_rows
        rows = all_of(np.int64, (index._rows + start for start, index in zip(first_rows, each, strict=True)))
        # A row asks with its strongest terms.
        asked = all_of(np.int64, (np.diff(index._query_offsets) for index in each))
        asked_ends = np.cumsum(asked)
        starts = np.cumsum(sizes) - sizes
        terms = all_of(
            np.int32, (number[start + index._query_terms] for start, index in zip(starts, each, strict=True))
        )
        from_row = np.argsort(row_at)
        in_turn = positions((asked_ends - asked)[from_row], asked_ends[from_row])
        languages = tuple(sorted({name for index in each for name in index.languages}))
        arrays = {
            "languages": np.array(languages, np.str_),
            "articles": np.array([fit.n_articles.get(language, 0) for language in languages], np.int64),
            "constants": np.array([fit.rarest, fit.mean_length]),
            "keys": every[chosen],
            "idf": all_of(np.float32, (index._idf for index in each))[chosen],
            "articles_with": all_of(np.int32, (index.fit.n_with for index in each))[chosen],
            "lengths": all_of(np.float32, (index.lengths for index in each))[from_row],
            "offsets": _from_0(np.bincount(number, listed, len(chosen)).astype(np.int64)),
            "rows": row_at[rows[postings]].astype(np.int32),
            "weights": all_of(np.float16, (index._weights for index in each))[postings],
            "query_offsets": _from_0(asked[from_row]),
            "query_terms": terms[in_turn],
            "query_weights": all_of(np.float16, (index._query_weights for index in each))[in_turn],
        }
        return cls(arrays, len(row_at))

    def __len__(self) -> int:
        return self._n_rows

    def lookup(self, keys: Keys) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return the numbers of terms, and which of them are known."""
        at, known = found_in(self.keys, keys)
        return at.astype(np.int32), known

    def idf_of(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the idf of known terms by number, 0 for one that is too common to be listed."""
        return self._idf[numbers]

    def query_of_row(self, row: int) -> TermQuery:
        """Return the strongest terms of a row, at most 300, the strongest first; ties in the order of keys."""
        span = slice(int(self._query_offsets[row]), int(self._query_offsets[row + 1]))
        numbers = self._query_terms[span]
        return TermQuery(self.keys[numbers], numbers, self._query_weights[span].astype(np.float32))

    def scores(self, query: TermQuery) -> Scores:
        """Return the cosine of every row with the query, 0 to 1, shape (n,).

        Of a short query: the cosine times the square root of the row's length in mean lengths.

        Source: pivoted length normalisation, Singhal, Buckley and Mitra, SIGIR 1996, here as a power of the length.
        """
        starts, ends = self._offsets[query.numbers], self._offsets[query.numbers + 1]
        at = positions(starts, ends)
        products = self._weights[at].astype(np.float32) * np.repeat(query.weights, ends - starts)
        scores = np.zeros(self._n_rows, np.float32)
        np.add.at(scores, self._rows[at], products)  # list after list, the strongest term first
        if query.short and self._n_rows:
            scores *= self._stretch
        return scores

    def stretched(self, values: Scores, rows: NDArray[np.int64]) -> Scores:
        """Return cosines with some rows as those of a short query, shape (len(rows),); see :meth:`scores`."""
        return np.asarray(values * self._stretch[rows])

    def only(self, rows: NDArray[np.int64]) -> LexicalIndex:
        """Return an index over some rows, ascending, that scores them as this one does; terms keep their numbers."""
        there = np.full(self._n_rows, -1, np.int32)
        there[rows] = np.arange(len(rows), dtype=np.int32)
        at = np.concatenate(
            [
                start + np.flatnonzero(there[self._rows[start : start + _BLOCK_POSTINGS]] >= 0)
                for start in range(0, len(self._rows), _BLOCK_POSTINGS)
            ]
            or [np.zeros(0, np.int64)]
        )
        starts, ends = self._query_offsets[rows], self._query_offsets[rows + 1]
        asked = positions(starts, ends)
        arrays = {
            "languages": np.array(self.languages, np.str_),
            "articles": np.array([self.fit.n_articles.get(language, 0) for language in self.languages], np.int64),
            "constants": np.array([self.fit.rarest, self.fit.mean_length]),
            "keys": self.keys,
            "idf": self._idf,
            "articles_with": self.fit.n_with,
            "lengths": self.lengths[rows],
            "offsets": np.searchsorted(at, self._offsets),
            "rows": there[self._rows[at]],
            "weights": self._weights[at],
            "query_offsets": _from_0(ends - starts),
            "query_terms": self._query_terms[asked],
            "query_weights": self._query_weights[asked],
        }
        return LexicalIndex(arrays, len(rows))

    def rows_with(self, number: int) -> NDArray[np.int32]:
        """Return the rows that a term's list names, ascending."""
        return self._rows[self._offsets[number] : self._offsets[number + 1]]


def _from_0(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where lists of these sizes begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(sizes)])


def stretch(lengths: NDArray[np.float32], mean_length: float) -> NDArray[np.float32]:
    """Return what the scores of a short query are multiplied with, row by row."""
    return np.asarray(np.sqrt(lengths / np.float32(max(1e-6, mean_length))), np.float32)
