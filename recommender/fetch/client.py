"""Fetches one address within bounds, politely. Part of the one owner of urllib3."""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Self

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from recommender.errors import FetchError, FetchRefusedError
from recommender.fetch import robots
from recommender.fetch.address import Target, joined, shown_url, target
from recommender.fetch.answer import Fetched, fetched_of, seconds_of, told_of
from recommender.fetch.connection import Line, Resolver, dial, system_resolver
from recommender.fetch.manners import Manners
from recommender.fetch.robots import Rules
from recommender.settings import PRODUCT, FetchSettings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_LINES = 32
_RULES_LAST_SECONDS = 24 * 3600.0
_NO_RULES_LAST_SECONDS = 600.0  # of a site whose robots.txt could not be had
_ACCEPTED = "text/html,application/xhtml+xml,application/xml;q=0.9,application/rss+xml,application/atom+xml,*/*;q=0.5"


class Fetcher:
    """Fetches addresses; safe to share between threads. Close it, or use it in a ``with`` statement.

    Every request: only http(s), a checked address at every step (``connection.dial``), robots.txt, the host's pauses, bounds
    on size (before and after decompression), time and redirects. No cookie is kept, no script run, no proxy used.
    """

    def __init__(
        self,
        settings: FetchSettings,
        *,
        stop: threading.Event | None = None,
        resolver: Resolver = system_resolver,
        clock: Callable[[], float] = time.monotonic,
        chance: Random | None = None,
    ) -> None:
        """Take the bounds, what ends all waiting, and (for tests) the resolver, the clock and chance."""
        self._settings = settings
        self._stop = stop or threading.Event()
        self._resolver = resolver
        self._clock = clock
        self.manners = Manners(
            delay_seconds=settings.delay_seconds, clock=clock, stop=self._stop, chance=chance or Random()
        )
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._busy: set[str] = set()
        self._rules: OrderedDict[str, tuple[float, Rules | FetchError]] = OrderedDict()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_ending(self) -> bool:
        """Tell whether this run is being ended, so that what goes wrong now says nothing of any page."""
        return self._stop.is_set()

    def close(self) -> None:
        """End every connection, also those that somebody waits at."""
        with self._lock:
            for line in self._lines.values():
                line.close()
            self._lines.clear()

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        max_bytes: int | None = None,
        heed_robots: bool = True,
    ) -> Fetched:
        """Fetch an address, following redirects; whatever status it ends with is returned.

        Args:
            url: what to fetch.
            etag, last_modified: of the last answer; a page that is still the same answers 304 without a body.
            max_bytes: of the body, decompressed; ``fetch.max_bytes`` where None.
            heed_robots: ask the site's robots.txt first (and the one of every site that is sent on to).

        Raises:
            FetchRefusedError: the address, one that it leads to, or robots.txt forbids it.
            FetchError: nobody answers, or not in time, or with too much, or with something that is no HTTP.
        """
        asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in asked.items() if value}
        where = target(url, self._ports())
        seen = {where.url}
        for _ in range(self._settings.max_redirects + 1):
            delay = self._heed(where) if heed_robots and self._settings.robots else 0.0
            answer = self._ask(where, headers, max_bytes or self._settings.max_bytes, delay)
            if isinstance(answer, Fetched):
                return answer
            onward = target(joined(where.url, answer), self._ports())
            if where.scheme == "https" and onward.scheme == "http":
                raise FetchRefusedError(f"{shown_url(url)}: sends on from https to {shown_url(onward.url)}")
            if onward.url in seen:
                raise FetchRefusedError(f"{shown_url(url)}: is sent on in a circle")
            seen.add(onward.url)
            where = onward
        raise FetchRefusedError(f"{shown_url(url)}: is sent on over {self._settings.max_redirects} times")

    def rules(self, url: str) -> Rules:
        """Return what the site of an address asks of robots; kept for a day.

        Raises:
            FetchRefusedError, FetchError: it cannot be had, so that nothing of the site may be asked now (RFC 9309, 2.3.1.4).
        """
        where = target(url, self._ports())
        with self._lock:
            until, known = self._rules.get(where.origin, (0.0, None))
        if known is None or self._clock() >= until:
            known = self._read_rules(where.origin)
            lasts = _NO_RULES_LAST_SECONDS if isinstance(known, FetchError) else _RULES_LAST_SECONDS
            with self._lock:
                self._rules[where.origin] = (self._clock() + lasts, known)
                while len(self._rules) > 1_000:
                    self._rules.popitem(last=False)
        if isinstance(known, FetchError):
            raise known
        return known

    def _read_rules(self, origin: str) -> Rules | FetchError:
        try:
            found = self.get(f"{origin}/robots.txt", max_bytes=robots.MAX_BYTES, heed_robots=False)
        except FetchError as error:
            return type(error)(f"{origin}/robots.txt cannot be had, so nothing else is asked: {error}")
        if 200 <= found.status < 300:
            return robots.parse_rules(found.body, PRODUCT)
        if found.status >= 500 or found.status == 429:
            return FetchError(f"{origin}/robots.txt answers {found.status}, so nothing else is asked")
        return Rules(None, PRODUCT)

    def _heed(self, where: Target) -> float:
        rules = self.rules(where.url)
        if not rules.allow(where.url):
            raise FetchRefusedError(f"{shown_url(where.url)}: the site's robots.txt keeps it from robots")
        return rules.delay_seconds

    def _ports(self) -> tuple[int, ...]:
        return () if self._settings.allow_private else self._settings.ports

    def _ask(self, where: Target, headers: Mapping[str, str], max_bytes: int, delay: float) -> Fetched | str:
        """Return the answer, or where it sends on to."""
        named = {"User-Agent": self._settings.agent, "Accept": _ACCEPTED, "Accept-Encoding": "gzip, deflate, br"}
        with self.manners.turn(where.host, delay), self._line(where) as line, self._in_time(line) as late:
            try:
                answer = line.ask(where.path, {**named, **headers})
                try:
                    taken = self._taken(where, answer, max_bytes)
                finally:
                    answer.close()  # where the body was read to its end the connection is back in its pool already
                if late.is_set():  # a cut line looks like an answer that ends
                    raise TimeoutError
                return taken
            except (HTTPError, OSError, ValueError) as error:
                self.manners.failed(where.host)
                told = f"took over {self._settings.total_seconds:g} s" if late.is_set() else told_of(error)
                raise FetchError(f"{shown_url(where.url)}: {told}") from error

    def _taken(self, where: Target, answer: BaseHTTPResponse, max_bytes: int) -> Fetched | str:
        location = answer.headers.get("Location")
        if answer.status in _REDIRECTS and location:
            return location
        if answer.status == 429 or answer.status >= 500:
            self.manners.failed(where.host, seconds_of(answer.headers.get("Retry-After")))
        else:
            self.manners.answered(where.host)
        return fetched_of(where.url, answer, max_bytes)

    @contextmanager
    def _line(self, where: Target) -> Iterator[Line]:
        """Yield the connection to a host; those that were not used for longest are ended where there are many."""
        seconds = Timeout(connect=self._settings.connect_seconds, read=self._settings.read_seconds)

        def dialled(host: str, port: int) -> socket.socket:
            bounds = self._settings
            return dial(host, port, bounds.connect_seconds, self._resolver, allow_private=bounds.allow_private)

        with self._lock:
            line = self._lines.setdefault(where.origin, Line(where, seconds, dialled))
            self._lines.move_to_end(where.origin)
            self._busy.add(where.origin)
            idle = [origin for origin in self._lines if origin not in self._busy]
            for origin in idle[: max(len(self._lines) - _MAX_LINES, 0)]:
                self._lines.pop(origin).close()
        try:
            yield line
        finally:
            with self._lock:
                self._busy.discard(where.origin)

    @contextmanager
    def _in_time(self, line: Line) -> Iterator[threading.Event]:
        """Cut the line when the time for a whole request is over."""
        late = threading.Event()

        def end() -> None:
            late.set()
            line.cut()

        timer = threading.Timer(self._settings.total_seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()
