"""What the lists that readers see show of the archive: how much of it, which articles everywhere, which nowhere."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommender.evaluate.facts import Facts, Listed, listed
from recommender.evaluate.numbers import gini

LIST_LENGTH = 5
N_HUBS, N_NAMED = 10, 20


@dataclass(frozen=True, slots=True)
class Shown:
    """The lists under the archive's articles as readers see them, each of at most five.

    Attributes:
        lists: article ids by the id of the article that they stand under, best first.
        n_all: lists that the archive has; more than ``lists`` holds where a sample was taken.
        reasons: why a list is shorter than five, or empty, by the same id.
        unoffered: ids of articles that no list shows for being similar, since their kind is not offered.
    """

    lists: Mapping[str, Sequence[str]]
    n_all: int
    reasons: Mapping[str, str] = field(default_factory=dict)
    unoffered: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hub:
    """An article that stands in many lists: in how many, and in which share of all of them."""

    article: Listed
    n_lists: int
    share: float


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for which lists are not full, and how many of them are empty and short for it."""

    why: str
    n_empty: int
    n_short: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """The lists that readers see, each of at most five.

    Attributes:
        n_articles: articles of the archive.
        n_all: lists that the archive has, one for each article.
        n_lists: those that were looked at. Where they are fewer, what stands in none of them may stand in another.
        n_empty: lists with nothing in them.
        n_short: lists with one to four articles.
        reasons: why these are not full, the most frequent first, ties by name.
        empty: up to twenty articles whose list is empty, the youngest first, undated last, ties by id.
        mean_length: articles a list, 0 to 5.
        n_shown, share: articles of the archive that stand in a list at all, and their share of it.
        gini: of the numbers of lists of all articles of the archive; 0 shows all alike, towards 1 a few take every place.
        hubs: the ten articles of the archive in most lists, ties by id.
        n_orphans: articles of the archive in no list.
        n_unoffered: those of them that are of a kind that lists do not offer.
        orphans: up to twenty of the others, in the order of ``empty``.
        appearances: pairs (lists, articles of the archive in so many lists), most lists first.
    """

    n_articles: int
    n_all: int
    n_lists: int
    n_empty: int
    n_short: int
    reasons: tuple[Reason, ...]
    empty: tuple[Listed, ...]
    mean_length: float
    n_shown: int
    share: float
    gini: float
    hubs: tuple[Hub, ...]
    n_orphans: int
    n_unoffered: int
    orphans: tuple[Listed, ...]
    appearances: tuple[tuple[int, int], ...]

    @property
    def sampled(self) -> bool:
        """Whether only some of the lists were looked at."""
        return self.n_lists < self.n_all


def coverage_of(facts: Mapping[str, Facts], shown: Shown) -> Coverage:
    """Return what lists show of the archive. What stands in them and is no article of it (a stub) takes a place, no more."""
    lists = {query: articles[:LIST_LENGTH] for query, articles in shown.lists.items()}
    lengths = {query: len(articles) for query, articles in lists.items()}
    counts = Counter(article_id for articles in lists.values() for article_id in articles if article_id in facts)
    most = heapq.nsmallest(N_HUBS, counts.items(), key=lambda item: (-item[1], item[0]))
    orphans = [article_id for article_id in facts if not counts[article_id]]
    offered = [article_id for article_id in orphans if article_id not in shown.unoffered]
    n_all, n_shown = max(shown.n_all, len(lists)), len(facts) - len(orphans)
    return Coverage(
        n_articles=len(facts),
        n_all=n_all,
        n_lists=len(lists),
        n_empty=sum(length == 0 for length in lengths.values()),
        n_short=sum(0 < length < LIST_LENGTH for length in lengths.values()),
        reasons=_reasons(lengths, shown.reasons),
        empty=_youngest(facts, (query for query, length in lengths.items() if not length and query in facts)),
        mean_length=sum(lengths.values()) / len(lengths) if lengths else 0.0,
        n_shown=n_shown,
        share=n_shown / len(facts) if facts else 0.0,
        gini=gini([counts[article_id] for article_id in facts]),
        hubs=tuple(Hub(listed(facts, article_id), count, count / len(lists)) for article_id, count in most),
        n_orphans=len(orphans),
        n_unoffered=len(orphans) - len(offered),
        orphans=_youngest(facts, offered),
        appearances=tuple(sorted(Counter(counts[article_id] for article_id in facts).items(), reverse=True)),
    )


def _reasons(lengths: Mapping[str, int], reasons: Mapping[str, str]) -> tuple[Reason, ...]:
    known = {query: reasons[query] for query, length in lengths.items() if length < LIST_LENGTH and query in reasons}
    n_empty = Counter(why for query, why in known.items() if not lengths[query])
    n_short = Counter(why for query, why in known.items() if lengths[query])
    told = [Reason(why, n_empty[why], n_short[why]) for why in n_empty.keys() | n_short.keys()]
    return tuple(sorted(told, key=lambda reason: (-reason.n_empty - reason.n_short, reason.why)))


def _youngest(facts: Mapping[str, Facts], article_ids: Iterable[str]) -> tuple[Listed, ...]:
    def order(article_id: str) -> tuple[float, str]:
        published_at = facts[article_id].published_at
        return (-published_at.timestamp() if published_at else math.inf, article_id)

    return tuple(listed(facts, article_id) for article_id in heapq.nsmallest(N_NAMED, article_ids, key=order))
