"""The OpenAPI document held against the application: its routes, its settings, and what it really answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from newsroom import RECORDS
from openapi_spec_validator import validate
from test_writing import KEY, STORY, _keep_key
from werkzeug.test import TestResponse

from recommender.answer import MAX_K, Options
from recommender.errors import QueryError
from recommender.settings import RankingSettings, Settings
from recommender.web import create_app
from recommender.web.contract.operations import operations
from recommender.web.docs import routes

Doc = dict[str, Any]
FOR_MACHINES = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")


@pytest.fixture
def app(published: Settings) -> Iterator[Flask]:
    _keep_key(published, "cms", "write")
    made = create_app(published)
    yield made
    made.extensions["recommender.live"].stop()


def _document(client: FlaskClient) -> Doc:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    told: Doc = answer.get_json()
    return told


def _strict(doc: Doc) -> Doc:
    """Return the document's components such that they allow no field that they do not name."""
    schemas = copy.deepcopy(doc["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return {"schemas": schemas}


def _hold(doc: Doc, answer: TestResponse, path: str) -> None:
    """Hold an answer against what the document says of it."""
    operation = doc["paths"][path][answer.request.method.lower()]
    told = operation["responses"][str(answer.status_code)]
    for name in told.get("headers", {}):
        assert name in answer.headers, name
    if "content" not in told:
        assert answer.data == b""
        return
    schema = told["content"][answer.mimetype]["schema"] | {"components": _strict(doc)}
    Draft202012Validator(schema).validate(answer.text if answer.mimetype.startswith("text/") else answer.json)


def test_the_document_is_one(client: FlaskClient) -> None:
    doc = _document(client)
    validate(doc)
    assert doc["openapi"] == "3.1.0"
    ids = [each["operationId"] for path in doc["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))
    assert all(each["summary"] for path in doc["paths"].values() for each in path.values())


def test_every_route_is_in_the_document_and_no_other(app: Flask, client: FlaskClient) -> None:
    served = {
        (route.path, method) for route in routes(app) if route.path.startswith(FOR_MACHINES) for method in route.methods
    }
    told = {(path, method) for path, each in _document(client)["paths"].items() for method in each}
    assert told == served


def test_nothing_is_told_of_an_endpoint_that_is_not_there(app: Flask, shared: Settings) -> None:
    assert set(operations(shared)) <= {route.endpoint for route in routes(app)}


def test_defaults_and_limits_are_those_of_the_settings(published: Settings) -> None:
    own = published.model_copy(
        update={
            "ranking": RankingSettings(k=7, floor=0.25, collapse=False, past_only=True),
            "serve": published.serve.model_copy(update={"max_query_chars": 77}),
        }
    )
    doc = _document(create_app(own).test_client())
    listed = {each["name"]: each["schema"] for each in doc["paths"]["/v1/search"]["get"]["parameters"]}
    defaults = {name: listed[name]["default"] for name in ("k", "floor", "collapse", "past_only", "ranker")}
    assert defaults == {"k": 7, "floor": 0.25, "collapse": False, "past_only": True, "ranker": "full"}
    assert listed["q"]["maxLength"] == 77


@pytest.mark.parametrize("name", ["k", "diversity", "floor"])
def test_the_bounds_told_are_those_that_are_held(client: FlaskClient, name: str) -> None:
    (schema,) = (
        each["schema"] for each in _document(client)["paths"]["/v1/search"]["get"]["parameters"] if each["name"] == name
    )
    assert schema["maximum"] == {"k": MAX_K, "diversity": 100, "floor": 1}[name]
    for bound, step in (("minimum", -1), ("maximum", 1)):
        Options(**{name: schema[bound]})
        with pytest.raises(QueryError, match=name):
            Options(**{name: schema[bound] + step})


def test_every_example_is_what_its_schema_says(client: FlaskClient) -> None:
    doc = _document(client)
    components = _strict(doc)
    n_held = 0
    for path in doc["paths"].values():
        for operation in path.values():
            for told in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in told.get("content", {}).values():
                    if "example" in content:
                        schema = content["schema"] | {"components": components}
                        Draft202012Validator(schema).validate(content["example"])
                        n_held += 1
            for parameter in operation["parameters"]:
                if "example" in parameter:
                    Draft202012Validator(parameter["schema"]).validate(parameter["example"])
    assert n_held > 15


def test_every_example_of_a_question_is_taken(client: FlaskClient) -> None:
    doc = _document(client)
    for path, method in (("/v1/related", "post"), ("/v1/pages", "post"), ("/v1/articles", "post")):
        (content,) = doc["paths"][path][method]["requestBody"]["content"].values()
        example = content["example"]
        raw = example if isinstance(example, str) else json.dumps(example)
        answer = client.open(path, method=method.upper(), data=raw, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200, answer.text


RELATED = "/v1/articles/{article_id}/related"
ARTICLE = "/v1/articles/{article_id}"
SLOTS = [{"name": "top", "k": 2, "explain": True}, {"name": "none", "kind": "live"}]
ASKED: tuple[tuple[int, str, str, str, Any], ...] = (
    (200, "GET", RELATED, "/v1/articles/ferry-vote/related", None),
    (200, "GET", RELATED, "/v1/articles/ferry-vote/related?explain=1&k=100&kind=any", None),
    (200, "GET", RELATED, "/v1/articles/ferry-vote/related?kind=live", None),
    (400, "GET", RELATED, "/v1/articles/ferry-vote/related?k=0&x=1", None),
    (404, "GET", RELATED, "/v1/articles/ferry-vot/related", None),
    (200, "GET", "/v1/related", f"/v1/related?url={RECORDS[0]['url']}", None),
    (400, "GET", "/v1/related", "/v1/related", None),
    (404, "GET", "/v1/related", "/v1/related?url=http://x.example/a", None),
    (200, "GET", f"{RELATED}.html", "/v1/articles/ferry-vote/related.html?heading=Mehr", None),
    (200, "GET", f"{RELATED}.html", "/v1/articles/ferry-vote/related.html?kind=live", None),
    (404, "GET", f"{RELATED}.html", "/v1/articles/nobody/related.html", None),
    (400, "GET", "/v1/related.html", "/v1/related.html", None),
    (200, "GET", "/v1/related.html", f"/v1/related.html?url={RECORDS[0]['url']}", None),
    (200, "POST", "/v1/related", "/v1/related?explain=1", RECORDS[1]),
    (422, "POST", "/v1/related", "/v1/related", {}),
    (413, "POST", "/v1/related", "/v1/related", {"title": "A", "text": "x" * 30_000}),
    (200, "GET", "/v1/search", "/v1/search?q=ferry+strike&explain=1", None),
    (400, "GET", "/v1/search", "/v1/search?q=", None),
    (200, "POST", "/v1/pages", "/v1/pages", {"id": "ferry-vote", "slots": SLOTS}),
    (200, "POST", "/v1/pages", "/v1/pages", {"article": RECORDS[0], "slots": SLOTS}),
    (400, "POST", "/v1/pages", "/v1/pages", {"slots": [{"name": "top", "k": "x"}]}),
    (404, "POST", "/v1/pages", "/v1/pages", {"id": "nobody", "slots": SLOTS}),
    (422, "POST", "/v1/pages", "/v1/pages", b"{"),
    (201, "PUT", ARTICLE, "/v1/articles/night", STORY),
    (200, "PUT", ARTICLE, "/v1/articles/ferry-vote", STORY),
    (422, "PUT", ARTICLE, "/v1/articles/night", {}),
    (200, "GET", ARTICLE, "/v1/articles/ferry-strike", None),
    (404, "GET", ARTICLE, "/v1/articles/nobody", None),
    (200, "DELETE", ARTICLE, "/v1/articles/ferry-strike", None),
    (404, "DELETE", ARTICLE, "/v1/articles/nobody", None),
    (200, "POST", "/v1/articles", "/v1/articles", b'{"id": "a", "title": "A"}\n{}'),
    (400, "POST", "/v1/articles", "/v1/articles", b""),
    (422, "POST", "/v1/articles", "/v1/articles", b"{}"),
    (200, "GET", "/healthz", "/healthz", None),
    (200, "GET", "/readyz", "/readyz", None),
    (200, "GET", "/v1/status", "/v1/status", None),
    (200, "GET", "/metrics", "/metrics", None),
    (200, "GET", "/openapi.json", "/openapi.json", None),
)


@pytest.mark.parametrize(
    ("status", "method", "path", "url", "body"), ASKED, ids=[f"{a[0]} {a[1]} {a[3]}" for a in ASKED]
)
def test_an_answer_is_what_the_document_says(
    client: FlaskClient, status: int, method: str, path: str, url: str, body: Any
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    data = None if body is None else raw
    answer = client.open(url, method=method, data=data, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == status, answer.text
    _hold(_document(client), answer, path)


def test_every_operation_is_among_what_is_held(client: FlaskClient) -> None:
    told = {(path, method.upper()) for path, each in _document(client)["paths"].items() for method in each}
    assert {(path, method) for _, method, path, _, _ in ASKED} == told


def test_who_shows_no_key_or_has_the_list_is_answered_as_told(client: FlaskClient) -> None:
    doc = _document(client)
    for method in ("GET", "PUT", "DELETE"):
        answer = client.open("/v1/articles/x", method=method)
        assert answer.status_code == 401
        _hold(doc, answer, ARTICLE)
    url = "/v1/articles/ferry-vote/related"
    answer = client.get(url, headers={"If-None-Match": client.get(url).headers["ETag"]})
    assert answer.status_code == 304
    _hold(doc, answer, RELATED)


def test_what_cannot_be_answered_is_told_as_the_document_says(settings: Settings) -> None:
    client = create_app(settings).test_client()
    doc = _document(client)
    for path, url in (
        (RELATED, "/v1/articles/x/related"),
        ("/v1/status", "/v1/status"),
        ("/v1/search", "/v1/search?q=x"),
    ):
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        _hold(doc, answer, path)
    _hold(doc, client.get("/readyz"), "/readyz")
