from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import NOW, RECORDS, STUB_TITLE, RecordingEncoder, publish, settings_for, store, stories, wider_stories

from recommender import build
from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.build import pages
from recommender.catalog import Catalog
from recommender.errors import CatalogError, SnapshotError
from recommender.home import Home
from recommender.lexical import SPOOL_PREFIX
from recommender.readers import article_from_record
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import Snapshot, load
from recommender.vectors import Matrix


def _live(settings: Settings) -> Snapshot:
    return load(Home(settings.home))


def _stub_ids(snapshot: Snapshot) -> list[str]:
    return [snapshot.dense.ids[number] for number in np.flatnonzero(snapshot.columns.stub)]


def _edges(snapshot: Snapshot) -> list[tuple[str, str]]:
    ids = snapshot.dense.ids
    return [(ids[a], ids[b]) for a in range(len(snapshot)) for b in snapshot.graph.linked_by(a)]


def test_the_report_tells_what_was_done(filled: Settings) -> None:
    report = publish(filled)
    assert dataclasses.asdict(report) == {
        "snapshot": "s00000001",
        "n_articles": 7,
        "n_stubs": 1,
        "n_texts_encoded": 7 + 7 + 2 + 1,
        "links": {"url": 1, "title": 3, "stub": 1},
        "unknown_languages": {},
    }
    manifest = _live(filled).manifest
    assert manifest["counts"] == {"articles": 7, "stubs": 1, "links": report.links}
    assert manifest["encoder"]["name"] == "hashing@1"
    assert manifest["created_at"] == NOW.isoformat()


def test_unchanged_text_is_never_encoded_again(filled: Settings) -> None:
    first, second = RecordingEncoder(), RecordingEncoder()
    n_encoded = publish(filled, first).n_texts_encoded
    assert sorted(first.texts) == sorted(set(first.texts))
    assert n_encoded == len(first.texts)
    assert publish(filled, second).n_texts_encoded == 0
    assert second.calls == []


def test_a_changed_article_costs_only_the_views_that_changed(filled: Settings) -> None:
    publish(filled)
    changed = [dataclasses.replace(article, title="Ferry crews call off their strike") for article in stories()[:1]]
    store(filled, changed)
    encoder = RecordingEncoder()
    # The German story's link to the former headline is a stub now, and the vector of that headline is known.
    assert publish(filled, encoder).n_stubs == 2
    assert encoder.texts == ["Ferry crews call off their strike"]


def test_a_change_that_no_reader_of_vectors_sees_encodes_nothing_and_is_served(filled: Settings) -> None:
    publish(filled)
    store(filled, [dataclasses.replace(stories()[0], section="politics", kind="opinion")])
    encoder = RecordingEncoder()
    publish(filled, encoder)
    live = _live(filled)
    row = live.row(live.dense.row_of("ferry-vote") or 0)
    assert (encoder.calls, row.section, row.kind) == ([], "politics", "opinion")


class _InterruptedEncoder(RecordingEncoder):
    """Does its first call and is interrupted in the second."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        if self.calls:
            raise KeyboardInterrupt
        return super().encode(texts)


def test_an_interrupted_rebuild_goes_on_where_it_stopped(
    filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_TEXTS", 4)
    interrupted, resumed, whole = _InterruptedEncoder(), RecordingEncoder(), RecordingEncoder()
    with pytest.raises(KeyboardInterrupt):
        publish(filled, interrupted)
    assert not Home(filled.home).current.exists()
    publish(filled, resumed)
    other = settings_for(tmp_path / "other")
    store(other, stories())
    publish(other, whole)
    assert interrupted.texts
    assert set(interrupted.texts).isdisjoint(resumed.texts)
    assert sorted(interrupted.texts + resumed.texts) == sorted(whole.texts)
    assert _live(filled).manifest["files"] == _live(other).manifest["files"]


def test_an_unresolved_link_becomes_a_stub_that_is_embedded_and_found(published: Settings) -> None:
    live = _live(published)
    (stub_id,) = _stub_ids(live)
    row = live.row(live.dense.row_of(stub_id) or 0)
    assert (row.title, row.language, row.stub) == (STUB_TITLE, "en", True)
    assert ("ferry-strike", stub_id) in _edges(live)
    first = Recommender.open(published).search("a law on pilot boats").results[0]
    assert (first.id, first.stub) == (stub_id, True)


def test_a_stub_gives_way_when_its_article_arrives(published: Settings) -> None:
    store(published, [Article("law", STUB_TITLE.upper(), text="The minister keeps the promise.", language="en")])
    report = publish(published)
    live = _live(published)
    assert (report.n_articles, report.n_stubs, _stub_ids(live)) == (8, 0, [])
    assert ("ferry-strike", "law") in _edges(live)


def test_a_stub_comes_back_when_the_headline_it_resolved_to_is_rewritten(published: Settings) -> None:
    store(published, [Article("law", STUB_TITLE, language="en")])
    publish(published)
    store(published, [Article("law", "An entirely different matter", language="en")])
    assert publish(published).n_stubs == 1


def test_one_headline_under_two_articles_is_one_stub(settings: Settings) -> None:
    link = (ReadMore("Something that nobody has written yet"),)
    again = (ReadMore("something that nobody — has written, yet", "https://www.lindenpost.example/yet"),)
    store(settings, [Article("a", "One story", read_more=link), Article("b", "Two stories", read_more=again)])
    assert publish(settings).n_stubs == 1
    live = _live(settings)
    (stub_id,) = _stub_ids(live)
    assert _edges(live) == [("a", stub_id), ("b", stub_id)]
    assert live.row(live.dense.row_of(stub_id) or 0).url == "https://www.lindenpost.example/yet"


def test_a_link_to_itself_and_one_said_twice_are_kept_and_count_nowhere(settings: Settings) -> None:
    links = (ReadMore("One story of the harbour"), ReadMore("Two stories of it"), ReadMore("two stories of it!"))
    store(settings, [Article("a", "One story of the harbour", read_more=links), Article("b", "Two stories of it")])
    report = publish(settings)
    assert report.links == {"self": 1, "title": 1, "repeat": 1}
    assert _edges(_live(settings)) == [("a", "b")]
    with Catalog(Home(settings.home).catalog) as catalog:
        assert catalog.counts()["n_links"] == 3


def test_the_link_block_is_in_no_text_that_is_embedded(settings: Settings) -> None:
    headlines = ["Berlin talks continue on Monday", "The frozen assets and what they are worth"]
    block = "\n".join(["The talks went on.", "Read more:", *headlines])
    inline = f"The talks ended.\nRead also: {headlines[0]}\nNobody spoke to the press."
    encoder = RecordingEncoder()
    records = [
        {"id": "a", "title": "Talks", "text": block, "language": "en"},
        {"id": "b", "title": "More talks", "text": inline, "language": "en"},
        {"id": "c", "title": "Even more", "text": "Body.", "read_more": headlines, "language": "en"},
    ]
    store(settings, map(article_from_record, records))
    publish(settings, encoder)
    for headline in headlines:
        assert [text for text in encoder.texts if headline in text] == [headline]  # the stub itself, and it alone
    assert not [text for text in encoder.texts if "Read more" in text or "Read also" in text]


ARRIVALS = st.permutations(range(len(RECORDS) + 1))
CUTS = st.sets(st.integers(1, len(RECORDS)), max_size=3)


def _all_stories() -> list[Article]:
    return [*stories(), Article("law", STUB_TITLE, text="The minister keeps the promise.", language="en")]


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The snapshot of all stories, stored in one batch and published once."""
    made = settings_for(tmp_path_factory.mktemp("at-once") / "home")
    store(made, _all_stories())
    publish(made)
    return _live(made)


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(order=ARRIVALS, cuts=CUTS)
def test_the_index_does_not_depend_on_the_order_of_arrival_or_on_rebuilds_between(
    tmp_path_factory: pytest.TempPathFactory, at_once: Snapshot, order: list[int], cuts: set[int]
) -> None:
    arriving = [_all_stories()[number] for number in order]
    made = settings_for(tmp_path_factory.mktemp("order") / "home")
    edges = [0, *sorted(cuts), len(arriving)]
    for start, stop in itertools.pairwise(edges):
        store(made, arriving[start:stop])
        publish(made)
    live = _live(made)
    assert [live.row(number) for number in range(len(live))] == [at_once.row(number) for number in range(len(at_once))]
    assert _edges(live) == _edges(at_once)
    assert live.manifest["files"] == at_once.manifest["files"]


def test_an_empty_catalog_publishes_an_empty_index(settings: Settings) -> None:
    store(settings, [])
    report = publish(settings)
    assert (report.n_articles, report.n_stubs, report.n_texts_encoded, len(_live(settings))) == (0, 0, 0, 0)
    assert Recommender.open(settings).search("anything").as_dict()["empty_reason"] == (
        "the archive holds no other article"
    )


def test_one_article_publishes_and_has_an_empty_list(settings: Settings) -> None:
    store(settings, stories()[:1])
    assert publish(settings).n_articles == 1
    answer = Recommender.open(settings).related("ferry-vote")
    assert (answer.results, answer.empty_reason) == ((), "the archive holds no other article")


def test_titles_without_a_word_can_be_published(settings: Settings) -> None:
    store(settings, [Article("a", "?!"), Article("b", "…"), Article("c", "Ferry crews vote")])
    assert publish(settings).n_articles == 3


def test_what_rules_look_at_is_what_the_articles_say(wide: Settings) -> None:
    live = _live(wide)
    columns, articles = live.columns, {article.id: article for article in wider_stories()}
    for number, article_id in enumerate(live.dense.ids):
        article = articles.get(article_id) or Article(article_id, STUB_TITLE)
        assert tuple(columns.tag_names[code] for row, code in columns.tags if row == number) == article.tags
        assert tuple(columns.author_names[code] for row, code in columns.authors if row == number) == article.authors
        assert columns.kinds[columns.kind[number]] == article.kind
        text = f"{article.title} {article.description} {article.text}"
        assert columns.n_words[number] == len(text.split())
    storm, wire = live.dense.require_row("storm"), live.dense.require_row("storm-wire")
    assert columns.copies[storm] == columns.copies[wire] == min(storm, wire)
    assert sum(columns.copies >= 0) == 2


def test_terms_are_those_of_headline_standfirst_and_body(wide: Settings) -> None:
    live = _live(wide)
    for article in wider_stories():
        row = live.dense.require_row(article.id)
        for text in filter(None, (article.title, article.description, article.text)):
            scores = live.lexical.scores(live.lexical.query_of_text("", text, article.language))
            assert scores[row] > 0
            assert row == np.argmax(scores) or live.columns.copies[row] == live.columns.copies[np.argmax(scores)] >= 0


@pytest.mark.parametrize("error", [SnapshotError("the lists are turned over"), KeyboardInterrupt("ctrl c")])
def test_what_the_gate_raises_stops_the_publication(published: Settings, error: BaseException) -> None:
    asked: list[Snapshot] = []

    def gate(candidate: Snapshot) -> None:
        asked.append(candidate)
        raise error

    home = Home(published.home)
    with Catalog(home.catalog, write=True) as catalog, pytest.raises(type(error), match=str(error)):
        build.rebuild(home, catalog, RecordingEncoder(), published, now=NOW, gate=gate)
    assert [candidate.name for candidate in asked] == ["s00000002"]
    assert _live(published).name == "s00000001"


def test_a_gate_that_raises_nothing_lets_the_new_index_through(published: Settings) -> None:
    home = Home(published.home)
    with Catalog(home.catalog, write=True) as catalog:
        report = build.rebuild(home, catalog, RecordingEncoder(), published, now=NOW, gate=lambda candidate: None)
    assert report.snapshot == _live(published).name == "s00000002"


def test_what_a_killed_rebuild_spooled_is_cleared_away_by_the_next(published: Settings) -> None:
    left_over = Home(published.home).snapshots / f"{SPOOL_PREFIX}abc"
    left_over.mkdir()
    (left_over / "0").write_bytes(b"postings")
    publish(published)
    assert sorted(path.name for path in left_over.parent.iterdir()) == ["s00000001", "s00000002"]


def test_an_archive_of_copies_can_be_published(settings: Settings) -> None:
    store(settings, [dataclasses.replace(stories()[0], id=f"copy-{number}", url=None) for number in range(20)])
    publish(settings)
    recommender = Recommender.open(settings)
    assert recommender.related("copy-7").empty_reason == "nothing in the archive passes the rules and filters"
    shown = recommender.related("copy-7", Options(collapse=False, ranker="dense"))
    assert [hit.id for hit in shown.results] == [f"copy-{number}" for number in (0, 1, 10, 11, 12)]
    assert {hit.score for hit in shown.results} == {1.0}


def test_an_index_that_does_not_find_its_own_rows_is_not_published(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.dense.DenseIndex.search", lambda *arguments: [])
    with pytest.raises(SnapshotError, match=r"the new index does not find its own row 'cup-final'; it was not publis"):
        publish(published)
    assert _live(published).name == "s00000001"


def test_stages_are_watched_to_their_end(filled: Settings) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    def watch(stage: str, done: int, total: int, unit: str) -> None:
        seen.setdefault(f"{stage} ({unit})", []).append((done, total))

    home = Home(filled.home)
    with Catalog(home.catalog, write=True) as catalog:
        build.rebuild(home, catalog, RecordingEncoder(), filled, now=NOW, watch=watch)
    assert {stage: steps[-1] for stage, steps in seen.items()} == {
        "looking for changed texts (articles)": (8, 8),
        "embedding (texts)": (17, 17),
        "building the index (articles)": (8, 8),
    }


def test_a_language_that_the_model_does_not_know_is_reported(filled: Settings) -> None:
    english = settings_for(filled.home, model="all-MiniLM-L6-v2")
    assert publish(english).unknown_languages == {"de": 1}


def test_a_link_of_an_article_that_is_gone_stops_a_rebuild_with_what_to_run(published: Settings) -> None:
    with contextlib.closing(sqlite3.connect(published.home / "catalog.db")) as db, db:
        db.execute("UPDATE links SET article_id = 'nobody' WHERE article_id = 'ferry-strike'")
    with pytest.raises(
        CatalogError, match="a link names article 'nobody', which the catalog does not hold; run: recommen"
    ):
        publish(published)
    assert Recommender.open(published).snapshot.name == "s00000001"
