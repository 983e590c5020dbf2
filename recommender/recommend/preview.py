"""What a change of the desk's rules would do, before it is made: lists as they are, beside lists as they would be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from recommender.answer import Answer
from recommender.desk import Wish
from recommender.snapshot import View

Move = Literal["new", "up", "down", "same"]
MOST_LISTS = 5
_LOOKED_AT = 20


class Tried(NamedTuple):
    """One list before and after."""

    before: Answer
    after: Answer

    @property
    def changed(self) -> bool:
        """Tell whether readers would see another list."""
        return self._seen(self.before) != self._seen(self.after)

    @property
    def moves(self) -> dict[str, Move]:
        """Return what becomes of each story of the list after, by id."""
        place = {result.id: result.rank for result in self.before.results}
        return {result.id: _move(place.get(result.id), result.rank) for result in self.after.results}

    @property
    def gone(self) -> frozenset[str]:
        """Return the ids of those that are no longer in it."""
        return frozenset(result.id for result in self.before.results) - self.moves.keys()

    def _seen(self, answer: Answer) -> list[tuple[str, str]]:
        return [(result.id, result.source) for result in answer.results]


def concerned(archive: View, wish: Wish, near: Sequence[str]) -> list[str]:
    """Return the stories on whose lists a wish is tried out: its own; else those that the story may stand under.

    Args:
        archive: that answers.
        wish: what is wanted.
        near: ids of the stories nearest to the wish's article.
    """
    if wish.under is not None:
        return [wish.under]
    if wish.article is not None:
        row = archive.dense.row_of(wish.article)
        linking = [] if row is None else [archive.dense.ids[each] for each in archive.graph.linking_to(row)]
        return list(dict.fromkeys([*linking, *near]))[:_LOOKED_AT]
    return [archive.dense.ids[row] for row in _newest(archive)]


def worth_showing(tried: Iterable[Tried]) -> list[Tried]:
    """Return up to five lists that change; one that does not where none does."""
    every = list(tried)
    return [each for each in every if each.changed][:MOST_LISTS] or every[:1]


def _newest(archive: View) -> list[int]:
    stories = np.flatnonzero(~archive.columns.stub)
    order = np.argsort(-archive.columns.published_at[stories].astype(float), kind="stable")
    return [int(row) for row in stories[order][:_LOOKED_AT]]


def _move(before: int | None, after: int) -> Move:
    if before is None:
        return "new"
    return "same" if before == after else "up" if after < before else "down"
