"""What the fast lane takes from the index is, byte for byte and header for header, what Flask answers to the same question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from finished import N, article, published, settings_keeping, small_depths
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from newsroom import store, withdraw
from werkzeug.test import Client

from recommender.answer import Answer, Recommendation, to_json
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.recommend.finished import as_served, stored
from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.fast import FastLane

ORIGIN = "https://www.example.org"
ODD_IDS = (
    "related",
    "a/related",
    "/rooted",
    "https://a.example/x?y=1&z",
    "größe und maß",
    "日本/記事",
    '"q" \\ %41',
    "x;y,z",
    "Δ" * 400,
)
ODD_TITLE = 'Say "snapshot": "s9", {"rank": 1, "id": "x"}], "short_reason": "no" \\ \u2028 🎈'
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"Accept-Encoding": "gzip, br"},
    {"Accept-Encoding": "gzip"},
    {"Origin": ORIGIN},
    {"Origin": "https://stranger.example"},
    {"If-None-Match": "*"},
)
SUFFIXES = ("related", "related?", "related.html", "related?k=3", "related?x=1")
RULES = {
    "none": "",
    "a block": '[[block]]\narticle = "a003"\n',
    "a pin under one": '[[pin]]\nshow = ["a005"]\nunder = "a001"\n',
    "a boost that ends": '[[boost]]\narticle = "a007"\nfactor = 3.0\nuntil = 2099-01-01T00:00:00Z\n',
    "a section's boost": '[[boost]]\nsection = "sea"\nfactor = 3.0\nuntil = 2099-01-01T00:00:00Z\n',
}


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An archive with finished lists, of stories of every age and with every kind of id."""
    with pytest.MonkeyPatch.context() as patch:
        small_depths(patch)
        made = settings_keeping(tmp_path_factory.mktemp("finished") / "home")
        chance = Random(3)
        ages = (None, 0.5, 3.5, 15.5, 100.5, 700.5)
        every = [article(number, chance) for number in range(N)]
        every = [
            replace(each, published_at=None if age is None else datetime.now(UTC) - timedelta(days=age))
            for number, each in enumerate(every)
            for age in (ages[number % len(ages)],)
        ]
        every[7] = replace(every[7], title=f"{every[7].title} {ODD_TITLE}")
        odd = [replace(every[at], id=each, url=None) for at, each in enumerate(ODD_IDS)]
        store(made, [*every, *odd])
        published(made)
        yield made


@pytest.fixture(autouse=True)
def _small_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    small_depths(monkeypatch)


def _answers(lane: FastLane, path: str, method: str, headers: dict[str, str]) -> tuple[Any, ...]:
    """Return an answer as it goes out, header by header in their order; nothing is kept from before."""
    lane._kept.clear()
    lane._n_bytes = 0
    answer = Client(lane).open(path, method=method, headers=headers)
    return answer.status, list(answer.headers), answer.data


def _compared(app: Flask) -> Counter[str]:
    """Hold every article's answers of the lane against those that it has from Flask, and count where they came from."""
    live, through = app.extensions["recommender.live"], app.extensions["recommender.lane"]
    settings: Settings = app.extensions["recommender.settings"]
    flask = FastLane(through._app, live, max_bytes=10**6, cors_origins=settings.serve.cors_origins)
    flask._finished = lambda *asked: None  # type: ignore[method-assign]
    for number, article_id in enumerate([*live.get().snapshot.dense.ids, "nobody", ""]):
        for suffix in SUFFIXES if number % 20 == 0 else SUFFIXES[:1]:
            path = f"/v1/articles/{quote(article_id, safe='/' if number % 2 else '')}/{suffix}"
            headers = ASKED[number % len(ASKED)]
            method = "HEAD" if number % 7 == 3 else "GET"
            assert _answers(through, path, method, headers) == _answers(flask, path, method, headers), path
    raw = app.extensions["recommender.lane"]._app
    for article_id in live.get().snapshot.dense.ids[:20]:
        path = f"/v1/articles/{quote(article_id, safe='')}/related"
        one, other = Client(through).get(path), Client(raw).get(path)
        told = {name: value for name, value in one.headers if name != "Content-Length"}
        assert told == {name: value for name, value in other.headers if name != "Content-Length"}
        assert (one.status, one.data) == (other.status, other.data)
    assert flask.finished == 0
    return Counter(finished=through.finished, made=through.misses)


@pytest.mark.parametrize("origins", [(), (ORIGIN,), ("*",)])
def test_the_lane_and_flask_answer_the_same_bytes_and_headers(newsroom: Settings, origins: tuple[str, ...]) -> None:
    app = create_app(newsroom.model_copy(update={"serve": newsroom.serve.model_copy(update={"cors_origins": origins})}))
    assert _compared(app)["finished"] >= N + len(ODD_IDS)
    app.extensions["recommender.live"].stop()


@pytest.mark.parametrize("name", RULES)
def test_under_the_desks_rules_as_well(newsroom: Settings, name: str) -> None:
    rules = Home(newsroom.home).rules
    rules.write_text(RULES[name], encoding="utf-8")
    try:
        app = create_app(newsroom)
        counted = _compared(app)
        app.extensions["recommender.live"].stop()
    finally:
        rules.unlink()
    assert (counted["finished"] == 0) == (name == "a section's boost")


def test_over_what_changed_since_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = settings_keeping(tmp_path_factory.mktemp("changed") / "home")
    store(made, [article(number, Random(number)) for number in range(N)])
    published(made)
    app = create_app(made)
    every = _compared(app)["finished"]
    withdraw(made, ["a004"])
    some = _compared(app)["finished"] - every
    assert 0 < some < every
    live: Any = app.extensions["recommender.live"]
    assert live.get().finished("a004") is None
    live.stop()


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_lists_whose_file_is_damaged_while_it_is_open_are_made_anew(
    tmp_path_factory: pytest.TempPathFactory, damage: str
) -> None:
    made = settings_keeping(tmp_path_factory.mktemp("damaged") / "home")
    store(made, [article(number, Random(number)) for number in range(40)])
    folder = Home(made.home).snapshots / published(made).name
    recommender = Recommender.open(made)
    before = recommender.related("a003").as_dict()
    assert recommender.finished("a003") is not None
    file = folder / "lists.bin"
    with file.open("r+b") as stream:
        if damage == "cut":
            stream.truncate(10)
        else:
            stream.write(b"x" * file.stat().st_size)
    assert recommender.finished("a003") is None
    assert recommender.related("a003").as_dict() == before


def test_other_weights_or_options_of_the_settings_take_none(newsroom: Settings) -> None:
    app = create_app(
        newsroom.model_copy(update={"ranking": newsroom.ranking.model_copy(update={"k": newsroom.ranking.k + 1})})
    )
    assert _compared(app)["finished"] == 0
    app.extensions["recommender.live"].stop()


def test_a_list_of_the_index_is_kept_when_it_was_asked_for(newsroom: Settings) -> None:
    app = create_app(newsroom)
    lane: FastLane = app.extensions["recommender.lane"]
    first, second = (app.test_client().get("/v1/articles/a001/related") for _ in range(2))
    assert (lane.finished, lane.hits, lane.misses) == (1, 1, 0)
    assert first.data == second.data
    told = app.test_client().get("/metrics").text
    assert 'recommender_kept_lists_total{outcome="finished"} 1.0' in told
    app.extensions["recommender.live"].stop()


@pytest.mark.parametrize("path", ["/v1/articles/%FF/related", "/v1/articles/%00/related", "/v1/articles//related"])
def test_an_id_that_is_no_text_is_left_to_flask(newsroom: Settings, path: str) -> None:
    app = create_app(newsroom)
    lane: FastLane = app.extensions["recommender.lane"]
    assert app.test_client().get(path).status_code in (400, 401, 404)
    assert lane.finished == 0
    app.extensions["recommender.live"].stop()


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from([ODD_TITLE, '"}]}', "], "])
_OPTIONAL = st.none() | _TEXTS
_LINES = st.builds(
    Recommendation,
    rank=st.integers(1, 1000),
    id=_TEXTS,
    title=_TEXTS,
    url=_OPTIONAL,
    score=st.floats(-1e6, 1e6),
    source=st.sampled_from(["pinned", "link", "similar"]),
    reason=_TEXTS,
    published_at=_OPTIONAL,
    section=_OPTIONAL,
    language=_OPTIONAL,
    stub=st.booleans(),
    image_url=_OPTIONAL,
)
_ANSWERS = st.builds(
    Answer,
    query=st.fixed_dictionaries({"id": _TEXTS, "title": _TEXTS, "language": _OPTIONAL, "k": st.integers(1, 1000)}),
    results=st.lists(_LINES, max_size=6).map(tuple),
    snapshot=_TEXTS,
    empty_reason=_OPTIONAL,
    short_reason=_OPTIONAL,
)


@given(_ANSWERS)
def test_a_kept_list_goes_out_as_it_would_be_written(answer: Answer) -> None:
    served = as_served(stored(answer), answer.snapshot)
    assert served is not None
    assert served.body == to_json(answer.as_dict()).encode()
    assert served.ids == tuple(line.id for line in answer.results)


def test_a_kept_list_of_another_form_is_not_sent() -> None:
    line = Recommendation(1, "a", "A", None, 1.0, "link", "Linked", None, None, None, False)
    raw = stored(Answer({"id": "b", "title": "B", "language": None, "k": 5}, (line,), "s1"))
    assert as_served(raw, "s1") is not None
    for other in (
        raw.replace(b'"stub": false, ', b""),
        raw.replace(b'"stub": false', b'"stub": false, "new": 1'),
        raw.replace(b'"rank": 1, "id": "a"', b'"id": "a", "rank": 1'),
        raw + b" ",
        raw.replace(b"A", b"\xed\xa0\x80"),
    ):
        assert as_served(other, "s1") is None


def test_no_list_is_finished_for_who_is_not_there(newsroom: Settings) -> None:
    assert Recommender.open(newsroom).finished("nobody") is None
