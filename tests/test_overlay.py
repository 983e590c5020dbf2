"""A snapshot with changes over it answers as an index built anew under the same fit does: the same lists, to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom import NOW, publish, settings_for, store, wider_stories, withdraw

from recommender import compose, snapshot
from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.build import fitting
from recommender.catalog import Catalog
from recommender.desk import Desk, Wish
from recommender.encoder import HashingEncoder
from recommender.home import Home
from recommender.ingest import encode_missing
from recommender.recommend import Recommender
from recommender.recommend.changes import ChangeLog
from recommender.settings import Settings
from recommender.snapshot import Overlay, View, changed
from recommender.text import headline_keys

WORDS = ["ferry", "harbour", "strike", "crew", "night", "council", "plan", "silo", "storm", "wave", "bridge", "omicron"]
LONG = (
    "The storm off Port Linden kept every ferry in the harbour on Tuesday, the harbour company said. Waves of four metres "
    "broke over the eastern mole, and the coast guard closed the channel until Wednesday noon."
)
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
LINKS = st.builds(ReadMore, TITLES, st.sampled_from([None, "https://a.example/1", "https://a.example/2"]))
ARTICLES = st.builds(
    Article,
    id=st.sampled_from([*"bdfh", "ferry-vote", "ferry-strike", "storm", "zz"]),
    title=TITLES,
    description=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    text=st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
    | st.just(LONG)
    | st.just(f"{LONG} So it was told."),
    url=st.sampled_from([None, "https://a.example/1", "https://a.example/2"]),
    published_at=st.sampled_from([None, NOW, NOW - timedelta(days=7), NOW - timedelta(days=400)]),
    language=st.sampled_from(["en", "en", "de", "da"]),
    section=st.sampled_from([None, "business", "weather"]),
    tags=st.sampled_from([(), ("ferry",), ("storm", "sea")]),
    kind=st.sampled_from(["news", "news", "wire"]),
    read_more=st.lists(LINKS, max_size=2).map(tuple),
)
WISHES = st.builds(
    Wish,
    st.sampled_from(["pin", "block"]),
    st.sampled_from(["b", "ferry-vote", "storm", "cup-final"]),
    st.sampled_from(["d", "ferry-strike"]),
    top=st.booleans(),
)
STEPS = st.lists(
    st.lists(ARTICLES, min_size=1, max_size=3)
    | WISHES.map(lambda wish: [wish])
    | st.lists(st.sampled_from(["b", "d", "ferry-vote", "storm", "cup-final", "undated"]), min_size=1, max_size=2),
    min_size=1,
    max_size=5,
)
QUESTIONS = ("ferry strike in the harbour", "omicron", "storm wave")
EVERY = (
    Options(k=50),
    Options(k=50, raw=True),
    Options(k=10, kinds=(), floor=0.0, diversity=0.5, explain=True),
    Options(k=10, ranker="lexical", same_language=False),
)


def _recommender(view: View, made: Settings) -> Recommender:
    return Recommender.over(view, made)


def _answers(view: View, made: Settings) -> dict[str, Any]:
    recommender = _recommender(view, made)
    told: dict[str, Any] = {}
    for number, options in enumerate(EVERY):
        for article_id in view.dense.ids:
            told[f"{article_id} {number}"] = recommender.related(article_id, options).as_dict()
        for text in QUESTIONS:
            told[f"{text} {number}"] = recommender.search(text, options).as_dict()
    for answer in told.values():
        answer.pop("snapshot")
    return told


def _encode_all(made: Settings) -> None:
    with Catalog(Home(made.home).catalog, write=True) as catalog:
        recipe = compose.recipe(made.encoder)
        articles = [*catalog.articles(), *_stubs(catalog)]
        encode_missing(catalog, HashingEncoder(), [(article, recipe.views(article)) for article in articles])


def _stubs(catalog: Catalog) -> Sequence[Article]:
    from recommender import links

    return links.stubs(catalog.links(), catalog.languages())


def _overlay(log: ChangeLog, made: Settings, before: View) -> View:
    with Catalog(Home(made.home).catalog) as catalog:
        log.read(catalog)
    return Overlay(log.base, log.changes(), before)


@given(STEPS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_history_the_overlay_answers_as_an_index_built_anew(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Sequence[Any]]
) -> None:
    made = settings_for(tmp_path_factory.mktemp("overlay") / "home")
    store(made, wider_stories())
    publish(made)
    base = snapshot.load(Home(made.home))
    log = ChangeLog(base, compose.recipe(made.encoder))
    over: View = base
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(changed, "_BATCH", 2)  # so that few rows make several
    for step in steps:
        if isinstance(step[0], Article):
            store(made, step)
        elif isinstance(step[0], Wish):
            Desk(Home(made.home)).set(step[0], by="anna", now=NOW)
        else:
            withdraw(made, step)
        _encode_all(made)
        over = _overlay(log, made, over)

    monkeypatch.setattr(fitting, "MAX_SHARE_CHANGED", 100.0)
    publish(made)
    monkeypatch.undo()
    anew = snapshot.load(Home(made.home))

    assert anew.manifest["fit"] == base.manifest["fit"]
    assert over.dense.ids == anew.dense.ids
    assert [over.row(number) for number in range(len(over))] == [anew.row(number) for number in range(len(anew))]
    assert over.graph.edges.tolist() == anew.graph.edges.tolist()
    assert over.columns.copies.tolist() == anew.columns.copies.tolist()
    assert over.url_keys == anew.url_keys
    assert over.title_keys == anew.title_keys
    for key in filter(None, anew.url_keys):
        assert over.rows_at(key) == anew.rows_at(key)
        assert over.headlines.at_url(key) == anew.headlines.at_url(key)
    for key in anew.title_keys:
        assert sorted(over.headlines.titled(key)) == sorted(anew.headlines.titled(key))
        shared = headline_keys(key)
        assert sorted(over.headlines.sharing(shared)) == sorted(anew.headlines.sharing(shared))
    assert np.array_equal(over.dense.vectors(np.arange(len(over))), anew.dense.vectors(np.arange(len(anew))))
    assert _answers(over, made) == _answers(anew, made)
