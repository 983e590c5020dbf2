"""The contract told: ``/openapi.json`` for machines."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from flask import Blueprint, Flask, Response, current_app

from recommender.settings import Settings
from recommender.web.contract.document import Route, document
from recommender.web.contract.schema import Schema, summary
from recommender.web.responses import as_json

docs = Blueprint("docs", __name__)

_PROGRAM = "newsroom-recommender"
_ANSWERED_EVERYWHERE = {"HEAD", "OPTIONS"}
_CACHE_SECONDS = 300


def described(app: Flask) -> Schema:
    """Return the OpenAPI document of an application, made once."""
    held: Schema | None = app.extensions.get("recommender.document")
    if held is None:
        settings: Settings = app.extensions["recommender.settings"]
        held = app.extensions["recommender.document"] = document(routes(app), settings, _version())
    return held


def routes(app: Flask) -> Iterator[Route]:
    """Yield the routes of an application."""
    for rule in app.url_map.iter_rules():
        methods = sorted((rule.methods or set()) - _ANSWERED_EVERYWHERE)
        path = rule.rule.replace("<path:", "{").replace("<", "{").replace(">", "}")
        says = summary(app.view_functions[rule.endpoint])
        yield Route(rule.endpoint, path, tuple(method.lower() for method in methods), says)


@docs.get("/openapi.json")
def document_of_this() -> Response:
    """Tell what may be asked here and what is answered, as an OpenAPI 3.1 document."""
    response = as_json(described(current_app))
    response.headers["Cache-Control"] = f"public, max-age={_CACHE_SECONDS}"
    return response


def _version() -> str:
    try:
        return metadata.version(_PROGRAM)
    except metadata.PackageNotFoundError:  # run from the source alone
        return "0"
