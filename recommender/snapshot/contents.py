"""What goes into a snapshot, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.lexical import LexicalBuilder
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at and readers are not served, one entry a row.

    Attributes:
        tags, authors: of each row.
        n_words: length of headline, standfirst and body.
        copies: near-copies, see ``rank.Columns``; shape (n,).
    """

    tags: Sequence[Sequence[str]]
    authors: Sequence[Sequence[str]]
    n_words: Sequence[int]
    copies: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a snapshot, rows in ascending order of id.

    Attributes:
        rows: shape (n,).
        vectors: shape (n, dim), unit length, centred.
        links: shape (m, 2): row of the linking article, row of the target, in the editors' order.
        facts: of the rows.
        lexical: has taken the texts of the rows, in their order; it ends when it is written.
        centres: what was taken away from the vectors of articles.
        headline_centres: the same of vectors made from a headline alone; for stubs, short articles and free texts.
    """

    rows: Sequence[Row]
    vectors: Matrix
    links: NDArray[np.int32]
    facts: Facts
    lexical: LexicalBuilder
    centres: Centres
    headline_centres: Centres
