"""Answers to show, made of the very objects that answer."""

from __future__ import annotations

from typing import Any

from recommender.answer import Answer, Recommendation
from recommender.errors import Problem, Suggestion
from recommender.explain import LINKED_BY, SHORT_FLOOR
from recommender.web.contract import shapes
from recommender.web.refusals import error_body

_STRIKE = Recommendation(
    rank=1,
    id="ferry-strike",
    title="Ferries stay in port as strike begins",
    url="https://www.example.org/news/ferry-strike",
    score=2.914003,
    source="link",
    reason=LINKED_BY,
    published_at="2025-03-14T09:00:00+00:00",
    section="business",
    language="en",
    stub=False,
)
_QUERY = {"id": "ferry-vote", "title": "Ferry crews vote to strike over night shifts", "language": "en"}
_LIST = Answer(_QUERY | {"k": 5}, (_STRIKE,), "s00000017", short_reason=SHORT_FLOOR).as_dict()

ERRORS: dict[int, Any] = {
    400: error_body(
        "invalid_query",
        "k: must be at least 1, it is 0",
        problems=(Problem("k", "k: must be at least 1, it is 0"),),
    ),
    404: error_body(
        "unknown_article", "no article has the id 'ferry-strik'", (Suggestion("ferry-strike", _STRIKE.title),)
    ),
}
"""What is told of an error, by status."""

ANSWERS: dict[type, Any] = {
    shapes.StoryList: _LIST,
    shapes.Page: {
        "query": _QUERY,
        "slots": {
            "sidebar": {"k": 3, "results": _LIST["results"], "short_reason": SHORT_FLOOR},
            "foot": {"k": 5, "results": [], "empty_reason": SHORT_FLOOR.replace("nothing else", "nothing")},
        },
        "snapshot": "s00000017",
    },
    shapes.Written: {"id": "ferry-vote", "outcome": "new", "change": 176},
    shapes.BatchWritten: {
        "new": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 1,
        "change": 177,
        "refusals": [
            {"source": "body", "line": 2, "reason": "title: is missing or empty; every article needs a headline"}
        ],
    },
}
"""What is answered, by its shape."""
