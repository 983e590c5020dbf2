"""Lists from kept neighbours are the lists that a search of the whole archive gives, to the last digit, whatever was asked or changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from finished import N, article, published, settings_keeping, small_depths
from newsroom import settings_for, store, withdraw

from recommender import compose, fusion, links
from recommender.answer import Options, options_of
from recommender.article import ReadMore
from recommender.build import fitting
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.ingest import encode_missing
from recommender.neighbours import FILES, Neighbours, Own
from recommender.rank import Filters
from recommender.recommend import Recommender, evidence, find_neighbours, neighbourhood, parts
from recommender.recommend.carried import Carried
from recommender.recommend.changes import ChangeLog
from recommender.recommend.likeness import Likeness
from recommender.settings import IndexSettings, RankingSettings, Settings
from recommender.snapshot import Overlay, Snapshot, View

EVERY = {
    "as served": Options(),
    "long": Options(k=30, floor=0.0, explain=True),
    "pure": Options(k=12, raw=True),
    "past": Options(k=12, past_only=True),
    "any language and kind": Options(k=12, same_language=False, kinds=()),
    "a section": Options(k=12, filters=Filters(sections=("sea",))),
    "without some": Options(k=12, filters=Filters(exclude=frozenset({"a001", "a002", "a150"}))),
    "terms alone": Options(k=12, ranker="lexical"),
    "blind": Options(k=12, blind=True),
}


@pytest.fixture(autouse=True)
def _small_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    small_depths(monkeypatch)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Snapshot]]:
    with pytest.MonkeyPatch.context() as patch:
        small_depths(patch)
        made = settings_keeping(tmp_path_factory.mktemp("neighbours") / "home")
        chance = Random(7)
        store(made, [article(number, chance) for number in range(N)])
        yield made, published(made)


def _encode(made: Settings) -> None:
    with Catalog(Home(made.home).catalog, write=True) as catalog:
        recipe = compose.recipe(made.encoder)
        every = [*catalog.articles(), *links.stubs(catalog.links(), catalog.languages())]
        encode_missing(catalog, HashingEncoder(), [(each, recipe.views(each)) for each in every])


def _answer(asked: Recommender, article_id: str, options: Options) -> dict[str, Any]:
    told = asked.related(article_id, options).as_dict()
    told.pop("snapshot")
    return told


class _Searched(View):
    """A view that keeps no neighbours and is otherwise another one."""

    def __init__(self, view: View) -> None:
        self.__dict__ = view.__dict__
        self._view = view

    def __getattribute__(self, name: str) -> Any:
        if name in ("near", "finished"):
            return lambda number: None
        return getattr(object.__getattribute__(self, "__dict__")["_view"], name)

    def __len__(self) -> int:
        return len(self._view)


def _compared(view: View, made: Settings, options: Options) -> Counter[str]:
    """Hold the lists of every article against those of a search, and count which of them needed one."""
    counted: Counter[str] = Counter()
    widen = Likeness.widen

    def counting(self: Likeness) -> None:
        counted["searched"] += "rows" in self.__dict__ or self._near is None
        widen(self)

    kept, searched = Recommender.over(view, made), Recommender.over(_Searched(view), made)
    for number, article_id in enumerate(view.dense.ids):
        counted["finished"] += options == options_of(made.ranking) and view.finished(number) is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Likeness, "widen", counting)
            found = _answer(kept, article_id, options)
        assert found == _answer(searched, article_id, options), article_id
        counted["lists"] += 1
    return counted


@pytest.mark.parametrize("name", EVERY)
def test_lists_from_kept_neighbours_are_those_of_a_search(newsroom: tuple[Settings, Snapshot], name: str) -> None:
    made, view = newsroom
    counted = _compared(view, made, EVERY[name])
    assert counted["lists"] > N  # stubs too
    if name == "as served":
        assert counted["searched"] < 0.1 * counted["lists"]
        assert counted["finished"] == N  # of articles, not of stubs
    if name in ("past", "a section"):
        assert counted["searched"]  # too few of what is kept: the test sees both ways


@pytest.mark.slow
def test_past_only_needs_no_search_where_the_newsroom_has_set_it(tmp_path: Path) -> None:
    made = settings_keeping(tmp_path / "home", past_only=True)
    chance = Random(8)
    store(made, [article(number, chance) for number in range(N)])
    view = published(made)
    assert view.own == Own(made.ranking.kinds, past_only=True, same_language=made.ranking.same_language)
    counted = _compared(view, made, options_of(made.ranking))
    assert counted["searched"] < 0.25 * counted["lists"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_changes_over_kept_neighbours_answer_as_an_index_built_anew(
    newsroom: tuple[Settings, Snapshot], tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    made = settings_keeping(tmp_path / "home")
    first = [article(number, Random(f"{seed} {number}")) for number in range(N)]
    store(made, first)
    base = published(made)
    log = ChangeLog(base, compose.recipe(made.encoder))
    changed = [article(number, chance) for number in chance.sample(range(N + 12), 12)]
    relinked = [
        replace(first[number], read_more=(ReadMore("", f"https://a.example/{chance.randrange(N)}"),))
        for number in chance.sample(range(N), 4)
    ]
    store(made, [*relinked, *changed])
    withdraw(made, [f"a{number:03}" for number in chance.sample(range(N), 6)])
    _encode(made)
    with Catalog(Home(made.home).catalog) as catalog:
        log.read(catalog)
    over = Overlay(base, log.changes())
    assert sum(over.near(number) is not None for number in range(len(over))) > N - 30
    for name in ("as served", "long", "any language and kind"):
        counted = _compared(over, made, EVERY[name])
        assert name != "as served" or counted["searched"] < 0.6 * counted["lists"]
    taken_over: list[bool] = []
    near = Carried.near
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "MAX_SHARE_CHANGED", 100.0)
        patch.setattr(neighbourhood, "_MOST_CHANGED", 100.0 if seed % 2 else 0.0)
        patch.setattr(
            Carried, "near", lambda self, row: taken_over.append((found := near(self, row)) is not None) or found
        )
        anew = published(made)
    assert anew.manifest["fit"] == base.manifest["fit"]
    assert sum(taken_over) > N / 2 if seed % 2 else not taken_over
    counted = _compared(anew, made, EVERY["as served"])
    assert counted["searched"] < 0.1 * counted["lists"]
    assert over.dense.ids == anew.dense.ids
    ours, theirs = Recommender.over(over, made), Recommender.over(anew, made)
    for article_id in anew.dense.ids:
        assert _answer(ours, article_id, EVERY["long"]) == _answer(theirs, article_id, EVERY["long"])


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (3, 4, 5))])
def test_a_finished_list_is_served_only_where_it_would_be_made_the_same_now(tmp_path: Path, seed: int) -> None:
    chance = Random(f"finished {seed}")
    made = settings_keeping(tmp_path / "home")
    first = [article(number, Random(f"{seed} {number}")) for number in range(N)]
    store(made, first)
    base = published(made)
    log = ChangeLog(base, compose.recipe(made.encoder))
    if seed % 3 == 0:
        store(made, [article(N + 1, chance)])
    if seed % 3 == 1:
        withdraw(made, [chance.choice(first).id])
    if seed % 3 == 2:
        story = chance.choice(first)
        store(made, [replace(story, read_more=(ReadMore("", f"https://a.example/{chance.randrange(N)}"),))])
    _encode(made)
    with Catalog(Home(made.home).catalog) as catalog:
        log.read(catalog)
    counted = _compared(Overlay(base, log.changes()), made, EVERY["as served"])
    assert 0 < counted["finished"] < N


def test_the_desk_is_heeded_over_finished_lists(newsroom: tuple[Settings, Snapshot]) -> None:
    made, view = newsroom
    first = Recommender.over(view, made).related("a003").results[0].id
    Home(made.home).rules.write_text(f'[[block]]\narticle = "{first}"\n', encoding="utf-8")
    try:
        _compared(view, made, EVERY["as served"])
        assert first not in [line.id for line in Recommender.over(view, made).related("a003").results]
    finally:
        Home(made.home).rules.unlink()


def test_lists_made_in_another_way_are_not_taken(newsroom: tuple[Settings, Snapshot]) -> None:
    made, view = newsroom
    other = made.model_copy(update={"ranking": RankingSettings(keep_copy="newest", half_life_days=20.0)})
    _compared(view, other, EVERY["as served"])
    assert Recommender.over(view, made)._finished is not None
    assert Recommender.over(view, other)._finished is None
    assert Recommender.over(view, made).with_model(fusion.shipped())._finished is None


def test_floors_hold_for_every_row_that_is_not_kept(newsroom: tuple[Settings, Snapshot]) -> None:
    made, view = newsroom
    recommender = Recommender.over(view, made)
    for number in range(len(view)):
        near = view.near(number)
        assert near is not None
        others = np.setdiff1d(np.arange(len(view)), [*near.rows, number])
        query = recommender._questions.of_row(number)
        dense, lexical = view.dense.cosines(query.vector), view.lexical.scores(query.terms)
        assert np.array_equal(dense[near.rows], near.dense)
        assert np.array_equal(lexical[near.rows], near.lexical)
        assert dense[others].max(initial=-1) <= near.floors.dense
        assert lexical[others].max(initial=0) <= near.floors.lexical


@pytest.mark.slow
def test_after_many_rebuilds_what_was_taken_over_is_still_exact(tmp_path: Path) -> None:
    made = settings_keeping(tmp_path / "home")
    chance = Random(11)
    store(made, [article(number, chance) for number in range(N)])
    view = published(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "MAX_SHARE_CHANGED", 100.0)
        patch.setattr(neighbourhood, "_MOST_CHANGED", 100.0)
        for _ in range(4):
            store(made, [article(number, chance) for number in chance.sample(range(N + 10), 3)])
            withdraw(made, [f"a{number:03}" for number in chance.sample(range(N), 3)])
            view = published(made)
    counted = _compared(view, made, EVERY["as served"])
    assert counted["searched"] < 0.1 * counted["lists"]


def test_a_small_archive_keeps_none(tmp_path: Path) -> None:
    made = settings_for(tmp_path / "home")
    store(made, [article(number, Random(number)) for number in range(20)])
    view = published(made)
    assert view.neighbours is None
    assert view.near(0) is None
    assert not set(FILES) & set(view.manifest["files"])


def test_neighbours_of_other_rows_are_refused(newsroom: tuple[Settings, Snapshot], tmp_path: Path) -> None:
    made, view = newsroom
    folder = Home(made.home).snapshots / view.name
    with pytest.raises(SnapshotError, match="the neighbours do not belong to these rows; run: recommender rebuild"):
        Neighbours.read(folder, len(view) - 1, Own())


@pytest.mark.slow
def test_several_processes_find_what_one_finds(
    newsroom: tuple[Settings, Snapshot], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, view = newsroom
    folder = Home(made.home).snapshots / view.name
    every_day = {"KEPT": 240, "_ENOUGH": 220, "_LOOKED_THROUGH": 720}  # as the other processes have it
    for name, value in every_day.items():
        monkeypatch.setattr(neighbourhood, name, value)
    monkeypatch.setattr(evidence, "DEPTH", 200)
    one = find_neighbours(view, folder, made, watch=lambda *progress: None)
    assert one is not None
    alone = list(one.every)
    monkeypatch.setattr(parts, "MANY_ROWS", 0)
    monkeypatch.setattr(neighbourhood, "_BLOCK", 50)
    several = made.model_copy(update={"index": IndexSettings(neighbours_from=0, processes=2)})
    told: list[tuple[Any, ...]] = []
    two = find_neighbours(view, folder, several, watch=lambda *progress: told.append(progress))
    assert two is not None
    for left, right in zip(alone, two.every, strict=True):
        assert np.array_equal(left.rows, right.rows)
        assert np.array_equal(left.dense, right.dense)
        assert np.array_equal(left.lexical, right.lexical)
    assert told[-1] == ("finding neighbours", len(view), len(view), "articles")
