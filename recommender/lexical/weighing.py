"""Postings made into weights: which terms are listed, how much each weighs in each row, and the strongest of a row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.lexical.counts import PAIR, Keys
from recommender.lexical.fit import LexicalFit, smoothed_idf
from recommender.lexical.query import MAX_QUERY_TERMS

POSTING = np.dtype([("key", np.uint64), ("row", np.int32), ("count", np.float32)])
ENTRY = np.dtype([("row", np.int32), ("number", np.int32), ("weight", np.float16)])
_MIN_PAIR_ARTICLES = 2
_MAX_SHARE = 0.5
_MIN_ARTICLES_FOR_SHARE = 20


class Weighed(NamedTuple):
    """Terms in ascending order of key, and the postings of those that are listed, by key and row.

    Attributes:
        keys: shape (m,).
        idf: 0 for a term that is too common to be listed, shape (m,).
        n_with: in how many articles each stood when the fit was made, 0 for none; shape (m,).
        sizes: how many rows each lists, shape (m,).
        postings: their ``count`` is the weight in a row before that is made of unit length.
    """

    keys: Keys
    idf: NDArray[np.float32]
    n_with: NDArray[np.int32]
    sizes: NDArray[np.int64]
    postings: NDArray[Any]


def postings_of(row: int, keys: Keys, counts: NDArray[np.float32]) -> NDArray[Any]:
    """Return the postings of one row."""
    postings = np.empty(len(keys), POSTING)
    postings["key"], postings["row"], postings["count"] = keys, row, counts
    return postings


def weigh(
    postings: NDArray[Any], n_articles: NDArray[np.int64], squares: NDArray[np.float64], fit: LexicalFit | None
) -> Weighed:
    """Weigh terms by tf-idf, and add to the rows' squared lengths.

    A common term keeps its key, without a list: a question's words that stand nowhere are told from those everywhere.

    Args:
        postings: rows ascending; with all rows of any key that is among them.
        n_articles: how many articles there are (with a fit: there were) in each row's language, shape (rows,).
        squares: takes the squares of the weights, shape (rows,).
        fit: what is known of terms; counted from the postings where None.

    Source: sublinear tf and smoothed idf as in Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 6.4.
    """
    # Rows came in order, and a stable sort keeps them so.
    postings = postings[np.argsort(postings["key"], kind="stable")]
    keys, first, sizes = np.unique(postings["key"], return_index=True, return_counts=True)
    # A key belongs to one language, which is that of any row in which it stands.
    n_in_language = n_articles[postings["row"][first]] if len(keys) else sizes
    single = keys & PAIR == 0
    if fit is None:
        common = (n_in_language >= _MIN_ARTICLES_FOR_SHARE) & (sizes > n_in_language * _MAX_SHARE)
        idf, n_with = np.where(common, np.float32(0), smoothed_idf(n_in_language, sizes)), sizes.astype(np.int32)
        keep = single | (~common & (sizes >= _MIN_PAIR_ARTICLES))
    else:
        idf, n_with = fit.idf_of(keys, n_in_language)
        keep = single | (n_with > 0)
    listed = keep & (idf > 0)
    postings = postings[np.repeat(listed, sizes)].copy()
    keys, idf, n_with, sizes = keys[keep], idf[keep], n_with[keep], np.where(listed, sizes, 0)[keep]
    postings["count"] = (1 + np.log(postings["count"])) * np.repeat(idf, sizes)
    np.add.at(squares, postings["row"], postings["count"].astype(np.float64) ** 2)
    return Weighed(keys, idf, n_with, sizes, postings)


def with_all_of(weighed: Weighed, fit: LexicalFit, chosen: NDArray[np.bool_]) -> Weighed:
    """Return the same with those terms of the fit that no row holds now; ``chosen`` says which of the fit's keys are in question."""
    kept = chosen & (fit.n_with > 0)
    missing = np.flatnonzero(kept)[~np.isin(fit.keys[kept], weighed.keys, assume_unique=True)]
    keys = np.concatenate([weighed.keys, fit.keys[missing]])
    order = np.argsort(keys, kind="stable")
    return Weighed(
        keys[order],
        np.concatenate([weighed.idf, fit.idf[missing]])[order],
        np.concatenate([weighed.n_with, fit.n_with[missing]])[order],
        np.concatenate([weighed.sizes, np.zeros(len(missing), np.int64)])[order],
        weighed.postings,
    )


def lengths_of(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths of rows, 1 for a row without terms; shape (rows,)."""
    lengths = np.sqrt(squares)
    lengths[lengths == 0] = 1.0
    return lengths


def entries_of(rows: NDArray[Any], numbers: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return postings as entries of rows."""
    entries = np.empty(len(rows), ENTRY)
    entries["row"], entries["number"], entries["weight"] = rows, numbers, weights
    return entries


def strongest(entries: NDArray[Any]) -> NDArray[Any]:
    """Return the 300 strongest terms of every row, by row, the strongest first; ties in the order of numbers."""
    entries = entries[np.lexsort((entries["number"], -entries["weight"], entries["row"]))]
    first = np.searchsorted(entries["row"], entries["row"])
    return entries[np.arange(len(entries)) - first < MAX_QUERY_TERMS]
