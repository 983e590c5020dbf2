"""The queries on which our system does worst: what it missed, and what it showed instead."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

from recommender.evaluate.breakdown import PerQuery
from recommender.evaluate.facts import Facts, Listed, age_of, listed
from recommender.evaluate.lists import LIST_LENGTH
from recommender.measures import Qrels, Run

N_WORST = 20


@dataclass(frozen=True, slots=True)
class Missed:
    """A judged article that is not among our first five.

    Attributes:
        article: which.
        grade: as judged.
        rank: where it does stand in our list, counted from 1; None where it does not.
        age: how old it was when the query was published, one of ``facts.AGES``.
    """

    article: Listed
    grade: int
    rank: int | None
    age: str


@dataclass(frozen=True, slots=True)
class Instead:
    """An article among our first five that nobody judged relevant, and its rank."""

    article: Listed
    rank: int


@dataclass(frozen=True, slots=True)
class WorstQuery:
    """A query with its value of the main measure and the number of articles judged relevant to it.

    ``missed`` is ordered by grade, highest first, then by id; ``instead`` by rank.
    """

    article: Listed
    value: float
    n_judged: int
    missed: tuple[Missed, ...]
    instead: tuple[Instead, ...]


def worst_queries(
    facts: Mapping[str, Facts], qrels: Qrels, values: PerQuery, run: Run, *, n: int = N_WORST
) -> tuple[WorstQuery, ...]:
    """Return the ``n`` queries of the lowest value; ties: more judged articles first, then the smaller id.

    A query with a full score is not listed, so there may be fewer.
    """
    wrong = [query for query, value in values.items() if round(value, 6) < 1.0]
    found = heapq.nsmallest(n, wrong, key=lambda query: (round(values[query], 6), -len(qrels[query]), query))
    return tuple(_looked_at(facts, query, qrels[query], values[query], run) for query in found)


def _looked_at(facts: Mapping[str, Facts], query: str, grades: Mapping[str, int], value: float, run: Run) -> WorstQuery:
    ranks = {article_id: rank for rank, article_id in enumerate(run.get(query, ()), start=1)}
    missed = sorted((-grade, target) for target, grade in grades.items() if ranks.get(target, math.inf) > LIST_LENGTH)
    return WorstQuery(
        listed(facts, query),
        value,
        len(grades),
        tuple(
            Missed(listed(facts, target), -below, ranks.get(target), age_of(facts.get(target), facts.get(query)))
            for below, target in missed
        ),
        tuple(
            Instead(listed(facts, article_id), rank)
            for article_id, rank in ranks.items()
            if rank <= LIST_LENGTH and article_id not in grades
        ),
    )
