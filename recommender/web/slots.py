"""Several lists for one page in one answer, in which no story stands twice."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from recommender import readers
from recommender.answer import Answer
from recommender.web.api import columns, live, settings
from recommender.web.bodies import body
from recommender.web.contract.slots import page_asked
from recommender.web.responses import as_json

slots = Blueprint("slots", __name__)


@slots.post("/v1/pages")
def page() -> Response:
    """Answer for all slots of an article's page at once; no story, nor a near-copy of one, stands in two of them."""
    asked = page_asked(readers.parse_json(body()), settings().ranking, columns())
    recommender = live().get()
    made = recommender.page(asked.article, asked.slots, by_url=asked.by_url, shown=asked.exclude)
    return as_json(_told(made, recommender.snapshot.name))


def _told(made: dict[str, Answer], snapshot: str) -> dict[str, Any]:
    lists: dict[str, Any] = {}
    query: dict[str, Any] = {}
    for name, answer in made.items():
        told = answer.as_dict()
        query = {key: value for key, value in told["query"].items() if key != "k"}
        lists[name] = {"k": told["query"]["k"]} | {key: told[key] for key in told if key not in ("query", "snapshot")}
    return {"query": query, "slots": lists, "snapshot": snapshot}
