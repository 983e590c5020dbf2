"""Which sites' pages may read an answer by script: those of ``serve.cors_origins``, and reading only."""

from __future__ import annotations

from flask import Response, current_app, request

from recommender.settings import Settings


def share(response: Response) -> Response:
    """Let pages of the origins that the settings name read what a GET answered, errors included; nobody else's.

    A blueprint's ``after_request``. No other method is shared and no preflight is answered with leave, so that a foreign page
    can neither write nor send a key.
    """
    held: Settings = current_app.extensions["recommender.settings"]
    allowed = held.serve.cors_origins
    if not allowed or request.method not in ("GET", "HEAD"):
        return response
    if "*" in allowed:
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response
