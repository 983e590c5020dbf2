"""The lexical index: tf-idf of single terms and pairs of neighbours, matched by cosine; plain NumPy arrays, mapped from disk.

An article is asked with its 300 strongest terms and pairs; the headline counts twice. Measured against BM25 engines and
against fewer and more terms in ARCHITECTURE.md ("The lexical index"). Terms are kept as 64-bit sums of their text, so that
there is no vocabulary to load; a pair must stand in two articles, and what stands in over half of a language's articles tells nothing.

Each language is a collection of its own: how rare a term is, is counted among the articles of its language. Else every "der"
of ten German stories in an English archive would be as telling as a name. A free text is asked of every language.

Every row has an exact score, also one that no list holds: a candidate that only the vectors found is scored, not given zero.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recommender.errors import SnapshotError
from recommender.text import base_language
from recommender.tokens import terms
from recommender.vectors import positions

FILES = tuple(
    f"lexical.{name}.npy"
    for name in (
        "languages",
        "keys",
        "idf",
        "lengths",
        "offsets",
        "rows",
        "weights",
        "query_offsets",
        "query_terms",
        "query_weights",
    )
)
MAX_QUERY_TERMS = 300
SPOOL_PREFIX = ".spool-"
_TITLE_COUNT = 2
_MIN_PAIR_ARTICLES = 2
_MAX_SHARE = 0.5
_MIN_ARTICLES_FOR_SHARE = 20
_TELLING_SHARE = 0.15
_FEW_ARTICLES = 7
_N_BUCKETS = 16
_MANY_POSTINGS = 1_000_000
_PAIR = np.uint64(1)  # the lowest bit tells a pair of terms from a single one
_ENTRY = np.dtype([("row", np.int32), ("number", np.int32), ("weight", np.float16)])
_POSTING = np.dtype([("key", np.uint64), ("row", np.int32), ("count", np.float32)])

Keys = NDArray[np.uint64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TermQuery:
    """What is asked of the index.

    Attributes:
        numbers: positions of terms in the index, shape (m,).
        weights: their tf-idf weights in a vector of unit length before it was cut to the strongest, shape (m,).
        short: a free text. Long articles then lose only the square root of their length, as they hold more than it asks for.
    """

    numbers: NDArray[np.int32]
    weights: NDArray[np.float32]
    short: bool = False


NOTHING_ASKED = TermQuery(np.zeros(0, np.int32), np.zeros(0, np.float32))


def blend(query: TermQuery, others: Iterable[tuple[TermQuery, float]]) -> TermQuery:
    """Return ``query`` with the terms of other queries added, each at its weight; terms in ascending order of number."""
    parts = [(query, 1.0), *others]
    numbers, which = np.unique(np.concatenate([part.numbers for part, _ in parts]), return_inverse=True)
    weights = np.bincount(which, np.concatenate([part.weights * weight for part, weight in parts]), len(numbers))
    return TermQuery(numbers.astype(np.int32), weights.astype(np.float32), query.short)


class LexicalBuilder:
    """Takes texts in the order of rows and writes the index; memory does not grow with the archive but by its largest sixteenth.

    Source: single-pass inversion in buckets of keys, as in Manning, Raghavan and Schütze, "Introduction to Information
    Retrieval", 4.3; here by range of keys, which leaves nothing to merge.
    """

    def __init__(self, spool: Path | None = None) -> None:
        """Take where to spool what does not fit into memory; None for the system's folder of temporary files."""
        self._spool_in = spool
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._spools: list[IO[bytes]] = []
        self._strongest: _Strongest | None = None
        self._waiting: list[NDArray[Any]] = []
        self._n_waiting = 0
        self._n_rows = 0
        self._groups: dict[str, int] = {}
        self._group_of: list[int] = []

    def add(self, title: str, body: str, language: str | None) -> None:
        """Take the next row. Raises OSError when the disk that is spooled to refuses."""
        group = base_language(language)
        self._group_of.append(self._groups.setdefault(group, len(self._groups)))
        keys, counts = _counts(title, body, group)
        postings = np.empty(len(keys), _POSTING)
        postings["key"], postings["row"], postings["count"] = keys, self._n_rows, counts
        self._waiting.append(postings)
        self._n_rows += 1
        self._n_waiting += len(keys)
        if self._n_waiting > _MANY_POSTINGS:
            self._spool()

    def write(self, folder: Path) -> None:
        """Write the index files into ``folder`` and end. Raises OSError when a disk refuses."""
        try:
            self._spool()
            self._write(folder)
        finally:
            self.close()

    def _write(self, folder: Path) -> None:
        n = self._n_rows
        group_of = np.array(self._group_of, np.int64)
        squares = np.zeros(n)
        kept = [self._weigh(bucket, group_of, squares) for bucket in range(len(self._spools))]
        lengths = np.sqrt(squares)
        lengths[lengths == 0] = 1.0
        keys = np.concatenate([part[0] for part in kept])
        idf = np.concatenate([part[1] for part in kept])
        sizes = np.concatenate([part[2] for part in kept])
        _save(folder, "languages", np.array(list(self._groups), dtype=np.str_))
        _save(folder, "keys", keys)
        _save(folder, "idf", idf.astype(np.float32))
        _save(folder, "lengths", lengths.astype(np.float32))
        _save(folder, "offsets", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
        n_postings = int(sizes.sum())
        rows = _create(folder, "rows", n_postings, np.int32)
        weights = _create(folder, "weights", n_postings, np.float16)
        self._strongest = strongest = _Strongest(n, Path(self._spools[0].name).parent, len(self._spools))
        at = number = 0
        for bucket, part in enumerate(kept):
            postings = np.fromfile(self._spools[bucket].name + ".kept", _POSTING)
            scaled = postings["count"] / lengths[postings["row"]]
            rows[at : at + len(postings)] = postings["row"]
            weights[at : at + len(postings)] = scaled
            numbers = np.repeat(np.arange(number, number + len(part[0]), dtype=np.int32), part[2])
            strongest.offer(postings["row"], numbers, scaled.astype(np.float16))
            at += len(postings)
            number += len(part[0])
        strongest.save(folder)

    def close(self) -> None:
        """Drop what is spooled."""
        for spool in (*self._spools, *(self._strongest.spools if self._strongest else ())):
            spool.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _spool(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix=SPOOL_PREFIX, dir=self._spool_in)
            n_buckets = 1 if self._n_waiting <= _MANY_POSTINGS else _N_BUCKETS
            for number in range(n_buckets):
                self._spools.append((Path(self._folder.name) / f"{number}").open("w+b"))
        if not self._waiting:
            return
        postings = np.concatenate(self._waiting)
        buckets = ((postings["key"] >> np.uint64(32)) * np.uint64(len(self._spools)) >> np.uint64(32)).astype(np.int64)
        for bucket, spool in enumerate(self._spools):
            spool.write(postings[buckets == bucket].tobytes())
        self._waiting, self._n_waiting = [], 0

    def _weigh(
        self, bucket: int, group_of: NDArray[np.int64], squares: NDArray[np.float64]
    ) -> tuple[Keys, NDArray[np.float64], NDArray[np.int64]]:
        """Sort one bucket by key and row, keep the telling terms, weigh them by tf-idf; add to the rows' squared lengths.

        Returns:
            Keys, idf and number of listed articles of each kept term; 0 and 0 for a term that is too common to be listed.
        """
        spool = self._spools[bucket]
        spool.seek(0)
        postings = np.frombuffer(spool.read(), _POSTING)
        # Rows were spooled in order, and a stable sort keeps them so.
        postings = postings[np.argsort(postings["key"], kind="stable")]
        keys, first, sizes = np.unique(postings["key"], return_index=True, return_counts=True)
        # A key belongs to one language, which is that of any row in which it stands.
        n_in_language = np.bincount(group_of, minlength=1)[group_of[postings["row"][first]]] if len(keys) else sizes
        common = (n_in_language >= _MIN_ARTICLES_FOR_SHARE) & (sizes > n_in_language * _MAX_SHARE)
        single = keys & _PAIR == 0
        postings = postings[np.repeat(~common & (single | (sizes >= _MIN_PAIR_ARTICLES)), sizes)].copy()
        # A common term keeps its key, without a list: a question's words that stand nowhere are told from those everywhere.
        keep = single | (~common & (sizes >= _MIN_PAIR_ARTICLES))
        common, keys, sizes, n_in_language = common[keep], keys[keep], sizes[keep], n_in_language[keep]
        # Smoothed idf and sublinear tf: Manning, Raghavan and Schütze, 6.4; scikit-learn smooths it the same way.
        idf = np.where(common, 0.0, np.log((1 + n_in_language) / (1 + sizes)) + 1)
        sizes = np.where(common, 0, sizes)
        postings["count"] = (1 + np.log(postings["count"])) * np.repeat(idf, sizes)
        np.add.at(squares, postings["row"], postings["count"].astype(np.float64) ** 2)
        postings.tofile(spool.name + ".kept")
        return keys, idf, sizes


class _Strongest:
    """Finds the strongest terms of every row while postings go by term after term: spooled by range of rows, then sorted."""

    def __init__(self, n_rows: int, folder: Path, n_buckets: int) -> None:
        self._n_rows = n_rows
        self.spools: list[IO[bytes]] = []
        for number in range(n_buckets):
            self.spools.append((folder / f"rows-{number}").open("w+b"))

    def offer(self, rows: NDArray[Any], numbers: NDArray[Any], weights: NDArray[Any]) -> None:
        """Take the postings of a block of terms."""
        entries = np.empty(len(rows), _ENTRY)
        entries["row"], entries["number"], entries["weight"] = rows, numbers, weights
        buckets = rows.astype(np.int64) * len(self.spools) // max(1, self._n_rows)
        for bucket, spool in enumerate(self.spools):
            spool.write(entries[buckets == bucket].tobytes())

    def save(self, folder: Path) -> None:
        """Write the strongest terms of every row, the strongest first."""
        kept = []
        for spool in self.spools:
            spool.seek(0)
            entries = np.frombuffer(spool.read(), _ENTRY)
            entries = entries[np.lexsort((entries["number"], -entries["weight"], entries["row"]))]
            first = np.searchsorted(entries["row"], entries["row"])
            kept.append(entries[np.arange(len(entries)) - first < MAX_QUERY_TERMS])
            spool.close()
        entries = np.concatenate(kept)
        _save(folder, "query_offsets", np.searchsorted(entries["row"], np.arange(self._n_rows + 1)).astype(np.int64))
        _save(folder, "query_terms", np.ascontiguousarray(entries["number"]))
        _save(folder, "query_weights", np.ascontiguousarray(entries["weight"]))


class LexicalIndex:
    """The index opened for reading; safe to share between threads."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], n_rows: int) -> None:
        """Take the arrays by name.

        Raises:
            SnapshotError: they do not belong together.
        """
        self._languages = tuple(str(name) for name in arrays["languages"])
        self._keys: Keys = arrays["keys"]
        self._idf: NDArray[np.float32] = arrays["idf"]
        self._lengths: NDArray[np.float32] = arrays["lengths"]
        self._offsets: NDArray[np.int64] = arrays["offsets"]
        self._rows: NDArray[np.int32] = arrays["rows"]
        self._weights: NDArray[np.float16] = arrays["weights"]
        self._query_offsets: NDArray[np.int64] = arrays["query_offsets"]
        self._query_terms: NDArray[np.int32] = arrays["query_terms"]
        self._query_weights: NDArray[np.float16] = arrays["query_weights"]
        self._n_rows = n_rows
        whole = (
            len(self._keys) == len(self._idf) == len(self._offsets) - 1
            and len(self._rows) == len(self._weights) == self._offsets[-1]
            and len(self._query_offsets) == n_rows + 1
            and len(self._lengths) == n_rows
            and len(self._query_terms) == len(self._query_weights) == self._query_offsets[-1]
        )
        if not whole:
            raise SnapshotError("the lexical index does not belong to these rows; run: recommender rebuild")
        self._stretch = np.sqrt(self._lengths / max(1e-6, float(np.mean(self._lengths)))) if n_rows else self._lengths

    @classmethod
    def read(cls, folder: Path, n_rows: int) -> LexicalIndex:
        """Map the index files of ``folder``. The caller has checked their sha256.

        Raises:
            SnapshotError: a file cannot be read as an array, or they do not belong to ``n_rows`` rows.
        """
        try:
            arrays = {file.split(".")[1]: _mapped(folder / file) for file in FILES}
        except (OSError, ValueError, EOFError) as error:
            raise SnapshotError(f"{folder}: the lexical index cannot be read: {error}") from error
        return cls(arrays, n_rows)

    def __len__(self) -> int:
        return self._n_rows

    def query_of_row(self, row: int) -> TermQuery:
        """Return the strongest terms of a row, at most 300, the strongest first; ties in the order of keys."""
        span = slice(int(self._query_offsets[row]), int(self._query_offsets[row + 1]))
        return TermQuery(self._query_terms[span], self._query_weights[span].astype(np.float32))

    def query_of_text(self, title: str, body: str, language: str | None) -> TermQuery:
        """Return the query of an article that is not in the index.

        Terms that stand nowhere in its language are not asked for, but count in its length as if they stood in one article.
        """
        return self._query(title, body, base_language(language))

    def query_of_words(self, text: str) -> TermQuery:
        """Return the query of a free text, asked of every language with that language's stems."""
        asked = [self._query("", text, language) for language in self._languages]
        if not asked:
            return NOTHING_ASKED
        numbers, first = np.unique(np.concatenate([each.numbers for each in asked]), return_index=True)
        return TermQuery(numbers, np.concatenate([each.weights for each in asked])[first], short=True)

    def _query(self, title: str, body: str, language: str) -> TermQuery:
        keys, counts = _counts(title, body, language)
        if not len(self._keys) or not len(keys):
            return NOTHING_ASKED
        numbers = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = self._keys[numbers] == keys
        # What stands nowhere counts as the rarest: a text about something else is not taken for its few known words.
        strange = (1 + np.log(counts[~known & (keys & _PAIR == 0)])) * self._idf.max()
        told = known & (self._idf[numbers] > 0)
        numbers = numbers[told].astype(np.int32)
        weights = (1 + np.log(counts[told])) * self._idf[numbers]
        length = math.sqrt(float((weights.astype(np.float64) ** 2).sum() + (strange.astype(np.float64) ** 2).sum()))
        order = np.lexsort((numbers, -weights))[:MAX_QUERY_TERMS]
        return TermQuery(numbers[order], (weights[order] / (length or 1.0)).astype(np.float32))

    def tells(self, word: str, language: str | None) -> bool:
        """Tell whether a word is one that few articles of its language have: at most 15 %, or seven where there are few."""
        keys = _keys(terms(word, language), base_language(language))
        numbers = np.minimum(np.searchsorted(self._keys, keys), max(0, len(self._keys) - 1))
        if not len(keys) or not len(self._keys) or (self._keys[numbers] != keys).any():
            return False
        n_with = self._offsets[numbers + 1] - self._offsets[numbers]
        share = np.exp(1 - self._idf[numbers])  # smoothed, from the idf
        return bool(((self._idf[numbers] > 0) & ((share <= _TELLING_SHARE) | (n_with <= _FEW_ARTICLES))).any())

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


def _counts(title: str, body: str, language: str) -> tuple[Keys, NDArray[np.float32]]:
    """Return the keys of a text's terms and pairs, ascending, and how often each stands there."""
    parts = [*[_keys(terms(title, language), language)] * _TITLE_COUNT, _keys(terms(body, language), language)]
    found = [keys for part in parts for keys in (part, _pairs(part))]
    keys, counts = np.unique(np.concatenate(found), return_counts=True)
    return keys, counts.astype(np.float32)


def _keys(words: Iterable[str], language: str) -> Keys:
    return np.array([_key(word, language) for word in words], np.uint64)


@lru_cache(maxsize=2**17)
def _key(term: str, language: str) -> int:
    raw = hashlib.blake2b(f"{language}\n{term}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little") & ~1


def _pairs(keys: Keys) -> Keys:
    """Return the keys of neighbouring terms: a mix of the two, in their order, with the pairs' bit set."""
    mixed: Keys = keys[:-1] * np.uint64(0x9E3779B97F4A7C15) + (keys[1:] ^ (keys[1:] >> np.uint64(29)))
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed | _PAIR


def _save(folder: Path, name: str, array: NDArray[Any]) -> None:
    np.save(folder / f"lexical.{name}.npy", array, allow_pickle=False)


def _create(folder: Path, name: str, n: int, kind: Any) -> NDArray[Any]:
    if n == 0:  # an empty file cannot be mapped
        _save(folder, name, np.zeros(0, kind))
        return np.zeros(0, kind)
    return np.lib.format.open_memmap(folder / f"lexical.{name}.npy", mode="w+", dtype=kind, shape=(n,))


def _mapped(path: Path) -> NDArray[Any]:
    try:
        # As a plain array: every slice of a memmap makes another memmap, at ten times the price.
        array: NDArray[Any] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:  # empty arrays cannot be mapped
        array = np.load(path, allow_pickle=False)
    return array
