"""Where a system does well and where it does not: by section, language and year of the story, by age of the target."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recommender.evaluate.facts import AGES, Facts, Listed, age_of, listed
from recommender.evaluate.numbers import Interval, interval_of
from recommender.measures import Qrels, Run

TARGET_DEPTH = 10

PerQuery = Mapping[str, float]
"""Query id to the value of the main measure."""


@dataclass(frozen=True, slots=True)
class Group:
    """The judged queries that share a section, a language or a year.

    Attributes:
        label: what they share; None for those of which it is not known.
        n_queries: how many.
        ours: our mean of the main measure over them.
        baseline: the best baseline's mean; None where there is no baseline.
    """

    label: str | None
    n_queries: int
    ours: Interval
    baseline: float | None


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """The judged targets of one age.

    Attributes:
        age: one of ``facts.AGES``.
        n_targets: judged pairs of query and target.
        ours: share of these targets that stand among our first ten.
        baseline: the same of the best baseline; None where there is no baseline.
    """

    age: str
    n_targets: int
    ours: float
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All the groups; the queries of each of the first three add up to the judged queries, the targets to the targets.

    Sections and languages: most queries first, then by name. Years and ages: in their own order. Unknown comes last.
    """

    by_section: tuple[Group, ...]
    by_language: tuple[Group, ...]
    by_year: tuple[Group, ...]
    by_target_age: tuple[AgeGroup, ...]

    @property
    def groups(self) -> dict[str, tuple[Group, ...]]:
        """The groups of queries, by what they share: ``section``, ``language``, ``year``."""
        return {"section": self.by_section, "language": self.by_language, "year": self.by_year}


def broken_down(
    facts: Mapping[str, Facts], qrels: Qrels, ours: tuple[PerQuery, Run], baseline: tuple[PerQuery, Run] | None
) -> Breakdown:
    """Return the breakdowns of our system (its values, its run) beside those of the best baseline.

    Args:
        facts: the archive.
        qrels: judged queries with their relevant targets only.
        ours, baseline: the values of the main measure by query, and the run that they are of.
    """
    theirs = baseline[0] if baseline else None
    return Breakdown(
        by_section=_by_size(_groups(facts, ours[0], theirs, lambda query: query.section)),
        by_language=_by_size(_groups(facts, ours[0], theirs, lambda query: query.language)),
        by_year=_by_label(_groups(facts, ours[0], theirs, _year)),
        by_target_age=_ages(facts, qrels, ours[1], baseline[1] if baseline else None),
    )


def _year(query: Listed) -> str | None:
    return f"{query.published_at.year:04d}" if query.published_at else None


def _groups(
    facts: Mapping[str, Facts], ours: PerQuery, theirs: PerQuery | None, label_of: Callable[[Listed], str | None]
) -> list[Group]:
    members: defaultdict[str | None, list[str]] = defaultdict(list)
    for query in ours:
        members[label_of(listed(facts, query))].append(query)
    return [
        Group(
            label,
            len(queries),
            interval_of([ours[query] for query in queries]),
            math.fsum(theirs[query] for query in queries) / len(queries) if theirs is not None else None,
        )
        for label, queries in members.items()
    ]


def _by_size(groups: list[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda group: (group.label is None, -group.n_queries, group.label or "")))


def _by_label(groups: list[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda group: (group.label is None, group.label or "")))


def _ages(facts: Mapping[str, Facts], qrels: Qrels, ours: Run, baseline: Run | None) -> tuple[AgeGroup, ...]:
    pairs: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for query, grades in qrels.items():
        for target in grades:
            pairs[age_of(facts.get(target), facts.get(query))].append((query, target))
    return tuple(
        AgeGroup(
            age,
            len(pairs[age]),
            _recall(ours, pairs[age]),
            _recall(baseline, pairs[age]) if baseline is not None else None,
        )
        for age in AGES
        if pairs[age]
    )


def _recall(run: Run, pairs: list[tuple[str, str]]) -> float:
    return sum(target in run.get(query, ())[:TARGET_DEPTH] for query, target in pairs) / len(pairs)
