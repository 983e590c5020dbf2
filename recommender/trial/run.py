"""The lists of every system, in both scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.answer import DEFAULT_OPTIONS, Options
from recommender.article import Article
from recommender.evaluate import Bin, Evaluation, Facts, Shown, evaluate_runs, judged_queries, write_trec
from recommender.measures import Qrels, Run
from recommender.recommend import Recommender
from recommender.snapshot import View
from recommender.trial.baselines import Ranking, TermBaselines, chance, newest_in_section
from recommender.trial.truth import Truth
from recommender.vectors import SCORE_DIGITS, UNDATED

OURS = "recommender"
PURE, FUSION, DENSE = "pure ranking", "fusion", "dense alone"
BM25, TFIDF, NEWEST, CHANCE, LAST = "BM25", "TF-IDF", "newest in section", "random", "last snapshot"
DEPTH = 100

Watch = Callable[[str, int, int, str], None]


class Trial:
    """Puts one recommender and its baselines to the same questions."""

    def __init__(
        self,
        recommender: Recommender,
        truth: Truth,
        articles: Callable[[], Iterator[Article]],
        *,
        options: Options = DEFAULT_OPTIONS,
        served: bool = False,
        last: Recommender | None = None,
        watch: Watch = lambda stage, done, total, unit: None,
    ) -> None:
        """Take what is tried.

        Args:
            recommender: over the snapshot that is tried.
            truth: what is right.
            articles: gives every article of the archive with its text, in ascending order of id.
            options: how lists are served; k and blindness are the trial's own.
            served: judge lists as readers see them, not blind; for judgments that are not the links themselves.
            last: over the snapshot before, as one more baseline.
            watch: takes note of the progress.
        """
        self._recommender = recommender
        self._truth = truth
        self._articles = articles
        self._options = replace(options, blind=not served, k=DEPTH, explain=False)
        self._last = last
        self._watch = watch
        snapshot = recommender.snapshot
        self._runs: list[dict[str, Run]] = []
        self._queries = [query for query in truth.qrels if snapshot.dense.row_of(query) is not None]

    def evaluate(
        self,
        shown: Callable[[], Shown] | None = None,
        reliability: Callable[[], Mapping[str, tuple[Bin, ...]]] | None = None,
    ) -> Evaluation:
        """Return the evaluation of every system.

        Args:
            shown: gives the lists under the whole archive, see ``served.served_lists``; without them nothing is said of
                coverage.
            reliability: gives what is said of the judged stories' pairs against what is so, see ``calibrate.held``.

        Raises:
            InputError: nothing is judged that this archive holds.
        """
        snapshot = self._recommender.snapshot
        facts = facts_of(snapshot)
        judged_queries(self._truth.qrels, facts)  # before minutes of work
        dated = all(
            snapshot.columns.published_at[snapshot.dense.require_row(query)] != UNDATED for query in self._queries
        )
        described = {
            "snapshot": snapshot.name,
            "encoder": snapshot.manifest["encoder"]["name"],
            "truth": self._truth.source,
            "since": self._truth.since,
            "before": self._truth.before,
        }
        scopes = [self._systems(past_only=past_only) for past_only in ((False, True) if dated else (False,))]
        self._runs = scopes
        return evaluate_runs(
            scopes[0],
            self._truth.qrels,
            facts,
            ours=OURS,
            past_only=scopes[1] if dated else None,
            described=described,
            variants=(PURE, FUSION, LAST),
            shown=shown() if shown is not None else None,
            reliability=reliability() if reliability is not None else None,
        )

    def ours(self, *, past_only: bool, **changed: Any) -> Run:
        """Return our lists for every judged article; ``changed`` are options to try, for ablations."""
        return self._run_of(self._recommender, replace(self._options, past_only=past_only, **changed))

    @property
    def qrels(self) -> Qrels:
        """What is right."""
        return self._truth.qrels

    def write_trec(self, folder: Path) -> None:
        """Write judgments and the runs of the last evaluation as TREC files. Raises InputError."""
        write_trec(folder, self._runs[0], self._truth.qrels, past_only=self._runs[1] if len(self._runs) > 1 else None)

    def _systems(self, *, past_only: bool) -> dict[str, Run]:
        snapshot = self._recommender.snapshot
        scope = "past only" if past_only else "any date"
        systems: dict[str, Callable[[], Run]] = {
            OURS: lambda: self.ours(past_only=past_only),
            PURE: lambda: self.ours(past_only=past_only, raw=True),
            FUSION: lambda: self.ours(past_only=past_only, raw=True, ranker="fusion"),
            DENSE: lambda: self.ours(past_only=past_only, raw=True, ranker="dense"),
            BM25: lambda: self.ranked(self.baselines().bm25, past_only=past_only),
            TFIDF: lambda: self.ranked(self.baselines().tfidf, past_only=past_only),
            NEWEST: lambda: self.ranked(newest_in_section(snapshot), past_only=past_only),
            CHANCE: lambda: self.ranked(chance(snapshot), past_only=past_only),
        }
        if (last := self._last) is not None:
            systems[LAST] = lambda: self._run_of(last, replace(self._options, past_only=past_only))
        runs: dict[str, Run] = {}
        for done, (name, make) in enumerate(systems.items()):
            self._watch(f"evaluating, {scope}", done, len(systems), "systems")
            runs[name] = make()
        self._watch(f"evaluating, {scope}", len(systems), len(systems), "systems")
        return runs

    def _run_of(self, recommender: Recommender, options: Options) -> Run:
        stub = recommender.snapshot.columns.stub
        row_of = recommender.snapshot.dense.row_of
        run: dict[str, list[str]] = {}
        for query in self._queries:
            if row_of(query) is None:
                continue  # a former snapshot may not know it
            hits = recommender.related_hits(query, options)
            run[query] = [hit.article_id for hit in hits if not stub[row_of(hit.article_id) or 0]]
        return run

    def ranked(self, ranking: Ranking, *, past_only: bool) -> Run:
        """Return a baseline's lists: any article but the query itself; scores rounded, ties by id, as in our own."""
        snapshot = self._recommender.snapshot
        columns, ids = snapshot.columns, snapshot.dense.ids
        run: dict[str, list[str]] = {}
        for query in self._queries:
            row = snapshot.dense.require_row(query)
            allowed: NDArray[np.bool_] = ~columns.stub
            allowed[row] = False
            if past_only:
                allowed &= (columns.published_at <= columns.published_at[row]) & (columns.published_at != UNDATED)
            scores = np.where(allowed, np.round(ranking(row), SCORE_DIGITS), -np.inf)
            best = np.argsort(-scores, kind="stable")[:DEPTH]
            run[query] = [ids[at] for at in best if scores[at] > -np.inf]
        return run

    def baselines(self) -> TermBaselines:
        """Return full-text search over the archive, made when first asked for."""
        if not hasattr(self, "_term_baselines"):
            texts = {article.id: f"{article.title}\n{article.text}" for article in self._articles()}
            snapshot = self._recommender.snapshot
            languages = [*snapshot.columns.languages, None]
            codes = snapshot.columns.language
            rows = zip(snapshot.dense.ids, codes, strict=True)
            self._term_baselines = TermBaselines((texts.get(each, ""), languages[code]) for each, code in rows)
        return self._term_baselines


def facts_of(snapshot: View) -> Mapping[str, Facts]:
    """Return what an evaluation has to know of every article, by id; stubs are none."""
    facts: dict[str, Facts] = {}
    for number, article_id in enumerate(snapshot.dense.ids):
        if not snapshot.columns.stub[number]:
            row = snapshot.row(number)
            published_at = datetime.fromisoformat(row.published_at).astimezone(UTC) if row.published_at else None
            facts[article_id] = Facts(row.title, row.section, row.language, published_at)
    return facts
