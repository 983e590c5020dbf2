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

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from recommender.article import Article
from recommender.text import title_key, words
from recommender.vectors import UNDATED, Matrix

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


class CopyFinder:
    """Takes the articles in the order of rows and finds the groups; it keeps a kilobyte an article."""

    def __init__(self, *, least_overlap: float = 0.55, least_cosine: float = 0.6, window_days: float = 14.0) -> None:
        """Take what makes a near-copy.

        Args:
            least_overlap: share of the shorter one's shingles that stand in the other, 0 to 1. Whatever it is, a third of
                all shingles of the two must be common: a note that stands in a long report is no copy of it.
            least_cosine: of the two vectors.
            window_days: most days between the two; without a date the window is not asked.
        """
        self._least_overlap = least_overlap
        self._least_cosine = least_cosine
        self._window_seconds = int(window_days * 86_400)
        self._signatures = bytearray()
        self._sizes: list[int] = []

    def add(self, article: Article) -> None:
        """Take the next row. Of a long text the first 2,000 words count."""
        shingles = _shingles(article)
        signature = RMinHash(_N_HASHES, _SEED)
        signature.update(list(shingles))
        self._signatures += np.array(signature.digest(), np.uint32).tobytes()
        self._sizes.append(len(shingles))

    def groups(self, vectors: Matrix, published_at: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the smallest row of each row's group, -1 where a row stands alone; int32, shape (n,).

        A group is a star: every member is a near-copy of its centre, the story with the most near-copies (of several the
        earliest, then the longest). Connected pairs would chain a running story through its days until its last version
        shares nothing with its first. Neither the order of rows nor articles that share nothing change a group.

        Args:
            vectors: of the rows, unit length, shape (n, dim).
            published_at: seconds, ``UNDATED`` for none, shape (n,).

        Raises:
            ValueError: there are more or fewer vectors or dates than articles.
        """
        n = len(self._sizes)
        if not n == len(vectors) == len(published_at):
            raise ValueError(f"{len(vectors)} vectors and {len(published_at)} dates for {n} articles")
        signatures = np.frombuffer(self._signatures, np.uint32).reshape(n, _N_HASHES)
        sizes = np.array(self._sizes, np.int64)
        # From here on a row goes by its place in an order that follows from what the rows hold, not from their numbers.
        order = np.lexsort((np.bitwise_xor.reduce(signatures, axis=1), -sizes, published_at))
        places = self._candidates(signatures[order], published_at[order])
        blocks = [order[places[at : at + _BLOCK_PAIRS]] for at in range(0, len(places), _BLOCK_PAIRS)]
        kept = [self._are_copies(block, signatures, sizes, vectors) for block in blocks]
        centres = _stars(places[np.concatenate(kept)] if kept else places, n)
        members = np.flatnonzero(centres >= 0)
        smallest = np.full(n, n, np.int64)
        np.minimum.at(smallest, centres[members], order[members])
        groups = np.full(n, -1, np.int32)
        groups[order[members]] = smallest[centres[members]]
        return groups

    def _candidates(self, signatures: NDArray[np.uint32], dates: NDArray[np.int64]) -> Pairs:
        """Return the pairs of places, ascending, that share a band and lie within the window.

        A band that very many share is boilerplate or a much printed story: there each is held against the next
        ``_MOST_NEIGHBOURS`` alone.
        """
        n = len(dates)
        found: list[NDArray[np.int64]] = []
        for first in range(0, _N_HASHES, _BAND):
            key = np.zeros(n, np.uint64)
            for hashes in signatures[:, first : first + _BAND].T:
                key = key * _MIX + hashes
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

    def _are_copies(
        self, pairs: Pairs, signatures: NDArray[np.uint32], sizes: NDArray[np.int64], vectors: Matrix
    ) -> NDArray[np.bool_]:
        one, other = pairs.T
        resemblance = np.mean(signatures[one] == signatures[other], axis=1)
        # |A ∩ B| = J · |A ∪ B| = J / (1 + J) · (|A| + |B|)
        common = resemblance / (1 + resemblance) * (sizes[one] + sizes[other])
        overlap = common / np.minimum(sizes[one], sizes[other])
        cosine = np.einsum("ij,ij->i", vectors[one], vectors[other])
        found: NDArray[np.bool_] = (
            (resemblance >= _LEAST_RESEMBLANCE) & (overlap >= self._least_overlap) & (cosine >= self._least_cosine)
        )
        return found


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
