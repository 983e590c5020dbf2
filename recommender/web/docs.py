"""The contract told: ``/openapi.json`` for machines, ``/docs`` for people, who can ask from there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata

from flask import Blueprint, Flask, Response, current_app, make_response, render_template
from markupsafe import Markup, escape

from recommender.errors import RecommenderError
from recommender.settings import Settings
from recommender.web.api import live
from recommender.web.contract.document import Route, document
from recommender.web.contract.schema import Schema, summary
from recommender.web.responses import as_json

docs = Blueprint("docs", __name__)

_PROGRAM = "newsroom-recommender"
_ANSWERED_EVERYWHERE = {"HEAD", "OPTIONS"}
_CACHE_SECONDS = 300
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


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


@docs.get("/docs")
def page() -> Response:
    """Show the document, with a form for each route that needs no key, or only reads."""
    response = make_response(render_template("docs.html", doc=described(current_app), known_id=_known_id()))
    response.headers["Content-Security-Policy"] = _CSP
    return response


@docs.app_template_filter("coded")
def coded(text: str) -> Markup:
    """Return a text with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


@docs.app_template_filter("breakable")
def breakable(path: str) -> Markup:
    """Return a path that may be broken at its slashes."""
    return Markup(str(escape(path)).replace("/", "/<wbr>"))


@docs.app_template_filter("json")
def as_text(value: object) -> str:
    """Return a JSON value for people; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _known_id() -> str:
    """Return the id of an article to try; empty where there is none."""
    try:
        snapshot = live().get().snapshot
    except RecommenderError:
        return ""
    rows = (number for number in range(len(snapshot)) if not snapshot.columns.stub[number])
    return next((snapshot.dense.ids[number] for number in rows), "")


def _version() -> str:
    try:
        return metadata.version(_PROGRAM)
    except metadata.PackageNotFoundError:  # run from the source alone
        return "0"
