"""``POST /v1/clicks``: that stories were shown or clicked, counted and no more. There only where ``serve.clicks`` says so.

Who sent it is neither stored nor looked at. What is counted is what this service could serve: the story has to stand in the
article's list as it is now; anything else is answered in the same way, and ignored.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request

from recommender.answer import options_of
from recommender.recommend import Recommender
from recommender.web.api import live, settings
from recommender.web.contract.clicks import MAX_POSITION, Told, told_of
from recommender.web.tally import Tally

clicks = Blueprint("clicks", __name__)

MAX_BYTES = 16_384
_LISTS_KEPT = 5_000
_PREFLIGHT_SECONDS = "86400"


class Served:
    """The stories that an article's list holds now, with their sources; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._serial = -1
        self._kept: OrderedDict[int, Mapping[str, str]] = OrderedDict()

    def under(self, recommender: Recommender, row: int) -> Mapping[str, str]:
        """Return the source of each of the first twenty stories of a list, by id."""
        with self._lock:
            if recommender.serial > self._serial:
                self._serial = recommender.serial
                self._kept.clear()
            known = self._kept.get(row) if recommender.serial == self._serial else None
        if known is None:
            found = recommender.related(recommender.snapshot.dense.ids[row], self._options())
            known = {result.id: result.source for result in found.results}
            with self._lock:
                if recommender.serial == self._serial:
                    self._kept[row] = known
                    if len(self._kept) > _LISTS_KEPT:
                        self._kept.popitem(last=False)
        return known

    def _options(self) -> Any:
        ranking = settings().ranking
        return options_of(ranking.model_copy(update={"k": max(ranking.k, MAX_POSITION)}))


@clicks.post("/v1/clicks")
def count() -> Response:
    """Count that stories were shown under an article, or that one was clicked; nothing of a reader is kept."""
    request.max_content_length = MAX_BYTES
    told = told_of(request.get_data(cache=False))
    if _is_allowed(request.headers.get("Origin")):
        _count(told)
    return Response(status=204)


@clicks.after_request
def _share(response: Response) -> Response:
    """Let pages of the origins that the settings name send counts; the answer says nothing, so there is nothing to read."""
    origin = request.headers.get("Origin")
    response.vary.add("Origin")
    response.headers["Cache-Control"] = "no-store"
    if origin is not None and _is_allowed(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response


def _count(told: Told) -> None:
    recommender = live().get()
    row = recommender.row_of(told.article)
    if row is None:
        return
    served: Served = current_app.extensions["recommender.served"]
    tally: Tally = current_app.extensions["recommender.tally"]
    listed = served.under(recommender, row)
    article = recommender.snapshot.dense.ids[row]
    shown = [(each, at) for at, each in enumerate(told.shown[:MAX_POSITION], start=1)]
    for story, position in dict(shown).items() if told.clicked is None else [told.clicked]:
        if story in listed and position <= MAX_POSITION:
            tally.count(article, story, position, listed[story], clicked=told.clicked is not None)


def _is_allowed(origin: str | None) -> bool:
    """Tell whether pages of an origin may send counts: our own, those in ``serve.cors_origins``, and who names none."""
    if origin is None or urlsplit(origin).netloc == request.host:
        return True
    return origin in settings().serve.cors_origins or "*" in settings().serve.cors_origins
