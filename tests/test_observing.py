from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from newsroom import withdraw

from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.observing import JsonLines, TextLines

PATH = "/v1/articles/ferry-vote/related"


@pytest.fixture
def client(published: Settings) -> Iterator[FlaskClient]:
    serve = published.serve.model_copy(update={"log_access": True})
    app = create_app(published.model_copy(update={"serve": serve}))
    yield app.test_client()
    app.extensions["recommender.live"].stop()


def _metrics(client: FlaskClient) -> dict[str, float]:
    text = client.get("/metrics").get_data(as_text=True)
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.M)}


def _count(told: dict[str, float], route: str, status: int) -> float:
    return told.get(f'recommender_request_seconds_count{{method="GET",route="{route}",status="{status}"}}', 0.0)


def test_requests_are_counted_by_route_and_status_and_never_by_what_was_asked(client: FlaskClient) -> None:
    for path in (
        PATH,
        PATH,
        f"{PATH}?k=x",
        "/v1/articles/secret-name/related",
        "/v1/search?q=secret+words",
        "/secret-path",
    ):
        client.get(path)

    told = _metrics(client)

    related = "/v1/articles/<path:article_id>/related"
    assert [_count(told, related, status) for status in (200, 400, 404)] == [2, 1, 1]
    assert (_count(told, "/v1/search", 200), _count(told, "none", 404)) == (1, 1)
    assert told['recommender_kept_lists_total{outcome="hit"}'] == 1
    assert told['recommender_kept_lists_total{outcome="miss"}'] == 3
    assert "secret" not in client.get("/metrics").get_data(as_text=True)


def test_the_state_is_told(client: FlaskClient, published: Settings) -> None:
    withdraw(published, ["cup-final"])
    told = _metrics(client)
    names = (
        "ready",
        "problem",
        "rows",
        "snapshot_number",
        "change_number",
        "changed_rows",
        "withdrawn_rows",
        "encoder_waiting",
    )
    assert [told[f"recommender_{name}"] for name in names] == [1, 0, 7, 1, 2, 0, 1, 0]
    assert told["recommender_snapshot_age_seconds"] > 0


def test_without_an_index_the_metrics_say_so(settings: Settings) -> None:
    client = create_app(settings).test_client()
    assert _metrics(client)["recommender_ready"] == 0


@pytest.mark.parametrize("given", ["abc-1", "A.b_c"])
def test_a_requests_number_is_the_proxys(client: FlaskClient, given: str) -> None:
    for path in (PATH, "/healthz", "/nowhere"):
        assert client.get(path, headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "ключ".encode().decode("latin-1")])
def test_a_number_that_could_do_harm_is_replaced(client: FlaskClient, given: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", client.get(PATH, headers={"X-Request-Id": given}).headers["X-Request-Id"])


def test_the_log_has_a_line_a_request_and_nothing_of_who_asked_or_for_what(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "recommender.access"):
        client.get("/v1/search?q=secret+words", headers={"X-Request-Id": "n-1", "Authorization": "Bearer secret"})

    (line,) = (JsonLines().format(record) for record in caplog.records if record.name == "recommender.access")
    told = json.loads(line)
    assert {name: told[name] for name in ("request", "method", "route", "status", "level")} == {
        "request": "n-1", "method": "GET", "route": "/v1/search", "status": 200, "level": "info",
    }  # fmt: skip
    assert told["ms"] > 0
    (plain,) = (TextLines().format(record) for record in caplog.records if record.name == "recommender.access")
    assert " INFO recommender.access: answered request=n-1 method=GET route=/v1/search status=200 ms=" in plain
    assert "secret" not in line + plain
    assert "127.0.0.1" not in line


def test_a_log_line_is_one_line_whatever_it_says() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        record = logging.LogRecord("recommender", logging.ERROR, "", 1, "two\nlines %s", ("x",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "two\nlines x"
    assert "ValueError: a" in json.loads(line)["error"]


def test_every_answer_has_its_own_date_also_a_kept_one(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, date in ((0, "Thu, 01 Jan 1970 00:00:00 GMT"), (90, "Thu, 01 Jan 1970 00:01:30 GMT")):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: float(seconds))
        for path in (PATH, "/healthz", "/nowhere"):
            assert client.get(path).headers.getlist("Date") == [date]
        etag = client.get(PATH).headers["ETag"]
        assert client.get(PATH, headers={"If-None-Match": etag}).headers.getlist("Date") == [date]
