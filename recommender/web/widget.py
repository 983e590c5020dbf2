"""The element for other sites' pages, one file of JavaScript as it stands in ``static/widget.js``."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request

widget = Blueprint("widget", __name__)

_FILE = Path(__file__).parent / "static" / "widget.js"
_CACHE = "public, max-age=86400, stale-while-revalidate=604800"


@widget.get("/widget.js")
def module() -> Response:
    """Answer the module; browsers and caches keep it for a day and then ask by its ETag.

    Any site may load it, whatever ``serve.cors_origins`` says: a module from elsewhere runs only with leave, and it holds
    nothing that is not public.
    """
    body, digest = _source()
    response = Response(body, mimetype="text/javascript")
    response.set_etag(digest)
    response.headers["Cache-Control"] = _CACHE
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response


@cache
def _source() -> tuple[bytes, str]:
    body = _FILE.read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:32]
