"""Runs and judgments, as plain data, into an evaluation: numbers, a terminal table, JSON, TREC files, one HTML page.

Nothing is ranked here: ``evaluate_runs`` takes the lists that somebody else has made.
"""

from __future__ import annotations

from recommender.evaluate.clicks import ClickThrough, click_through
from recommender.evaluate.facts import Facts
from recommender.evaluate.lists import LIST_LENGTH, Shown
from recommender.evaluate.numbers import Difference, difference, interval_of
from recommender.evaluate.page import page
from recommender.evaluate.reliability import Bin, reliability, reliability_lines, whose_text
from recommender.evaluate.result import ANY_DATE, PAST_ONLY, Evaluation, Scope
from recommender.evaluate.runs import evaluate_runs, judged_queries
from recommender.evaluate.trec import check_folder, write_trec

__all__ = [
    "ANY_DATE",
    "LIST_LENGTH",
    "PAST_ONLY",
    "Bin",
    "ClickThrough",
    "Difference",
    "Evaluation",
    "Facts",
    "Scope",
    "Shown",
    "check_folder",
    "click_through",
    "difference",
    "evaluate_runs",
    "interval_of",
    "judged_queries",
    "page",
    "reliability",
    "reliability_lines",
    "whose_text",
    "write_trec",
]
