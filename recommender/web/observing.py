"""What an operator sees: a number for every request, counts and times for Prometheus, a line for the log. Nothing of a reader.

Neither addresses, nor queries, bodies or keys are logged or counted: a route, a status, a time.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from recommender.errors import RecommenderError
from recommender.recommend import Live

access = logging.getLogger("recommender.access")

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ROUTE, KEPT = "recommender.route", "recommender.kept"  # what the layers below leave in a request's environ
REQUEST = "recommender.request"  # what this one does: its number
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))


class Meters:
    """Counts and times of this service; of all its workers where they share a folder (``PROMETHEUS_MULTIPROC_DIR``)."""

    def __init__(self, live: Live) -> None:
        """Take whose state is told. Made in the worker: the library decides at its import how values are kept."""
        import prometheus_client as prometheus

        self._prometheus = prometheus
        self._live = live
        self._registry = prometheus.CollectorRegistry()
        self.seconds = prometheus.Histogram(
            "recommender_request_seconds",
            "Time from a request's arrival to its answer",
            ("route", "method", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.kept = prometheus.Counter(
            "recommender_kept_lists",
            "Lists of known articles that were asked for, by whether they were there",
            ("outcome",),
            registry=self._registry,
        )
        self.refused = prometheus.Counter(
            "recommender_refused_requests",
            "Requests that were refused with 429, by the limit that they met",
            ("limit",),
            registry=self._registry,
        )

    def exposition(self) -> bytes:
        """Return everything in the text format: requests of all workers, and the state that this one sees."""
        prometheus = self._prometheus
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            from prometheus_client import multiprocess

            registry = prometheus.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted: bytes = prometheus.generate_latest(registry)
        return counted + self._state()

    def _state(self) -> bytes:
        lines: list[str] = []

        def tell(name: str, what: str, value: float) -> None:
            full = f"recommender_{name}"
            lines.extend((f"# HELP {full} {what}", f"# TYPE {full} gauge", f"{full} {value:g}"))

        try:
            held = self._live.get()
        except RecommenderError:
            tell("ready", "Whether an index answers", 0)
            return ("\n".join(lines) + "\n").encode()
        status = self._live.status()
        created = datetime.fromisoformat(str(held.snapshot.manifest["created_at"]))
        tell("ready", "Whether an index answers", 1)
        tell("problem", "Whether something is wrong that /readyz names", float(self._live.problem is not None))
        tell("rows", "Articles and stubs that answer", len(held.snapshot))
        tell(
            "snapshot_age_seconds", "Since the live index was published", (datetime.now(UTC) - created).total_seconds()
        )
        tell("snapshot_number", "Number of the live index", float(held.snapshot.name.lstrip("s")))
        tell("change_number", "Number of the last change that is answered from", status["change"])
        tell("changed_rows", "Rows that lie over the index", status["changed"])
        tell("withdrawn_rows", "Rows of the index that are hidden", status["gone"])
        tell("waiting_rows", "Rows that wait for their vectors", status["waiting"])
        tell("encoder_waiting", "Free texts that wait to be encoded", held.n_waiting)
        return ("\n".join(lines) + "\n").encode()


class Observed:
    """WSGI middleware, the outermost: numbers, times and logs every request."""

    def __init__(self, app: App, meters: Meters, *, log_access: bool) -> None:
        self._app = app
        self._meters = meters
        self._log_access = log_access

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        environ[REQUEST] = request_id
        status = ["500"]

        def started(line: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            status[0] = line[:3]
            said = [pair for pair in headers if pair[0] != "Date"]  # that of a kept answer is not this one's
            return start(line, [*said, ("Date", _date(int(time.time()))), ("X-Request-Id", request_id)], *more)

        try:
            return self._app(environ, started)
        finally:
            self._note(environ, status[0], request_id, time.perf_counter() - began)

    def _note(self, environ: dict[str, Any], status: str, request_id: str, seconds: float) -> None:
        route = environ.get(ROUTE, "none")
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in _METHODS else "other"
        self._meters.seconds.labels(route, method, status).observe(seconds)
        if (kept := environ.get(KEPT)) is not None:
            self._meters.kept.labels(kept).inc()
        if self._log_access:
            told = {"request": request_id, "method": method, "route": route, "status": int(status)}
            access.info("answered", extra={"told": told | {"ms": round(1000 * seconds, 3)}})


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


class JsonLines(logging.Formatter):
    """Log records as JSON, one a line, so that nothing that a stranger sent can make a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class TextLines(logging.Formatter):
    """Log records for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return a line, with what the JSON form has as fields."""
        told = getattr(record, "told", {})
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in told.items())])


def log_to_stderr(*, as_json: bool, access_too: bool) -> None:
    """Let what this package has to say go to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else TextLines())
    ours = logging.getLogger("recommender")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO if access_too else logging.WARNING)
    ours.propagate = False
