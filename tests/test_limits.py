"""How often one may ask: by key, by address, and nobody for what another did."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import NOW
from test_openapi import ARTICLE, RELATED, _document, _hold
from werkzeug.test import TestResponse

from recommender.home import Home
from recommender.keys import add_key
from recommender.settings import Settings
from recommender.web import create_app

PATH = "/v1/articles/ferry-vote/related"
Make = Callable[..., FlaskClient]


@pytest.fixture
def make(published: Settings) -> Make:
    """Makes a client of a service with limits."""

    def made(**serve: Any) -> FlaskClient:
        limited = published.serve.model_copy(update=serve)
        app: Flask = create_app(published.model_copy(update={"serve": limited}))
        return app.test_client()

    return made


def _statuses(client: FlaskClient, n: int, path: str = PATH, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(n)]


def _refused(answer: TestResponse) -> str:
    """Return the message of a refusal in the one shape."""
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    error = answer.get_json()["error"]
    assert error["type"] == "rate_limited"
    return str(error["message"])


def test_readers_have_no_limit_unless_one_is_set(make: Make) -> None:
    assert set(_statuses(make(), 200)) == {200}


def test_kept_lists_count_as_much_as_all_others(make: Make) -> None:
    client = make(reads_per_minute=3)
    assert _statuses(client, 5) == [200, 200, 200, 429, 429]
    answer = client.get("/v1/search?q=ferry")
    assert _refused(answer) == "too many requests from your address: 3 a minute are answered"
    assert int(answer.headers["Retry-After"]) <= 20
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refusal_is_what_the_document_says(make: Make) -> None:
    client = make(reads_per_minute=1)
    doc = _document(client)
    _hold(doc, client.get(PATH), RELATED)
    fragment = client.get(f"{PATH}.html")
    assert (fragment.status_code, fragment.data, fragment.mimetype) == (429, b"", "text/html")
    _hold(doc, fragment, f"{RELATED}.html")
    head = client.head(PATH)
    assert (head.status_code, head.data) == (429, b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_whoever_looks_after_the_service_is_never_refused(make: Make, path: str) -> None:
    client = make(reads_per_minute=1)
    _statuses(client, 3)
    assert set(_statuses(client, 5, path)) == {200}


def test_refusals_are_counted(make: Make) -> None:
    client = make(reads_per_minute=1)
    _statuses(client, 4)
    told = dict(re.findall(r'recommender_refused_requests_total\{limit="(\w+)"\} (\S+)', client.get("/metrics").text))
    assert told == {"reads": "3.0", "writes": "0.0", "wrong_keys": "0.0"}


def test_a_strangers_header_makes_nobody_another(make: Make) -> None:
    client = make(reads_per_minute=2)
    asked = [client.get(PATH, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(4)]
    assert asked == [200, 200, 429, 429]


def test_behind_a_proxy_every_reader_has_a_limit_of_his_own(make: Make) -> None:
    client = make(reads_per_minute=1, trusted_proxies=1)
    for n in range(4):
        assert client.get(PATH, headers={"X-Forwarded-For": f"6.6.6.{n}, 203.0.113.{n}"}).status_code == 200
    again = client.get(PATH, headers={"X-Forwarded-For": "6.6.6.200, 203.0.113.1"})
    assert again.status_code == 429, "what stands before the proxy's own entry makes nobody another"


def test_a_page_that_may_read_lists_may_read_that_it_asked_too_often(make: Make) -> None:
    client = make(reads_per_minute=1, cors_origins=("https://www.example.org",))
    _statuses(client, 1)
    answer = client.get(PATH, headers={"Origin": "https://www.example.org"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (429, "https://www.example.org")
    assert "Access-Control-Allow-Origin" not in client.get(PATH, headers={"Origin": "https://evil.example"}).headers
    post = client.post("/v1/related", json={"title": "A"}, headers={"Origin": "https://www.example.org"})
    assert (post.status_code, "Access-Control-Allow-Origin" in post.headers) == (429, False)


def test_each_key_has_a_limit_and_reading_is_none_of_it(make: Make, published: Settings) -> None:
    keys = [add_key(Home(published.home).keys, name, "write", now=NOW) for name in ("cms", "agency")]
    client = make(writes_per_minute=2, reads_per_minute=50)
    doc = _document(client)

    def put(key: str, n: int) -> TestResponse:
        return client.put(f"/v1/articles/a{n}", json={"title": "A"}, headers={"Authorization": f"Bearer {key}"})

    assert [put(keys[0], n).status_code for n in range(4)] == [201, 201, 429, 429]
    refused = put(keys[0], 9)
    assert _refused(refused) == "too many requests from this key: 2 a minute are answered"
    _hold(doc, refused, ARTICLE)
    assert put(keys[1], 1).status_code == 200
    assert set(_statuses(client, 10)) == {200}


def test_wrong_keys_are_refused_and_a_good_one_from_there_is_not(make: Make, published: Settings) -> None:
    key = add_key(Home(published.home).keys, "cms", "write", now=NOW)
    client = make(wrong_keys_per_minute=3)
    asked = _statuses(client, 5, "/v1/articles/ferry-vote", Authorization="Bearer nrk_guess")
    assert asked == [401, 401, 401, 429, 429]
    answer = client.get("/v1/articles/ferry-vote")
    assert _refused(answer) == "too many requests without a good key from your address: 3 a minute are answered"
    good = client.get("/v1/articles/ferry-vote", headers={"Authorization": f"Bearer {key}"})
    assert good.status_code == 200
    assert _statuses(client, 1) == [200], "and readers there read on"


def test_wrong_keys_have_a_limit_where_nothing_is_set(make: Make) -> None:
    asked = _statuses(make(), 40, "/v1/articles/ferry-vote")
    assert (asked.count(401), asked.count(429)) == (30, 10)


def test_zero_is_no_limit(make: Make, published: Settings) -> None:
    client = make(wrong_keys_per_minute=0, writes_per_minute=0)
    assert set(_statuses(client, 60, "/v1/articles/ferry-vote")) == {401}
    key = add_key(Home(published.home).keys, "cms", "write", now=NOW)
    assert set(_statuses(client, 60, "/v1/articles/ferry-vote", Authorization=f"Bearer {key}")) == {200}
