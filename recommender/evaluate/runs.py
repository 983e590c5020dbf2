"""From runs and judgments to an evaluation. Pure: nothing is read, ranked or written here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from recommender.errors import InputError
from recommender.evaluate.breakdown import PerQuery, broken_down
from recommender.evaluate.facts import NEWER, Facts, age_of
from recommender.evaluate.lists import Shown, coverage_of
from recommender.evaluate.numbers import difference, interval_of
from recommender.evaluate.reliability import Bin
from recommender.evaluate.result import ANY_DATE, MAIN, PAST_ONLY, Evaluation, Histogram, Scope, SystemResult
from recommender.evaluate.worst import worst_queries
from recommender.measures import STANDARD, Measure, Qrels, Run

N_BINS = 10


def evaluate_runs(
    any_date: Mapping[str, Run],
    qrels: Qrels,
    facts: Mapping[str, Facts],
    *,
    ours: str,
    past_only: Mapping[str, Run] | None = None,
    described: Mapping[str, object] | None = None,
    measures: Sequence[Measure] = STANDARD,
    shown: Shown | None = None,
    variants: Collection[str] = (),
    reliability: Mapping[str, Sequence[Bin]] | None = None,
) -> Evaluation:
    """Return how well our system does beside its baselines.

    Every mean goes over every judged query (at least one grade above 0); a query without a list scores 0. Lists on
    queries that nobody judged count for nothing. The order of ``qrels``, ``facts`` and of a run's queries changes
    nothing.

    Args:
        any_date: run by system; one of the systems is ``ours``, the rest are baselines.
        qrels: grade by judged article by query.
        facts: every article of the archive.
        ours: the name of our system.
        past_only: the same systems where they may show only what was published at or before the story's own date; None
            or empty where articles have no dates.
        described: what was evaluated (snapshot, encoder, ...), handed on to JSON and page.
        measures: nDCG@5 is always among them, in front when it is not given.
        variants: systems that are ours in part or of yesterday: shown and compared with, but never the best baseline.
        reliability: what was said of the judged queries' pairs against what is so, handed on.
        shown: the lists under the whole archive as readers see them, for coverage, orphans and hubs.

    Raises:
        InputError: no query is judged, none of the judged queries is in the archive, our system is missing from a
            scope, or an article stands twice in one list.
    """
    judged = judged_queries(qrels, facts)
    chosen = tuple(measures) if any(measure.name == MAIN.name for measure in measures) else (MAIN, *measures)
    chosen = (MAIN, *(measure for measure in chosen if measure.name != MAIN.name))
    made = {ANY_DATE: any_date} | ({PAST_ONLY: past_only} if past_only else {})
    for name, systems in made.items():
        _check(name, systems, ours)
    return Evaluation(
        ours=ours,
        measures=tuple(measure.name for measure in chosen),
        n_articles=len(facts),
        n_queries=len(judged),
        n_relevant=sum(map(len, judged.values())),
        n_unknown_queries=sum(query not in facts for query in judged),
        n_unknown_targets=sum(target not in facts for grades in judged.values() for target in grades),
        described=dict(described or {}),
        scopes={name: _scope(name, systems, judged, facts, ours, chosen, variants) for name, systems in made.items()},
        coverage=coverage_of(facts, shown) if shown is not None else None,
        reliability=dict(reliability or {}),
    )


def judged_queries(qrels: Qrels, facts: Mapping[str, Facts]) -> dict[str, dict[str, int]]:
    """Return the judged queries in order of id, with their relevant articles alone.

    Raises:
        InputError: there are none, or none of them is in the archive.
    """
    relevant = {
        query: {target: grade for target, grade in qrels[query].items() if grade > 0} for query in sorted(qrels)
    }
    judged = {query: grades for query, grades in relevant.items() if grades}
    if not judged:
        raise InputError(
            "no query is judged: nothing in the qrels has a grade above 0. Give a TREC qrels file (query 0 article grade), "
            'or an archive in which editors have set "Read more" links'
        )
    if facts.keys().isdisjoint(judged):
        raise InputError(
            f"none of the {len(judged)} judged queries is an article of the archive (the first is {min(judged)!r}). "
            "Give the qrels that belong to this archive, or ingest the articles that they name"
        )
    return judged


def _check(scope: str, systems: Mapping[str, Run], ours: str) -> None:
    if ours not in systems:
        raise InputError(
            f"{scope}: there is no run of {ours!r}, only of {', '.join(map(repr, systems)) or 'nobody'}; add it"
        )
    for system, run in systems.items():
        for query, articles in run.items():
            if len(set(articles)) < len(articles):
                twice = next(article_id for at, article_id in enumerate(articles) if article_id in articles[:at])
                raise InputError(
                    f"{scope}, run of {system!r}: {twice} stands twice in the list of {query}; leave one out"
                )


def _scope(
    name: str,
    systems: Mapping[str, Run],
    judged: Qrels,
    facts: Mapping[str, Facts],
    ours: str,
    measures: Sequence[Measure],
    variants: Collection[str],
) -> Scope:
    order = (ours, *(system for system in systems if system != ours))
    values = {system: MAIN.per_query(systems[system], judged) for system in order}
    baselines = [system for system in order[1:] if system not in variants]
    best = max(baselines, key=lambda system: sum(values[system].values()), default=None)
    return Scope(
        name=name,
        systems=tuple(_result(system, systems[system], judged, measures) for system in order),
        differences=tuple(difference(system, values[ours], values[system]) for system in order[1:]),
        best_baseline=best,
        n_out_of_reach=_out_of_reach(judged, facts) if name == PAST_ONLY else 0,
        breakdown=broken_down(
            facts, judged, (values[ours], systems[ours]), (values[best], systems[best]) if best is not None else None
        ),
        histogram=Histogram(
            _binned(values[ours].values()), _binned(values[best].values()) if best is not None else None
        ),
        worst=worst_queries(facts, judged, values[ours], systems[ours]),
    )


def _result(system: str, run: Run, judged: Qrels, measures: Sequence[Measure]) -> SystemResult:
    per_query: dict[str, PerQuery] = {measure.name: measure.per_query(run, judged) for measure in measures}
    return SystemResult(system, {name: interval_of(list(values.values())) for name, values in per_query.items()})


def _out_of_reach(judged: Qrels, facts: Mapping[str, Facts]) -> int:
    return sum(
        age_of(facts.get(target), facts.get(query)) == NEWER for query, grades in judged.items() for target in grades
    )


def _binned(values: Iterable[float]) -> tuple[int, ...]:
    counts = [0] * (N_BINS + 2)
    for value in values:
        rounded = round(value, 6)
        counts[0 if rounded <= 0 else N_BINS + 1 if rounded >= 1 else 1 + int(rounded * N_BINS)] += 1
    return tuple(counts)
