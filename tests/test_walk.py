"""In a large archive a free text is answered by a walk along kept neighbours: nearly the list of a search, from exact cosines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest
from newsroom import NOW, publish, settings_for, store, withdraw

from recommender import compose, fusion, snapshot
from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.home import Home
from recommender.ingest import encode_missing
from recommender.rank import Filters
from recommender.recommend import Recommender, evidence, find_neighbours, likeness, lists, neighbourhood, walk
from recommender.recommend.changes import ChangeLog
from recommender.settings import IndexSettings, Settings
from recommender.snapshot import Overlay, Snapshot, View

N, SUBJECTS = 400, 20
CHANCE = Random(3)
WORDS = ["".join(CHANCE.sample("bcdfghklmnprstvw", 4)) for _ in range(SUBJECTS * 10)]
LIST = Options(k=5, floor=0.0)


@pytest.fixture(autouse=True)
def small_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep and search so few that an archive of 400 is many times as large."""
    for module in (evidence, lists):
        monkeypatch.setattr(module, "DEPTH", 16)
    for name, value in (("KEPT", 22), ("_ENOUGH", 19), ("_LOOKED_THROUGH", 60)):
        monkeypatch.setattr(neighbourhood, name, value)
    for module in (fusion, likeness):
        monkeypatch.setattr(module, "N_BEST", 12)
    monkeypatch.setattr(walk, "BY_TERMS", 40)


def _about(chance: Random, n: int) -> str:
    """Return words of one subject, and a few that its neighbours have, too."""
    first = chance.randrange(SUBJECTS) * 10
    return " ".join(chance.choice(WORDS[first : first + 14]) for _ in range(n))


def _article(number: int, chance: Random) -> Article:
    return Article(
        id=f"a{number:03}",
        title=_about(chance, 4),
        text=_about(chance, 25),
        published_at=NOW - timedelta(days=chance.randrange(900)),
        language=chance.choices(["en", "de"], [4, 1])[0],
        section=chance.choice(["sea", "land"]),
        kind=chance.choices(["news", "opinion"], [9, 1])[0],
        read_more=(ReadMore("Never written"),) if number == 7 else (),
    )


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Snapshot]]:
    with pytest.MonkeyPatch.context() as patch:
        small_depths.__wrapped__(patch)  # type: ignore[attr-defined]
        index = IndexSettings(neighbours_from=0, walk_from=0, processes=1)
        made = settings_for(tmp_path_factory.mktemp("walk") / "home").model_copy(update={"index": index})
        chance = Random(11)
        store(made, [_article(number, chance) for number in range(N)])
        publish(made, neighbours=partial(find_neighbours, settings=made, watch=lambda *progress: None))
        yield made, snapshot.load(Home(made.home))


def _texts(n: int) -> list[str]:
    chance = Random(5)
    return [_about(chance, chance.randint(1, 8)) for _ in range(n)]


def _both(view: View, made: Settings) -> tuple[Recommender, Recommender]:
    """Return what walks and what searches."""
    searching = made.model_copy(update={"index": made.index.model_copy(update={"walk_from": N * 10})})
    return Recommender.over(view, made), Recommender.over(view, searching)


def _shared(one: Recommender, other: Recommender, options: Options, texts: list[str]) -> float:
    """Return what share of the stories of one's lists is in the other's."""
    shares = []
    for text in texts:
        ids = [{each.id for each in recommender.search(text, options).results} for recommender in (one, other)]
        shares.append(len(ids[0] & ids[1]) / max(1, len(ids[1])))
    return float(np.mean(shares))


@pytest.mark.parametrize("options", [LIST, replace(LIST, feedback=False), replace(LIST, raw=True)])
def test_a_walk_finds_nearly_all_that_a_search_finds(newsroom: tuple[Settings, Snapshot], options: Options) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])

    assert _shared(walking, searching, options, _texts(60)) > 0.9


def test_a_walk_looks_at_a_part_of_the_archive(newsroom: tuple[Settings, Snapshot]) -> None:
    made, live = newsroom
    (query,) = Recommender.over(live, made)._questions.of_texts([_texts(1)[0]])

    near = walk.surroundings(live, query.vector, walk.start(live.lexical.scores(query.terms)))

    assert 40 < len(near.rows) < N * 0.7
    assert (np.diff(near.rows) > 0).all()
    np.testing.assert_array_equal(near.dense, live.dense.cosines(query.vector)[near.rows])
    np.testing.assert_array_equal(near.lexical, live.lexical.scores(query.terms)[near.rows])


def test_what_a_walk_tells_of_a_story_is_what_a_search_tells(newsroom: tuple[Settings, Snapshot]) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])
    options = replace(LIST, k=8, feedback=False, explain=True)
    n_compared = 0
    for text in _texts(20):
        told = {each.id: each for each in searching.search(text, options).results}
        for each in walking.search(text, options).results:
            if each.id in told and each.details and (other := told[each.id].details):
                assert each.details["cosines"] == other["cosines"]
                assert each.details["probability"] == other["probability"]
                n_compared += 1
    assert n_compared > 100


@pytest.mark.parametrize(
    "options",
    [
        replace(LIST, filters=Filters(sections=("sea",))),
        replace(LIST, filters=Filters(published_after=NOW - timedelta(days=100))),
        replace(LIST, k=9),  # more than half of what is asked of each generator
        replace(LIST, ranker="dense"),
        replace(LIST, ranker="lexical"),
    ],
)
def test_a_narrow_question_and_a_long_list_are_searched(newsroom: tuple[Settings, Snapshot], options: Options) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])

    for text in _texts(8):
        assert walking.search(text, options) == searching.search(text, options)


def test_stories_that_are_on_the_page_are_left_out_and_near_ones_take_their_place(
    newsroom: tuple[Settings, Snapshot],
) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])
    for text in _texts(10):
        first = {each.id for each in walking.search(text, LIST).results}
        without = replace(LIST, filters=Filters(exclude=frozenset(first)))
        found = {each.id for each in walking.search(text, without).results}
        assert len(found) == LIST.k
        assert not found & first
    assert _shared(walking, searching, without, _texts(20)) > 0.85


def test_a_text_whose_language_few_stories_have_needs_no_search(
    newsroom: tuple[Settings, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])
    told = [searching.search(text, replace(LIST, feedback=False), language="de").results for text in _texts(20)]
    monkeypatch.setattr(likeness.Likeness, "widen", lambda self: pytest.fail("the whole archive was searched"))

    found = [walking.search(text, replace(LIST, feedback=False), language="de").results for text in _texts(20)]
    shared = [len({x.id for x in one} & {x.id for x in other}) for one, other in zip(found, told, strict=True)]
    assert np.mean(shared) > 0.9 * LIST.k


def test_where_everything_is_kept_a_walk_is_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbourhood, "KEPT", 60)
    monkeypatch.setattr(neighbourhood, "_LOOKED_THROUGH", 60)
    index = IndexSettings(neighbours_from=0, walk_from=0, processes=1)
    made = settings_for(tmp_path / "home").model_copy(update={"index": index})
    chance = Random(2)
    store(made, [_article(number, chance) for number in range(50)])
    publish(made, neighbours=partial(find_neighbours, settings=made, watch=lambda *progress: None))
    walking, searching = _both(snapshot.load(Home(made.home)), made)

    for text in _texts(20):
        one, other = (each.search(text, LIST).results for each in (walking, searching))
        assert [each.id for each in one] == [each.id for each in other]
        assert [each.score for each in one] == pytest.approx([each.score for each in other], abs=2e-6)


def test_an_archive_without_neighbours_is_searched(tmp_path: Path) -> None:
    made = settings_for(tmp_path / "home").model_copy(update={"index": IndexSettings(neighbours=False, walk_from=0)})
    chance = Random(2)
    store(made, [_article(number, chance) for number in range(50)])
    publish(made)
    walking, searching = _both(snapshot.load(Home(made.home)), made)

    assert [walking.search(text, LIST) for text in _texts(5)] == [searching.search(text, LIST) for text in _texts(5)]


def test_an_empty_archive_is_walked_through_at_once(tmp_path: Path) -> None:
    index = IndexSettings(neighbours_from=0, walk_from=0, processes=1)
    made = settings_for(tmp_path / "home").model_copy(update={"index": index})
    publish(made, neighbours=partial(find_neighbours, settings=made, watch=lambda *progress: None))

    assert Recommender.over(snapshot.load(Home(made.home)), made).search("anything", LIST).results == ()


def test_a_text_that_nothing_knows_is_answered(newsroom: tuple[Settings, Snapshot]) -> None:
    walking, searching = _both(newsroom[1], newsroom[0])

    for text in ("zzz", "海港", "?"):
        assert len(walking.search(text, LIST).results) == len(searching.search(text, LIST).results)


def test_what_changed_is_found_and_what_went_is_not(tmp_path: Path) -> None:
    chance = Random(9)
    index = IndexSettings(neighbours_from=0, walk_from=0, processes=1)
    made = settings_for(tmp_path / "home").model_copy(update={"index": index})
    store(made, [_article(number, chance) for number in range(200)])
    publish(made, neighbours=partial(find_neighbours, settings=made, watch=lambda *progress: None))
    live = snapshot.load(Home(made.home))
    new = [_article(number, chance) for number in (3, 50, 300, 301, 302)]
    gone = {"a000", "a010", "a011", "a150"}
    store(made, new)
    withdraw(made, sorted(gone))
    recipe = compose.recipe(made.encoder)
    log = ChangeLog(live, recipe)
    with Catalog(Home(made.home).catalog, write=True) as catalog:
        encode_missing(catalog, HashingEncoder(), [(each, recipe.views(each)) for each in catalog.articles()])
        log.read(catalog)
    over = Overlay(live, log.changes())
    walking, searching = _both(over, made)

    for article in new:
        found = walking.search(f"{article.title} {article.text}", replace(LIST, kinds=())).results
        assert article.id in [each.id for each in found[:2]]
    for text in _texts(60):
        assert not gone & {each.id for each in walking.search(text, LIST).results}
    assert _shared(walking, searching, LIST, _texts(60)) > 0.9
    assert set(over.landmarks()) >= {over.dense.require_row(article.id) for article in new}


def test_the_best_by_terms_are_cut_among_equals_and_say_what_the_others_have() -> None:
    values = np.array([0.0, 0.5, 0.2, 0.5, 0.2, 0.2, 0.9], np.float32)

    rows, floor = walk.most(values, 4)
    assert (sorted(rows.tolist()), floor) == ([1, 2, 3, 6], pytest.approx(0.2))
    rows, floor = walk.most(values, 6)
    assert (sorted(rows.tolist()), floor) == ([1, 2, 3, 4, 5, 6], pytest.approx(0.2))
    rows, floor = walk.most(values, 7)
    assert (rows.tolist(), floor) == ([1, 2, 3, 4, 5, 6], 0.0)
    assert walk.most(np.zeros(0, np.float32), 3)[0].tolist() == []
