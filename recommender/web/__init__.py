"""The HTTP service. The one owner of flask, werkzeug and granian."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import PathConverter

from recommender.errors import QueryError, RecommenderError
from recommender.home import Home
from recommender.keys import Keys
from recommender.recommend import Live
from recommender.settings import ServeSettings, Settings
from recommender.web.api import api
from recommender.web.bodies import Bodies
from recommender.web.clicks import Served, clicks
from recommender.web.desk import desk
from recommender.web.docs import docs
from recommender.web.fast import FastLane
from recommender.web.fragments import fragments
from recommender.web.gate import Gate
from recommender.web.limits import KINDS, Limited, Limits
from recommender.web.observing import ROUTE, App, Meters, Observed
from recommender.web.page import page
from recommender.web.refusals import error_body, refusal
from recommender.web.responses import as_json, harden
from recommender.web.slots import slots
from recommender.web.tally import Tally
from recommender.web.widget import widget
from recommender.web.writing import writing

log = logging.getLogger(__name__)

_TYPES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "too_large",
    431: "too_large",
    503: "busy",
}


class _Id(PathConverter):
    """An id in a path, which may itself begin with a slash. Line breaks go through, so that a route says what is wrong with them."""

    regex = "(?s:.+?)"
    part_isolating = False


def create_app(settings: Settings, limits_file: Path | None = None) -> Flask:
    """Return the WSGI application. It starts without a snapshot, says 503 until one is published, and then serves it.

    Args:
        settings: of the service.
        limits_file: where all its workers count together how often somebody asks; None for a service of one process.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.serve.max_body_bytes
    app.url_map.merge_slashes = False  # an id may be an address
    app.url_map.converters["path"] = _Id
    live = app.extensions["recommender.live"] = Live(settings, pooled=True)
    app.extensions["recommender.settings"] = settings
    app.extensions["recommender.keys"] = Keys(Home(settings.home).keys)
    app.register_blueprint(api)
    app.register_blueprint(fragments)
    app.register_blueprint(widget)
    app.register_blueprint(slots)
    app.register_blueprint(docs)
    app.register_blueprint(writing)
    app.register_blueprint(page)
    app.register_blueprint(desk)
    if settings.serve.clicks:
        app.extensions["recommender.served"] = Served()
        app.extensions["recommender.tally"] = Tally(Home(settings.home).clicks)
        app.register_blueprint(clicks)
    app.register_error_handler(RecommenderError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)
    app.after_request(harden)
    app.before_request(_name_route)
    app.before_request(_check_query)
    _lay_over(app, live, settings.serve, limits_file)
    return app


def _lay_over(app: Flask, live: Live, serve: ServeSettings, limits_file: Path | None) -> None:
    """Lay over the application what answers before it is asked: from the outside observed, traced, limited, kept, let through."""
    bodies = Bodies(
        Gate(app.wsgi_app, serve.at_once),
        n_at_once=max(1, serve.threads // 2),
        max_bytes=max(serve.max_body_bytes, serve.max_batch_bytes),
    )
    lane = FastLane(bodies, live, max_bytes=serve.cache_bytes, cors_origins=serve.cors_origins)
    app.extensions["recommender.lane"] = lane
    meters = app.extensions["recommender.meters"] = Meters(live)
    for kind in KINDS:
        meters.refused.labels(kind)  # told as 0 from the start
    limits = app.extensions["recommender.limits"] = Limits(
        serve, limits_file, refused=lambda kind: meters.refused.labels(kind).inc()
    )
    limited: App = Limited(lane, limits, serve.cors_origins) if limits.reads else lane
    if serve.traces:
        limited = _traced(app, limited, believes=serve.trusted_proxies > 0)
    app.wsgi_app = Observed(limited, meters, log_access=serve.log_access)  # type: ignore[method-assign, assignment]


def _traced(app: Flask, inner: App, *, believes: bool) -> App:
    """Return what answers with a span a request, for as long as the application is there."""
    from recommender.web import tracing

    provider = app.extensions["recommender.traces"] = tracing.opened()
    tracer = provider.get_tracer("recommender")
    steps = app.extensions["recommender.traced_steps"] = ExitStack()
    steps.enter_context(tracing.steps_traced(tracer))
    return tracing.Traced(inner, tracer, believes=believes)


def _name_route() -> None:
    request.environ[ROUTE] = request.url_rule.rule if request.url_rule else "none"


def _check_query() -> None:
    """Refuse a query string that is no text; some servers let its bytes through, and the framework fails on them."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError as error:
        raise QueryError("the address: what follows its ? is not UTF-8; write other characters as %xx") from error


def _refused(error: RecommenderError) -> Response:
    told = refusal(error)
    response = as_json(told.as_dict(), told.status)
    if told.retry_seconds is not None:
        response.headers["Retry-After"] = str(told.retry_seconds)
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = as_json(error_body(_TYPES.get(status, "http_error"), error.description or error.name), status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _failed(error: Exception) -> Response:
    log.exception("an unforeseen error", exc_info=error)
    return as_json(error_body("internal", "an unforeseen error; the service's log has the details"), 500)
