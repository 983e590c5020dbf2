"""A page's slots over HTTP: no story twice, every wrong field named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import RECORDS
from werkzeug.test import TestResponse

from recommender.answer import Options
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.web import create_app

COPIES = {"storm", "storm-wire"}


@pytest.fixture(scope="module")
def client(wide: Settings) -> FlaskClient:
    return create_app(wide).test_client()


def _ask(client: FlaskClient, body: object) -> TestResponse:
    return client.post("/v1/pages", data=body if isinstance(body, bytes) else json.dumps(body))


def _ids(answer: TestResponse) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.text
    slots: dict[str, Any] = answer.json["slots"]  # type: ignore[index]
    return {name: [result["id"] for result in slot["results"]] for name, slot in slots.items()}


def _problems(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json["error"]  # type: ignore[index]
    assert error["type"] == "invalid_query"
    return {problem["parameter"]: problem["message"] for problem in error.get("problems", ())}


def test_the_first_slot_is_the_list_and_the_next_goes_on_from_there(client: FlaskClient, wide: Settings) -> None:
    slots = [{"name": "top", "k": 2}, {"name": "more", "k": 2}]
    answer = _ask(client, {"id": "ferry-vote", "slots": slots})
    listed = [each.id for each in Recommender.open(wide).related("ferry-vote", Options(k=4)).results]
    assert _ids(answer) == {"top": listed[:2], "more": listed[2:]}
    told: dict[str, Any] = answer.json  # type: ignore[assignment]
    assert list(told) == ["query", "slots", "snapshot"]
    assert told["query"] == {"id": "ferry-vote", "title": RECORDS[0]["title"], "language": "en"}
    assert told["slots"]["top"]["k"] == 2


def test_an_article_is_named_by_id_or_address_or_sent_along(client: FlaskClient) -> None:
    slots = [{"name": "top", "k": 3, "kind": "any"}]
    by_id = _ask(client, {"id": "ferry-vote", "slots": slots}).json
    assert _ask(client, {"url": RECORDS[0]["url"], "slots": slots}).json == by_id
    sent = _ask(client, {"article": RECORDS[0], "slots": slots})
    assert "ferry-vote" not in _ids(sent)["top"]
    assert sent.json["query"]["title"] == RECORDS[0]["title"]  # type: ignore[index]


def test_a_slot_takes_the_filters_of_a_list(client: FlaskClient) -> None:
    slots = [
        {"name": "sport", "section": ["sport"], "k": 9},
        {"name": "wire", "kind": ["wire", "opinion"], "k": 9},
        {"name": "none", "kind": "live"},
        {"name": "old", "published_before": "2025-03-01", "stubs": False, "floor": 0},
    ]
    answer = _ask(client, {"id": "ferry-vote", "slots": slots})
    found = _ids(answer)
    assert set(found.pop("wire")) == {"storm-wire", "ferry-column"}
    assert found == {"sport": ["cup-final"], "none": [], "old": ["harbour-plan"]}
    assert answer.json["slots"]["none"]["empty_reason"] == "nothing in the archive passes the rules and filters"  # type: ignore[index]


def test_what_stands_on_the_page_already_is_left_out_with_its_copies(client: FlaskClient) -> None:
    slots = [{"name": "all", "k": 50, "kind": "any", "language": "any", "floor": 0}]
    everything = set(_ids(_ask(client, {"id": "ferry-vote", "slots": slots}))["all"])
    assert len(everything & COPIES) == 1
    left = _ids(_ask(client, {"id": "ferry-vote", "slots": slots, "exclude": ["storm", "cup-final"]}))["all"]
    assert set(left) == everything - COPIES - {"cup-final"}
    assert not set(_ids(_ask(client, {"id": "storm", "slots": slots}))["all"]) & COPIES


@given(
    slots=st.lists(
        st.fixed_dictionaries(
            {"k": st.integers(1, 8)},
            optional={
                "kind": st.sampled_from(["any", "news", ["wire", "news"]]),
                "section": st.sampled_from(["business", ["sport", "business"]]),
                "language": st.sampled_from(["any", "en", "de"]),
                "floor": st.sampled_from([0, 0.007, 0.5]),
                "ranker": st.sampled_from(["full", "dense", "lexical"]),
                "past_only": st.booleans(),
            },
        ),
        min_size=1,
        max_size=5,
    ),
    article=st.sampled_from([*(str(record["id"]) for record in RECORDS), "storm", "storm-wire", "ferry-column"]),
)
@examples(deadline=None, max_examples=60)
def test_no_story_nor_its_near_copy_is_twice_on_a_page(
    client: FlaskClient, slots: list[dict[str, Any]], article: str
) -> None:
    named = [slot | {"name": f"slot{number}"} for number, slot in enumerate(slots)]
    found = _ids(_ask(client, {"id": article, "slots": named}))
    listed = [article, *(each for name in found for each in found[name])]
    told = ["storm" if each in COPIES else each for each in listed]
    assert len(told) == len(set(told))
    assert list(found) == [slot["name"] for slot in named]


def test_everything_that_is_wrong_is_named(client: FlaskClient) -> None:
    slots = [
        {"name": "top", "k": 0, "sectoin": "x", "floor": "0.5", "explain": 1},
        {"name": "more", "tag": "fery", "collapse": False, "language": [7], "published_after": "soon"},
        {"name": "top"},
        {"name": "two words"},
        "slot",
    ]
    problems = _problems(_ask(client, {"slots": slots, "exclude": "x", "lang": "en"}))
    assert problems == {
        "lang": "lang: no such field; known are id, url, article, slots, exclude",
        "id": "id, url, article: one of them is missing",
        "exclude": "exclude: must be a list of at most 200 ids",
        "slots.top.floor": "slots.top.floor: must be a number",
        "slots.top.explain": "slots.top.explain: must be a boolean",
        "slots.top.k": "slots.top.k: must be at least 1, it is 0",
        "slots.top.sectoin": "slots.top.sectoin: no such parameter; did you mean section?",
        "slots.more.language": "slots.more.language: must be a string, or a list of them",
        "slots.more.collapse": problems["slots.more.collapse"],
        "slots.more.published_after": problems["slots.more.published_after"],
        "slots.more.tag": "slots.more.tag: 'fery' is not in this archive; its tags are comment, ferry, weather",
        "slots": "slots: slot 5 must be an object with a name of 1 to 64 letters, digits, _ and -",
    }
    assert problems["slots.more.collapse"].startswith("slots.more.collapse: no such parameter")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 422, "is not JSON"),
        (b"[]", 400, "the body must be a JSON object"),
        ({"id": "ferry-vote", "slots": []}, 400, "slots: must be a list of 1 to 10 slots"),
        ({"id": "ferry-vote", "slots": [{"name": "a"}] * 11}, 400, "slots: must be a list of 1 to 10 slots"),
        ({"id": "ferry-vote", "slots": {"a": {}}}, 400, "slots: must be a list of 1 to 10 slots"),
        (
            {"id": "ferry-vote", "slots": [{"name": "a", "k": 100}, {"name": "b", "k": 101}]},
            400,
            "slots: ask for 201 stories together, at most 200 are given",
        ),
        ({"id": "", "slots": [{"name": "a"}]}, 400, "id: must be a string that is not empty"),
        ({"id": None, "slots": [{"name": "a"}]}, 400, "id: must be a string that is not empty"),
        ({"id": "x", "url": "y", "slots": [{"name": "a"}]}, 400, "id, url: are given; give one of them"),
        ({"url": "ferry", "slots": [{"name": "a"}]}, 400, "url: 'ferry' is not an absolute http(s) address"),
        ({"id": "nobody", "slots": [{"name": "a"}]}, 404, "no article has the id 'nobody'"),
        ({"article": {"text": "x"}, "slots": [{"name": "a"}]}, 422, "title: is missing or empty"),
        ({"article": 7, "slots": [{"name": "a"}]}, 422, "a record must be a JSON object, this is a number"),
        ({"id": "ferry-vote", "slots": [{"name": "a"}], "x" * 999: 1}, 400, f"{'x' * 100}: no such field"),
        (rb'{"id": "ferry-vote", "slots": [{"name": "a", "\ud800": 1}], "\udfff": 1}', 400, "?: no such field"),
        (rb'{"id": "ferry-vote", "slots": [{"name": "a", "section": "\ud800", "k": NaN}]}', 400, "slots.a.k: must be an"),
        (b'{"id": "\\ud800", "slots": [{"name": "a"}]}', 404, "no article has the id"),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_asked_for_is_refused(
    client: FlaskClient, body: object, status: int, message: str
) -> None:
    answer = _ask(client, body)
    assert answer.status_code == status
    assert answer.json["error"]["message"].startswith(message)  # type: ignore[index]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_SLOT_FIELD = st.sampled_from(["name", "k", "section", "kind", "language", "floor", "published_after", "exclude", "x"])


@examples(deadline=None, max_examples=100)
@given(
    body=st.dictionaries(st.sampled_from(["id", "url", "article", "exclude", "slots"]), _JSON)
    | st.fixed_dictionaries(
        {
            "id": st.just("ferry-vote"),
            "slots": st.lists(st.dictionaries(_SLOT_FIELD, _JSON | st.just("top")), max_size=3),
        }
    )
)
def test_no_body_breaks_the_page(client: FlaskClient, body: object) -> None:
    assert _ask(client, body).status_code in (200, 400, 404, 422)
