"""Responses of one shape."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from recommender.answer import to_json

JSON = "application/json"

HARDENED: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""What every answer says to browsers, where a page does not say more."""


def as_json(value: object, status: int = 200) -> Response:
    """Return a JSON response in UTF-8."""
    return Response(to_json(value), status=status, mimetype=JSON)


def harden(response: Response) -> Response:
    """Let browsers neither guess what an answer is, nor run anything from it, nor put it into a frame."""
    for name, value in HARDENED.items():
        response.headers.setdefault(name, value)
    return response
