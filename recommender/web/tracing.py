"""Spans of what requests spend their time on, for OpenTelemetry. The one user of it: extra ``otel``, asked for by ``serve.traces``.

A request is a span; candidates, scores, the list made of them, and the encoding of a text are spans below it. As everywhere
nothing of a reader is told: a route, a status, the request's number. What is sent where is set by OpenTelemetry's own environment variables
(``OTEL_TRACES_EXPORTER``, ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER`` and so on).

Without ``serve.traces`` nothing is imported here, and the functions below are not wrapped.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

from recommender.errors import SettingsError
from recommender.recommend.evidence import Inquiry
from recommender.recommend.lists import Lists
from recommender.recommend.pool import EncoderPool
from recommender.web.observing import KEPT, REQUEST, ROUTE

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

STEPS: tuple[tuple[type, str, str], ...] = (
    (EncoderPool, "encode", "encoding"),
    (Inquiry, "candidates", "candidates"),
    (Inquiry, "score", "score"),
    (Lists, "arrange", "rank"),
)
"""Whose methods are spans, and their names."""

_NAME = "newsroom-recommender"
_EXPORTERS = {"otlp": "otlp_proto_http", "console": "console"}
_CONTEXT = ("traceparent", "tracestate", "baggage")


def check() -> None:
    """See that traces can be made here and go somewhere. Raises SettingsError."""
    _exporters()


def opened() -> Any:
    """Return a provider of tracers as the environment sets it up. Made in the worker: its threads do not outlive a fork.

    Raises:
        SettingsError: the extra is not installed, or the environment asks for an exporter that is not.
    """
    exporters = _exporters()
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": _NAME}))
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter()))
    return provider


@contextmanager
def steps_traced(tracer: Any) -> Iterator[None]:
    """Make spans of :data:`STEPS` below the span that is current."""
    found = [(owner, name, getattr(owner, name)) for owner, name, _ in STEPS]
    for (owner, name, step), (_, _, span) in zip(found, STEPS, strict=True):
        setattr(owner, name, _spanned(tracer, span, step))
    try:
        yield
    finally:
        for owner, name, step in found:
            setattr(owner, name, step)


class Traced:
    """WSGI middleware: a span a request."""

    def __init__(self, app: App, tracer: Any, *, believes: bool) -> None:
        """Take what is traced.

        Args:
            app: that answers.
            tracer: that makes the spans.
            believes: whether the trace that a request says it is part of is; a stranger's word decides about no sampling.
        """
        from opentelemetry import propagate, trace

        self._app = app
        self._tracer = tracer
        self._believes = believes
        self._extract = propagate.extract
        self._server, self._failed = trace.SpanKind.SERVER, trace.Status(trace.StatusCode.ERROR)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        told = {name: environ[key] for name in _CONTEXT if (key := f"HTTP_{name.upper()}") in environ}
        parent = self._extract(told) if self._believes and told else None
        method = environ["REQUEST_METHOD"]
        with self._tracer.start_as_current_span(method, context=parent, kind=self._server) as span:

            def started(line: str, *more: Any) -> Any:
                status = int(line[:3])
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(self._failed)
                return start(line, *more)

            try:
                return self._app(environ, started)
            finally:
                route = environ.get(ROUTE, "none")
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.request.method": method, "http.route": route})
                for key, name in ((KEPT, "recommender.kept"), (REQUEST, "recommender.request")):
                    if key in environ:
                        span.set_attribute(name, environ[key])


def _exporters() -> list[Any]:
    """Return the classes that the environment names, none for ``none``."""
    try:
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError:
        raise SettingsError(
            "serve.traces: OpenTelemetry is not installed: pip install 'newsroom-recommender[otel]'"
        ) from None
    there = {entry.name: entry for entry in entry_points(group="opentelemetry_traces_exporter")}
    asked = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")
    names = [_EXPORTERS.get(name.strip(), name.strip()) for name in asked if name.strip() not in ("", "none")]
    for name in names:
        if name not in there:
            raise SettingsError(
                f"OTEL_TRACES_EXPORTER: no exporter {name[:80]!r} is installed; there are {', '.join(sorted(there))} and none"
            )
    return [there[name].load() for name in names]


def _spanned(tracer: Any, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def spanned(*arguments: Any, **named: Any) -> Any:
        with tracer.start_as_current_span(name):
            return step(*arguments, **named)

    return spanned
