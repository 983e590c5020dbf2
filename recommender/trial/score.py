"""A few of the archive's own links put to a new index, so that its manifest says what it is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recommender.answer import Options
from recommender.evaluate import interval_of
from recommender.measures import ndcg_at
from recommender.recommend import Recommender
from recommender.trial.run import Watch
from recommender.trial.served import evenly
from recommender.trial.truth import links_within

_K = 5
_MEASURE = ndcg_at(_K)
_DIGITS = 4


def measured(
    recommender: Recommender,
    options: Options,
    *,
    max_queries: int,
    watch: Watch = lambda stage, done, total, unit: None,
) -> dict[str, Any] | None:
    """Return nDCG@5 of blind lists against the archive's own links, as plain data; None where there are no links.

    The same lists as ``evaluate`` judges: an article's own links are not looked at, of the others only those of earlier
    articles. So many articles are asked for, at most, evenly spread over the ids; each costs one list, and the same archive
    always gives the same number.

    Args:
        recommender: over the snapshot in question.
        options: how lists are served; the length is five.
        max_queries: of linking articles, so many at most; 0 measures nothing.
        watch: takes note of the progress.
    """
    qrels = links_within(recommender.snapshot).qrels
    asked = evenly(sorted(qrels), max_queries) if max_queries else []
    if not asked:
        return None
    stub, row = recommender.snapshot.columns.stub, recommender.snapshot.dense.require_row
    blind = replace(options, blind=True, explain=False, k=_K)
    run: dict[str, list[str]] = {}
    for done, query in enumerate(asked, start=1):
        hits = recommender.related_hits(query, blind)
        run[query] = [hit.article_id for hit in hits if not stub[row(hit.article_id)]]
        watch("measuring", done, len(asked), "articles")
    values = _MEASURE.per_query(run, {query: qrels[query] for query in asked})
    found = interval_of(list(values.values()))
    return {
        "measure": str(_MEASURE.name),
        "value": round(found.mean, _DIGITS),
        "low": round(found.low, _DIGITS),
        "high": round(found.high, _DIGITS),
        "queries": len(asked),
        "linking_articles": len(qrels),
        "truth": "links",
    }
