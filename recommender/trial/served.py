"""The lists under the whole archive as readers see them: what coverage, orphans and hubs are counted over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from recommender import rank
from recommender.answer import Options
from recommender.evaluate import LIST_LENGTH, Shown
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.trial.run import Watch

MAX_LISTS = 10_000

T = TypeVar("T")


def served_lists(
    recommender: Recommender,
    options: Options,
    *,
    max_lists: int = MAX_LISTS,
    watch: Watch = lambda stage, done, total, unit: None,
) -> Shown:
    """Return the first five under every article of the archive, with the reason where there are fewer.

    Args:
        recommender: over the snapshot in question.
        options: how lists are served; the length is five, and nothing is hidden from them.
        max_lists: of an archive of more articles, so many are looked at, evenly spread over the ids: each takes
            milliseconds, and longer in a larger archive.
        watch: takes note of the progress.
    """
    columns, ids = recommender.snapshot.columns, recommender.snapshot.dense.ids
    options = replace(options, k=LIST_LENGTH, blind=False, explain=False)
    articles = [article_id for article_id, stub in zip(ids, columns.stub, strict=True) if not stub]
    offered = rank.allowed(columns, Filters(kinds=options.kinds))
    asked = evenly(articles, max_lists)
    lists: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for done, article_id in enumerate(asked, start=1):
        answer = recommender.related(article_id, options)
        lists[article_id] = [result.id for result in answer.results]
        if why := answer.empty_reason or answer.short_reason:
            reasons[article_id] = why
        watch("looking at readers' lists", done, len(asked), "lists")
    unoffered = frozenset(article_id for article_id, fit in zip(ids, offered, strict=True) if not fit)
    return Shown(lists, len(articles), reasons, unoffered)


def evenly(items: Sequence[T], most: int) -> list[T]:
    """Return all items, or ``most`` of them where there are more, spread evenly over their order."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]
