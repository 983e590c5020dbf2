"""What editors' links leave out and run to: stories that nobody links to, headlines without their story, stories that all link to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.snapshot import Row, View


class Linked(NamedTuple):
    """A story or stub with the stories whose editors link to it, the youngest first."""

    row: Row
    by: list[Row]


def orphans(archive: View, most: int, *, after: int = 0) -> tuple[int, list[Row]]:
    """Return how many stories no other one links to, and ``most`` of them after so many, the youngest first, ties by id."""
    counts, stub = archive.graph.in_degree(None), archive.columns.stub
    rows = _youngest(archive, np.flatnonzero((counts == 0) & ~stub))
    return len(rows), [archive.row(int(row)) for row in rows[after : after + most]]


def waiting(archive: View, most: int, *, after: int = 0) -> tuple[int, list[Linked]]:
    """Return how many headlines wait for their story, and ``most`` of them after so many, those with the most links first."""
    return _most_linked(archive, np.flatnonzero(archive.columns.stub), most, after)


def hubs(archive: View, most: int, *, after: int = 0) -> tuple[int, list[Linked]]:
    """Return how many stories others link to, and ``most`` of them after so many, those with the most links first."""
    counts = archive.graph.in_degree(None)
    return _most_linked(archive, np.flatnonzero((counts > 0) & ~archive.columns.stub), most, after)


def _most_linked(archive: View, rows: NDArray[np.int64], most: int, after: int) -> tuple[int, list[Linked]]:
    counts = archive.graph.in_degree(None)[rows]
    chosen = rows[np.argsort(-counts, kind="stable")][after : after + most]
    return len(rows), [Linked(archive.row(int(row)), _linking(archive, int(row))) for row in chosen]


def _linking(archive: View, row: int) -> list[Row]:
    linking = np.array(archive.graph.linking_to(row), np.int64)
    return [archive.row(int(each)) for each in _youngest(archive, linking)]


def _youngest(archive: View, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows with the youngest first and those without a date last; ties by id."""
    return rows[np.argsort(-archive.columns.published_at[rows].astype(float), kind="stable")]
