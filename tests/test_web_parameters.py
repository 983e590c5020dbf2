"""Every wrong parameter is named, all of them in one answer, each as well as if it stood alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import settings_for

from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.contract.asked import MAX_PROBLEMS
from recommender.web.contract.parameters import LIST

PATH = "/v1/articles/ferry-vote/related"


@pytest.fixture(scope="module")
def client(shared: Settings) -> FlaskClient:
    return create_app(shared).test_client()


def _error(client: FlaskClient, query: str, path: str = PATH) -> dict[str, Any]:
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json["error"]["type"]) == (400, "invalid_query")  # type: ignore[index]
    error: dict[str, Any] = answer.json["error"]  # type: ignore[index]
    assert error["message"] == "\n".join(problem["message"] for problem in error["problems"])
    return error


WRONG = {
    "k=0": "k: must be at least 1, it is 0",
    "sectoin=sport": "sectoin: no such parameter; did you mean section?",
    "floor=2": "floor: is a probability, 0 to 1; it is 2.0",
    "published_after=soon": "published_after: 'soon' is no date; write it like 2025-03-14 or 2025-03-14T09:30:00Z",
    "collapse=perhaps": "collapse: 'perhaps' is neither 1 nor 0",
    "ranker=best": "ranker: 'best' is none; rankers are full, fusion, dense, lexical",
    "section=sports": "section: 'sports' is not in this archive; its sections are business, politics, sport",
    "tag=fery": "tag: 'fery' is not in this archive; its tags are none",
    "kind=rumour": "kind: 'rumour' is none; kinds are news, opinion, wire, live, sponsored",
}


def test_all_wrong_parameters_are_named_in_one_answer_those_of_the_archive_last(client: FlaskClient) -> None:
    error = _error(client, "&".join(WRONG))
    assert {problem["message"] for problem in error["problems"]} == set(WRONG.values())
    names = [problem["parameter"] for problem in error["problems"]]
    assert names[:6] == [each.split("=")[0] for each in list(WRONG)[:6]]


@given(wrong=st.lists(st.sampled_from(sorted(WRONG)), min_size=1, unique=True))
@examples(deadline=None, max_examples=30)
def test_what_else_is_wrong_changes_no_message(client: FlaskClient, wrong: list[str]) -> None:
    told = {problem["message"] for problem in _error(client, "&".join(wrong))["problems"]}
    assert told == {WRONG[each] for each in wrong}


@pytest.mark.parametrize("parameter", [each.name for each in LIST if not each.many])
def test_what_is_meant_once_and_given_twice_is_refused(client: FlaskClient, parameter: str) -> None:
    (problem,) = _error(client, f"{parameter}=1&{parameter}=1")["problems"]
    assert problem == {"parameter": parameter, "message": f"{parameter}: is given 2 times; give it once"}


@pytest.mark.parametrize("parameter", [each.name for each in LIST if each.many])
def test_what_may_be_given_often_is_bounded(client: FlaskClient, parameter: str) -> None:
    (problem,) = _error(client, "&".join([f"{parameter}=any"] * 201))["problems"]
    assert problem["message"] == f"{parameter}: is given 201 times, at most 200 are taken"


def test_text_and_address_are_named_among_the_others(client: FlaskClient) -> None:
    names = {problem["parameter"] for problem in _error(client, f"q={'x' * 5001}&k=x", "/v1/search")["problems"]}
    assert names == {"q", "k"}
    for query, message in (
        ("url=ferry", "url: 'ferry' is not an absolute"),
        ("url=", "url: is missing"),
        ("", "url: is m"),
    ):
        problems = _error(client, f"{query}&k=x", "/v1/related")["problems"]
        told = {problem["parameter"]: problem["message"] for problem in problems}
        assert set(told) == {"url", "k"}
        assert told["url"].startswith(message)
    assert "url: is given 2 times" in _error(client, "url=a&url=b", "/v1/related")["message"]
    assert "q: is given 2 times" in _error(client, "q=a&q=b", "/v1/search")["message"]


def test_no_answer_names_without_end(client: FlaskClient) -> None:
    error = _error(client, "&".join(f"x{number}{'y' * 200}=1" for number in range(100)))
    assert len(error["problems"]) == MAX_PROBLEMS
    assert max(len(problem["parameter"]) for problem in error["problems"]) == 100


def test_without_an_index_what_is_wrong_by_itself_is_still_named(settings: Settings) -> None:
    client = create_app(settings_for(settings.home)).test_client()
    assert [each["parameter"] for each in _error(client, "k=x&section=sports&floor=2")["problems"]] == ["k", "floor"]


@pytest.mark.parametrize("value", ["1e-3", "0.001", "1E-3", "0.00100000000000000002"])
def test_a_number_is_written_as_json_writes_it(client: FlaskClient, value: str) -> None:
    assert client.get(f"{PATH}?floor={value}").json == client.get(f"{PATH}?floor=0.001").json


@pytest.mark.parametrize("value", ["1e999", "0x1", "1_0", ".5", "5.", "+1", "1e", " 1"])
def test_what_only_looks_like_a_number_is_refused(client: FlaskClient, value: str) -> None:
    (problem,) = _error(client, f"diversity={value.replace('+', '%2B')}")["problems"]
    assert problem["message"] == f"diversity: {value!r} is no number"


def test_small_letters_in_a_date_are_those_of_rfc_3339(client: FlaskClient) -> None:
    (small, large) = (
        client.get(f"{PATH}?published_after={each}").json for each in ("2025-03-20t10:00:00z", "2025-03-20T10:00:00Z")
    )
    assert small == large
