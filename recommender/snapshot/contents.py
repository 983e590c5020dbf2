"""What goes into a snapshot, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
class Contents:
    """What goes into a snapshot, rows in ascending order of id.

    Attributes:
        rows: shape (n,).
        vectors: shape (n, dim), unit length, centred.
        links: shape (m, 2): row of the linking article, row of the target, in the editors' order.
        centres: what was taken away from the vectors of articles.
        headline_centres: the same of vectors made from a headline alone; for stubs, short articles and free texts.
    """

    rows: Sequence[Row]
    vectors: Matrix
    links: NDArray[np.int32]
    centres: Centres
    headline_centres: Centres
