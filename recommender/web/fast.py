"""The one hot question, answered before Flask is asked: finished bytes of a known article's list, with their ETag.

Everything else, and every list that is not here yet, goes to Flask; what it answers is kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

from recommender.errors import RecommenderError
from recommender.recommend import Live, Recommender
from recommender.web.encodings import PLAIN, chosen, etag_of, packed
from recommender.web.observing import KEPT, ROUTE

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]
Key = tuple[str, str, str]

_PREFIX, _SUFFIXES = "/v1/articles/", ("/related", "/related.html")
_MAX_SECONDS = 3600.0  # the headers of a list change with its article's age
_NOT_OF_ALL_FORMS = {"content-length", "content-encoding", "date", "etag", "vary"}
_LEFT_OUT_OF_304 = {"content-length", "content-type", "content-encoding"}


class Form(NamedTuple):
    """An answer in a form in which it is sent.

    Attributes:
        etag: as it stands in its header.
        headers, unchanged: of the answer, and of one to who has it.
        body: its bytes.
        n_bytes: what it takes that no other form does.
    """

    etag: str
    headers: list[tuple[str, str]]
    unchanged: list[tuple[str, str]]
    body: bytes
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished answer.

    Attributes:
        key: what was asked.
        serial: of the recommender that it was made with.
        good_until: seconds on the clock.
        headers: what all forms have.
        etag: of the plain form.
        forms: by name, each made when it is first asked for.
    """

    key: Key
    serial: int
    good_until: float
    headers: tuple[tuple[str, str], ...]
    etag: str
    forms: dict[str, Form] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """What it takes, about."""
        return 1_000 + sum(map(len, self.key)) + sum(form.n_bytes for form in self.forms.values())

    def form(self, name: str, body: bytes, n_bytes: int) -> Form:
        """Return a form with these bytes."""
        encoding = [] if name == PLAIN else [("Content-Encoding", name)]
        etag = etag_of(self.etag, name)
        headers = [*self.headers, ("ETag", etag), ("Content-Length", str(len(body))), *encoding]
        unchanged = [pair for pair in headers if pair[0].lower() not in _LEFT_OUT_OF_304]
        return Form(etag, headers, unchanged, body, n_bytes)


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
        self.hits = self.misses = 0

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
        if kept is None:
            self.misses += 1
            environ[KEPT] = "miss"
            return self._ask(environ, start, key, held)
        self.hits += 1
        environ[KEPT] = "hit"
        return self._serve(kept, environ, start)

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

    def _ask(self, environ: dict[str, Any], start: Start, key: Key, held: Recommender) -> Iterable[bytes]:
        """Put the question to Flask, unconditionally and for the plain form, and keep a good answer."""
        good_until = self._clock() + self._seconds(held)
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
        kept = Kept(key, held.serial, good_until, _of_all_forms(headers), etag)
        kept.forms[PLAIN] = kept.form(PLAIN, body, len(body))
        self._keep(kept)
        return self._serve(kept, environ, start)

    def _seconds(self, held: Recommender) -> float:
        """Return for how long lists are what they are if nothing is written."""
        now = self._wall_clock()
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
        if _has(environ.get("HTTP_IF_NONE_MATCH", ""), form.etag):
            start("304 NOT MODIFIED", form.unchanged)
            return []
        start("200 OK", form.headers)
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


def _of_all_forms(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    kept = [(name, value) for name, value in headers.items() if name.lower() not in _NOT_OF_ALL_FORMS]
    vary = dict.fromkeys(part.strip() for part in f"{headers.get('Vary', '')},Accept-Encoding".split(",") if part)
    return (*kept, ("Vary", ", ".join(vary)))


def _has(if_none_match: str, etag: str) -> bool:
    """Tell whether a request names an ETag it holds. Compared weakly, as RFC 9110, 13.1.2 asks."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or any(
        each.strip().removeprefix("W/") == etag for each in if_none_match.split(",")
    )
