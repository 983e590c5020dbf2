"""How many requests of a worker are worked on at once, so that finished answers go out beside them.

What is finished takes microseconds; a list that has to be made, or a free text, takes milliseconds and the interpreter. Where all
threads may be at it, a few free texts let everybody wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Gate:
    """WSGI middleware that lets so many requests through at a time; the others wait their turn."""

    def __init__(self, app: App, n_at_once: int) -> None:
        self._app = app
        self._free = BoundedSemaphore(n_at_once)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        with self._free:
            return self._app(environ, start)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another request through while the one that is let through here only waits."""
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()
