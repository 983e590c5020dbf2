"""The one hot question, answered before Flask is asked: finished bytes of a known article's list, with their ETag.

A list that is asked for as readers are served and that the index holds finished is taken from there. Everything else goes to
Flask. Whatever is answered is kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from recommender.errors import RecommenderError
from recommender.recommend import Live, Recommender
from recommender.web.caching import etag_of_bytes, list_headers
from recommender.web.cors import readable_by
from recommender.web.encodings import PLAIN, chosen, packed
from recommender.web.kept import Form, Kept, Key, names
from recommender.web.observing import KEPT, ROUTE
from recommender.web.responses import HARDENED, JSON

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]

_PREFIX, _PLAIN_SUFFIX = "/v1/articles/", "/related"
_SUFFIXES = (_PLAIN_SUFFIX, "/related.html")
_OF_JSON, _HARDENED = ("Content-Type", JSON), tuple(HARDENED.items())  # one each for all that is kept
_MAX_SECONDS = 3600.0  # the headers of a list change with its article's age


class FastLane:
    """WSGI middleware with a least-recently-used store of finished answers, as large as it is told.

    An answer is served only while the very state of the archive that it was made with is the one that answers, until the next
    rule of the desk ends, and an hour at most. Whether anything was withdrawn is looked for as with every other request.
    """

    def __init__(
        self,
        app: App,
        live: Live,
        *,
        max_bytes: int,
        cors_origins: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._live = live
        self._max_bytes = max_bytes
        self._cors_origins = cors_origins
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = Lock()
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._n_bytes = 0
        self.hits = self.finished = self.misses = 0

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not (
            path.startswith(_PREFIX) and path.endswith(_SUFFIXES)
        ):
            return self._app(environ, start)
        try:
            held = self._live.get()
        except RecommenderError:
            return self._app(environ, start)
        environ[ROUTE] = f"{_PREFIX}<path:article_id>/{path.rpartition('/')[2]}"
        origin = environ.get("HTTP_ORIGIN", "")  # of the others none is told anything
        key = (path, environ.get("QUERY_STRING", ""), origin if origin in self._cors_origins else "")
        kept = self._find(key, held.serial)
        if kept is not None:
            self.hits += 1
            environ[KEPT] = "hit"
            return self._serve(kept, environ, start)
        kept = self._finished(environ, key, held)
        if kept is not None:
            self.finished += 1
            environ[KEPT] = "finished"
            self._keep(kept)
            return self._serve(kept, environ, start)
        self.misses += 1
        environ[KEPT] = "miss"
        return self._ask(environ, start, key, held)

    def _find(self, key: Key, serial: int) -> Kept | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            if kept.serial != serial or self._clock() >= kept.good_until:
                self._n_bytes -= self._kept.pop(key).n_bytes
                return None
            self._kept.move_to_end(key)
            return kept

    def _finished(self, environ: Mapping[str, Any], key: Key, held: Recommender) -> Kept | None:
        """Return what Flask would answer, where the index holds it: the list of an article that was asked for without any parameter."""
        path, query, _ = key
        if query or not path.endswith(_PLAIN_SUFFIX):
            return None
        article_id = _utf8(path[len(_PREFIX) : -len(_PLAIN_SUFFIX)])
        found = None if article_id is None else held.finished(article_id)
        if article_id is None or found is None:
            return None
        now = self._wall_clock()
        headers = [
            _OF_JSON,
            *list_headers(article_id, found.ids, held.published_at(article_id), now),
            ("Vary", "Accept-Encoding"),
            *readable_by(self._cors_origins, environ.get("HTTP_ORIGIN")),
            *_HARDENED,
        ]
        good_until = self._clock() + self._seconds(held, now)
        return Kept.of(key, held.serial, good_until, headers, etag_of_bytes(found.body), found.body)

    def _ask(self, environ: dict[str, Any], start: Start, key: Key, held: Recommender) -> Iterable[bytes]:
        """Put the question to Flask, unconditionally and for the plain form, and keep a good answer."""
        good_until = self._clock() + self._seconds(held, self._wall_clock())
        told: list[Any] = []
        unasked = ("HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_ACCEPT_ENCODING")
        asked = {name: value for name, value in environ.items() if name not in unasked}
        chunks = self._app(asked | {"REQUEST_METHOD": "GET"}, lambda *started: told.extend(started))
        body = b"".join(chunks)
        if callable(close := getattr(chunks, "close", None)):
            close()
        status, headers = str(told[0]), dict(told[1])
        etag = headers.get("ETag")
        if not status.startswith("200") or etag is None:
            start(status, told[1])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        kept = Kept.of(key, held.serial, good_until, told[1], etag, body)
        self._keep(kept)
        return self._serve(kept, environ, start)

    def _seconds(self, held: Recommender, now: datetime) -> float:
        """Return for how long lists are what they are if nothing is written."""
        end = held.hand.next_end(now)
        return _MAX_SECONDS if end is None else min(_MAX_SECONDS, (end - now).total_seconds())

    def _keep(self, kept: Kept) -> None:
        with self._lock:
            if kept.key in self._kept:
                self._n_bytes -= self._kept.pop(kept.key).n_bytes
            newest = next(reversed(self._kept.values()), None)
            if newest is not None and newest.serial < kept.serial:
                self._kept.clear()  # all of them are of an earlier state
                self._n_bytes = 0
            self._kept[kept.key] = kept
            self._n_bytes += kept.n_bytes
            self._shrink()

    def _shrink(self) -> None:
        while self._n_bytes > self._max_bytes and self._kept:
            self._n_bytes -= self._kept.popitem(last=False)[1].n_bytes

    def _serve(self, kept: Kept, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        name = chosen(environ.get("HTTP_ACCEPT_ENCODING", ""))
        form = kept.forms.get(name) or self._formed(kept, name)
        if names(environ.get("HTTP_IF_NONE_MATCH", ""), form.etag):
            start("304 NOT MODIFIED", list(form.unchanged))
            return []
        start("200 OK", list(form.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [form.body]

    def _formed(self, kept: Kept, name: str) -> Form:
        """Return a form that nobody has asked for yet; the plain one where another does not pay."""
        plain = kept.forms[PLAIN]
        body = packed(plain.body, name)
        made = plain._replace(n_bytes=0) if body is None else kept.form(name, body, len(body))
        with self._lock:
            if (by_another := kept.forms.get(name)) is not None:
                return by_another
            kept.forms[name] = made
            if self._kept.get(kept.key) is kept:
                self._n_bytes += made.n_bytes
                self._shrink()
        return made


def _utf8(path: str) -> str | None:
    """Return a part of a path as its bytes say (PEP 3333 has them as characters); None where they are no UTF-8."""
    try:
        return path.encode("latin-1").decode()
    except UnicodeError:
        return None
