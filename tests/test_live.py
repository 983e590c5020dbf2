"""What is written is answered: new stories on the lists of old ones, withdrawn ones nowhere, whoever wrote them."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from newsroom import NOW, publish, settings_for, store, stories, withdraw

from recommender import recommend, snapshot
from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.errors import CatalogError, SnapshotError, UnknownArticleError
from recommender.home import Home
from recommender.recommend import Live, Recommender
from recommender.recommend.changes import ChangeLog
from recommender.settings import Settings
from recommender.snapshot import Entry, Overlay

MANY = Options(k=50, kinds=(), floor=0.0)
NEW = Article(
    "ferry-night",
    "Ferry crews on the night shift: what the strike was about",
    text="Two sailors on every night crossing of the harbour ferries, that is what the crews wanted from the strike.",
    published_at=NOW,
    language="en",
    section="business",
)


@pytest.fixture
def live(published: Settings) -> Iterator[Live]:
    held = Live(published)
    yield held
    held.stop()


@pytest.fixture
def followed(published: Settings) -> Iterator[Live]:
    """With the thread that takes in what is new, and encodes it."""
    held = Live(published)
    held.get()
    held.start()
    yield held
    held.stop()


def _listed(live: Live, article_id: str) -> list[str]:
    return [result.id for result in live.get().related(article_id, MANY).results]


def _encoded(settings: Settings, articles: list[Article]) -> None:
    recipe = Recommender.open(settings).recipe
    with Catalog(Home(settings.home).catalog, write=True) as catalog:
        recommend.live.encode_missing(
            catalog, HashingEncoder(), [(article, recipe.views(article)) for article in articles]
        )


def _touched(home: Home) -> None:
    """Let the list of snapshots look as if another had been published."""
    raw = home.current.read_bytes()
    home.current.unlink()
    home.current.write_bytes(raw)


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_a_new_story_stands_on_the_lists_of_old_ones(followed: Live, published: Settings) -> None:
    before = _listed(followed, "ferry-vote")

    store(published, [NEW])

    _until(lambda: NEW.id in _listed(followed, "ferry-vote"))
    assert NEW.id not in before
    assert "ferry-vote" in _listed(followed, NEW.id)
    assert NEW.id in [result.id for result in followed.get().search("night shift of the ferry crews").results]
    assert followed.status() == {"change": 2, "changed": 1, "gone": 0, "waiting": 0}


def test_a_withdrawn_story_is_gone_from_the_first_answer_after(live: Live, published: Settings) -> None:
    assert "ferry-vote" in _listed(live, "ferry-strike")

    withdraw(published, ["ferry-vote"])

    assert "ferry-vote" not in _listed(live, "ferry-strike")
    with pytest.raises(UnknownArticleError):
        live.get().related("ferry-vote")


def test_a_withdrawn_story_is_gone_though_nothing_else_is_looked_at(published: Settings) -> None:
    slow = published.model_copy(update={"serve": published.serve.model_copy(update={"poll_seconds": 3600.0})})
    live = Live(slow)
    assert "ferry-vote" in _listed(live, "ferry-strike")

    store(published, [NEW])
    withdraw(published, ["ferry-vote"])

    assert "ferry-vote" not in _listed(live, "ferry-strike")
    live.stop()


def test_a_state_read_before_a_withdrawal_answers_nobody_after_it(published: Settings) -> None:
    slow = published.model_copy(update={"serve": published.serve.model_copy(update={"poll_seconds": 3600.0})})
    live = Live(slow)
    held = live.get()
    store(published, [NEW])
    log = ChangeLog(snapshot.load(Home(published.home)), held.recipe)
    with Catalog(Home(published.home).catalog, write=True) as catalog:
        recommend.live.encode_missing(catalog, HashingEncoder(), [(NEW, held.recipe.views(NEW))])
        log.read(catalog)
    late = held.with_view(Overlay(log.base, log.changes()))
    withdraw(published, [NEW.id])
    looked = live._probe.withdrawn_since

    def another_thread_comes_late(number: int) -> list[str]:
        live._held = late
        return looked(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live._probe, "withdrawn_since", another_thread_comes_late)
        first = live.get()
    assert late.snapshot.dense.row_of(NEW.id) is not None
    assert [each.snapshot.dense.row_of(NEW.id) for each in (first, live.get())] == [None, None]
    live.stop()


def test_without_its_vectors_a_changed_story_stays_as_it_was(live: Live, published: Settings) -> None:
    (vote,) = (story for story in stories() if story.id == "ferry-vote")
    store(published, [replace(vote, title="Ferry crews call off the vote"), NEW])

    row = live.get().snapshot.dense.row_of("ferry-vote")

    assert row is not None
    assert live.get().snapshot.row(row).title == vote.title
    assert live.get().snapshot.dense.row_of(NEW.id) is None
    assert live.status()["waiting"] == 2


def test_a_changed_headline_encodes_the_headline_alone(
    followed: Live, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vote,) = (story for story in stories() if story.id == "ferry-vote")
    encoded: list[str] = []
    encode = HashingEncoder.encode
    monkeypatch.setattr(HashingEncoder, "encode", lambda self, texts: (encoded.extend(texts), encode(self, texts))[1])

    store(published, [replace(vote, title="Ferry crews call off the vote")])

    def title() -> str:
        shown = followed.get().snapshot
        return shown.row(shown.dense.require_row("ferry-vote")).title

    _until(lambda: title() == "Ferry crews call off the vote")
    assert encoded == ["Ferry crews call off the vote"]


def test_what_is_written_again_unchanged_is_no_change(live: Live, published: Settings) -> None:
    held = live.get()
    store(published, stories())
    assert live.get() is held


def test_an_editors_link_to_a_story_that_arrives_leads_there(followed: Live, published: Settings) -> None:
    store(published, [replace(NEW, read_more=(ReadMore("Old lighthouse is lit again"),))])
    _until(lambda: followed.status()["changed"] == 2)  # the story, and the stub that it links to
    assert _listed(followed, NEW.id)[0].startswith("stub:")

    store(
        published, [Article("lighthouse", "Old lighthouse is lit again", text="It was dark for years.", language="en")]
    )

    _until(lambda: _listed(followed, NEW.id)[:1] == ["lighthouse"])
    assert followed.get().related("lighthouse", MANY).results[0].id == NEW.id


def test_a_rebuild_takes_over_what_lay_over_the_old_snapshot(followed: Live, published: Settings) -> None:
    store(published, [NEW])
    _until(lambda: NEW.id in _listed(followed, "ferry-vote"))
    before = followed.get().related("ferry-vote", MANY).as_dict()

    assert publish(published).n_texts_encoded == 0
    _until(lambda: followed.get().snapshot.name == "s00000002")

    assert followed.status()["changed"] == 0
    assert {result["id"] for result in followed.get().related("ferry-vote", MANY).as_dict()["results"]} == {
        result["id"] for result in before["results"]
    }


def test_what_arrives_during_a_rebuild_is_neither_lost_nor_doubled(published: Settings) -> None:
    def watch(stage: str, done: int, total: int, unit: str) -> None:
        if stage == "building the index":
            store(published, [NEW])
            withdraw(published, ["cup-final"])

    publish(published, watch=watch)
    live = Live(published)
    ids = live.get().snapshot.dense.ids

    assert snapshot.load(Home(published.home)).dense.row_of(NEW.id) is None
    assert "cup-final" not in ids
    assert live.status()["waiting"] == 1
    publish(published)
    assert live.get().snapshot.dense.ids.count(NEW.id) == 1
    live.stop()


def test_a_rollback_shows_the_archive_of_today_over_the_older_index(live: Live, published: Settings) -> None:
    store(published, [NEW])
    publish(published)
    assert live.get().snapshot.name == "s00000002"

    snapshot.roll_back(Home(published.home))

    assert live.get().snapshot.name == "s00000001"
    assert NEW.id in _listed(live, "ferry-vote")  # its vectors are known


def test_beyond_two_thousand_changes_the_others_wait_and_what_is_withdrawn_goes(
    live: Live, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend.changes, "MAX_CHANGED", 2)
    live.get()
    store(published, [Article(f"new-{n}", f"Ferry story number {n}", language="en") for n in range(5)])
    with Catalog(Home(published.home).catalog, write=True) as catalog:
        recipe = live.get().recipe
        page = [(article, recipe.views(article)) for article in catalog.articles()]
        recommend.live.encode_missing(catalog, HashingEncoder(), page)

    assert live.status() | {"change": 0} == {"change": 0, "changed": 2, "gone": 0, "waiting": 3}
    withdraw(published, ["cup-final"])
    assert live.get().snapshot.dense.row_of("cup-final") is None


def test_one_process_of_a_home_encodes(published: Settings) -> None:
    one, other = Live(published), Live(published)
    for live in (one, other):
        live.get()
    store(published, [NEW])
    for live in (one, other):
        live.get()

    assert (one._encode(), other._encode()) == (True, False)
    for live in (one, other):
        assert NEW.id in _listed(live, "ferry-vote")
        live.stop()


def test_an_instance_without_an_encoder_waits_for_another_one(published: Settings) -> None:
    bare = Live(settings_for(published.home, model="none"))
    bare.get()
    store(published, [NEW])
    bare.get()

    assert bare._encode() is False
    assert bare.problem is None
    bare.stop()


def test_a_catalog_that_cannot_be_read_leaves_the_snapshot_answering(live: Live, published: Settings) -> None:
    Home(published.home).catalog.write_bytes(b"no catalog at all" * 100)

    assert "ferry-vote" in _listed(live, "ferry-strike")
    assert live.problem == "what changed since the index was built cannot be read; the service's log says why"


def test_a_home_whose_catalog_was_moved_away_answers_from_its_snapshot(live: Live, published: Settings) -> None:
    catalog = Home(published.home).catalog
    assert live.get()
    for file in catalog.parent.glob("catalog.db*"):
        file.rename(catalog.parent / f"moved-{file.name}")

    assert "ferry-vote" in _listed(live, "ferry-strike")


def test_many_readers_see_whole_states_while_articles_come_and_go(followed: Live, published: Settings) -> None:
    wrong: list[object] = []
    stopping = threading.Event()

    def read() -> None:
        while not stopping.is_set():
            try:
                held = followed.get()
                ids = {result.id for result in held.related("ferry-strike", MANY).results}
                if not ids <= set(held.snapshot.dense.ids):
                    wrong.append(ids)
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for number in range(12):
            store(published, [replace(NEW, title=f"Ferry crews, part {number}")])
            if number % 3 == 2:
                withdraw(published, [NEW.id])
                assert NEW.id not in followed.get().snapshot.dense.ids
            if number == 6:
                publish(published)
    finally:
        stopping.set()
        for reader in readers:
            reader.join()

    assert wrong == []


def test_a_recommender_writes_through_the_one_way_in(published: Settings) -> None:
    recommender = Recommender.open(published)

    assert recommender.upsert([NEW]).outcomes == ["new"]
    assert recommender.withdraw(["cup-final", "nobody"]).ids == ["cup-final"]
    assert recommender.snapshot.dense.row_of("cup-final") is not None
    assert Live(published).get().snapshot.dense.row_of("cup-final") is None


def test_a_recommender_made_without_a_home_says_that_it_cannot_write(shared: Settings) -> None:
    held = Recommender.open(shared)
    bare = Recommender(held.snapshot, recipe=held.recipe, encoder=held.encoder, fuzzy_threshold=90)
    with pytest.raises(CatalogError, match="made without a catalog to write to"):
        bare.withdraw(["x"])


def test_after_a_rollback_the_first_answer_has_all_that_was_written_since(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend.live, "_MOST_TAKEN_IN", 1)
    new = [replace(NEW, id=f"new-{number}", title=f"{NEW.title} {number}") for number in range(4)]
    store(published, new)
    publish(published)
    live = Live(published)
    assert {each.id for each in new} <= set(live.get().snapshot.dense.ids)
    snapshot.roll_back(Home(published.home))

    view = live.get().snapshot

    assert view.name == "s00000001"
    assert {each.id for each in new} <= set(view.dense.ids)
    live.stop()


def test_rows_are_not_made_again_for_a_new_snapshot_of_the_same_fit(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(NEW, id="other", title="A bridge is painted green", text="")
    live = Live(published)
    live.get()
    store(published, [NEW, other])
    _encoded(published, [NEW, other])
    assert {NEW.id, other.id} <= set(live.get().snapshot.dense.ids)
    _touched(Home(published.home))  # the same snapshot, opened anew
    store(published, [replace(other, title="A bridge is painted blue")])
    _encoded(published, [replace(other, title="A bridge is painted blue")])
    made: list[str] = []
    of = Entry.of
    monkeypatch.setattr(Entry, "of", lambda article, *others: made.append(article.id) or of(article, *others))

    view = live.get().snapshot

    titles = {view.row(number).title for number in range(len(view))}
    assert {NEW.title, "A bridge is painted blue"} <= titles
    assert made == ["other"]
    live.stop()


def test_what_there_is_no_room_for_waits_and_keeps_nobody_busy(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend.changes, "MAX_CHANGED", 3)
    monkeypatch.setattr(recommend.live, "_MOST_TAKEN_IN", 2)
    new = [replace(NEW, id=f"new-{number}", title=f"{NEW.title} {number}") for number in range(5)]
    store(published, new)
    _encoded(published, new)
    live = Live(published)

    assert live.get().related("ferry-strike", MANY).results

    assert (live.status()["changed"], live.status()["waiting"]) == (3, 2)
    assert not live._has_more()
    withdraw(published, ["new-0"])
    assert live.get().snapshot.dense.row_of("new-0") is None
    store(published, [replace(new[4], text="Written anew.")])
    _encoded(published, [replace(new[4], text="Written anew.")])
    live._next_look = 0.0
    live._look(wait=True)
    assert (live.status()["changed"], live.status()["waiting"]) == (3, 1)
    live.stop()


def test_a_state_that_was_replaced_is_let_go_without_a_garbage_collection(published: Settings) -> None:
    live = Live(published)
    live.get()
    gc.collect()
    gc.disable()
    try:
        withdraw(published, ["cup-final"])
        live.get().related("ferry-strike", MANY)
        live.get().search("the strike at the ferries", MANY)
        live.get().related_to(replace(NEW, id="unseen", read_more=(ReadMore("Ferry crews vote"),)), MANY)
        states = [weakref.ref(live.get()), weakref.ref(live.get().snapshot)]
        withdraw(published, ["ferry-vote"])
        live.get()
        assert [state() for state in states] == [None, None]
        publish(published)
        base = weakref.ref(live._log.base)
        live.get().search("the strike at the ferries", MANY)
        assert live.get().snapshot.name == "s00000002"
        assert base() is None
    finally:
        gc.enable()
    live.stop()


def test_a_log_takes_nothing_in_twice(published: Settings) -> None:
    base = snapshot.load(Home(published.home))
    log = ChangeLog(base, Recommender.open(published).recipe)
    with Catalog(Home(published.home).catalog) as catalog:
        assert log.read(catalog) is None
        withdraw(published, ["cup-final"])
        changes = log.read(catalog)
        assert changes is not None
        assert changes.gone == {"cup-final"}
        assert log.read(catalog) is None


def test_a_service_over_no_snapshot_says_so_and_serves_the_first_one(filled: Settings) -> None:
    live = Live(filled)
    with pytest.raises(SnapshotError):
        live.get()
    publish(filled)
    assert _listed(live, "ferry-strike")
    live.stop()


def test_the_thread_survives_a_home_without_a_snapshot(filled: Settings, tmp_path: Path) -> None:
    live = Live(filled)
    live.start()
    publish(filled)
    _until(lambda: live._held is not None)
    assert _listed(live, "ferry-strike")
    live.stop()


def test_a_large_batch_is_taken_in_piece_by_piece_and_what_is_withdrawn_waits_for_none_of_it(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend.live, "_MOST_TAKEN_IN", 4)
    live = Live(published)
    recipe = live.get().recipe
    store(published, [Article(f"new-{n:02d}", f"Ferry story number {n}", language="en") for n in range(10)])
    with Catalog(Home(published.home).catalog, write=True) as catalog:
        page = [(article, recipe.views(article)) for article in catalog.articles()]
        recommend.live.encode_missing(catalog, HashingEncoder(), page)
    withdraw(published, ["cup-final"])

    views = [live.get().snapshot for _ in range(4)]

    assert [view.dense.row_of("cup-final") for view in views] == [None] * 4
    assert [sum(each.startswith("new-") for each in view.dense.ids) for view in views] == [4, 8, 10, 10]
    live.stop()


def test_rows_without_vectors_hold_up_none_that_have_them(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend.live, "_MOST_TAKEN_IN", 2)
    live = Live(published)
    live.get()
    store(published, [Article(f"a-{n}", f"Without a vector {n}", language="en") for n in range(5)])
    store(published, [NEW])
    with Catalog(Home(published.home).catalog, write=True) as catalog:
        recommend.live.encode_missing(catalog, HashingEncoder(), [(NEW, live.get().recipe.views(NEW))])

    for _ in range(4):
        live.get()

    assert NEW.id in live.get().snapshot.dense.ids
    assert live.status()["waiting"] == 5
    live.stop()
