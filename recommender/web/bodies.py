"""Request bodies, waited for with patience that ends: who sends slowly must not hold the threads that answer readers.

The server gives a body to a worker's thread as it comes in. A few strangers who send a byte now and then would hold all of
them; so bodies are read aside, a thread waits for one only so long, and only half of a worker's threads wait at all.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLongError
from threading import BoundedSemaphore, Thread
from typing import Any, Protocol

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout

from recommender.errors import BusyError

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_CHUNK_BYTES = 65_536
_MOST_ABANDONED = 64


def body() -> bytes:
    """Return the body of the request that is answered.

    Raises:
        RequestEntityTooLarge: it has more bytes than the route takes. (Of one whose length nobody told Werkzeug returns the
            beginning.)
        RecommenderError, HTTPException: it did not come; see :class:`Bodies`.
    """
    found = request.get_data(cache=False)
    if len(found) == request.max_content_length and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return found


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bodies:
    """WSGI middleware that gives the application bodies which are there whole, or which it refuses.

    Nothing is read before the application asks for it, so that a stranger's body is not read where a key is missing.
    """

    def __init__(self, app: App, *, n_at_once: int, seconds: float, max_bytes: int) -> None:
        """Take the bounds.

        Args:
            app: whose bodies they are.
            n_at_once: threads that may wait for one.
            seconds: until it must be there.
            max_bytes: no more is held; the application refuses what is larger.
        """
        self._app = app
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._waiting = BoundedSemaphore(n_at_once)
        self._reading = BoundedSemaphore(n_at_once + _MOST_ABANDONED)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        source, told = environ["wsgi.input"], environ.get("CONTENT_LENGTH", "")
        environ["wsgi.input"] = _Body(lambda: self._whole(source, int(told) if told.isdecimal() else 0))
        return self._app(environ, start)

    def _whole(self, source: _Source, n_bytes: int) -> bytes:
        """Return a body, up to one byte more than may be.

        Args:
            source: of it.
            n_bytes: that it has at least, as its sender said.

        Raises:
            BusyError: too many wait for theirs.
            RequestTimeout, BadRequest: it did not come in time, or not whole.
        """
        if not self._waiting.acquire(blocking=False):
            raise BusyError("as many bodies as may be are being sent at the moment")
        try:
            body = self._read_aside(source).result(timeout=self._seconds)
        except TooLongError:
            raise RequestTimeout(f"the body was not here after {self._seconds:g} seconds") from None
        finally:
            self._waiting.release()
        if len(body) < min(n_bytes, self._max_bytes):
            raise BadRequest(f"the body ends after {len(body):,} of {n_bytes:,} bytes")
        return body

    def _read_aside(self, source: _Source) -> Future[bytes]:
        if not self._reading.acquire(blocking=False):
            raise BusyError("as many bodies as may be are being sent at the moment")
        found: Future[bytes] = Future()
        Thread(target=self._read, args=(source, found), name="recommender-body", daemon=True).start()
        return found

    def _read(self, source: _Source, found: Future[bytes]) -> None:
        # The server closes a connection whose body nobody waits for any more only when its other end does, so this may take long.
        try:
            found.set_result(_read_all(source, self._max_bytes + 1))
        except BaseException as error:
            found.set_exception(error)
        finally:
            self._reading.release()


class _Body(io.RawIOBase):
    """A body that is read whole when its first byte is asked for."""

    def __init__(self, whole: Callable[[], bytes]) -> None:
        super().__init__()
        self._whole = whole
        self._held: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._held is None:
            self._held = io.BytesIO(self._whole())
        return self._held.readinto(buffer)


def _read_all(source: _Source, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := source.read(min(_CHUNK_BYTES, most))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
