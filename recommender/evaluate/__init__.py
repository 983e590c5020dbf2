"""Runs and judgments, as plain data, into an evaluation: numbers, a terminal table, JSON, TREC files, one HTML page.

Nothing is ranked here: ``evaluate_runs`` takes the lists that somebody else has made.
"""

from __future__ import annotations

from recommender.evaluate.facts import Facts
from recommender.evaluate.lists import LIST_LENGTH, Shown
from recommender.evaluate.numbers import Difference, difference
from recommender.evaluate.page import page
from recommender.evaluate.result import ANY_DATE, PAST_ONLY, Evaluation, Scope
from recommender.evaluate.runs import evaluate_runs, judged_queries
from recommender.evaluate.trec import write_trec

__all__ = [
    "ANY_DATE",
    "LIST_LENGTH",
    "PAST_ONLY",
    "Difference",
    "Evaluation",
    "Facts",
    "Scope",
    "Shown",
    "difference",
    "evaluate_runs",
    "judged_queries",
    "page",
    "write_trec",
]
