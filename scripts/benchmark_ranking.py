#!/usr/bin/env python3
"""What each part of the ranking is worth: everything on, each part taken away, and the baselines, in one run.

    .venv/bin/python scripts/benchmark_ranking.py --homes /tmp/homes > ranking.md

Needs the extras ``model`` and ``onnx``. On ``digitalgov`` (editors' links of one site) the questions are the stories
published since 2015-08-05, after everything from which the shipped weights were learned; the trial is blind, as in
``recommender evaluate``. On the sample corpus the lists are judged as readers see them, editors' links among them. A
difference is paired, query by query, with its 95 % bootstrap interval; a row's difference is against "everything on".
The last table asks with a free text: the title, then the standfirst of each linking story, itself left out of the answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from _bench import DATA, DataSet, data_sets, folder_of, markdown, opened, tell

from recommender.answer import Options, options_of
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.evaluate import difference
from recommender.fusion import PARTS
from recommender.home import Home
from recommender.measures import Qrels, Run, bootstrap_interval, ndcg_at, recall_at
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.trial import Trial, Truth, truth_from_file
from recommender.trial.baselines import TermBaselines

SPLIT = datetime(2015, 8, 5, tzinfo=UTC)
MAIN, RECALL = ndcg_at(5), recall_at(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--homes", type=Path, help="keep the homes here, so that a second run encodes nothing")
    arguments = parser.parse_args()
    with folder_of(arguments.homes) as homes:
        for each in data_sets(arguments.data):
            if each.name not in ("digitalgov", "seeds"):
                continue
            if missing := each.missing():
                tell(f"{each.name} is left out: {missing}")
                continue
            measure(each, homes)
    return 0


def measure(data_set: DataSet, homes: Path) -> None:
    recommender, settings = opened(data_set, homes)
    assert data_set.qrels is not None
    is_links = data_set.name == "digitalgov"
    truth = truth_from_file(data_set.qrels, recommender.snapshot, since=SPLIT if is_links else None)

    def articles() -> Iterator[Article]:
        with Catalog(Home(settings.home).catalog) as catalog:
            yield from catalog.articles()

    options = options_of(settings.ranking)
    print(f"\n### {data_set.name}: {len(truth.qrels)} questions, {'blind' if is_links else 'as served'}\n")
    print(ablations(recommender, truth, articles, options, served=not is_links))
    print(f"\n### {data_set.name}: free texts\n")
    print(free_texts(recommender, truth, articles, options))


def ablations(recommender: Recommender, truth: Truth, articles, options: Options, *, served: bool) -> str:
    trial = Trial(recommender, truth, articles, options=options, served=served)
    scopes = (False,) if served else (False, True)
    runs: dict[str, list[Run]] = {"everything on": [trial.ours(past_only=past) for past in scopes]}
    for part in PARTS:
        model = recommender.model
        without = replace(model, article=replace(model.article, **{part: 0.0}))
        tried = Trial(recommender.with_model(without), truth, articles, options=options, served=served)
        runs[f"without {part}"] = [tried.ours(past_only=past) for past in scopes]
    changes = {
        "without collapse": {"collapse": False},
        "without the floor": {"floor": 0.0},
        "floor .003": {"floor": 0.003},
        "floor .01": {"floor": 0.01},
        "diversity .5": {"diversity": 0.5},
        "diversity 2": {"diversity": 2.0},
        "every kind": {"kinds": ()},
        "every language": {"same_language": False},
        "pure ranking (raw)": {"raw": True},
        "fusion alone (raw)": {"raw": True, "ranker": "fusion"},
        "terms alone (raw)": {"raw": True, "ranker": "lexical"},
        "dense alone (raw)": {"raw": True, "ranker": "dense"},
    }
    for name, changed in changes.items():
        runs[name] = [trial.ours(past_only=past, **changed) for past in scopes]
    baselines = trial.baselines()
    runs["TF-IDF"] = [trial.ranked(baselines.tfidf, past_only=past) for past in scopes]
    runs["BM25"] = [trial.ranked(baselines.bm25, past_only=past) for past in scopes]
    header = ["", "nDCG@5", "difference [95 %]", "recall@10"]
    if not served:
        header += ["past only: nDCG@5", "difference [95 %]", "recall@10"]
    full = runs["everything on"]
    rows = [
        [name, *(cell for at, run in enumerate(made) for cell in cells(run, full[at], truth.qrels))]
        for name, made in runs.items()
    ]
    return markdown(header, rows)


def cells(run: Run, full: Run, qrels: Qrels) -> list[str]:
    values, reference = MAIN.per_query(run, qrels), MAIN.per_query(full, qrels)
    apart = difference("", values, reference).difference
    told = "" if run is full else f"{apart.mean:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
    return [f"{MAIN.mean(run, qrels):.3f}", told, f"{RECALL.mean(run, qrels):.3f}"]


def free_texts(recommender: Recommender, truth: Truth, articles, options: Options) -> str:
    snapshot = recommender.snapshot
    asked = [
        (article.id, kind, getattr(article, kind))
        for article in articles()
        for kind in ("title", "description")
        if article.id in truth.qrels and getattr(article, kind)
    ]
    qrels = {f"{kind} {article_id}": truth.qrels[article_id] for article_id, kind, _ in asked}
    runs: dict[str, Run] = {}
    systems = {
        "everything on": {"ranker": "full"},
        "without feedback": {"ranker": "full", "feedback": False},
        "terms alone": {"ranker": "lexical"},
        "vectors alone": {"ranker": "dense"},
    }
    for name, changed in systems.items():
        run: dict[str, list[str]] = {}
        for article_id, kind, text in asked:
            wanted = replace(
                options, raw=True, k=100, filters=Filters(exclude=frozenset([article_id]), stubs=False), **changed
            )
            ((_, _, hits),) = recommender.search_hits([("", text)], wanted)
            run[f"{kind} {article_id}"] = [hit.article_id for hit in hits]
        runs[name] = run
    texts = {article.id: (f"{article.title}\n{article.text}", article.language) for article in articles()}
    ids = snapshot.dense.ids
    terms = TermBaselines([texts.get(each, ("", None)) for each in ids])
    run = {}
    for article_id, kind, text in asked:
        scores = terms.bm25_of(text, texts[article_id][1])
        scores[snapshot.dense.require_row(article_id)] = -np.inf
        best = np.argsort(-np.round(scores, 6), kind="stable")[:100]
        run[f"{kind} {article_id}"] = [ids[at] for at in best if scores[at] > 0]
    runs["BM25"] = run
    rows: list[Sequence[str]] = []
    for name, run in runs.items():
        row = [name]
        for kind in ("title", "description", ""):
            of_kind = {query: grades for query, grades in qrels.items() if query.startswith(kind)}
            values = MAIN.per_query(run, of_kind)
            low, high = bootstrap_interval(list(values.values()))
            ratio = MAIN.mean(run, of_kind) / MAIN.mean(runs["BM25"], of_kind)
            row += [f"{MAIN.mean(run, of_kind):.3f} [{low:.3f}, {high:.3f}]", f"{ratio:.2f}"]
        rows.append(row)
    return markdown(["", "titles", "× BM25", "standfirsts", "× BM25", "both", "× BM25"], rows)


if __name__ == "__main__":
    sys.exit(main())
