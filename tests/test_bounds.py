"""What strangers send has bounds: bodies in bytes, time and depth, batches, query strings, headers; and every answer is hardened."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_openapi import _document, _hold

from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.contract.parameters import MAX_GIVEN

STORY = b'{"title": "Night crossings of the harbour ferries resume"}'


class SlowBody:
    """A body of which a part comes at once and the rest when it is let."""

    def __init__(self, first: bytes, rest: bytes = b"") -> None:
        self._parts = [first, rest]
        self.go = threading.Event()

    def read(self, _: int = -1) -> bytes:
        if len(self._parts) == 1:
            self.go.wait(timeout=30)
        return self._parts.pop(0) if self._parts else b""


def _post(client: FlaskClient, body: Any, length: int | None) -> Any:
    told = {} if length is None else {"CONTENT_LENGTH": str(length)}
    base = {"wsgi.input": body, "wsgi.input_terminated": True}
    return client.post("/v1/related", environ_overrides=base | told)


def test_a_body_that_comes_in_pieces_is_taken_whole(client: FlaskClient) -> None:
    slow = SlowBody(STORY[:5], STORY[5:])
    slow.go.set()
    assert _post(client, slow, len(STORY)).status_code == 200


@pytest.mark.parametrize("length", [len(STORY) + 1, 19_000])
def test_a_body_that_ends_early_is_refused(client: FlaskClient, length: int) -> None:
    slow = SlowBody(STORY)
    slow.go.set()
    answer = _post(client, slow, length)
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (400, "bad_request")
    assert answer.get_json()["error"]["message"] == f"the body ends after {len(STORY)} of {length:,} bytes"
    _hold(_document(client), answer, "/v1/related")


def test_a_body_of_untold_length_has_the_same_bound(client: FlaskClient) -> None:
    """As it comes with ``Transfer-Encoding: chunked``."""
    for size, status in ((20_000, 200), (20_001, 413), (90_000, 413)):
        story = b'{"title": "Night crossings", "text": "%s"}'
        assert _post(client, io.BytesIO(story % (b"x" * (size + 2 - len(story)))), None).status_code == status


def test_half_of_the_threads_never_wait_for_those_who_send_slowly(published: Settings) -> None:
    serve = published.serve.model_copy(update={"threads": 4, "at_once": 1})
    client = create_app(published.model_copy(update={"serve": serve})).test_client()
    slow = [SlowBody(STORY[:5], STORY[5:]) for _ in range(2)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda each=each: answers.append(_post(client, each, len(STORY)).status_code))
        for each in slow
    ]
    for thread in threads:
        thread.start()
    while any(len(each._parts) == 2 for each in slow):
        threads[0].join(0.01)
    refused = client.post("/v1/related", data=STORY)
    assert client.get("/v1/search?q=ferry").status_code == 200, "who waits for a body keeps nobody from his turn"
    for each in slow:
        each.go.set()
    for thread in threads:
        thread.join()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.get_json()["error"]["type"] == "busy"
    _hold(_document(client), refused, "/v1/related")
    assert answers == [200, 200]
    assert client.post("/v1/related", data=STORY).status_code == 200


def test_so_many_are_worked_on_at_once_and_kept_lists_go_out_beside_them(published: Settings) -> None:
    path = "/v1/articles/ferry-vote/related"
    serve = published.serve.model_copy(update={"at_once": 1})
    app = create_app(published.model_copy(update={"serve": serve}))
    begun, go, answers = threading.Semaphore(0), threading.Event(), list[int]()

    def slow() -> str:
        begun.release()
        go.wait(timeout=30)
        return "done"

    app.add_url_rule("/slow", view_func=slow)
    app.test_client().get(path)
    threads = [
        threading.Thread(target=lambda: answers.append(app.test_client().get("/slow").status_code)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=30)
    assert app.test_client().get(path).status_code == 200
    assert not begun.acquire(timeout=0.1), "the second waits for the first"
    go.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]


def test_nesting_just_under_what_can_be_read_is_no_fault_of_ours(client: FlaskClient) -> None:
    for depth in range(860, 1000, 4):
        for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
            nested = opened * depth + b"1" + closed * depth
            for path, body in (
                ("/v1/related", b'{"title": %s}' % nested),
                ("/v1/related", b'{"title": "A", "x": %s}' % nested),
                ("/v1/pages", b'{"id": "ferry-vote", "slots": [{"name": "a", "exclude": %s}]}' % nested),
            ):
                assert client.post(path, data=body).status_code in (200, 400, 422)


def test_a_query_string_has_bounds_in_names_and_values(client: FlaskClient) -> None:
    many = "&".join(f"unknown{n}=1" for n in range(3_000))
    answer = client.get(f"/v1/search?q=ferry&{many}")
    assert (answer.status_code, len(answer.get_json()["error"]["problems"])) == (400, 20)
    assert len(answer.data) < 20_000
    several = "&".join("exclude=a" for _ in range(MAX_GIVEN + 1))
    assert client.get(f"/v1/search?q=ferry&{several}").status_code == 400
    assert client.get(f"/v1/search?q={'x' * 5_001}").status_code == 400
    assert client.get(f"/v1/articles/{'x' * 5_000}/related").status_code == 404


ANSWERS = (
    (200, "GET", "/v1/articles/ferry-vote/related"),
    (200, "GET", "/v1/articles/ferry-vote/related"),  # kept
    (200, "HEAD", "/v1/articles/ferry-vote/related"),
    (200, "GET", "/v1/articles/ferry-vote/related.html"),
    (400, "GET", "/v1/articles/ferry-vote/related.html?k=x"),
    (200, "GET", "/v1/search?q=ferry"),
    (200, "POST", "/v1/related"),
    (400, "POST", "/v1/pages"),
    (401, "PUT", "/v1/articles/a"),
    (404, "GET", "/nowhere"),
    (405, "DELETE", "/healthz"),
    (200, "OPTIONS", "/v1/search"),
    (200, "GET", "/"),
    (200, "GET", "/?q=ferry"),
    (200, "GET", "/embed"),
    (200, "GET", "/docs"),
    (200, "GET", "/openapi.json"),
    (200, "GET", "/widget.js"),
    (200, "GET", "/metrics"),
    (404, "GET", "/static/../nowhere"),
)


@pytest.mark.parametrize("query", ["q=\xff", "q=ferry&k=\xff", "\xc3\x28=1"])
@pytest.mark.parametrize(
    "path", ["/v1/search", "/v1/articles/ferry-strike/related", "/v1/articles/ferry-strike/related.html"]
)
def test_a_query_string_that_is_no_text_is_refused(client: FlaskClient, path: str, query: str) -> None:
    response = client.get(path, environ_overrides={"QUERY_STRING": query})
    assert response.status_code == 400
    assert path.endswith(".html") or "is not UTF-8" in response.get_json()["error"]["message"]


def test_every_answer_is_hardened(client: FlaskClient) -> None:
    for status, method, path in ANSWERS:
        answer = client.open(path, method=method, data=STORY if method == "POST" else None)
        assert answer.status_code == status, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
    etag = client.get(ANSWERS[0][2]).headers["ETag"]
    unchanged = client.get(ANSWERS[0][2], headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.headers["X-Content-Type-Options"]) == (304, "nosniff")


def test_an_unforeseen_error_is_hardened_and_tells_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ValueError("/srv/secret/path")

    monkeypatch.setattr(app.extensions["recommender.live"], "status", broken)
    answer = app.test_client().get("/v1/status")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert json.loads(answer.data)["error"]["type"] == "internal"
