"""What goes into a snapshot, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from recommender.copies import Signatures
from recommender.explain import TermCounts
from recommender.lexical import LexicalBuilder, LexicalFit
from recommender.vectors import Centres, Matrix


@dataclass(frozen=True, slots=True)
class Row:
    """What is served of one article or stub."""

    id: str
    title: str
    description: str
    url: str | None
    image_url: str | None
    published_at: str | None
    section: str | None
    language: str | None
    kind: str
    stub: bool
    terms: tuple[str, ...]


SERVED = tuple(field.name for field in fields(Row) if field.name != "id")
"""The fields that stand in the file of rows, where a row goes by its number."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at and readers are not served, one entry a row.

    Attributes:
        tags, authors: of each row.
        n_words: length of headline, standfirst and body.
        signatures: what near-copies are found by.
        copy_pairs: rows that are near-copies of each other, shape (m, 2).
    """

    tags: Sequence[Sequence[str]]
    authors: Sequence[Sequence[str]]
    n_words: Sequence[int]
    signatures: Signatures
    copy_pairs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fit:
    """What was counted over a whole archive and is held fast until it is counted anew, so that a row depends on no other row.

    Attributes:
        centres: what is taken away from the vectors of articles, by language.
        headline_centres: what is taken away from vectors of headlines (stubs, free texts).
        terms: in how many articles each term of a reason stands.
        lexical: how telling each term of the lexical index is.
    """

    centres: Centres
    headline_centres: Centres
    terms: TermCounts
    lexical: LexicalFit


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a snapshot, rows in ascending order of id.

    Attributes:
        rows: shape (n,).
        vectors: shape (n, dim), unit length, centred.
        links: shape (m, 2): row of the linking article, row of the target, in the editors' order.
        facts: of the rows.
        lexical: has taken the texts of the rows, in their order; it ends when it is written.
        centres, headline_centres, terms: see :class:`Fit`.
    """

    rows: Sequence[Row]
    vectors: Matrix
    links: NDArray[np.int32]
    facts: Facts
    lexical: LexicalBuilder
    centres: Centres
    headline_centres: Centres
    terms: TermCounts
