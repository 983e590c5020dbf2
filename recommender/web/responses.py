"""Responses of one shape."""

from __future__ import annotations

import json

from flask import Response


def as_json(value: object, status: int = 200) -> Response:
    """Return a JSON response in UTF-8."""
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype="application/json")
