"""Request bodies: whole or refused, and who sends slowly does not hold the threads that answer readers.

The server hands a body to a worker's thread as it comes, and lets it wait for as long as the sender likes. So half of a worker's
threads never wait for one: where the others do, a body is refused. (To give up waiting is no way out: an answer that is given while
a body is being read stops the server's worker, all of it, until the body is there. Whoever reads bodies whole before it
passes them on, as nginx does, spares the service all this.)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any, Protocol

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, ServiceUnavailable

from recommender.web.gate import Gate

_CHUNK_BYTES = 65_536
_BUSY = "as many bodies as may be are being sent at the moment; ask again in a second"


def body() -> bytes:
    """Return the body of the request that is answered.

    Raises:
        RequestEntityTooLarge: it has more bytes than the route takes. (Of one whose length nobody told Werkzeug returns the
            beginning.)
        ServiceUnavailable, BadRequest: see :class:`Bodies`.
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

    def __init__(self, gate: Gate, *, n_at_once: int, max_bytes: int) -> None:
        """Take the bounds.

        Args:
            gate: of those whose bodies they are; who waits for one keeps nobody from being let through.
            n_at_once: threads that may wait for one.
            max_bytes: no more is held; the application refuses what is larger.
        """
        self._gate = gate
        self._max_bytes = max_bytes
        self._free = BoundedSemaphore(n_at_once)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        source, told = environ["wsgi.input"], environ.get("CONTENT_LENGTH", "")
        environ["wsgi.input"] = _Body(lambda: self._whole(source, int(told) if told.isdecimal() else None))
        return self._gate(environ, start)

    def _whole(self, source: _Source, n_bytes: int | None) -> bytes:
        """Return a body, up to one byte more than may be.

        Args:
            source: of it.
            n_bytes: that it has, as its sender said; None where nobody said. Not every server ends what it hands on (PEP 3333
                leaves that open): who asks for more than was said may wait for ever.

        Raises:
            ServiceUnavailable: too many wait for theirs.
            BadRequest: it ends before it is whole.
        """
        if not self._free.acquire(blocking=False):
            raise ServiceUnavailable(_BUSY, retry_after=1)
        try:
            with self._gate.aside():
                most = self._max_bytes + 1
                found = _read_all(source, most if n_bytes is None else min(n_bytes, most))
        finally:
            self._free.release()
        if n_bytes is not None and len(found) < min(n_bytes, self._max_bytes):
            raise BadRequest(f"the body ends after {len(found):,} of {n_bytes:,} bytes")
        return found


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
