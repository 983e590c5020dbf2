from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import RECORDS, publish, settings_for, store, stories
from werkzeug.test import TestResponse

from recommender.answer import Options
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.fusion import shipped
from recommender.home import Home
from recommender.readers import article_from_record
from recommender.recommend import Recommender
from recommender.settings import RankingSettings, Settings
from recommender.trial.tune import write_model
from recommender.web import create_app

HOSTILE = '<script>alert("1")</script> & \'ferry\' harbour "></title>'
ODD_IDS = (
    "https://www.lindenpost.example/a?b=1&c=%2F#d",
    "with/slash//twice/",
    "/from/the/root",
    "//twice",
    "with space",
    "ümläut/ім'я",
    "a%2Fb",
    "..",
    "related",
)


@pytest.fixture(scope="module")
def client(shared: Settings) -> FlaskClient:
    return create_app(shared).test_client()


@pytest.fixture(scope="module")
def recommender(shared: Settings) -> Recommender:
    return Recommender.open(shared)


@pytest.fixture(scope="module")
def wide_client(wide: Settings) -> FlaskClient:
    return create_app(wide).test_client()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A newsroom with hostile headlines and ids that look like addresses and paths."""
    made = settings_for(tmp_path_factory.mktemp("odd") / "home")
    hostile = article_from_record(
        {
            "id": "hostile",
            "title": HOSTILE,
            "description": HOSTILE,
            "text": f"{HOSTILE}\n{{{{ 1234 * 567 }}}}",
            "section": HOSTILE,
            "authors": [HOSTILE],
            "published_at": "2025-03-14",
            "image_url": "javascript:alert(1)",
            "read_more": [{"title": f"{HOSTILE} stub", "url": "javascript:alert(1)"}, "Ferry of the harbour"],
        }
    )
    plain = Article("plain", "Ferry of the harbour", section=HOSTILE)
    store(made, [hostile, plain, *(Article(article_id, "Ferry of the harbour, again") for article_id in ODD_IDS)])
    publish(made)
    return create_app(made).test_client()


def _data(response: TestResponse) -> dict[str, Any]:
    data: dict[str, Any] = response.get_json()
    return data


def _error(response: TestResponse) -> dict[str, Any]:
    """Return what is inside the one shape in which every error is told."""
    assert response.mimetype == "application/json"
    assert list(_data(response)) == ["error"]
    error: dict[str, Any] = _data(response)["error"]
    assert set(error) <= {"type", "message", "suggestions", "problems"}
    assert isinstance(error["message"], str)
    assert error["message"]
    return error


def test_a_known_article_is_answered(client: FlaskClient, recommender: Recommender) -> None:
    response = client.get("/v1/articles/ferry-strike/related")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.json == json.loads(json.dumps(recommender.related("ferry-strike").as_dict()))


def test_an_address_is_answered_in_any_spelling(client: FlaskClient) -> None:
    by_id = client.get("/v1/articles/ferry-vote/related").json
    for url in ("https://www.lindenpost.example/business/ferry-vote", "http://lindenpost.example/business/ferry-vote/"):
        assert client.get("/v1/related", query_string={"url": url}).json == by_id


def test_an_article_in_the_body_is_answered_and_not_stored(client: FlaskClient, shared: Settings) -> None:
    record = {"id": "new", "title": "Night crossings resume", "read_more": ["Ferries stay in port as strike begins"]}
    response = client.post("/v1/related?k=2", json=record)
    assert response.status_code == 200
    assert _data(response)["results"][0]["id"] == "ferry-strike"
    assert client.get("/v1/articles/new/related").status_code == 404
    with Catalog(shared.home / "catalog.db") as catalog:
        assert catalog.article("new") is None


def test_a_free_text_is_answered(client: FlaskClient) -> None:
    response = client.get("/v1/search", query_string={"q": "penalties of the goalkeeper", "k": "1"})
    assert _data(response)["query"] == {"text": "penalties of the goalkeeper", "language": "en", "k": 1}
    assert [result["id"] for result in _data(response)["results"]] == ["cup-final"]


def test_the_service_tells_how_it_is(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000001"}
    status = _data(client.get("/v1/status"))
    assert status["problem"] is None
    assert list(status["snapshot"]) == ["name", "created_at", "encoder", "counts"]
    assert status["snapshot"]["counts"]["articles"] == 7


def test_every_response_is_hardened(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/v1/articles/nobody/related", "/nowhere"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("section=sport", {"cup-final"}),
        ("section=sport&section=politics", {"cup-final", "harbour-plan"}),
        ("language=DE", {"faehren"}),
        ("published_after=2025-03-20", {"ferry-deal"}),
        ("published_after=2025-03-20T10:00:00%2B01:00", {"ferry-deal"}),
        ("published_after=2025-03-20T10:00:00+01:00", {"ferry-deal"}),
        ("published_before=2025-03-01T00:00:00Z", {"harbour-plan"}),
        ("published_after=2025-03-20&published_before=9999-12-31T23:59:59-23:59", {"ferry-deal"}),
        ("stubs=0&exclude=undated&exclude=cup-final", {"ferry-strike", "ferry-deal", "harbour-plan"}),
        ("language=any&stubs=no", {str(record["id"]) for record in RECORDS} - {"ferry-vote"}),
        ("past_only=1", {"harbour-plan"}),
        ("raw=true&stubs=false", {str(record["id"]) for record in RECORDS} - {"ferry-vote"}),
    ],
)
def test_parameters_filter(client: FlaskClient, query: str, expected: set[str]) -> None:
    response = client.get(f"/v1/articles/ferry-vote/related?k=100&{query}")
    assert {result["id"] for result in _data(response)["results"]} == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=opinion", {"ferry-column"}),
        ("kind=opinion&kind=wire", {"ferry-column", "storm-wire"}),
        ("kind=live", set()),
        ("tag=ferry", {"storm"}),
        ("tag=ferry&kind=any", {"ferry-column", "storm"}),
        ("tag=comment&tag=weather&kind=any&collapse=0", {"ferry-column", "storm", "storm-wire"}),
        ("author=Anna+Berg&kind=any", {"ferry-column", "storm"}),
        ("author=Anna+Berg&author=Ole+Holm", {"storm"}),
        ("author=Ole+Holm&tag=comment&kind=any", set()),
        ("raw=1&tag=weather", {"storm", "storm-wire"}),
        ("raw=1&tag=weather&kind=wire", {"storm-wire"}),
    ],
)
def test_kind_tag_and_author_filter(wide_client: FlaskClient, query: str, expected: set[str]) -> None:
    for path in ("/v1/articles/ferry-vote/related?", "/v1/search?q=ferries+in+the+storm&"):
        response = wide_client.get(f"{path}k=100&{query}")
        assert (response.status_code, {result["id"] for result in _data(response)["results"]}) == (200, expected)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("ranker=dense", Options(ranker="dense")),
        ("ranker=fusion&freshness=0&feedback=0", Options(ranker="fusion", freshness=False, feedback=False)),
        ("ranker=lexical&collapse=no&kind=any", Options(ranker="lexical", collapse=False, kinds=())),
        ("diversity=2.5&floor=0.125", Options(diversity=2.5, floor=0.125)),
        ("diversity=0&floor=1", Options(floor=1.0)),
        ("raw=1&ranker=full&explain=1", Options(raw=True, explain=True)),
    ],
)
def test_each_way_of_ranking_is_the_librarys(
    wide: Settings, wide_client: FlaskClient, query: str, options: Options
) -> None:
    library = Recommender.open(wide)
    response = wide_client.get(f"/v1/articles/ferry-vote/related?{query}")
    assert response.json == json.loads(json.dumps(library.related("ferry-vote", options).as_dict()))


def test_a_parameter_wins_over_the_settings_and_the_settings_over_the_default(wide: Settings) -> None:
    own = RankingSettings(kinds=("news", "opinion"), collapse=False, k=100, past_only=True, same_language=False)
    client = create_app(wide.model_copy(update={"ranking": own})).test_client()

    def found(query: str) -> set[str]:
        response = client.get(f"/v1/articles/storm/related?{query}")
        return {result["id"] for result in _data(response)["results"]}

    everything = found("kind=any&past_only=0")
    assert {"ferry-column", "storm-wire", "faehren", "undated"} <= everything
    assert found("") == everything - {"storm-wire", "undated"}
    assert found("kind=any") == everything - {"undated"}
    assert found("kind=any&collapse=1") == everything - {"undated", "storm-wire"}
    assert found("kind=opinion") == {"ferry-column"}


def test_parts_come_when_they_are_asked_for(client: FlaskClient) -> None:
    answer = _data(client.get("/v1/articles/ferry-vote/related?explain=1&k=1"))
    (with_parts,) = answer["results"]
    assert sum(with_parts["parts"].values()) == pytest.approx(with_parts["score"], abs=1e-5)
    assert set(with_parts) - set(_data(client.get("/v1/articles/ferry-vote/related?k=1"))["results"][0]) == {
        "parts",
        "cosines",
        "probability",
        "relation",
        "sentences",
    }
    assert answer["hidden"] == []


def test_a_short_list_and_what_was_hidden_are_told(wide_client: FlaskClient) -> None:
    answer = _data(wide_client.get("/v1/articles/ferry-vote/related?k=100&kind=any&explain=1"))
    assert answer["short_reason"] == "nothing else in the archive passes the rules and filters"
    assert [hidden["id"] for hidden in answer["hidden"]] == ["storm-wire"]
    assert "short_reason" not in _data(wide_client.get("/v1/articles/ferry-vote/related?k=2"))
    empty = _data(wide_client.get("/v1/articles/ferry-vote/related?kind=live"))
    assert (empty["results"], empty["empty_reason"]) == ([], "nothing in the archive passes the rules and filters")
    assert "short_reason" not in empty


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("k=abc", "k: 'abc' is no whole number; give 1 to 1000"),
        ("k=", "k: '' is no whole number; give 1 to 1000"),
        ("k=--5", "k: '--5' is no whole number; give 1 to 1000"),
        ("k=-", "k: '-' is no whole number; give 1 to 1000"),
        ("k=٣", "k: '٣' is no whole number; give 1 to 1000"),
        ("k=1.5", "k: '1.5' is no whole number; give 1 to 1000"),
        ("k=" + "9" * 5000, f"k: '{'9' * 40}' is no whole number; give 1 to 1000"),
        ("k=0", "k: must be at least 1, it is 0"),
        ("k=-1", "k: must be at least 1, it is -1"),
        ("k=1000000000", "k: must be at most 1000, it is 1000000000"),
        ("limit=3", "limit: no such parameter; known are k, section, language, kind, tag, author, "),
        ("sectoin=sport", "sectoin: no such parameter; did you mean section?"),
        ("q=ferry", "q: no such parameter; known are k, "),
        ("section=sports", "section: 'sports' is not in this archive; its sections are business, politics, sport"),
        ("published_after=soon", "published_after: 'soon' is no date; write it like 2025-03-14 or 2025-03-14T09:30"),
        ("published_after=2025-03-14T09:30", "published_after: '2025-03-14T09:30' is no date; write it like"),
        ("published_before=2025-02-30", "published_before: '2025-02-30' is no date"),
        (
            "published_after=2025-03-02&published_before=2025-03-01",
            "published_after (2025-03-02T00:00:00+00:00) is not",
        ),
        ("past_only=perhaps", "past_only: 'perhaps' is neither 1 nor 0"),
        ("freshness=perhaps", "freshness: 'perhaps' is neither 1 nor 0"),
        ("collapse=", "collapse: '' is neither 1 nor 0"),
        ("kind=rumour", "kind: 'rumour' is none; kinds are news, opinion, wire, live, sponsored"),
        ("kind=News", "kind: 'News' is none; kinds are news, opinion, wire, live, sponsored"),
        ("tag=fery", "tag: 'fery' is not in this archive; its tags are none"),
        ("author=Ole", "author: 'Ole' is not in this archive; its authors are none"),
        ("tags=ferry", "tags: no such parameter; did you mean tag?"),
        ("ranker=best", "ranker: 'best' is none; rankers are full, fusion, dense, lexical"),
        ("ranker=" + "x" * 500, f"ranker: '{'x' * 40}' is none; rankers are full"),
        ("diversity=much", "diversity: 'much' is no number"),
        ("diversity=101", "diversity: must be 0 to 100, it is 101.0"),
        ("diversity=-1", "diversity: must be 0 to 100, it is -1.0"),
        ("diversity=" + "9" * 5000, f"diversity: '{'9' * 40}' is no number"),
        ("floor=1.5", "floor: is a probability, 0 to 1; it is 1.5"),
        ("floor=nan", "floor: 'nan' is no number"),
        ("floor=inf", "floor: 'inf' is no number"),
        ("floor=", "floor: '' is no number"),
        ("floor=٣", "floor: '٣' is no number"),
        ("&".join(["exclude=x"] * 201), "exclude: is given 201 times, at most 200 are taken"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(client: FlaskClient, query: str, message: str) -> None:
    response = client.get(f"/v1/articles/ferry-vote/related?{query}")
    error = _error(response)
    assert (response.status_code, error["type"]) == (400, "invalid_query")
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/related", "url: is missing; give the article's address, or use /v1/articles/{id}/related"),
        ("/v1/related?url=ferry-vote", "url: 'ferry-vote' is not an absolute http(s) address"),
        ("/v1/related?url=javascript:alert(1)", "url: 'javascript:alert(1)' is not an absolute http(s) address"),
        ("/v1/search", "the query is empty; give a few words or a whole text"),
        ("/v1/search?q=%00%20", "the query is empty; give a few words or a whole text"),
        (
            f"/v1/search?q={'x' * 5001}",
            "q: has 5,001 characters, at most 5,000 are taken; send a whole article to POST",
        ),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(client: FlaskClient, path: str, message: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert _error(response)["message"].startswith(message)


def test_an_unknown_article_is_404_with_the_nearest_titles(client: FlaskClient) -> None:
    response = client.get("/v1/articles/ferry-strik/related")
    error = _error(response)
    assert (response.status_code, error["type"]) == (404, "unknown_article")
    assert error["message"] == "no article has the id 'ferry-strik'"
    assert error["suggestions"][0] == {
        "article_id": "ferry-strike",
        "title": "Ferries stay in port as strike begins",
    }
    unknown = client.get("/v1/related?url=https://www.lindenpost.example/nowhere/at-all")
    assert (unknown.status_code, _error(unknown)["type"]) == (404, "unknown_article")


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/", "/v1/articles///related", "/%00"])
def test_an_unknown_path_is_404_in_the_same_shape(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert _error(response)["type"] in ("not_found", "unknown_article")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/search", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/v1/related", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, _error(response)["type"]) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is not JSON: Expecting value at column 1; is it cut off?"),
        (b"title: Ferry", "is not JSON: Expecting value at column 1; is it cut off?"),
        (b'{"title": "Ferry"', "is not JSON: Expecting ',' delimiter at column 18; is it cut off?"),
        (b"\xff", "is not UTF-8 (byte 0xff at 0); convert it first"),
        (b"[]", "a record must be a JSON object, this is a list"),
        (b"null", "a record must be a JSON object, this is null"),
        (b"{}", "title: is missing or empty; every article needs a headline"),
        (b'{"title": 7}', "title: must be a string, this is a number"),
        (b'{"title": "A", "published_at": "soon"}', "published_at: 'soon' is no date; write it like"),
        (b'{"title": "A", "id": "stub:x"}', "id: 'stub:x' begins with 'stub:', which is kept for links"),
        (b'{"title": "A", "n": ' + b"9" * 5000 + b"}", "is not JSON that can be read: "),
        (b"[" * 19_000, "is nested too deep to be an article"),
        (b'{"title":' * 2_000, "is nested too deep to be an article"),
    ],
)
def test_a_body_that_is_no_article_is_422_and_says_why(client: FlaskClient, body: bytes, message: str) -> None:
    response = client.post("/v1/related", data=body)
    error = _error(response)
    assert (response.status_code, error["type"]) == (422, "invalid_article")
    assert error["message"].startswith(message)


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    assert client.post("/v1/related", json={"title": "A", "text": "x" * 19_000}).status_code == 200
    response = client.post("/v1/related", json={"title": "A", "text": "x" * 20_000})
    assert (response.status_code, _error(response)["type"]) == (413, "too_large")


def test_half_characters_in_a_body_do_no_harm(client: FlaskClient) -> None:
    body = rb'{"title": "Ferry \ud800 strike", "tags": ["\udfff"], "read_more": ["\ud800"], "section": "\udc00"}'
    response = client.post("/v1/related", data=body)
    assert _data(response)["query"]["title"] == "Ferry \ufffd strike"
    response = client.post("/v1/related", data=rb'{"title": "A", "kind": "\ud800"}')
    assert response.status_code == 422


@pytest.mark.parametrize("article_id", ODD_IDS)
def test_an_id_may_be_an_address_or_a_path(odd: FlaskClient, article_id: str) -> None:
    response = odd.get(f"/v1/articles/{quote(article_id, safe='')}/related")
    assert (response.status_code, _data(response)["query"]["id"]) == (200, article_id)
    assert odd.get("/", query_string={"id": article_id}).status_code == 200


def test_a_list_leads_to_pages_that_exist(odd: FlaskClient) -> None:
    html = odd.get("/?id=plain").text
    links = [unescape(link) for link in re.findall(r'href="(/(?!static)[^"]*)"', html)]
    assert len(links) > len(ODD_IDS) // 2
    for link in links:
        assert odd.get(link).status_code == 200, link


def assert_no_script_but_our_own(html: str) -> None:
    """Hold a page to the one module in its head; the policy allows no other."""
    assert re.findall(r"<script.*?</script>", html, re.IGNORECASE | re.DOTALL) == [
        '<script type="module" src="/static/search.js"></script>'
    ]


@pytest.mark.parametrize("path", ["/?id=hostile", "/?id=plain", "/?q=ferry+harbour", "/?id=%3Cscript%3Ealert", "/"])
def test_hostile_words_are_shown_and_never_run(odd: FlaskClient, path: str) -> None:
    html = odd.get(path).text
    assert_no_script_but_our_own(html)
    assert "alert(&#34;1&#34;)" in html or "&lt;script&gt;alert" in html
    assert not re.search(r"(href|src)=\"?javascript:", html, re.IGNORECASE)
    assert str(1234 * 567) not in html


def test_a_hostile_search_is_shown_and_never_run(odd: FlaskClient) -> None:
    html = odd.get("/", query_string={"q": HOSTILE}).text
    assert_no_script_but_our_own(html)
    assert "&lt;script&gt;alert(" in html


def test_the_page_of_an_unknown_story_suggests_others(client: FlaskClient) -> None:
    response = client.get("/?id=ferry-strik")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "Ferries stay in port as strike begins" in response.text


def test_the_page_searches(client: FlaskClient) -> None:
    response = client.get("/?q=penalties+of+the+goalkeeper")
    assert response.status_code == 200
    assert "Linden Rovers reach the cup final after penalties" in response.text


def test_the_page_of_an_empty_archive_says_so(settings: Settings) -> None:
    store(settings, [])
    publish(settings)
    client = create_app(settings).test_client()
    response = client.get("/")
    assert response.status_code == 200
    assert "The archive is empty." in response.text
    assert _data(client.get("/v1/search?q=ferry"))["results"] == []
    assert client.get("/?q=ferry").status_code == 200


def test_the_page_works_without_the_catalog(published: Settings) -> None:
    (published.home / "catalog.db").unlink()
    response = create_app(published).test_client().get("/?id=ferry-strike")
    assert response.status_code == 200
    assert "Commuters of the east bank wait for buses." in response.text
    assert "No ferry left the harbour" not in response.text


ROUTES = (
    "/v1/articles/ferry-vote/related",
    "/v1/related?url=https://www.lindenpost.example/business/ferry-vote",
    "/v1/search?q=ferry",
    "/v1/status",
)


def test_the_service_waits_for_a_snapshot_and_then_serves_it(filled: Settings) -> None:
    client = create_app(filled).test_client()
    for path in ROUTES:
        response = client.get(path)
        assert response.status_code == 503
        error = _error(response)
        assert error["type"] == "no_snapshot"
        assert error["message"] == "no index has been published here yet"
    ready = client.get("/readyz")
    assert (ready.status_code, _data(ready)["status"]) == (503, "not ready")
    assert client.get("/").status_code == 503
    assert client.get("/healthz").status_code == 200
    publish(filled)
    assert [client.get(path).status_code for path in (*ROUTES, "/readyz", "/")] == [200] * 6


def test_a_new_snapshot_is_served_at_the_next_look(published: Settings) -> None:
    client = create_app(published).test_client()
    assert client.get("/v1/articles/new/related").status_code == 404
    store(published, [Article("new", "Ferry crews meet the council", language="en")])
    publish(published)
    response = client.get("/v1/articles/new/related")
    assert (response.status_code, _data(response)["snapshot"]) == (200, "s00000002")


_PIN = '[[pin]]\nunder = "ferry-vote"\nshow = ["cup-final"]\n'


def test_new_rules_of_the_desk_are_served_at_the_next_look(published: Settings) -> None:
    client = create_app(published).test_client()

    def first() -> tuple[str, str]:
        result = _data(client.get("/v1/articles/ferry-vote/related"))["results"][0]
        return result["id"], result["source"]

    before = first()
    rules = Home(published.home).rules
    rules.write_text(_PIN, encoding="utf-8")
    assert before != ("cup-final", "pinned") == first()
    rules.unlink()
    assert first() == before


def test_new_weights_are_served_at_the_next_look(published: Settings) -> None:
    client = create_app(published).test_client()

    def told() -> tuple[str, float]:
        data = _data(client.get("/v1/articles/ferry-vote/related"))
        return data["snapshot"], data["results"][0]["score"]

    before = told()
    model = shipped()
    write_model(
        replace(model, article=replace(model.article, dense=model.article.dense + 1)), published.home / "weights.json"
    )
    after = told()
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize(("name", "text"), [("rules.toml", "[[pin]]\nunder = 7 7\n"), ("weights.json", "{}")])
def test_rules_or_weights_that_cannot_be_read_keep_the_former_ones_and_readyz_tells(
    published: Settings, name: str, text: str
) -> None:
    Home(published.home).rules.write_text(_PIN, encoding="utf-8")
    client = create_app(published).test_client()
    former = client.get("/v1/articles/ferry-vote/related").json
    whole = (published.home / name).read_bytes() if (published.home / name).exists() else None
    (published.home / name).write_text(text, encoding="utf-8")
    assert client.get("/v1/articles/ferry-vote/related").json == former
    ready = client.get("/readyz")
    assert (ready.status_code, "problem" in _data(ready)) == (200, True)
    assert str(published.home.parent) not in ready.text
    if whole is None:
        (published.home / name).unlink()
    else:
        (published.home / name).write_bytes(whole)
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000001"}


@pytest.mark.parametrize(("name", "text"), [("rules.toml", "[[pin]]\nunder = 7 7\n"), ("weights.json", "{}")])
def test_a_service_started_over_rules_or_weights_that_cannot_be_read_is_not_ready(
    published: Settings, name: str, text: str
) -> None:
    (published.home / name).write_text(text, encoding="utf-8")
    client = create_app(published).test_client()
    response = client.get("/v1/articles/ferry-vote/related")
    assert (response.status_code, _error(response)["type"]) == (500, "misconfigured")
    assert str(published.home.parent) not in response.text
    assert client.get("/readyz").status_code == 503


def test_the_page_shows_the_list_that_the_service_answers_with(wide: Settings) -> None:
    own = RankingSettings(kinds=("news", "opinion"), past_only=True)
    client = create_app(wide.model_copy(update={"ranking": own})).test_client()
    answered = [result["id"] for result in _data(client.get("/v1/articles/storm/related"))["results"]]
    assert "ferry-column" in answered
    assert re.findall(r'class="result-title"[^>]*><a href="/\?id=([^"]+)"', client.get("/?id=storm").text) == answered


def test_the_service_looks_no_more_often_than_it_was_told(published: Settings) -> None:
    slow = published.model_copy(update={"serve": published.serve.model_copy(update={"poll_seconds": 3600})})
    client = create_app(slow).test_client()
    assert _data(client.get("/readyz"))["snapshot"] == "s00000001"
    publish(published)
    assert _data(client.get("/readyz"))["snapshot"] == "s00000001"


def test_a_damaged_new_snapshot_keeps_the_former_one_and_readyz_tells(published: Settings) -> None:
    client = create_app(published).test_client()
    former = client.get("/v1/articles/ferry-vote/related").json
    publish(published)
    path = published.home / "snapshots" / "s00000002" / "rows.npz"
    path.write_bytes(path.read_bytes()[:-1])
    assert client.get("/v1/articles/ferry-vote/related").json == former
    ready = client.get("/readyz")
    assert (ready.status_code, _data(ready)["snapshot"]) == (200, "s00000001")
    assert _data(ready)["problem"].startswith("the newest index cannot be served, the former one answers")
    assert _data(client.get("/v1/status"))["problem"] == _data(ready)["problem"]
    publish(published)
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000003"}


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff"])
def test_a_damaged_current_keeps_the_former_snapshot(published: Settings, damage: bytes) -> None:
    client = create_app(published).test_client()
    assert client.get("/readyz").status_code == 200
    (published.home / "CURRENT").write_bytes(damage)
    assert _data(client.get("/readyz"))["snapshot"] == "s00000001"
    assert _data(client.get("/readyz"))["problem"].startswith("the newest index cannot be served, the former one answ")


def test_a_service_started_over_a_damaged_snapshot_is_not_ready(published: Settings) -> None:
    (published.home / "snapshots" / "s00000001" / "names.json").unlink()
    client = create_app(published).test_client()
    response = client.get("/v1/articles/ferry-vote/related")
    assert (response.status_code, _error(response)["type"]) == (503, "snapshot_unavailable")
    assert client.get("/readyz").status_code == 503


def test_a_service_without_an_encoder_answers_for_known_articles_only(shared: Settings) -> None:
    client = create_app(settings_for(shared.home, model="none")).test_client()
    assert client.get("/v1/articles/ferry-vote/related").status_code == 200
    assert client.get("/").status_code == 200
    for response in (client.get("/v1/search?q=ferry"), client.post("/v1/related", json={"title": "Ferry"})):
        error = _error(response)
        assert (response.status_code, error["type"]) == (503, "encoder_disabled")
        assert "runs with encoder.model = 'none': it answers for known articles only" in error["message"]
    page = client.get("/?q=ferry")
    assert (page.status_code, page.mimetype) == (503, "text/html")


@pytest.mark.parametrize("damage", ["names.json", "manifest.json", "dense.faiss"])
def test_no_answer_names_a_path_of_this_machine(published: Settings, damage: str) -> None:
    (published.home / "snapshots" / "s00000001" / damage).write_bytes(b"x")
    client = create_app(published).test_client()
    for path in (*ROUTES, "/readyz", "/", "/?q=ferry"):
        response = client.get(path)
        assert response.status_code == 503
        assert str(published.home.parent) not in response.text
        assert damage not in response.text


def test_an_unforeseen_error_tells_nothing_of_itself(shared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Recommender, "related", fail)
    response = create_app(shared).test_client().get("/v1/articles/ferry-vote/related")
    assert (response.status_code, _error(response)["type"]) == (500, "internal")
    assert "secret" not in response.text


_TEXT = st.text(max_size=30) | st.sampled_from(
    ["1", "0", "-1", "--1", "2025-03-14", "2025-03-14T09:30:00+01:00", "0001-01-01T00:00:00+23:59", "any", "en", "T",
     "9999-12-31T23:59:59-23:59", "https://[::1", "https://a.example:99999999/x", "http://\u2100.example/", "ferry",
     "news", "wire", "dense", "lexical", "0.5", "1e9", "1_0"]
)  # fmt: skip
_NAME = st.sampled_from(
    (
        "k",
        "section",
        "language",
        "published_after",
        "exclude",
        "stubs",
        "past_only",
        "explain",
        "raw",
        "q",
        "url",
        "id",
        "kind",
        "tag",
        "author",
        "ranker",
        "freshness",
        "feedback",
        "collapse",
        "diversity",
        "floor",
    )
)
_PATH = st.sampled_from(
    [
        "/",
        "/embed",
        "/v1/search",
        "/v1/related",
        "/v1/related.html",
        "/v1/status",
        "/readyz",
        "/v1/articles/ferry-vote/related",
    ]
) | st.text(max_size=20).map(lambda text: f"/v1/articles/{quote(text, safe='')}/related")
_QUERY = st.lists(st.tuples(_NAME | _TEXT, _TEXT), max_size=3)


@examples(deadline=None, max_examples=100)
@given(
    path=_PATH | st.text(max_size=20).map(lambda text: "/" + quote(text)), query=_QUERY, method=st.sampled_from("GP")
)
def test_no_request_breaks_the_service(
    client: FlaskClient, path: str, query: list[tuple[str, str]], method: str
) -> None:
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    response = client.open(path, query_string=text, method={"G": "GET", "P": "POST"}[method])
    # 308: werkzeug sends "//" to "/"
    # 401: an article is shown to holders of a key
    assert response.status_code in (200, 304, 308, 400, 401, 404, 405, 422), response.text
    if response.status_code >= 400 and response.mimetype != "text/html":
        _error(response)


@examples(deadline=None, max_examples=100)
@given(path=_PATH, raw=st.binary(max_size=40))
def test_no_bytes_in_a_query_string_or_body_break_the_service(client: FlaskClient, path: str, raw: bytes) -> None:
    for response in (
        client.get(path, query_string=raw.decode("latin-1").replace("#", "")),
        client.post("/v1/related", data=raw),
    ):
        assert response.status_code in (200, 304, 400, 401, 404, 422), response.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_FIELD = st.sampled_from(
    [
        "id",
        "url",
        "image_url",
        "description",
        "text",
        "published_at",
        "language",
        "tags",
        "kind",
        "read_more",
        "section",
    ]
)


@examples(deadline=None, max_examples=100)
@given(fields=st.dictionaries(_FIELD, _JSON, max_size=5), title=_JSON | st.just("Ferry strike"))
def test_no_article_in_a_body_breaks_the_service(client: FlaskClient, fields: dict[str, Any], title: Any) -> None:
    response = client.post("/v1/related", data=json.dumps(fields | {"title": title}))
    assert response.status_code in (200, 422), response.text
    if response.status_code == 422:
        assert _error(response)["type"] == "invalid_article"


def test_answers_are_those_of_the_library_whatever_was_asked_before(
    client: FlaskClient, recommender: Recommender
) -> None:
    for article in stories() * 2:
        response = client.get(f"/v1/articles/{article.id}/related?k=3&language=any")
        assert response.json == recommender.related(article.id, Options(k=3, same_language=False)).as_dict()
