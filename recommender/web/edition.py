"""What stands where in the demo newsroom: the newest stories, by section. Pure: it reads a state of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from recommender.rank import Columns
from recommender.snapshot import Row, View

_SECOND, _LATEST, _SECTIONS, _STORIES_EACH = 2, 7, 9, 4
_LOOKED_THROUGH = 2_000  # of the newest, for a lead that editors have linked from


@dataclass(frozen=True, slots=True)
class Front:
    """The front page.

    Attributes:
        newest_at: when the youngest story was published.
        lead: the youngest story under which an editor set at least two links, else the youngest.
        second: the youngest of two other sections.
        latest: the youngest but for these.
        sections: the largest sections with their youngest stories but for these; all of an archive without sections as one, None.
    """

    newest_at: str | None
    lead: Row
    second: list[Row]
    latest: list[Row]
    sections: list[tuple[str | None, list[Row]]]


def front(archive: View) -> Front | None:
    """Return the front page, None for an archive without a story. A near-copy of what stands there already does not."""
    newest = _newest(archive.columns)
    if not len(newest):
        return None
    lead = _lead(archive, newest)
    second = _second(archive.columns, newest, lead)
    others = newest[~np.isin(newest, [lead, *second])]
    names = section_names(archive)
    pages = [(name, _rows(archive, others, section=name, most=_STORIES_EACH)) for name in names[:_SECTIONS]]
    return Front(
        newest_at=archive.row(int(newest[0])).published_at,
        lead=archive.row(lead),
        second=[archive.row(number) for number in second],
        latest=_rows(archive, others, most=_LATEST),
        sections=[(name, rows) for name, rows in pages if rows] or [(None, _rows(archive, others, most=12))],
    )


def section_names(archive: View) -> list[str]:
    """Return the sections by number of stories, the largest first; ties by name."""
    columns = archive.columns
    codes = columns.section[~columns.stub & (columns.section >= 0)]
    counts = np.bincount(codes, minlength=len(columns.sections))
    return [columns.sections[code] for code in np.argsort(-counts, kind="stable") if counts[code]]


def of_section(archive: View, name: str, most: int, *, without: str | None = None) -> list[Row]:
    """Return the youngest stories of a section but for one id; none for a section that is not there."""
    rows = _rows(archive, _newest(archive.columns), section=name, most=most + 1)
    return [row for row in rows if row.id != without][:most]


def _newest(columns: Columns) -> NDArray[np.int64]:
    """Return the rows of stories, the youngest first, those without a date last; ties by id."""
    stories = np.flatnonzero(~columns.stub)
    order: NDArray[np.int64] = stories[np.argsort(-columns.published_at[stories].astype(float), kind="stable")]
    return order


def _lead(archive: View, newest: NDArray[np.int64]) -> int:
    for number in islice(map(int, newest), _LOOKED_THROUGH):
        if len(archive.graph.linked_by(number)) >= 2:
            return number
    return int(newest[0])


def _second(columns: Columns, newest: NDArray[np.int64], lead: int) -> list[int]:
    told = {int(columns.section[lead])}
    chosen: list[int] = []
    for number in _told_once(columns, newest[:_LOOKED_THROUGH]):
        section = int(columns.section[number])
        if len(chosen) < _SECOND and section not in told:
            told.add(section)
            chosen.append(number)
    return chosen


def _rows(archive: View, newest: NDArray[np.int64], *, most: int, section: str | None = None) -> list[Row]:
    columns = archive.columns
    if section is not None:
        if section not in columns.sections:
            return []
        newest = newest[columns.section[newest] == columns.sections.index(section)]
    return [archive.row(number) for number in islice(_told_once(columns, newest), most)]


def _told_once(columns: Columns, numbers: NDArray[np.int64]) -> Iterator[int]:
    """Yield rows in their order, of near-copies the first."""
    told: set[int] = set()
    for number in map(int, numbers):
        group = int(columns.copies[number])
        if group < 0 or group not in told:
            told.add(group)
            yield number
