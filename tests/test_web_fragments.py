"""The list as HTML over HTTP: what it holds, and that nothing else ever gets into a page that takes it in."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from newsroom import publish, store
from werkzeug.test import TestResponse

from recommender.answer import Options
from recommender.fragment import fragment
from recommender.readers import article_from_record
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.web import create_app

HOSTILE = '<script>alert("1")</script> & \'ferry\' harbour "></title><!--'
BY_ID = "/v1/articles/ferry-strike/related.html"
BY_URL = "/v1/related.html?url=https://www.lindenpost.example/business/ferry-strike"


@pytest.fixture(scope="module")
def client(shared: Settings) -> FlaskClient:
    return create_app(shared).test_client()


def _ids(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<li [^>]*data-id="([^"]*)"', html)]


def _is_empty(response: TestResponse) -> bool:
    return (response.mimetype, response.get_data()) == ("text/html", b"")


def test_it_is_the_fragment_that_an_export_writes(client: FlaskClient, shared: Settings) -> None:
    answer = Recommender.open(shared).related("ferry-strike")
    for path in (BY_ID, BY_URL):
        response = client.get(path)
        assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
        assert response.text == fragment(answer)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("query", ["", "k=1", "k=100&language=any", "stubs=0&section=business", "raw=1&ranker=dense"])
def test_stories_and_order_are_those_of_the_json(client: FlaskClient, query: str) -> None:
    told: Any = client.get(f"/v1/articles/ferry-strike/related?{query}").json
    assert told["results"]
    assert _ids(client.get(f"{BY_ID}?{query}").text) == [story["id"] for story in told["results"]]
    assert _ids(client.get(f"{BY_URL}&{query}").text) == [story["id"] for story in told["results"]]


def test_the_heading_is_the_pages_own(client: FlaskClient) -> None:
    assert '<h2 class="related-heading">Read more</h2>' in client.get(f"{BY_ID}?heading=Read+more").text
    assert "<h2" not in client.get(f"{BY_ID}?heading=").text
    assert "<script" not in client.get(BY_ID, query_string={"heading": HOSTILE}).text


def test_an_article_without_recommendations_puts_nothing_into_the_page(client: FlaskClient) -> None:
    for path in (f"{BY_ID}?kind=live", f"{BY_URL}&kind=live"):
        response = client.get(path)
        assert response.status_code == 200
        assert _is_empty(response)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/articles/nobody/related.html", 404),
        (f"/v1/articles/{quote('<script>', safe='')}/related.html", 404),
        ("/v1/related.html?url=https://www.lindenpost.example/nowhere", 404),
        ("/v1/related.html", 400),
        ("/v1/related.html?url=javascript:alert(1)", 400),
        (f"{BY_ID}?k=many", 400),
        (f"{BY_ID}?%3Cscript%3E=1", 400),
        (f"{BY_ID}?url=x", 400),
    ],
)
def test_an_error_puts_nothing_into_the_page_either(client: FlaskClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert _is_empty(response)
    assert client.get(path.replace(".html", "")).status_code == status


def test_before_the_first_index_there_is_nothing_and_503_tells(filled: Settings) -> None:
    response = create_app(filled).test_client().get(BY_ID)
    assert response.status_code == 503
    assert _is_empty(response)


def test_an_unforeseen_error_puts_nothing_into_the_page(shared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Recommender, "related", fail)
    response = create_app(shared).test_client().get(BY_ID)
    assert response.status_code == 500
    assert _is_empty(response)


@pytest.mark.parametrize(
    "article_id", ["https://a.example/b?c=1&d=%2F#e", "with/slash//twice/", "related.html", "x/related"]
)
def test_hostile_words_and_odd_ids_stay_what_they_are(settings: Settings, article_id: str) -> None:
    record = {
        "id": "hostile",
        "title": HOSTILE,
        "section": HOSTILE,
        "language": "ar",
        "read_more": [{"title": f"{HOSTILE} stub", "url": "javascript:alert(1)"}, "Ferry of the harbour"],
    }
    store(
        settings,
        [article_from_record(record), article_from_record({"id": article_id, "title": "Ferry of the harbour"})],
    )
    publish(settings)
    client = create_app(settings).test_client()

    found = client.get("/v1/articles/hostile/related.html").text
    assert article_id in _ids(found)
    listing = client.get(f"/v1/articles/{quote(article_id, safe='')}/related.html?language=any").text
    assert _ids(listing)[0] == "hostile"
    assert 'lang="ar"' in listing
    for html in (found, listing):
        assert not re.search(r"<script|<!--|javascript:", html, re.IGNORECASE)
        assert set(re.findall(r"<(\w+)", html)) <= {"aside", "h2", "ol", "li", "a", "span", "p", "bdi", "time"}


def test_an_exact_list_is_asked_for_like_in_python(shared: Settings, client: FlaskClient) -> None:
    answer = Recommender.open(shared).related("ferry-vote", Options(k=2, past_only=True, collapse=False))
    html = client.get("/v1/articles/ferry-vote/related.html?k=2&past_only=1&collapse=0").text
    assert html == fragment(answer)
