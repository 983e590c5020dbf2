"""Near-copies: one agency story printed under several headlines, cut, or with a paragraph of the desk's own. Owns rensa.

Two articles are near-copies when more than half of the shorter one's runs of six words stand in the other, their vectors
agree, and no more than two weeks lie between them. A cut or an insertion breaks few runs, a template with other numbers in
it breaks most, a follow-up written anew shares next to none. An agency's version in other words is told at question time,
by ``agency_version``.

Source: Broder, "On the Resemblance and Containment of Documents", 1997; MinHash signatures with banding as in Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3; groups as in Aslam, Pelekhov and Rus, "The Star Clustering
Algorithm", 2004.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from recommender.article import Article
from recommender.text import title_key, words
from recommender.vectors import UNDATED, Matrix, Vector

_SHINGLE = 6
_MOST_PIECES = 2_000
_FEW_PIECES = 20
_N_HASHES = 255
_SEED = 1
# 85 bands of three hashes find 96 of 100 pairs that resemble each other so, 99 at .38; of those at .08, which is a long
# footer, 4. Bands of two would find half of these, which is most of the pairs of an archive.
_BAND = 3
_LEAST_RESEMBLANCE = 1 / 3
_MOST_NEIGHBOURS = 128
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BLOCK_PAIRS = 8_192
_MANY_PAIRS = 4_000_000

# Scripts that put no blanks between words: Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese characters.
_UNBROKEN = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

AGENCY_DAYS = 2
AGENCY_COSINE = 0.7
AGENCY_TERMS = 0.5

Pairs = NDArray[np.int64]
"""Shape (n, 2)."""


class Signature(NamedTuple):
    """What is kept of an article's text to find its near-copies.

    Attributes:
        hashes: MinHash, shape (255,).
        n_shingles: how many runs of words it has.
    """

    hashes: NDArray[np.uint32]
    n_shingles: int

    @classmethod
    def of(cls, article: Article) -> Signature:
        """Return the signature of an article. Of a long text the first 2,000 words count."""
        shingles = _shingles(article)
        signature = RMinHash(_N_HASHES, _SEED)
        signature.update(list(shingles))
        return cls(np.array(signature.digest(), np.uint32), len(shingles))


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures of all rows; a kilobyte a row.

    Attributes:
        hashes: shape (n, 255).
        n_shingles: shape (n,).
        marks: a sum of each signature, so that an order of rows follows from what they hold; shape (n,).
    """

    hashes: NDArray[np.uint32]
    n_shingles: NDArray[np.int32]
    marks: NDArray[np.uint32]

    @classmethod
    def of(cls, signatures: Sequence[Signature]) -> Signatures:
        """Return signatures row by row."""
        hashes = np.zeros((len(signatures), _N_HASHES), np.uint32)
        for row, signature in enumerate(signatures):
            hashes[row] = signature.hashes
        n_shingles = np.array([signature.n_shingles for signature in signatures], np.int32)
        return cls(hashes, n_shingles, np.bitwise_xor.reduce(hashes, axis=1))

    def __len__(self) -> int:
        return len(self.n_shingles)


@dataclass(frozen=True, slots=True)
class CopyRules:
    """What makes a near-copy.

    Attributes:
        least_overlap: share of the shorter one's shingles that stand in the other, 0 to 1. Whatever it is, a third of
            all shingles of the two must be common: a note that stands in a long report is no copy of it.
        least_cosine: of the two vectors.
        window_days: most days between the two; without a date the window is not asked.
    """

    least_overlap: float = 0.55
    least_cosine: float = 0.6
    window_days: float = 14.0

    def pairs(self, signatures: Signatures, vectors: Matrix, published_at: NDArray[np.int64]) -> Pairs:
        """Return the pairs of rows that are near-copies, each once, the smaller row first, in ascending order.

        Args:
            signatures: of the rows.
            vectors: of the rows, unit length, shape (n, dim).
            published_at: seconds, ``UNDATED`` for none, shape (n,).

        Raises:
            ValueError: there are more or fewer vectors or dates than signatures.
        """
        n = len(signatures)
        if not n == len(vectors) == len(published_at):
            raise ValueError(f"{len(vectors)} vectors and {len(published_at)} dates for {n} articles")
        order = _order(signatures, published_at)
        places = self._candidates(signatures.hashes[order], published_at[order])
        found = np.sort(order[places], axis=1)
        of_rows = _Side(signatures.hashes, signatures.n_shingles, vectors)
        blocks = [found[at : at + _BLOCK_PAIRS] for at in range(0, len(found), _BLOCK_PAIRS)]
        kept = np.concatenate([found[:0], *(block[self._are_copies(block, of_rows, of_rows)] for block in blocks)])
        return kept[np.lexsort((kept[:, 1], kept[:, 0]))]

    def copies_of(
        self,
        one: tuple[Signature, Vector, int],
        many: tuple[Signatures, Callable[[NDArray[np.int64]], Matrix], NDArray[np.int64]],
    ) -> NDArray[np.int64]:
        """Return which of many rows are near-copies of one article, ascending, shape (m,).

        The pairs are those that :meth:`pairs` finds between them, where no band is shared by over 128 rows.

        Args:
            one: its signature, vector and date.
            many: the same of the rows, with what gives the vectors of some.
        """
        (hashes, n_shingles), vector, date = one
        others, vectors_of, dates = many
        left = _Side(hashes[None, :], np.array([n_shingles]), vector[None, :])
        near = np.ones(len(others), np.bool_)
        if date != UNDATED:
            near = np.abs(np.where(dates == UNDATED, date, dates) - date) <= self._window_seconds
        candidates = np.flatnonzero(near & _of_like_size(np.int64(n_shingles), others.n_shingles))
        found = [candidates[:0]]
        for start in range(0, len(candidates), _BLOCK_PAIRS):
            some = candidates[start : start + _BLOCK_PAIRS]
            some = some[_shares_a_band(others.hashes[some], hashes)]
            if len(some):
                pairs = np.stack([np.zeros(len(some), np.int64), np.arange(len(some))], axis=1)
                right = _Side(others.hashes[some], others.n_shingles[some], vectors_of(some))
                found.append(some[self._are_copies(pairs, left, right)])
        return np.concatenate(found)

    @property
    def _window_seconds(self) -> int:
        return int(self.window_days * 86_400)

    def _candidates(self, hashes: NDArray[np.uint32], dates: NDArray[np.int64]) -> Pairs:
        """Return the pairs of places, ascending, that share a band and lie within the window.

        A band that very many share is boilerplate or a much printed story: there each is held against the next
        ``_MOST_NEIGHBOURS`` alone.
        """
        n = len(dates)
        found: list[NDArray[np.int64]] = []
        for first in range(0, _N_HASHES, _BAND):
            key = _band(hashes, first)
            at = np.argsort(key, kind="stable")
            key, date = key[at], dates[at]
            left = np.arange(n)
            for step in range(1, _MOST_NEIGHBOURS + 1):
                left = left[left < n - step]
                # Those without a date stand first, so the one on the right has none only where the left has none.
                near = (date[left] == UNDATED) | (date[left + step] - date[left] <= self._window_seconds)
                left = left[near & (key[left] == key[left + step])]
                if len(left) == 0:
                    break
                found.append(at[left] * n + at[left + step])
            if sum(map(len, found)) > _MANY_PAIRS:
                found = [_distinct(found)]
        return np.stack(np.divmod(_distinct(found), max(n, 1)), axis=1)

    def _are_copies(self, pairs: Pairs, left: _Side, right: _Side) -> NDArray[np.bool_]:
        one, other = pairs.T
        resemblance = np.mean(left.hashes[one] == right.hashes[other], axis=1)
        # |A ∩ B| = J · |A ∪ B| = J / (1 + J) · (|A| + |B|)
        sizes, other_sizes = left.n_shingles[one].astype(np.int64), right.n_shingles[other].astype(np.int64)
        common = resemblance / (1 + resemblance) * (sizes + other_sizes)
        overlap = common / np.minimum(sizes, other_sizes)
        cosine = np.einsum("ij,ij->i", left.vectors[one], right.vectors[other])
        found: NDArray[np.bool_] = (
            _of_like_size(sizes, other_sizes)
            & (resemblance >= _LEAST_RESEMBLANCE)
            & (overlap >= self.least_overlap)
            & (cosine >= self.least_cosine)
        )
        return found


def _of_like_size(sizes: NDArray[np.int64] | np.int64, others: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which two can resemble each other at all: no two sets do so by more than their sizes."""
    smaller, larger = np.minimum(sizes, others), np.maximum(sizes, others)
    return np.asarray(smaller >= _LEAST_RESEMBLANCE * larger)


class _Side(NamedTuple):
    hashes: NDArray[np.uint32]
    n_shingles: NDArray[np.int32]
    vectors: Matrix


class CopyFinder:
    """Takes the articles in the order of rows and finds the groups; it keeps a kilobyte an article."""

    def __init__(self, rules: CopyRules | None = None) -> None:
        """Take what makes a near-copy."""
        self._rules = rules or CopyRules()
        self._hashes = bytearray()
        self._n_shingles: list[int] = []

    def add(self, article: Article) -> None:
        """Take the next row."""
        signature = Signature.of(article)
        self._hashes += signature.hashes.tobytes()
        self._n_shingles.append(signature.n_shingles)

    def signatures(self) -> Signatures:
        """Return the signatures of all rows."""
        hashes = np.frombuffer(bytes(self._hashes), np.uint32).reshape(len(self._n_shingles), _N_HASHES)
        return Signatures(hashes, np.array(self._n_shingles, np.int32), np.bitwise_xor.reduce(hashes, axis=1))

    def groups(self, vectors: Matrix, published_at: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the groups of all rows; see :meth:`CopyRules.pairs` and :func:`groups_of`."""
        signatures = self.signatures()
        pairs = self._rules.pairs(signatures, vectors, published_at)
        return groups_of(pairs, signatures.n_shingles, signatures.marks, published_at)


def groups_of(
    pairs: Pairs, n_shingles: NDArray[np.int32], marks: NDArray[np.uint32], published_at: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return the smallest row of each row's group, -1 where a row stands alone; int32, shape (n,).

    A group is a star: every member is a near-copy of its centre, the story with the most near-copies (of several the
    earliest, then the longest). Connected pairs would chain a running story through its days until its last version
    shares nothing with its first. Neither the order of rows nor articles that share nothing change a group.

    Args:
        pairs: of rows that are near-copies, in any order.
        n_shingles, marks, published_at: of the rows, see :class:`Signatures`; each shape (n,).
    """
    n = len(published_at)
    # From here on a row goes by its place in an order that follows from what the rows hold, not from their numbers.
    order = _ordered(n_shingles, marks, published_at)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    places = np.sort(place[pairs], axis=1)
    centres = _stars(places[np.lexsort((places[:, 1], places[:, 0]))], n)
    members = np.flatnonzero(centres >= 0)
    smallest = np.full(n, n, np.int64)
    np.minimum.at(smallest, centres[members], order[members])
    groups = np.full(n, -1, np.int32)
    groups[order[members]] = smallest[centres[members]]
    return groups


def _order(signatures: Signatures, published_at: NDArray[np.int64]) -> NDArray[np.int64]:
    return _ordered(signatures.n_shingles, signatures.marks, published_at)


def _ordered(
    n_shingles: NDArray[np.int32], marks: NDArray[np.uint32], published_at: NDArray[np.int64]
) -> NDArray[np.int64]:
    return np.lexsort((marks, -n_shingles.astype(np.int64), published_at))


def _band(hashes: NDArray[np.uint32], first: int) -> NDArray[np.uint64]:
    """Return the key of the band that starts at a hash, shape (len(hashes),)."""
    key = np.zeros(len(hashes), np.uint64)
    for column in hashes[:, first : first + _BAND].T:
        key = key * _MIX + column
    return key


def _shares_a_band(hashes: NDArray[np.uint32], one: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return which rows have a band in common with one signature, shape (len(hashes),)."""
    same = hashes == one
    bands = np.logical_and.reduce([same[:, at::_BAND] for at in range(_BAND)])
    return np.asarray(bands.any(axis=1))


def _distinct(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return what stands in any part, once and ascending; ``np.unique`` hashes, which takes ten times as long for pairs."""
    codes = np.sort(np.concatenate([*parts, np.zeros(0, np.int64)]))
    return codes[np.flatnonzero(np.diff(codes, prepend=-1))]


def _stars(pairs: Pairs, n: int) -> NDArray[np.int64]:
    """Return the centre of each place's star, -1 for none; of the places left, the one with the most pairs is the next."""
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    n_near = np.bincount(ends[:, 0], minlength=n)
    starts = np.concatenate([[0], np.cumsum(n_near)])
    centres = np.full(n, -1, np.int64)
    for place in np.argsort(-n_near, kind="stable")[: np.count_nonzero(n_near)]:
        near = ends[starts[place] : starts[place + 1], 1]
        members = near[centres[near] < 0]
        if centres[place] < 0 and len(members):
            centres[place] = centres[members] = place
    return centres


def agency_version(
    wire: NDArray[np.bool_], seconds_apart: NDArray[np.int64], dense: NDArray[np.float64], terms: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which pairs are an agency's and a desk's version of the same news, in words of their own; shape (n,).

    Args:
        wire: whether one of the two is an agency's.
        seconds_apart: between their dates.
        dense, terms: cosines of vectors and of terms.

    Measured on the sample corpus and one archive: all four rewritten agency versions have cosines of .77 to .95 and .57 to .88,
    the closest other pairs within two days .83 and .53, or .80 and .33.
    """
    found: NDArray[np.bool_] = (
        wire & (np.abs(seconds_apart) <= AGENCY_DAYS * 86_400) & (dense >= AGENCY_COSINE) & (terms >= AGENCY_TERMS)
    )
    return found


def _shingles(article: Article) -> set[str]:
    """Return the runs of six words (characters, where no blanks part words) of headline and text.

    Of a very short article all is one run: nothing but its equal is its copy.
    """
    body = (article.text or article.description)[: 12 * _MOST_PIECES]
    pieces = _pieces(f"{article.title}\n{body}")[:_MOST_PIECES]
    if len(pieces) < _FEW_PIECES:
        return {f"{title_key(article.title) or article.title}\n{title_key(body)}"}
    return set(map(" ".join, zip(*(pieces[start:] for start in range(_SHINGLE)), strict=False)))


def _pieces(text: str) -> list[str]:
    folded = text.casefold().replace("’", "'")
    if _UNBROKEN.search(folded):
        folded = _UNBROKEN.sub(r" \g<0> ", folded)
    return words(folded)
