"""Which sites' pages may read an answer by script: those of ``serve.cors_origins``, and reading only."""

from __future__ import annotations

from flask import Response, current_app, request

from recommender.settings import Settings


def readable_by(allowed: tuple[str, ...], origin: str | None) -> list[tuple[str, str]]:
    """Return the headers that let pages of the allowed origins read an answer.

    Args:
        allowed: of the settings.
        origin: of the page that asks, as its browser says.
    """
    if "*" in allowed:
        return [("Access-Control-Allow-Origin", "*")]
    if not allowed:
        return []
    told = [("Access-Control-Allow-Origin", origin)] if origin is not None and origin in allowed else []
    return [("Vary", "Origin"), *told]


def share(response: Response) -> Response:
    """Let pages of the origins that the settings name read what a GET answered, errors included; nobody else's.

    A blueprint's ``after_request``. No other method is shared and no preflight is answered with leave, so that a foreign page
    can neither write nor send a key.
    """
    held: Settings = current_app.extensions["recommender.settings"]
    if request.method not in ("GET", "HEAD"):
        return response
    for name, value in readable_by(held.serve.cors_origins, request.headers.get("Origin")):
        if name == "Vary":
            response.vary.add(value)
        else:
            response.headers[name] = value
    return response
