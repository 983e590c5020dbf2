"""The one hot question, answered before Flask is asked: finished bytes of a known article's list, with their ETag.

Everything else, and every list that is not here yet, goes to Flask; what it answers is kept.
"""

from __future__ import annotations

import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from recommender.errors import RecommenderError
from recommender.recommend import Live
from recommender.web.observing import KEPT, ROUTE

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]

_PREFIX, _SUFFIXES = "/v1/articles/", ("/related", "/related.html")
_MAX_SECONDS = 60.0  # the desk's rules end by the clock
_LEAST_COMPRESSED = 500
_LEFT_OUT_OF_304 = {"content-length", "content-type", "content-encoding"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished answer.

    Attributes:
        serial: of the recommender that it was made with.
        made_at: seconds on the clock.
        headers: without length and encoding.
        etag: as it stands in its header.
        body, packed: plain and gzipped bytes; the latter None where that does not pay.
    """

    serial: int
    made_at: float
    headers: tuple[tuple[str, str], ...]
    etag: str
    body: bytes
    packed: bytes | None

    @property
    def n_bytes(self) -> int:
        """What it takes, about."""
        return len(self.body) + len(self.packed or b"") + 1_000


class FastLane:
    """WSGI middleware with a least-recently-used store of finished answers, as large as it is told.

    An answer is served only while the very state of the archive that it was made with is the one that answers, and a minute at
    most. Whether anything was withdrawn is looked for as with every other request.
    """

    def __init__(self, app: App, live: Live, *, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._live = live
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str, str], Kept] = OrderedDict()
        self._n_bytes = 0
        self.hits = self.misses = 0

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not (
            path.startswith(_PREFIX) and path.endswith(_SUFFIXES)
        ):
            return self._app(environ, start)
        try:
            serial = self._live.get().serial
        except RecommenderError:
            return self._app(environ, start)
        environ[ROUTE] = f"{_PREFIX}<path:article_id>/{path.rpartition('/')[2]}"
        key = (path, environ.get("QUERY_STRING", ""), environ.get("HTTP_ORIGIN", ""))
        kept = self._find(key, serial)
        if kept is None:
            self.misses += 1
            environ[KEPT] = "miss"
            return self._ask(environ, start, key, serial)
        self.hits += 1
        environ[KEPT] = "hit"
        return _serve(kept, environ, start)

    def _find(self, key: tuple[str, str, str], serial: int) -> Kept | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            if kept.serial != serial or self._clock() - kept.made_at > _MAX_SECONDS:
                self._n_bytes -= self._kept.pop(key).n_bytes
                return None
            self._kept.move_to_end(key)
            return kept

    def _ask(self, environ: dict[str, Any], start: Start, key: tuple[str, str, str], serial: int) -> Iterable[bytes]:
        """Put the question to Flask, unconditionally, and keep a good answer."""
        told: list[Any] = []
        asked = {name: value for name, value in environ.items() if name not in ("HTTP_IF_NONE_MATCH", "HTTP_RANGE")}
        chunks = self._app(asked | {"REQUEST_METHOD": "GET"}, lambda *started: told.extend(started))
        body = b"".join(chunks)
        if callable(close := getattr(chunks, "close", None)):
            close()
        status, headers = str(told[0]), dict(told[1])
        etag = headers.get("ETag")
        if not status.startswith("200") or etag is None:
            start(status, told[1])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        kept = Kept(serial, self._clock(), _plain(headers), etag, body, _packed(body))
        self._keep(key, kept)
        return _serve(kept, environ, start)

    def _keep(self, key: tuple[str, str, str], kept: Kept) -> None:
        with self._lock:
            if key in self._kept:
                self._n_bytes -= self._kept.pop(key).n_bytes
            newest = next(reversed(self._kept.values()), None)
            if newest is not None and newest.serial < kept.serial:
                self._kept.clear()  # all of them are of an earlier state
                self._n_bytes = 0
            self._kept[key] = kept
            self._n_bytes += kept.n_bytes
            while self._n_bytes > self._max_bytes and self._kept:
                self._n_bytes -= self._kept.popitem(last=False)[1].n_bytes


def _serve(kept: Kept, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
    if _has(environ.get("HTTP_IF_NONE_MATCH", ""), kept.etag):
        start("304 NOT MODIFIED", [pair for pair in kept.headers if pair[0].lower() not in _LEFT_OUT_OF_304])
        return []
    packed = kept.packed if kept.packed and _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) else None
    body = kept.body if packed is None else packed
    headers = [*kept.headers, ("Content-Length", str(len(body)))]
    if packed is not None:
        headers.append(("Content-Encoding", "gzip"))
    start("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _plain(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    kept = [(name, value) for name, value in headers.items() if name.lower() not in ("content-length", "vary")]
    vary = [part for part in (headers.get("Vary", ""), "Accept-Encoding") if part]
    return (*kept, ("Vary", ", ".join(vary)))


def _packed(body: bytes) -> bytes | None:
    if len(body) < _LEAST_COMPRESSED:
        return None
    packed = gzip.compress(body, 6, mtime=0)
    return packed if len(packed) < 0.9 * len(body) else None


def _has(if_none_match: str, etag: str) -> bool:
    """Tell whether a request names an ETag it holds. Compared weakly, as RFC 9110, 13.1.2 asks."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or any(
        each.strip().removeprefix("W/") == etag for each in if_none_match.split(",")
    )


def _takes_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.split(","):
        name, _, parameters = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return parameters.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
