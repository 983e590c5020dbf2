"""What an evaluation is: plain frozen data, which can be printed, written as JSON or drawn as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from typing import Any

from recommender.evaluate.breakdown import Breakdown
from recommender.evaluate.clicks import ClickThrough
from recommender.evaluate.lists import Coverage
from recommender.evaluate.numbers import Difference, Interval
from recommender.evaluate.reliability import Bin
from recommender.evaluate.table import table
from recommender.evaluate.worst import WorstQuery
from recommender.measures import ndcg_at

MAIN = ndcg_at(5)
"""The measure by which systems are compared."""
ANY_DATE, PAST_ONLY = "any date", "past only"
N_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class SystemResult:
    """One system: its name and, by name of the measure, its mean over every judged query."""

    name: str
    scores: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many judged queries have which value of the main measure.

    Attributes:
        ours: twelve counts: a value of 0, then ten bins of a tenth each (upper end not in it), then a value of 1.
        baseline: the same of the best baseline; None where there is none.
    """

    ours: tuple[int, ...]
    baseline: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """The systems where they may show articles of any date, or only what was there when the story was published.

    Attributes:
        name: ``any date`` or ``past only``.
        systems: ours first, then the baselines in the order given.
        differences: ours against each baseline on the main measure, in the same order.
        best_baseline: the one with the highest main measure, ties by order, our own variants left out; None where there is
            no baseline.
        n_out_of_reach: judged pairs that nobody can find here, since the target is newer than the story (past only); they
            count as missed.
        breakdown, histogram: ours beside the best baseline.
        worst: the queries on which ours does worst.
    """

    name: str
    systems: tuple[SystemResult, ...]
    differences: tuple[Difference, ...]
    best_baseline: str | None
    n_out_of_reach: int
    breakdown: Breakdown
    histogram: Histogram
    worst: tuple[WorstQuery, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well our system does beside its baselines on one archive and one set of judgments.

    Attributes:
        ours: the name of our system.
        measures: names of the measures, the main one first.
        n_articles: articles of the archive.
        n_queries: judged queries, those with at least one relevant article.
        n_relevant: relevant pairs of query and target.
        n_unknown_queries, n_unknown_targets: judged queries and pairs whose article the archive does not hold; they
            count as missed.
        described: what was evaluated, as the caller has it.
        scopes: ``any date`` and, where there is one, ``past only``.
        coverage: what the lists that readers see show of the archive; None where they were not looked at.
        reliability: the probability of an editor's link, said against found, of all articles (``*``) and by language; empty
            where nothing is said.
        clicks: what readers clicked where that was counted; it says nothing of the baselines. None where nothing was.
    """

    ours: str
    measures: tuple[str, ...]
    n_articles: int
    n_queries: int
    n_relevant: int
    n_unknown_queries: int
    n_unknown_targets: int
    described: Mapping[str, object]
    scopes: Mapping[str, Scope]
    coverage: Coverage | None = None
    reliability: Mapping[str, Sequence[Bin]] = field(default_factory=dict)
    clicks: ClickThrough | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON has it: numbers to six decimals, instants in ISO 8601, the same for the same input."""
        plain: dict[str, Any] = _plain(self)
        plain["scopes"] = {name.replace(" ", "_"): scope for name, scope in plain["scopes"].items()}
        return plain

    def table(self) -> str:
        """Return the evaluation for a terminal, at most 110 columns wide, our system marked, a part for each scope."""
        return table(self)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, N_DECIMALS) + 0.0 if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
