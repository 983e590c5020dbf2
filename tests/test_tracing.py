"""Spans of requests: what took how long, nothing of a reader, and nothing at all where nobody asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recommender.errors import SettingsError
from recommender.settings import Settings
from recommender.web import create_app, tracing

PATH = "/v1/articles/ferry-vote/related"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Spans:
    """What an application's spans were, by request."""

    def __init__(self, made: Settings, monkeypatch: pytest.MonkeyPatch, **serve: Any) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        monkeypatch.setattr(tracing, "opened", lambda: provider)
        told = made.serve.model_copy(update={"traces": True} | serve)
        self.app = create_app(made.model_copy(update={"serve": told}))
        self.client: FlaskClient = self.app.test_client()

    def of(self, path: str, **more: Any) -> list[Any]:
        """Return the spans of one request in the order in which they ended."""
        self.exporter.clear()
        self.client.open(path, **more)
        return list(self.exporter.get_finished_spans())


@pytest.fixture
def spans(published: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    pytest.importorskip("opentelemetry.sdk")
    made = Spans(published, monkeypatch)
    yield made
    made.app.extensions["recommender.traced_steps"].close()
    made.app.extensions["recommender.live"].stop()


def test_a_request_is_a_span_and_what_it_takes_lies_below(spans: Spans) -> None:
    found = spans.of(PATH, headers={"X-Request-Id": "n-1"})
    request, by_id = found[-1], {span.context.span_id: span for span in found}
    assert request.name == "GET /v1/articles/<path:article_id>/related"
    assert dict(request.attributes) == {
        "http.request.method": "GET",
        "http.route": "/v1/articles/<path:article_id>/related",
        "http.response.status_code": 200,
        "recommender.kept": "miss",
        "recommender.request": "n-1",
    }
    above = {span.name: by_id[span.parent.span_id].name for span in found[:-1]}
    assert above == {"candidates": "rank", "score": "rank", "rank": request.name}


def test_a_kept_list_is_a_span_alone(spans: Spans) -> None:
    spans.of(PATH)
    (request,) = spans.of(PATH)
    assert request.attributes["recommender.kept"] == "hit"


def test_a_free_text_has_its_encoding_and_nothing_of_the_text(spans: Spans) -> None:
    found = spans.of("/v1/search?q=secret+words", headers={"Authorization": "Bearer secret", "User-Agent": "secret"})
    assert {span.name for span in found} >= {"encoding", "rank", "GET /v1/search"}
    assert not any("secret" in span.to_json() for span in found)


def test_an_error_of_ours_is_one_in_the_trace_and_a_readers_is_not(
    spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spans.of("/v1/articles/nobody/related")[-1].status.status_code.name == "UNSET"
    monkeypatch.setattr(spans.app.extensions["recommender.live"], "status", lambda: 1 / 0)
    assert spans.of("/v1/status")[-1].status.status_code.name == "ERROR"


def test_a_strangers_trace_is_not_joined(spans: Spans) -> None:
    request = spans.of(PATH, headers={"traceparent": PARENT})[-1]
    assert request.parent is None


def test_behind_a_trusted_proxy_its_trace_goes_on(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk")
    made = Spans(published, monkeypatch, trusted_proxies=1)
    with made.app.extensions["recommender.traced_steps"]:
        assert f"{made.of(PATH, headers={'traceparent': PARENT})[-1].context.trace_id:032x}" == PARENT.split("-")[1]
        assert made.of(PATH, headers={"traceparent": "00-\xff-" + "x" * 5000})[-1].parent is None


def test_the_steps_are_as_before_when_the_application_is_gone() -> None:
    before = [getattr(owner, name) for owner, name, _ in tracing.STEPS]
    with tracing.steps_traced(None):
        assert all(getattr(owner, name) is not old for (owner, name, _), old in zip(tracing.STEPS, before, strict=True))
    assert [getattr(owner, name) for owner, name, _ in tracing.STEPS] == before


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"pip install 'newsroom-recommender\[otel\]'$"):
        tracing.check()


def test_an_exporter_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console, zipkinn")
    with pytest.raises(SettingsError, match="no exporter 'zipkinn' is installed; there are console,"):
        tracing.check()


CONSOLE = """
import sys
from pathlib import Path
from recommender.settings import load_settings
from recommender.web import create_app
traces = sys.argv[2] == "traces"
app = create_app(load_settings(None, {"home": Path(sys.argv[1]), "encoder.model": "hashing", "serve.traces": traces}))
app.test_client().get("/v1/articles/ferry-vote/related")
if traces:
    app.extensions["recommender.traces"].shutdown()
assert ("opentelemetry" in {name.partition(".")[0] for name in sys.modules}) == traces
"""


@pytest.mark.parametrize("traces", ["traces", "none"])
def test_the_environment_says_where_spans_go_and_without_them_nothing_is_loaded(
    shared: Settings, tmp_path: Path, traces: str
) -> None:
    pytest.importorskip("opentelemetry.sdk")
    told = {"OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "linden-post"}
    done = subprocess.run(
        [sys.executable, "-c", CONSOLE, str(shared.home), traces],
        cwd=tmp_path,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    decoder, spans, at = json.JSONDecoder(), [], 0
    while at < len(done.stdout.rstrip()):
        span, at = decoder.raw_decode(done.stdout, at)
        at += 1
        spans.append(span)
    names = [span["name"] for span in spans]
    assert bool(names) == (traces == "traces")
    assert all(span["resource"]["attributes"]["service.name"] == "linden-post" for span in spans)


def test_a_service_that_cannot_trace_does_not_start(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from recommender.web import server

    monkeypatch.setattr(tracing, "check", lambda: (_ for _ in ()).throw(SettingsError("serve.traces: not here")))
    traced = published.serve.model_copy(update={"traces": True})
    with pytest.raises(SettingsError, match=r"serve\.traces: not here"):
        server.run(published.model_copy(update={"serve": traced}))
