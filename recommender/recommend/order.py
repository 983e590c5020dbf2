"""From scored candidates to the list that a reader sees: copies collapsed, likes parted, the unrelated cut, the desk's word first.

Each step takes what the one before it left and says what it hid and why. None of them changes a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from recommender.answer import Options, Source
from recommender.copies import agency_version
from recommender.editorial import Applied
from recommender.fusion import PARTS, Values
from recommender.rank import Columns, Mask
from recommender.recommend.evidence import Evidence, Rows
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import UNDATED

KeptCopy = Literal["best", "newest", "longest", "own"]
COPY_COSINE = 0.95
COPY_TERMS = 0.8
_POOL = 50  # of so many the likes are parted; what comes after keeps its order


@dataclass(slots=True)
class Arrangement:
    """A list in the making.

    Attributes:
        evidence: of the rows in the list, in its order.
        sources: where each came from.
        hidden: rows that a rule took out of the list: row, why, and the row kept instead (-1 for none).
        below_floor: whether the floor cut the list.
    """

    evidence: Evidence
    sources: list[Source]
    hidden: list[tuple[int, str, int]] = field(default_factory=list)
    below_floor: bool = False


def arrange(
    snapshot: View,
    query: Query,
    similar: Evidence,
    linked: Evidence,
    pinned: Evidence,
    options: Options,
    keep_copy: KeptCopy,
) -> Arrangement:
    """Return at most ``k`` lines: pinned, then linked (both in the order given), then similar ones, best first.

    Args:
        snapshot, query, options: of this question.
        similar: candidates, best first.
        linked: what the article's editor links to, in the editor's order.
        pinned: what the desk pinned, in its order.
        keep_copy: which of several near-copies is kept.
    """
    columns = snapshot.columns
    hidden: list[tuple[int, str, int]] = []
    below_floor = False
    excluded = on_page(snapshot, options)
    linked = _apart_from(linked, pinned.rows)
    ahead = [int(row) for row in (*pinned.rows, *linked.rows)]
    similar = _apart_from(similar, ahead)
    if options.collapse:
        linked = _without_own_copies(columns, query, linked, hidden)
        similar = _without_own_copies(columns, query, similar, hidden)
        similar = collapse(columns, similar, [*excluded, *ahead], keep_copy, hidden)
    if options.floor and similar.probability is not None:
        # What links join to the article needs no likeness: an editor has vouched for it.
        passing = (similar.probability >= options.floor) | (similar.parts[:, PARTS.index("links")] > 0)
        below_floor = not passing[: options.k].all()
        hidden += [(int(row), "unlike", -1) for row in similar.rows[: options.k][~passing[: options.k]]]
        similar = similar.only(passing)
    if options.diversity:
        above = snapshot.dense.vectors(np.array(ahead, np.int64)).astype(np.float64)
        pool = similar.take(range(min(len(similar.rows), _POOL)))
        vectors = snapshot.dense.vectors(pool.rows).astype(np.float64)
        order = diversify(pool.scores, vectors @ vectors.T, vectors @ above.T, options.diversity, options.k)
        similar = similar.take([*order, *range(len(pool.rows), len(similar.rows))])
    sources: list[Source] = [
        *(["pinned"] * len(pinned.rows)),  # type: ignore[list-item]
        *(["link"] * len(linked.rows)),  # type: ignore[list-item]
        *(["similar"] * len(similar.rows)),  # type: ignore[list-item]
    ]
    made = join([pinned, linked, similar]).take(range(min(options.k, len(sources))))
    shown = {-1, *excluded, *(int(row) for row in made.rows)}
    hidden = [each for each in hidden if each[2] in shown]  # others are copies of what stands below the list
    return Arrangement(made, sources[: options.k], hidden, below_floor)


def on_page(snapshot: View, options: Options) -> list[int]:
    """Return the rows that the caller's filters exclude: they stand on the page already."""
    rows = (snapshot.dense.row_of(article_id) for article_id in options.filters.exclude)
    return [row for row in rows if row is not None]


def collapse(
    columns: Columns, similar: Evidence, ahead: Sequence[int], keep: KeptCopy, hidden: list[tuple[int, str, int]]
) -> Evidence:
    """Return the candidates with one of each group of near-copies, at the place of its best one.

    Args:
        columns: of the archive.
        similar: candidates, best first.
        ahead: rows that already stand in the list; their copies are hidden.
        keep: ``best`` (the best score), ``newest``, ``longest``, or ``own``: what is not an agency's, then the best.
        hidden: takes note of what was left out.
    """
    group = columns.copies[similar.rows]
    shown = {int(columns.copies[row]): row for row in ahead if columns.copies[row] >= 0}
    kept = np.arange(len(group))
    for at in np.flatnonzero((group >= 0) & ~np.isin(similar.rows, ahead)).tolist():
        row, copies = int(similar.rows[at]), int(group[at])
        if copies in shown:
            kept[at] = -1
        else:
            members = np.flatnonzero(group == copies)
            kept[at] = members[_kept(columns, similar.rows[members], keep)]
            shown[copies] = int(similar.rows[kept[at]])
        if shown[copies] != row:
            hidden.append((row, "copy", shown[copies]))
    return similar.take(kept[kept >= 0])


def diversify(scores: Values, alike: Values, alike_above: Values, strength: float, k: int) -> list[int]:
    """Return the places of at most ``k`` candidates, each the best by score − strength × its largest cosine to one above it.

    Args:
        scores: best first, shape (n,).
        alike: cosines between candidates, shape (n, n).
        alike_above: cosines to what already stands in the list, shape (n, m).
        strength: 0 keeps the order.

    Source: maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998; as a penalty on the score instead of a weighted
    mean, so that a strength of 0 is the ranking itself.
    """
    largest = np.maximum(alike_above.max(axis=1), 0.0) if alike_above.shape[1] else np.zeros(len(scores))
    left = np.ones(len(scores), np.bool_)
    chosen: list[int] = []
    while left.any() and len(chosen) < k:
        worth = np.where(left, np.round(scores - strength * largest, 6), -np.inf)
        best = int(np.argmax(worth))  # the first of equals, which is the better by score and then by id
        chosen.append(best)
        left[best] = False
        largest = np.maximum(largest, alike[best])
    return chosen


def join(parts: Sequence[Evidence]) -> Evidence:
    """Return several pieces of evidence as one, in their order."""
    probabilities = [part.probability for part in parts if part.probability is not None]
    return Evidence(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.parts for part in parts]),
        np.concatenate([part.dense for part in parts]),
        np.concatenate([part.lexical for part in parts]),
        np.concatenate(probabilities) if len(probabilities) == len(parts) else None,
    )


def boosts(applied: Applied, columns: Columns, rows: Rows) -> Values | None:
    """Return what the desk adds to the score of each row: the logarithm of the factor on its odds; None for nothing."""
    if not applied.boosts and not applied.section_boosts:
        return None
    added = np.array([applied.boosts.get(int(row), 1.0) for row in rows])
    if applied.section_boosts:
        by_code = [applied.section_boosts.get(name, 1.0) for name in columns.sections]
        added *= np.array([*by_code, 1.0])[columns.section[rows]]
    return np.asarray(np.log(added))


def _apart_from(found: Evidence, rows: Iterable[int]) -> Evidence:
    """Return what is none of these rows."""
    return found.only(~np.isin(found.rows, list(rows))) if len(found.rows) else found


def _without_own_copies(
    columns: Columns, query: Query, found: Evidence, hidden: list[tuple[int, str, int]]
) -> Evidence:
    """Return what is no near-copy of the article itself."""
    if not query.is_article or not len(found.rows):
        return found
    if query.own_row is None:
        copy = (found.dense >= COPY_COSINE) & (found.lexical >= COPY_TERMS)
        groups = columns.copies[found.rows]
        copy |= np.isin(groups, groups[copy & (groups >= 0)])
    else:
        own = columns.copies[query.own_row]
        copy = (columns.copies[found.rows] == own) & (own >= 0)
        copy |= _agency_versions(columns, query.own_row, found)
    hidden += [(int(row), "own copy", -1) for row in found.rows[copy]]
    return found.only(~copy)


def _agency_versions(columns: Columns, own_row: int, found: Evidence) -> Mask:
    """Return which candidates are the agency's version of the article, or the article's own version of the agency's."""
    wire = columns.kinds.index("wire") if "wire" in columns.kinds else -2
    dated = (columns.published_at[found.rows] != UNDATED) & (columns.published_at[own_row] != UNDATED)
    apart = np.where(dated, columns.published_at[found.rows] - columns.published_at[own_row], 0)
    one_is_wire = (columns.kind[found.rows] == wire) | bool(columns.kind[own_row] == wire)
    return agency_version(one_is_wire & dated, apart, found.dense, found.lexical)


def _kept(columns: Columns, rows: Rows, keep: KeptCopy) -> int:
    """Return the place of the near-copy that is shown; rows come best first, and the first of equals is kept."""
    if keep == "newest":
        return int(np.argmax(columns.published_at[rows]))
    if keep == "longest":
        return int(np.argmax(columns.n_words[rows]))
    if keep == "own":
        wire = columns.kinds.index("wire") if "wire" in columns.kinds else -2
        return int(np.argmin(columns.kind[rows] == wire))
    return 0
