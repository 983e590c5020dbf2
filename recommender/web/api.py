"""The JSON routes under ``/v1``, and health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, request

from recommender import readers
from recommender.answer import Answer, Options
from recommender.errors import RecommenderError
from recommender.rank import Columns
from recommender.recommend import Live, Recommender
from recommender.settings import Settings
from recommender.web.bodies import body
from recommender.web.caching import of_list
from recommender.web.contract.parameters import URL, Parameter, text_of_at_most
from recommender.web.cors import share
from recommender.web.observing import CONTENT_TYPE, Meters
from recommender.web.parameters import options
from recommender.web.refusals import refusal
from recommender.web.responses import as_json

api = Blueprint("api", __name__)
api.after_request(share)


def live() -> Live:
    """Return the application's snapshot holder."""
    held: Live = current_app.extensions["recommender.live"]
    return held


def settings() -> Settings:
    """Return the application's settings."""
    held: Settings = current_app.extensions["recommender.settings"]
    return held


def asked(*also: Parameter) -> Options:
    """Return what this request's query string asks for. Raises QueryError that names all that is wrong with it."""
    return options(request.args, settings().ranking, also=also, columns=columns)


def columns() -> Columns | None:
    """Return the columns of the archive that answers now; None where none does."""
    try:
        return live().get().snapshot.columns
    except RecommenderError:
        return None


@api.get("/v1/articles/<path:article_id>/related")
def related(article_id: str) -> Response:
    """Answer for a known article."""
    chosen = asked()
    recommender = live().get()
    return _listed(recommender.related(article_id, chosen), recommender)


@api.get("/v1/related")
def related_by_url() -> Response:
    """Answer for the article at an address."""
    chosen = asked(URL)
    recommender = live().get()
    return _listed(recommender.related_by_url(request.args["url"], chosen), recommender)


@api.post("/v1/related")
def related_to() -> Response:
    """Answer for an article that is sent along and not stored."""
    chosen = asked()
    article = readers.article_from_record(readers.parse_json(body()))
    return as_json(live().get().related_to(article, chosen).as_dict())


@api.get("/v1/search")
def search() -> Response:
    """Answer for a free text."""
    chosen = asked(text_of_at_most(settings().serve.max_query_chars))
    recommender = live().get()
    return _listed(recommender.search(request.args.get("q", ""), chosen), recommender)


def _listed(answer: Answer, recommender: Recommender) -> Response:
    """Return a list as JSON, with what caches may do with it."""
    return of_list(as_json(answer.as_dict()), answer, recommender)


@api.get("/healthz")
def healthz() -> Response:
    """Tell that the process answers."""
    return as_json({"status": "ok"})


@api.get("/readyz")
def readyz() -> Response:
    """Tell whether related stories can be answered: 200 or 503."""
    try:
        snapshot = live().get().snapshot
    except RecommenderError as error:
        return as_json({"status": "not ready", "problem": refusal(error).message}, 503)
    ready: dict[str, Any] = {"status": "ready", "snapshot": snapshot.name}
    return as_json(ready if live().problem is None else ready | {"problem": live().problem})


@api.get("/metrics")
def metrics() -> Response:
    """Tell counts and times in Prometheus' text format."""
    meters: Meters = current_app.extensions["recommender.meters"]
    return Response(meters.exposition(), content_type=CONTENT_TYPE)


@api.get("/v1/status")
def status() -> Response:
    """Tell what is live."""
    manifest = live().get().snapshot.manifest
    told = {name: manifest[name] for name in ("name", "created_at", "encoder", "counts")}
    return as_json({"snapshot": told, "live": live().status(), "problem": live().problem})
