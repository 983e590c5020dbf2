"""The least that a server can do: an empty Flask route and a bare WSGI function, on the server and with the workers of the real service.

Run by benchmark_http.py: ``_plain_service.py flask|wsgi PORT WORKERS THREADS BYTES``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Flask, Response
from granian import Granian
from granian.constants import HTTPModes, Interfaces


def flask_app(body: bytes) -> Flask:
    """Return an application with one route for all paths that does nothing."""
    app = Flask(__name__)

    @app.get("/<path:_>")
    def answer(_: str) -> Response:
        return Response(body, mimetype="application/json")

    return app


def wsgi_app(body: bytes) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return a WSGI function that does nothing."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def answer(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", headers)
        return [body]

    return answer


def load(kind: str, n_bytes: int) -> Any:
    return (flask_app if kind == "flask" else wsgi_app)(b"x" * n_bytes)


if __name__ == "__main__":
    kind, port, workers, threads, n_bytes = sys.argv[1], *map(int, sys.argv[2:])
    os.environ["OMP_NUM_THREADS"] = "1"
    Granian(
        "plain",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=threads,
        log_enabled=False,
    ).serve(target_loader=partial(load, kind, n_bytes), wrap_loader=False)
