"""Articles written over HTTP: kept when the answer says so, answered from by every worker, refused without a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender import keys
from recommender.catalog import Catalog
from recommender.home import Home
from recommender.recommend import Live
from recommender.settings import Settings
from recommender.web import create_app

KEY = "a-key-of-the-newsroom"
STORY = {
    "title": "Ferry crews on the night shift: what the strike was about",
    "text": "Two sailors on every night crossing of the harbour ferries, that is what the crews wanted from the strike.",
    "published_at": "2025-04-01T12:00:00+00:00",
    "language": "en",
}


@pytest.fixture
def keyed(published: Settings) -> Settings:
    """A home with one write key."""
    _keep_key(published, "cms", "write")
    return published


def _keep_key(made: Settings, name: str, scope: str) -> None:
    key = keys.Key(name, scope, hashlib.sha256(KEY.encode()).hexdigest(), "2025-04-01T12:00:00+00:00")
    keys._write(Home(made.home).keys, [key])


@pytest.fixture
def client(keyed: Settings) -> Iterator[FlaskClient]:
    """Of one worker, with a key; another worker is :func:`other`."""
    yield from _client(keyed)


@pytest.fixture
def other(keyed: Settings) -> Iterator[FlaskClient]:
    """Of another worker of the same home."""
    yield from _client(keyed)


def _client(made: Settings) -> Iterator[FlaskClient]:
    app = create_app(made)
    live: Live = app.extensions["recommender.live"]
    yield app.test_client()
    live.stop()


def _send(client: FlaskClient, method: str, path: str, body: object = None, key: str = KEY) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.open(path, method=method, data=b"" if body is None else raw, headers=headers)


def _ids(client: FlaskClient, article_id: str) -> set[str]:
    answer = client.get(f"/v1/articles/{article_id}/related?k=50&kind=any&floor=0").json
    assert answer is not None
    return {result["id"] for result in answer["results"]}


def _stored(made: Settings, article_id: str) -> bool:
    with Catalog(Home(made.home).catalog) as catalog:
        return catalog.article(article_id) is not None


def test_an_article_is_put_read_changed_and_withdrawn(client: FlaskClient, keyed: Settings) -> None:
    first = _send(client, "PUT", "/v1/articles/night", STORY)
    again = _send(client, "PUT", "/v1/articles/night", STORY)
    changed = _send(client, "PUT", "/v1/articles/night", STORY | {"title": "Another headline"})

    assert [each.status_code for each in (first, again, changed)] == [201, 200, 200]
    assert [each.json["outcome"] for each in (first, again, changed)] == ["new", "unchanged", "changed"]
    assert first.json["change"] == again.json["change"] < changed.json["change"]
    read = _send(client, "GET", "/v1/articles/night").json
    assert (read["title"], read["published_at"]) == ("Another headline", STORY["published_at"])
    gone = _send(client, "DELETE", "/v1/articles/night")
    assert (gone.status_code, gone.json["outcome"]) == (200, "withdrawn")
    assert not _stored(keyed, "night")
    for method in ("DELETE", "GET"):
        answer = _send(client, method, "/v1/articles/night")
        assert (answer.status_code, answer.json["error"]["type"]) == (404, "unknown_article")


@pytest.mark.parametrize("article_id", ["/from/the/root", "//twice", "/related", "/"])
def test_an_id_may_begin_with_a_slash(client: FlaskClient, keyed: Settings, article_id: str) -> None:
    path = f"/v1/articles/{quote(article_id, safe='')}"
    assert _send(client, "PUT", path, STORY).status_code == 201
    assert _send(client, "GET", path).json["id"] == article_id
    assert _send(client, "DELETE", path).json["outcome"] == "withdrawn"
    assert not _stored(keyed, article_id)


def test_what_was_read_can_be_put_back(client: FlaskClient) -> None:
    read = _send(client, "GET", "/v1/articles/ferry-strike").json

    assert _send(client, "PUT", "/v1/articles/ferry-strike", read).json["outcome"] == "unchanged"


def test_a_withdrawn_article_is_in_no_answer_of_any_worker(client: FlaskClient, other: FlaskClient) -> None:
    for worker in (client, other):
        assert "ferry-vote" in _ids(worker, "ferry-strike")

    _send(client, "DELETE", "/v1/articles/ferry-vote")

    for worker in (other, client):
        assert "ferry-vote" not in _ids(worker, "ferry-strike")
        assert worker.get("/v1/articles/ferry-vote/related").status_code == 404


def test_a_batch_takes_the_good_and_names_the_others(client: FlaskClient, keyed: Settings) -> None:
    lines = [
        json.dumps(STORY | {"id": "night"}).encode(),
        b"{broken",
        b'{"id": "no-title"}',
        json.dumps(STORY | {"id": "night", "title": "Twice"}).encode(),
        json.dumps(STORY | {"id": "day"}).encode(),
    ]

    answer = _send(client, "POST", "/v1/articles", b"\n".join(lines))

    assert answer.status_code == 200
    counts = {name: answer.json[name] for name in ("new", "changed", "unchanged", "refused")}
    assert counts == {"new": 2, "changed": 0, "unchanged": 0, "refused": 3}
    assert [refusal["line"] for refusal in answer.json["refusals"]] == [2, 3, 4]
    assert _stored(keyed, "night")
    assert _stored(keyed, "day")
    assert _send(client, "POST", "/v1/articles", b"\n".join(lines)).json["unchanged"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PUT", "/v1/articles/x", b"[]", 422, "the body is no JSON object; send one article"),
        (
            "PUT",
            "/v1/articles/x",
            {"id": "y", "title": "T"},
            422,
            "id: the body says 'y', the address 'x'; leave it out",
        ),
        ("PUT", "/v1/articles/x", {}, 422, "title"),
        ("PUT", "/v1/articles/line%0Abreak", {"title": "T"}, 422, "id: 'line\\\\nbreak' has control characters"),
        ("PUT", "/v1/articles/x", b"{", 422, "JSON"),
        ("PUT", "/v1/articles/x", STORY | {"status": " Draft"}, 422, "status: says draft; an article is taken away by"),
        ("POST", "/v1/articles", STORY | {"status": "draft"}, 422, "status: says draft; an article is taken away by"),
        ("POST", "/v1/articles", b"", 400, "the body is empty"),
        ("POST", "/v1/articles", b"\n\n", 400, "the body is empty"),
        ("POST", "/v1/articles", b"[1]", 422, ""),
    ],
)
def test_what_is_no_article_is_refused(
    client: FlaskClient, method: str, path: str, body: object, status: int, message: str
) -> None:
    answer = _send(client, method, path, body)

    assert answer.status_code == status
    assert message in json.dumps(answer.json, ensure_ascii=False)


def test_a_record_that_says_it_is_withdrawn_changes_nothing_and_other_words_mean_nothing(
    client: FlaskClient, keyed: Settings
) -> None:
    assert _send(client, "PUT", "/v1/articles/night", STORY | {"status": "published"}).status_code == 201
    told = _send(client, "PUT", "/v1/articles/night", {"title": "Other", "status": "withdrawn"})

    assert (told.status_code, told.json["error"]["type"]) == (422, "invalid_article")
    assert _send(client, "GET", "/v1/articles/night").json["title"] == STORY["title"]


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", "ключ"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/articles/x"),
        ("GET", "/v1/articles/ferry-vote"),
        ("DELETE", "/v1/articles/ferry-vote"),
        ("POST", "/v1/articles"),
    ],
)
def test_without_a_key_nothing_is_written_or_read(
    client: FlaskClient, keyed: Settings, method: str, path: str, key: str
) -> None:
    answer = _send(client, method, path, STORY, key.encode().decode("latin-1"))

    assert (answer.status_code, answer.json["error"]["type"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert _stored(keyed, "ferry-vote")
    assert not _stored(keyed, "x")


def test_a_desk_key_opens_no_write_route(client: FlaskClient, keyed: Settings) -> None:
    _keep_key(keyed, "desk", "desk")
    assert _send(client, "PUT", "/v1/articles/x", STORY).status_code == 401


def test_keys_that_others_may_read_open_nothing_and_strangers_are_not_told_where_they_lie(
    client: FlaskClient, keyed: Settings
) -> None:
    Home(keyed.home).keys.chmod(0o644)
    answer = _send(client, "PUT", "/v1/articles/x", STORY)
    assert (answer.status_code, answer.json["error"]["type"]) == (500, "misconfigured")
    assert "keys.json" not in answer.json["error"]["message"]
    assert not _stored(keyed, "x")


def test_a_home_without_keys_says_how_to_make_one(published: Settings) -> None:
    for client in _client(published):
        message = _send(client, "PUT", "/v1/articles/x", STORY).json["error"]["message"]
        assert "this home has no keys yet: recommender keys add NAME --scope write" in message


def test_a_batch_may_be_larger_than_an_article_and_has_a_bound(keyed: Settings) -> None:
    bounded = keyed.model_copy(update={"serve": keyed.serve.model_copy(update={"max_batch_bytes": 50_000})})
    line = json.dumps(STORY | {"text": "word " * 6_000, "id": "long"}).encode()
    for client in _client(bounded):
        assert _send(client, "PUT", "/v1/articles/long", line).status_code == 413
        assert _send(client, "POST", "/v1/articles", line).status_code == 200
        assert _send(client, "POST", "/v1/articles", line * 2).status_code == 413


def test_while_the_catalog_is_replaced_writers_are_told_to_wait(client: FlaskClient, keyed: Settings) -> None:
    with Home(keyed.home).replacing():
        answer = _send(client, "PUT", "/v1/articles/x", STORY)
    assert (answer.status_code, answer.json["error"]["type"]) == (503, "busy")


def test_status_tells_what_lies_over_the_snapshot(client: FlaskClient) -> None:
    _send(client, "DELETE", "/v1/articles/cup-final")
    status = client.get("/v1/status").json
    assert status is not None
    assert status["live"] == {"change": 2, "changed": 0, "gone": 1, "waiting": 0}


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_breaks_the_write_routes(client: FlaskClient, body: bytes) -> None:
    for method, path in (("PUT", "/v1/articles/x"), ("POST", "/v1/articles")):
        assert _send(client, method, path, body).status_code in (200, 201, 400, 422)
