"""Which candidates may stand in a list, and in what order. Pure functions over columns of the archive."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.article import KINDS
from recommender.errors import Problem, QueryError
from recommender.text import base_language
from recommender.vectors import UNDATED

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
_MAX_NAMED = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """What rules look at, one entry a row of the index.

    Attributes:
        published_at: seconds since 1970, ``UNDATED`` where unknown; int64, shape (n,).
        language, section, kind: codes into the lists of names beside them; -1 where unknown; int32, shape (n,).
        stub: True for a link without an article; shape (n,).
        n_words: length of headline, standfirst and body; int32, shape (n,).
        copies: the smallest row of the stories that are near-copies of each other; -1 for a story of its own; int32, shape (n,).
        tags, authors: (row, code) pairs; int32, shape (m, 2).
        languages, sections, kinds, tag_names, author_names: the names.
    """

    published_at: NDArray[np.int64]
    language: NDArray[np.int32]
    section: NDArray[np.int32]
    kind: NDArray[np.int32]
    stub: Mask
    n_words: NDArray[np.int32]
    copies: NDArray[np.int32]
    tags: NDArray[np.int32]
    authors: NDArray[np.int32]
    languages: tuple[str, ...]
    sections: tuple[str, ...]
    kinds: tuple[str, ...]
    tag_names: tuple[str, ...]
    author_names: tuple[str, ...]


BY_ROW = ("published_at", "language", "section", "kind", "stub", "n_words", "copies")
"""The columns with one entry a row; tags and authors have as many as there are."""


def layered(base: Columns, changed: Columns, place: NDArray[np.int64], copies: NDArray[np.int32]) -> Columns:
    """Return the columns of rows that stand in either of two archives; names that no row has any more are left out.

    Args:
        base, changed: the two.
        place: of each row: its row in ``base``, or the size of ``base`` plus its row in ``changed``; shape (n,).
        copies: near-copies among these rows, shape (n,).
    """

    def both(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(base, name), getattr(changed, name)])[place]

    language, languages = _joined(base.language, base.languages, changed.language, changed.languages, place)
    section, sections = _joined(base.section, base.sections, changed.section, changed.sections, place)
    kind, kinds = _joined(base.kind, base.kinds, changed.kind, changed.kinds, place)
    sizes = (len(base.published_at), len(changed.published_at))
    tags, tag_names = _joined_pairs(base.tags, base.tag_names, changed.tags, changed.tag_names, sizes, place)
    authors, author_names = _joined_pairs(
        base.authors, base.author_names, changed.authors, changed.author_names, sizes, place
    )
    return Columns(
        *(both("published_at"), language, section, kind, both("stub"), both("n_words"), copies, tags, authors),
        *(languages, sections, kinds, tag_names, author_names),
    )


def _joined(
    one: NDArray[np.int32],
    names: Sequence[str],
    other: NDArray[np.int32],
    other_names: Sequence[str],
    place: NDArray[np.int64],
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes into the names that are left, for the rows at ``place`` in two columns of codes one after the other."""
    every = np.concatenate([one, np.where(other < 0, -1, other + len(names))])[place]
    codes, used = _renamed(every, [*names, *other_names])
    return codes, used


def _renamed(codes: NDArray[np.integer], names: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes into the sorted names that are used; of a name that stands twice both codes become one."""
    used = np.unique(codes[codes >= 0]).tolist()
    kept = tuple(sorted({names[code] for code in used}))
    position = {name: code for code, name in enumerate(kept)}
    new = np.full(len(names) + 1, -1, np.int32)
    new[used] = [position[names[code]] for code in used]
    return new[codes], kept


def _joined_pairs(
    one: NDArray[np.int32],
    names: Sequence[str],
    other: NDArray[np.int32],
    other_names: Sequence[str],
    sizes: tuple[int, int],
    place: NDArray[np.int64],
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    row_at = np.full(sum(sizes), -1, np.int64)
    row_at[place] = np.arange(len(place))
    pairs = np.concatenate([one, other + np.array([sizes[0], len(names)], np.int32)]).astype(np.int64)
    pairs[:, 0] = row_at[pairs[:, 0]]
    pairs = pairs[pairs[:, 0] >= 0]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    codes, used = _renamed(pairs[:, 1], [*names, *other_names])
    return np.stack([pairs[:, 0].astype(np.int32), codes], axis=1), used


@dataclass(frozen=True, slots=True)
class Filters:
    """What the caller wants to see.

    Attributes:
        sections, languages, kinds: only these; empty for any. A language covers its regions (``pt`` finds ``pt-br``).
        tags, authors: only stories with one of these; empty for any.
        published_after, published_before: only articles with a date in this half-open span; aware.
        exclude: ids already on the page; where copies are collapsed, near-copies of them are left out as well.
        stubs: whether links without an article may appear.
    """

    sections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published_after: datetime | None = None
    published_before: datetime | None = None
    exclude: frozenset[str] = field(default=frozenset())
    stubs: bool = True

    def check(self, columns: Columns) -> None:
        """Raise QueryError where a filter can never match: no such section, or a span that ends before it starts."""
        if problems := self.problems(columns):
            raise QueryError.of(problems)

    def problems(self, columns: Columns) -> list[Problem]:
        """Return what can never match in this archive; the first wrong name of each filter."""
        found = [
            _unknown_name("section", self.sections, columns.sections),
            _unknown_name("tag", self.tags, columns.tag_names),
            _unknown_name("author", self.authors, columns.author_names),
        ]
        for kind in self.kinds:
            if kind not in KINDS:
                found.append(Problem("kind", f"kind: {kind[:40]!r} is none; kinds are {', '.join(KINDS)}"))
                break
        after, before = self.published_after, self.published_before
        if after and before and after >= before:
            told = f"published_after ({after.isoformat()}) is not before published_before ({before.isoformat()})"
            found.append(Problem("published_after", told))
        return [problem for problem in found if problem is not None]


def _unknown_name(what: str, wanted: Sequence[str], known: Sequence[str]) -> Problem | None:
    unknown = [name for name in wanted if name not in known]
    if not unknown:
        return None
    near = list(known) if len(known) <= _MAX_NAMED else difflib.get_close_matches(unknown[0], known, n=_MAX_NAMED)
    near = near or list(known[:_MAX_NAMED])
    rest = "" if len(known) <= len(near) else f" and {len(known) - len(near):,} more"
    told = f"{what}: {unknown[0][:100]!r} is not in this archive; its {what}s are {', '.join(near) or 'none'}{rest}"
    return Problem(what, told)


def same_language(name: str, wanted: str) -> bool:
    """Tell whether a language tag is ``wanted`` or a region of it."""
    return name == wanted or name.startswith(f"{wanted}-")


def other_language(columns: Columns, tag: str | None, rows: Rows | None = None) -> Mask:
    """Return which rows are known to be in another language than ``tag``, regions apart.

    Args:
        columns: of the archive.
        tag: BCP 47; None for unknown, from which nothing differs.
        rows: of so many rows it is wanted, shape (m,), the result's shape; None for all.
    """
    language = base_language(tag)
    codes = columns.language if rows is None else columns.language[rows]
    return _coded(codes, [bool(language) and base_language(name) != language for name in columns.languages])


def allowed(columns: Columns, filters: Filters, rows: Rows | None = None) -> Mask:
    """Return the rows that pass the filters (``exclude`` apart, which speaks of ids); ``rows`` as in :func:`other_language`."""
    at = slice(None) if rows is None else rows
    published_at = columns.published_at[at]
    mask = np.ones(len(published_at), dtype=np.bool_)
    if not filters.stubs:
        mask &= ~columns.stub[at]
    if filters.sections:
        mask &= _coded(columns.section[at], [name in filters.sections for name in columns.sections])
    if filters.languages:
        mask &= _coded(
            columns.language[at],
            [any(same_language(name, wanted) for wanted in filters.languages) for name in columns.languages],
        )
    if filters.kinds:
        mask &= _coded(columns.kind[at], [name in filters.kinds for name in columns.kinds])
    if filters.tags:
        mask &= _having(len(columns.stub), columns.tags, _codes(columns.tag_names, filters.tags))[at]
    if filters.authors:
        mask &= _having(len(columns.stub), columns.authors, _codes(columns.author_names, filters.authors))[at]
    if filters.published_after:
        mask &= published_at >= _seconds(filters.published_after)
    if filters.published_before:
        mask &= (published_at < _seconds(filters.published_before)) & (published_at != UNDATED)
    return mask


def not_younger(columns: Columns, published_at: int, rows: Rows | None = None) -> Mask:
    """Return the rows published at or before an instant (seconds); rows without a date are not among them."""
    dates = columns.published_at if rows is None else columns.published_at[rows]
    mask: Mask = (dates <= published_at) & (dates != UNDATED)
    return mask


def encode_names(values: Sequence[str | None]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes and the sorted names they stand for; None becomes -1."""
    names = tuple(sorted({value for value in values if value is not None}))
    codes: Mapping[str | None, int] = {name: code for code, name in enumerate(names)}
    return np.array([codes.get(value, -1) for value in values], dtype=np.int32), names


def encode_lists(values: Sequence[Sequence[str]]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return (row, code) pairs, shape (m, 2), and the sorted names that the codes stand for."""
    names = tuple(sorted({name for row in values for name in row}))
    codes = {name: code for code, name in enumerate(names)}
    pairs = [(number, codes[name]) for number, row in enumerate(values) for name in dict.fromkeys(row)]
    return np.array(pairs, np.int32).reshape(-1, 2), names


def _coded(codes: NDArray[np.int32], of_each: Sequence[bool]) -> Mask:
    """Return what holds of each row's name, shape (len(codes),); code -1, unknown, takes the last, which is False."""
    mask: Mask = np.array([*of_each, False])[codes]
    return mask


def _having(n_rows: int, pairs: NDArray[np.int32], codes: Sequence[int]) -> Mask:
    mask = np.zeros(n_rows, dtype=np.bool_)
    mask[pairs[np.isin(pairs[:, 1], codes), 0]] = True
    return mask


def _codes(names: Sequence[str], wanted: Iterable[str]) -> list[int]:
    position = {name: code for code, name in enumerate(names)}
    return [position[name] for name in wanted if name in position]


def _seconds(instant: datetime) -> int:
    return math.ceil(instant.timestamp())  # a row has whole seconds: so much as half a second later is after it
