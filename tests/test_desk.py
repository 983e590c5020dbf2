"""The desk: rules set, tried out and taken back by name, in force in every list from the next one on, with a log."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from newsroom import STUB_TITLE, publish, settings_for, store, stories, withdraw

from recommender.answer import Options
from recommender.backup import back_up, restore
from recommender.catalog import Catalog
from recommender.desk import Desk, Wish, as_rules, in_words, rules_of, wish_of
from recommender.errors import CatalogError, InputError, QueryError, UnknownArticleError
from recommender.home import Home
from recommender.recommend import Live, Recommender
from recommender.settings import Settings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PIN = Wish("pin", "cup-final", "ferry-vote")
BLOCK = Wish("block", "ferry-strike")


def _desk(settings: Settings) -> Desk:
    return Desk(Home(settings.home))


def _ids(settings: Settings, article_id: str = "ferry-vote", **options: Any) -> list[str]:
    return [result.id for result in Recommender.open(settings).related(article_id, Options(**options)).results]


def test_what_the_desk_pins_stands_first_and_says_so(published: Settings) -> None:
    act = _desk(published).set(Wish("pin", "cup-final", "ferry-vote", note="our cup"), by="anna", now=NOW)

    first = Recommender.open(published).related("ferry-vote").results[0]
    assert (act.number, act.who, act.at, act.in_force) == (1, "anna", NOW, True)
    assert (first.id, first.source, first.reason) == ("cup-final", "pinned", "Pinned by the desk: our cup")


def test_a_block_is_gone_from_every_list_and_a_boost_moves(published: Settings) -> None:
    before = _ids(published, floor=0.0)
    _desk(published).set(BLOCK, by="anna", now=NOW)
    _desk(published).set(Wish("boost", before[-1], factor=10.0, until=NOW + timedelta(days=9999)), by="anna", now=NOW)

    after = _ids(published, floor=0.0)
    assert "ferry-strike" not in after
    assert after.index(before[-1]) < before.index(before[-1])
    assert "ferry-strike" not in _ids(published, "ferry-deal")  # whose editor links to it


def test_a_live_service_has_a_rule_from_the_next_answer_on_and_drops_what_it_kept(published: Settings) -> None:
    live = Live(published)
    serial = live.get().serial

    _desk(published).set(PIN, by="anna", now=NOW)
    held = live.get()

    assert held.related("ferry-vote").results[0].id == "cup-final"
    assert held.serial > serial
    _desk(published).undo(1, by="ole", now=NOW)
    assert live.get().related("ferry-vote").results[0].id != "cup-final"
    assert live.get() is live.get()
    live.stop()


def test_a_story_that_is_withdrawn_and_a_rule_that_is_set_between_two_answers_both_hold(published: Settings) -> None:
    live = Live(published)
    live.get()
    withdraw(published, ["ferry-strike"])
    _desk(published).set(PIN, by="anna", now=NOW)

    found = [result.id for result in live.get().related("ferry-vote").results]

    assert found[0] == "cup-final"
    assert "ferry-strike" not in found
    live.stop()


def test_rules_travel_with_a_rebuild_and_hold_over_changes(published: Settings) -> None:
    _desk(published).set(PIN, by="anna", now=NOW)
    live = Live(published)
    store(published, [stories()[0], stories()[3]])
    over = live.get().related("ferry-vote").as_dict()
    publish(published)

    anew = Recommender.open(published).related("ferry-vote").as_dict()

    assert over["results"] == anew["results"]
    assert over["results"][0]["id"] == "cup-final"
    live.stop()


def test_the_later_of_two_wishes_about_the_same_takes_the_place_of_the_earlier(published: Settings) -> None:
    desk, later = _desk(published), NOW + timedelta(days=10)
    desk.set(Wish("boost", section="sport", factor=2.0, until=later), by="anna", now=NOW)
    desk.set(Wish("boost", section="sport", factor=3.0, until=later), by="ole", now=NOW)

    assert [(act.number, act.wish.factor) for act in desk.in_force()] == [(2, 3.0)]
    assert [act.ended_by for act in desk.log()] == [None, 2]
    desk.undo(2, by="anna", now=NOW)
    assert [(act.number, act.wish.factor) for act in desk.in_force()] == [(1, 2.0)]


def test_an_undo_is_taken_back_by_setting_the_rule_anew(published: Settings) -> None:
    desk = _desk(published)
    desk.set(PIN, by="anna", now=NOW)
    desk.undo(1, by="ole", now=NOW)
    desk.undo(2, by="anna", now=NOW)

    assert [act.wish for act in desk.in_force()] == [PIN]
    assert [(act.number, act.who, act.undoes, act.ended_by) for act in desk.log()] == [
        (3, "anna", None, None),
        (2, "ole", 1, None),
        (1, "anna", None, 2),
    ]
    assert [act.number for act in desk.log(1, before=3)] == [2]


def test_pins_stand_below_those_before_them_or_on_top(published: Settings) -> None:
    desk = _desk(published)
    for wish in (
        Wish("pin", "cup-final", "ferry-vote"),
        Wish("pin", "undated", "ferry-vote"),
        Wish("pin", "harbour-plan", "ferry-vote", top=True),
    ):
        desk.set(wish, by="anna", now=NOW)

    assert _ids(published)[:3] == ["harbour-plan", "cup-final", "undated"]


def test_a_pin_of_the_desk_stands_above_those_of_the_file_and_a_block_of_either_wins(published: Settings) -> None:
    rules = '[[pin]]\nunder = "ferry-vote"\nshow = ["undated"]\n[[block]]\narticle = "harbour-plan"\n'
    (published.home / "rules.toml").write_text(rules, encoding="utf-8")
    desk = _desk(published)
    desk.set(PIN, by="anna", now=NOW)
    desk.set(Wish("pin", "harbour-plan", "ferry-vote"), by="anna", now=NOW)

    found = _ids(published)

    assert found[:2] == ["cup-final", "undated"]
    assert "harbour-plan" not in found


@pytest.mark.parametrize(
    ("number", "message"),
    [(7, "has no line 7"), (0, "has no line 0"), (2**70, "has no line"), (1, "line 1 .* was ended by line 2 already")],
)
def test_what_cannot_be_taken_back_is_told(published: Settings, number: int, message: str) -> None:
    desk = _desk(published)
    desk.set(PIN, by="anna", now=NOW)
    desk.undo(1, by="anna", now=NOW)

    for take_back in (lambda: desk.undo(number, by="ole", now=NOW), lambda: desk.without(number, now=NOW)):
        with pytest.raises(InputError, match=message):
            take_back()
    assert len(desk.log()) == 2


def test_a_rule_whose_time_is_over_does_nothing_and_is_closed_by_the_next_one(published: Settings) -> None:
    desk = _desk(published)
    desk.set(Wish("block", "ferry-strike", until=NOW + timedelta(hours=1)), by="anna", now=NOW)
    desk.set(PIN, by="anna", now=NOW + timedelta(hours=2))

    assert [act.wish for act in desk.in_force()] == [PIN]
    with pytest.raises(InputError, match="line 1 of the desk's log has ended by itself"):
        desk.undo(1, by="anna", now=NOW)
    with pytest.raises(QueryError, match="block: until: 2026-11-26 11:00 UTC is over"):
        desk.set(Wish("block", "ferry-strike", until=NOW - timedelta(hours=1)), by="anna", now=NOW)


@pytest.mark.parametrize("name", ["", "  ", "\n\x00"])
def test_nobody_changes_rules_without_a_name(published: Settings, name: str) -> None:
    with pytest.raises(InputError, match="nobody is named"):
        _desk(published).set(PIN, by=name, now=NOW)


def test_without_a_catalog_there_is_no_log_and_nothing_is_made(settings: Settings) -> None:
    desk = _desk(settings)
    assert (desk.log(), desk.in_force(), rules_of(Home(settings.home)).number) == ([], [], 0)
    with pytest.raises(CatalogError, match="there is no catalog yet"):
        desk.set(PIN, by="anna", now=NOW)
    assert not settings.home.exists()


def test_a_preview_shows_what_will_be_so_and_changes_nothing(published: Settings) -> None:
    desk, recommender = _desk(published), Recommender.open(published)
    (shown,) = recommender.try_out(desk.with_wish(PIN, now=NOW), PIN)

    assert desk.log() == []
    assert shown.changed
    assert shown.moves["cup-final"] == "up"
    assert next(iter(shown.moves)) == "cup-final"
    desk.set(PIN, by="anna", now=NOW)
    set_now = Recommender.open(published)
    assert set_now.related("ferry-vote") == shown.after
    (back,) = set_now.try_out(desk.without(1, now=NOW), PIN)
    assert (back.before, back.after) == (shown.after, shown.before)


def test_a_preview_for_everywhere_shows_lists_that_change(published: Settings) -> None:
    desk, recommender = _desk(published), Recommender.open(published)

    lists = recommender.try_out(desk.with_wish(BLOCK, now=NOW), BLOCK)

    assert 1 < len(lists) <= 5
    assert all(each.changed and "ferry-strike" in each.gone for each in lists)
    everywhere = Wish("boost", section="sport", factor=1.0, until=NOW)
    (same,) = recommender.try_out(desk.with_wish(everywhere, now=NOW), everywhere)
    assert not same.changed


def test_an_inspected_list_says_what_is_left_out_and_why(wide: Settings) -> None:
    found = Recommender.open(wide).inspect("ferry-vote", Options(k=3))
    why = {each.id: each.why for each in found.left_out}

    assert [result.details is not None for result in found.answer.results] == [True] * len(found.answer.results)
    assert why["faehren"] == "in another language"
    assert why["ferry-column"] == "of a kind that lists do not offer: opinion"
    assert not why.keys() & {result.id for result in found.answer.results}
    assert all(each.shown_instead in (None, *(r.id for r in found.answer.results)) for each in found.left_out)


def test_an_inspected_list_names_stubs_blocks_and_what_came_later(published: Settings) -> None:
    _desk(published).set(Wish("block", "undated", note="old"), by="anna", now=NOW)
    recommender = Recommender.open(published)
    stub = recommender.meant(next(each for each in recommender.snapshot.dense.ids if each.startswith("stub:")))

    why = {
        each.id: (each.title, each.why)
        for each in recommender.inspect("ferry-vote", Options(k=1, past_only=True)).left_out
    }

    assert why["undated"][1] == "blocked by the desk: old"
    assert why[stub] == (STUB_TITLE, "a headline whose story is not in the archive")
    assert why["ferry-deal"][1] == "published after the article"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("pin", {"under": "ferry-vote"}, "pin: article: is missing"),
        ("pin", {"under": "ferry-vote", "article": "ferry-vote"}, "can be pinned under itself"),
        (
            "pin",
            {"under": "ferry-vote", "article": "https://www.lindenpost.example/business/ferry-vote"},
            "never in its",
        ),
        ("block", {"article": "x" * 5000}, "5,000 characters"),
        ("boost", {"article": "cup-final", "factor": "20", "until": "2030-01-01"}, "boost: factor: must be a number"),
        ("boost", {"article": "cup-final", "factor": "nan", "until": "2030-01-01"}, "boost: factor: must be a number"),
        ("boost", {"article": "cup-final", "factor": "many", "until": "never"}, "until: must be a date"),
        ("boost", {"factor": "2", "until": "2030-01-01"}, "either an article or a section"),
    ],
)
def test_a_wish_that_means_nothing_is_refused_with_what_is_wrong(
    shared: Settings, kind: Any, values: dict[str, str], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        wish_of(kind, values, Recommender.open(shared).meant)


def test_a_wish_names_articles_by_id_or_address_and_numbers_as_editors_write_them(shared: Settings) -> None:
    meant = Recommender.open(shared).meant
    values = {
        "article": "http://lindenpost.example/business/ferry-vote",
        "factor": "0,5",
        "until": "2030-01-01",
        "note": "",
    }

    wish = wish_of("boost", values, meant)

    assert wish == Wish("boost", "ferry-vote", factor=0.5, until=datetime(2030, 1, 1, tzinfo=UTC))
    assert in_words(wish) == "damp ×0.5 “ferry-vote” everywhere until 2030-01-01 00:00 UTC"
    with pytest.raises(UnknownArticleError, match="no article has the id 'ferry-vot'"):
        wish_of("block", {"article": "ferry-vot"}, meant)


WISHES = st.builds(
    Wish,
    st.sampled_from(["pin", "block"]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["u", "v"]),
    top=st.booleans(),
)
STEPS = st.lists(WISHES | st.integers(1, 12), max_size=12)


@given(STEPS)
@tried(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_set_and_taken_back_a_preview_told_it_and_the_log_accounts_for_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Wish | int]
) -> None:
    home = Home(tmp_path_factory.mktemp("acts"))
    with Catalog(home.catalog, write=True):
        pass
    desk = Desk(home)
    for step in steps:
        before = desk.in_force()
        try:
            expected = desk.with_wish(step, now=NOW) if isinstance(step, Wish) else desk.without(step, now=NOW)
            act = desk.set(step, by="anna", now=NOW) if isinstance(step, Wish) else desk.undo(step, by="anna", now=NOW)
        except InputError:
            assert desk.in_force() == before
            continue
        assert _told(rules_of(home).rules) == _told(expected.rules)
        assert desk.log(1)[0] == act
    in_force = desk.in_force()
    assert [act for act in reversed(desk.log()) if act.in_force] == in_force
    assert len({(act.wish.kind, act.wish.article, act.wish.under) for act in in_force}) == len(in_force)
    with Catalog(home.catalog) as catalog:
        assert catalog.check() == []


def _told(rules: Any) -> list[Any]:
    return [(rule.kind, rule.articles, rule.under) for rule in rules]


def _made_version_2(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("DROP TABLE desk_log; PRAGMA user_version = 2")


def test_a_catalog_of_the_second_version_is_read_as_it_is_and_gets_its_log_from_whoever_writes(
    published: Settings,
) -> None:
    _made_version_2(published.home / "catalog.db")
    desk = _desk(published)
    expected = _ids(published)
    live = Live(published)

    assert (desk.log(), desk.in_force(), live.problem) == ([], [], None)
    with pytest.raises(InputError, match="has no line 1"):
        desk.without(1, now=NOW)
    assert [result.id for result in live.get().related("ferry-vote").results] == expected
    desk.set(PIN, by="anna", now=NOW)
    assert live.get().related("ferry-vote").results[0].id == "cup-final"
    with Catalog(published.home / "catalog.db") as catalog:
        assert catalog.check() == []
    live.stop()


def test_rules_of_a_kind_that_is_not_known_here_do_nothing(published: Settings) -> None:
    _desk(published).set(Wish("praise", "cup-final", "ferry-vote"), by="anna", now=NOW)
    assert as_rules(_desk(published).in_force()) == ()
    assert _ids(published)[0] != "cup-final"


def test_a_damaged_line_is_told_and_the_lists_stay(published: Settings) -> None:
    _desk(published).set(PIN, by="anna", now=NOW)
    live = Live(published)
    assert live.get().related("ferry-vote").results[0].id == "cup-final"
    with contextlib.closing(sqlite3.connect(published.home / "catalog.db", isolation_level=None)) as db:
        db.execute("UPDATE desk_log SET who = x'00', ended_by = 99")
        db.execute("INSERT INTO desk_log (at, who, kind, article) VALUES ('x', 'ole', 'block', 'ferry-strike')")

    with pytest.raises(CatalogError, match="line 2 of the desk's log: is damaged in the catalog"):
        _desk(published).log()
    assert live.get().related("ferry-vote").results[0].id == "cup-final"
    assert live.problem is not None
    with Catalog(published.home / "catalog.db") as catalog:
        assert catalog.check_articles() == ["line 1 of the desk's log: what it names is not there"]
    live.stop()


def test_two_homes_do_not_share_a_desk(tmp_path: Path, published: Settings) -> None:
    other = settings_for(tmp_path / "other")
    store(other, stories())
    publish(other)
    _desk(published).set(PIN, by="anna", now=NOW)
    assert _desk(other).log() == []


def test_the_log_travels_with_a_backup(published: Settings, tmp_path: Path) -> None:
    _desk(published).set(PIN, by="anna", now=NOW)
    back_up(Home(published.home), tmp_path / "copy.tar", now=NOW)
    other = settings_for(tmp_path / "other")
    restore(Home(other.home), tmp_path / "copy.tar")

    assert _desk(other).log() == _desk(published).log()
    assert _ids(other)[0] == "cup-final"


def test_a_live_service_takes_the_rules_of_a_catalog_that_was_restored(published: Settings, tmp_path: Path) -> None:
    home, desk = Home(published.home), _desk(published)
    desk.set(PIN, by="anna", now=NOW)
    back_up(home, tmp_path / "copy.tar", now=NOW)
    desk.undo(1, by="ole", now=NOW)
    now = [0.0]
    live = Live(
        published.model_copy(update={"serve": published.serve.model_copy(update={"poll_seconds": 1})}),
        clock=lambda: now[0],
    )
    assert live.get().related("ferry-vote").results[0].id != "cup-final"

    restore(home, tmp_path / "copy.tar", force=True)
    assert live.get().related("ferry-vote").results  # before it has looked at what lies there now
    desk.set(Wish("pin", "undated", "ferry-vote", top=True), by="anna", now=NOW)
    assert live.get().related("ferry-vote").results
    now[0] += 2
    assert [result.id for result in live.get().related("ferry-vote").results][:2] == ["undated", "cup-final"]
    live.stop()


def test_rules_that_change_while_many_ask_hold_in_every_answer_asked_for_afterwards(published: Settings) -> None:
    desk, live = _desk(published), Live(published)
    live.start()
    in_force: list[tuple[int, bool] | None] = [None]  # None while it is being changed
    wrong: list[Any] = []
    stop = Event()

    def ask() -> None:
        while not stop.is_set():
            before = in_force[0]
            source = live.get().related("ferry-vote").results[0].source
            if before is not None and before == in_force[0] and before[1] != (source == "pinned"):
                wrong.append((before, source))

    readers = [Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(10):
        in_force[0] = None
        number = desk.set(PIN, by="anna", now=NOW).number
        in_force[0] = turn, True
        assert live.get().related("ferry-vote").results[0].source == "pinned"
        in_force[0] = None
        desk.undo(number, by="ole", now=NOW)
        in_force[0] = turn, False
        assert live.get().related("ferry-vote").results[0].source != "pinned"
    stop.set()
    for reader in readers:
        reader.join()
    live.stop()
    assert wrong == []
