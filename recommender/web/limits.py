"""How often one may ask: a key on the routes that need one, an address on all others, and an address without a good key.

Health, readiness and metrics are never refused. What is counted where stands with ``settings.ServeSettings``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from recommender.errors import RateLimitedError
from recommender.settings import ServeSettings
from recommender.web.address import client
from recommender.web.buckets import Buckets
from recommender.web.cors import readable_by
from recommender.web.refusals import refusal
from recommender.web.responses import HARDENED

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]
Kind = Literal["reads", "writes", "wrong_keys"]

KINDS: tuple[Kind, ...] = ("reads", "writes", "wrong_keys")

_NEVER_REFUSED = frozenset(("/healthz", "/readyz", "/metrics"))
_LISTS = ("/related", "/related.html")
_OF_WHOM: Mapping[Kind, str] = {"reads": "your address", "writes": "this key", "wrong_keys": "your address"}


class Limits:
    """The limits of a service. Safe between threads; all workers that are given one file count together."""

    def __init__(self, serve: ServeSettings, file: Path | None = None, *, refused: Callable[[Kind], None]) -> None:
        """Take the limits.

        Args:
            serve: has them.
            file: from :func:`recommender.web.buckets.make`; None to count in this process alone.
            refused: is told of every refusal.
        """
        self._per_minute: Mapping[Kind, int] = {
            "reads": serve.reads_per_minute,
            "writes": serve.writes_per_minute,
            "wrong_keys": serve.wrong_keys_per_minute,
        }
        self._n_proxies = serve.trusted_proxies
        self._buckets = Buckets(file)
        self._refused = refused

    @property
    def reads(self) -> bool:
        """Whether reading has a limit at all."""
        return self._per_minute["reads"] > 0

    def count_address(self, kind: Kind, environ: Mapping[str, Any]) -> None:
        """Count a request by where it comes from. Raises RateLimitedError."""
        self._count(kind, client(environ, self._n_proxies))

    def count_key(self, name: str) -> None:
        """Count a request that showed a key. Raises RateLimitedError."""
        self._count("writes", name)

    def _count(self, kind: Kind, who: str) -> None:
        most = self._per_minute[kind]
        if most and (wait := self._buckets.take(f"{kind} {who}", most)):
            self._refused(kind)
            told = "requests without a good key" if kind == "wrong_keys" else "requests"
            raise RateLimitedError(
                f"too many {told} from {_OF_WHOM[kind]}: {most:,} a minute are answered", math.ceil(wait)
            )


class Limited:
    """WSGI middleware before everything that answers readers: counts them by address, and refuses without asking Flask.

    Routes that need a key are let through to where the key is looked at.
    """

    def __init__(self, app: App, limits: Limits, cors_origins: tuple[str, ...]) -> None:
        self._app = app
        self._limits = limits
        self._cors_origins = cors_origins

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        path: str = environ["PATH_INFO"]
        if path not in _NEVER_REFUSED and not needs_key(path):
            try:
                self._limits.count_address("reads", environ)
            except RateLimitedError as error:
                return self._refuse(error, environ, start)
        return self._app(environ, start)

    def _refuse(self, error: RateLimitedError, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        """Tell what the error handlers of the routes would; an include gets no text to paste."""
        told = refusal(error)
        of_fragment = environ["PATH_INFO"].startswith("/v1/") and environ["PATH_INFO"].endswith(".html")
        body = b"" if of_fragment else json.dumps(told.as_dict(), ensure_ascii=False).encode()
        headers = [
            ("Content-Type", "text/html; charset=utf-8" if of_fragment else "application/json"),
            ("Content-Length", str(len(body))),
            ("Retry-After", str(told.retry_seconds)),
            ("Cache-Control", "no-store"),
            *HARDENED.items(),
        ]
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            headers += readable_by(self._cors_origins, environ.get("HTTP_ORIGIN"))
        start("429 TOO MANY REQUESTS", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def needs_key(path: str) -> bool:
    """Tell whether the route at a path asks for a key, which is then what is counted by."""
    return path == "/v1/articles" or (path.startswith("/v1/articles/") and not path.endswith(_LISTS))
