"""Responses of one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Response

HARDENED: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""What every answer says to browsers, where a page does not say more."""


def as_json(value: object, status: int = 200) -> Response:
    """Return a JSON response in UTF-8."""
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype="application/json")


def harden(response: Response) -> Response:
    """Let browsers neither guess what an answer is, nor run anything from it, nor put it into a frame."""
    for name, value in HARDENED.items():
        response.headers.setdefault(name, value)
    return response
