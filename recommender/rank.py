"""Which candidates may stand in a list, and in what order. Pure functions over columns of the archive."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender.errors import QueryError
from recommender.vectors import Hit

Mask = NDArray[np.bool_]
UNDATED = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Columns:
    """What rules look at, one entry a row of the index.

    Attributes:
        published_at: seconds since 1970, ``UNDATED`` where unknown; int64, shape (n,).
        language, section, kind: codes into the lists of names beside them; -1 where unknown; int32, shape (n,).
        stub: True for a link without an article; shape (n,).
        languages, sections, kinds: the names.
    """

    published_at: NDArray[np.int64]
    language: NDArray[np.int32]
    section: NDArray[np.int32]
    kind: NDArray[np.int32]
    stub: Mask
    languages: tuple[str, ...]
    sections: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the caller wants to see.

    Attributes:
        sections, languages: only these; empty for any. A language covers its regions (``pt`` finds ``pt-br``).
        published_after, published_before: only articles with a date in this half-open span; aware.
        exclude: ids already on the page.
        stubs: whether links without an article may appear.
    """

    sections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    published_after: datetime | None = None
    published_before: datetime | None = None
    exclude: frozenset[str] = field(default=frozenset())
    stubs: bool = True

    def check(self, columns: Columns) -> None:
        """Raise QueryError where a filter can never match: no such section, or a span that ends before it starts."""
        unknown = [name for name in self.sections if name not in columns.sections]
        if unknown:
            known = ", ".join(columns.sections) or "none"
            raise QueryError(f"section: {unknown[0]!r} is not in this archive; its sections are {known}")
        after, before = self.published_after, self.published_before
        if after and before and after >= before:
            raise QueryError(
                f"published_after ({after.isoformat()}) is not before published_before ({before.isoformat()})"
            )


def same_language(name: str, wanted: str) -> bool:
    """Tell whether a language tag is ``wanted`` or a region of it."""
    return name == wanted or name.startswith(f"{wanted}-")


def base_language(tag: str | None) -> str:
    """Return the language of a tag without its region or script; ``""`` for None."""
    return (tag or "").partition("-")[0]


def allowed(columns: Columns, filters: Filters) -> Mask:
    """Return the rows that pass the filters (``exclude`` apart, which speaks of ids), shape (n,)."""
    mask = np.ones(len(columns.published_at), dtype=np.bool_)
    if not filters.stubs:
        mask &= ~columns.stub
    if filters.sections:
        mask &= np.isin(columns.section, _codes(columns.sections, filters.sections))
    if filters.languages:
        names = [name for name in columns.languages if any(same_language(name, wanted) for wanted in filters.languages)]
        mask &= np.isin(columns.language, _codes(columns.languages, names))
    if filters.published_after:
        mask &= columns.published_at >= _seconds(filters.published_after)
    if filters.published_before:
        mask &= (columns.published_at < _seconds(filters.published_before)) & (columns.published_at != UNDATED)
    return mask


def not_younger(columns: Columns, published_at: int) -> Mask:
    """Return the rows published at or before an instant (seconds); rows without a date are not among them."""
    mask: Mask = (columns.published_at <= published_at) & (columns.published_at != UNDATED)
    return mask


def place(linked: Sequence[Hit], similar: Iterable[Hit], k: int) -> list[Hit]:
    """Return a list of at most ``k``: the editor's own links first, in the editor's order, then what is similar.

    An article that stands in both appears once, in the editor's place.
    """
    ahead = {hit.article_id for hit in linked}
    return [*linked, *(hit for hit in similar if hit.article_id not in ahead)][:k]


def encode_names(values: Sequence[str | None]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes and the sorted names they stand for; None becomes -1."""
    names = tuple(sorted({value for value in values if value is not None}))
    codes: Mapping[str | None, int] = {name: code for code, name in enumerate(names)}
    return np.array([codes.get(value, -1) for value in values], dtype=np.int32), names


def _codes(names: Sequence[str], wanted: Iterable[str]) -> list[int]:
    position = {name: code for code, name in enumerate(names)}
    return [position[name] for name in wanted if name in position]


def _seconds(instant: datetime) -> int:
    return math.ceil(instant.timestamp())  # a row has whole seconds: so much as half a second later is after it
