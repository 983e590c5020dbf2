"""What our lists show of the archive: how much of it, which articles everywhere, which nowhere."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from recommender.evaluate.facts import Facts, Listed, listed
from recommender.evaluate.numbers import gini
from recommender.measures import Run

LIST_LENGTH = 5
N_HUBS, N_ORPHANS = 10, 20


@dataclass(frozen=True, slots=True)
class Hub:
    """An article that stands in many lists: in how many, and in which share of all of them."""

    article: Listed
    n_lists: int
    share: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Our lists, each cut at five.

    Attributes:
        n_articles: articles of the archive.
        n_lists: lists looked at: every one of our run, judged or not, and an empty one for each judged query without.
        n_empty: lists with nothing in them.
        n_short: lists with one to four articles.
        mean_length: articles a list, 0 to 5.
        n_shown, share: articles of the archive that stand in a list at all, and their share of it.
        gini: of the numbers of lists of all articles of the archive; 0 shows all alike, towards 1 a few take every place.
        hubs: the ten articles in most lists, ties by id.
        n_orphans: articles of the archive in no list.
        orphans: up to twenty of them, the youngest first, undated last, ties by id.
        appearances: pairs (lists, articles of the archive in so many lists), most lists first.
    """

    n_articles: int
    n_lists: int
    n_empty: int
    n_short: int
    mean_length: float
    n_shown: int
    share: float
    gini: float
    hubs: tuple[Hub, ...]
    n_orphans: int
    orphans: tuple[Listed, ...]
    appearances: tuple[tuple[int, int], ...]


def coverage_of(facts: Mapping[str, Facts], run: Run, judged: Collection[str]) -> Coverage:
    """Return what the lists of ``run`` show of the archive; ``judged`` names the queries that ought to have a list."""
    shown = [run.get(query, ())[:LIST_LENGTH] for query in run.keys() | set(judged)]
    lengths = [len(articles) for articles in shown]
    counts = Counter(article_id for articles in shown for article_id in articles)
    per_article = [counts[article_id] for article_id in facts]
    n_shown = sum(count > 0 for count in per_article)
    most = heapq.nsmallest(N_HUBS, counts.items(), key=lambda item: (-item[1], item[0]))
    return Coverage(
        n_articles=len(facts),
        n_lists=len(shown),
        n_empty=lengths.count(0),
        n_short=sum(0 < length < LIST_LENGTH for length in lengths),
        mean_length=sum(lengths) / len(lengths) if lengths else 0.0,
        n_shown=n_shown,
        share=n_shown / len(facts) if facts else 0.0,
        gini=gini(per_article),
        hubs=tuple(Hub(listed(facts, article_id), count, count / len(shown)) for article_id, count in most),
        n_orphans=len(facts) - n_shown,
        orphans=_youngest(facts, (article_id for article_id in facts if not counts[article_id])),
        appearances=tuple(sorted(Counter(per_article).items(), reverse=True)),
    )


def _youngest(facts: Mapping[str, Facts], article_ids: Iterable[str]) -> tuple[Listed, ...]:
    def order(article_id: str) -> tuple[float, str]:
        published_at = facts[article_id].published_at
        return (-published_at.timestamp() if published_at else math.inf, article_id)

    return tuple(listed(facts, article_id) for article_id in heapq.nsmallest(N_ORPHANS, article_ids, key=order))
