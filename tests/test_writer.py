"""Articles go in, change and go away in any order: links lead where one look at the whole archive would lead them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import links
from recommender.article import Article, Link, ReadMore
from recommender.catalog import Catalog, Outcome
from recommender.errors import CatalogError
from recommender.ingest import Writer

MARCH = datetime(2025, 3, 1, tzinfo=UTC)
HEADLINES = (
    "Ferry crews vote to strike over night shifts",
    "Ferry crew votes to strike over night shifts",
    "Ferry crews vote to strike over the night shifts",
    "FERRY crews vote to strike – over night shifts!",
    "Live blog of the harbour strike, day 3",
    "Live blog of the harbour strike, day 4",
    "The week in pictures",
    "…",
)
ADDRESSES = (None, "https://a.example/1", "http://www.a.example/1/?utm_source=x", "https://a.example/2")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.db", write=True) as made:
        yield made


def _writer(catalog: Catalog) -> Writer:
    return Writer(catalog, fuzzy_threshold=90)


def _anew(catalog: Catalog) -> list[Link]:
    """Return where links lead when all of the archive is looked at in memory."""
    articles = list(catalog.articles())
    targets = [links.Target(each.id, each.title, each.url, each.published_at) for each in articles]
    resolver = links.LinkResolver(links.Headlines(targets), fuzzy_threshold=90)
    return links.resolve_all(catalog.links(), resolver, {each.id: each.published_at for each in articles})


def _served(catalog: Catalog) -> dict[str, Any]:
    """Return what is served of every article and stub: its content, and where its links lead."""
    every = catalog.links()
    articles = list(catalog.articles())
    stubs = links.stubs(every, {article.id: article.language for article in articles})
    leads = {
        each.id: [link.target_id for link in every if link.article_id == each.id and links.counts(link)]
        for each in articles
    }
    return {each.id: (each, leads.get(each.id)) for each in (*articles, *stubs)}


ARTICLES = st.builds(
    Article,
    id=st.sampled_from("abcdef"),
    title=st.sampled_from(HEADLINES),
    url=st.sampled_from(ADDRESSES),
    published_at=st.sampled_from([None, *(MARCH + timedelta(days=number) for number in range(3))]),
    language=st.sampled_from(["en", "de"]),
    read_more=st.lists(st.builds(ReadMore, st.sampled_from(HEADLINES), st.sampled_from(ADDRESSES)), max_size=3).map(
        tuple
    ),
)
STEPS = st.lists(
    st.lists(ARTICLES, min_size=1, max_size=3) | st.lists(st.sampled_from("abcdef"), min_size=1, max_size=2),
    max_size=8,
)


@given(STEPS)
@settings(deadline=None, max_examples=150)
def test_after_any_history_links_lead_where_a_look_at_the_whole_archive_leads_them(
    tmp_path_factory: Any, steps: Sequence[Sequence[Any]]
) -> None:
    with Catalog(tmp_path_factory.mktemp("home") / "catalog.db", write=True) as catalog:
        writer = _writer(catalog)
        for step in steps:
            before, number = _served(catalog), catalog.last_change()
            if isinstance(step[0], Article):
                writer.upsert(step, "test")
            else:
                writer.withdraw(step)

            assert catalog.links() == _anew(catalog)
            after = _served(catalog)
            changed = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
            assert changed <= {article_id for article_id, _ in catalog.changed_since(number)}
        assert catalog.check() == []


def test_what_is_unchanged_gets_no_number(catalog: Catalog) -> None:
    writer = _writer(catalog)
    story = Article("a", HEADLINES[0], read_more=(ReadMore(HEADLINES[6]),))

    assert writer.upsert([story], "test") == [Outcome.NEW]
    number = catalog.last_change()

    assert writer.upsert([story], "another source") == [Outcome.UNCHANGED]
    assert (catalog.last_change(), catalog.changed_since(number)) == (number, [])


def test_one_transaction_has_one_number_and_numbers_only_grow(catalog: Catalog) -> None:
    writer = _writer(catalog)
    writer.upsert([Article("a", HEADLINES[0]), Article("b", HEADLINES[6])], "test")
    writer.upsert([Article("b", HEADLINES[4])], "test")
    writer.withdraw(["a"])

    assert catalog.changed_since(0) == [("b", 2), ("a", 3)]
    assert catalog.changed_since(2) == [("a", 3)]
    assert catalog.withdrawn_since(0) == ["a"]


def test_an_article_that_arrives_takes_the_place_of_its_stub_and_leaves_one_when_it_goes(catalog: Catalog) -> None:
    writer = _writer(catalog)
    writer.upsert([Article("a", "A story", read_more=(ReadMore(HEADLINES[0]),))], "test")
    (stub,) = {link.target_id for link in catalog.links()}

    writer.upsert([Article("b", HEADLINES[1])], "test")
    assert [(link.target_id, link.method) for link in catalog.links()] == [("b", "fuzzy")]
    assert {each for each, _ in catalog.changed_since(1)} == {"a", "b", stub}

    assert writer.withdraw(["b", "unknown"]) == ["b"]
    assert [(link.target_id, link.method) for link in catalog.links()] == [(stub, "stub")]
    assert {each for each, _ in catalog.changed_since(2)} == {"a", "b", stub}
    assert writer.withdraw(["b"]) == []


def test_a_stub_speaks_the_language_of_the_story_that_links_to_it(catalog: Catalog) -> None:
    writer = _writer(catalog)
    story = Article("a", "A story", language="en", read_more=(ReadMore(HEADLINES[0]),))
    writer.upsert([story], "test")

    writer.upsert([replace(story, language="de")], "test")

    assert len(catalog.changed_since(1)) == 2


def test_another_threshold_resolves_every_link_anew(catalog: Catalog) -> None:
    _writer(catalog).upsert(
        [Article("a", "A story", read_more=(ReadMore(HEADLINES[1]),)), Article("b", HEADLINES[0])], "test"
    )
    assert [link.method for link in catalog.links()] == ["fuzzy"]

    Writer(catalog, fuzzy_threshold=100).bring_up_to_date()

    assert [link.method for link in catalog.links()] == ["stub"]
    number = catalog.last_change()
    Writer(catalog, fuzzy_threshold=100).bring_up_to_date()
    assert catalog.last_change() == number


def test_a_batch_that_fails_leaves_neither_article_nor_number(catalog: Catalog) -> None:
    writer = _writer(catalog)
    writer.upsert([Article("a", HEADLINES[0])], "test")

    with contextlib.suppress(RuntimeError), catalog.transaction():
        writer.upsert([Article("b", HEADLINES[1])], "test")
        raise RuntimeError("the power failed")

    assert (catalog.ids(), catalog.changed_since(0)) == ({"a"}, [("a", 1)])
    assert writer.upsert([Article("b", HEADLINES[1])], "test") == [Outcome.NEW]
    assert catalog.changed_since(1) == [("b", 2)]


def test_the_language_is_told_from_the_text(catalog: Catalog) -> None:
    text = "Der Hafen blieb am Freitag leer, denn die Besatzungen der Schiffe streiken seit dem Morgen."
    _writer(catalog).upsert([Article("a", "Kein Schiff im Hafen", text=text)], "test")

    found = catalog.article("a")

    assert found is not None
    assert found.language == "de"


_VERSION_1 = """
    CREATE TABLE articles (id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, text TEXT NOT NULL, url TEXT,
        image_url TEXT, published_at INTEGER, modified_at INTEGER, language TEXT, section TEXT, tags TEXT NOT NULL,
        authors TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, digest BLOB NOT NULL);
    CREATE TABLE links (article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE, position INTEGER NOT NULL,
        title TEXT NOT NULL, url TEXT, target_id TEXT, method TEXT, PRIMARY KEY (article_id, position)) WITHOUT ROWID;
    CREATE INDEX links_by_target ON links(target_id);
    CREATE TABLE encoders (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE embeddings (encoder INTEGER NOT NULL REFERENCES encoders(number), digest BLOB NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (encoder, digest));
    INSERT INTO articles SELECT id, title, description, text, url, image_url, published_at, modified_at, language, section, tags,
        authors, kind, source, digest FROM now.articles;
    INSERT INTO links SELECT article_id, position, title, url, NULL, NULL FROM now.links;
    PRAGMA application_id = 1314014531;
    PRAGMA user_version = 1;
"""


def _of_the_first_version(path: Path) -> Path:
    """Return a catalog with the same articles as an earlier version of this program wrote it."""
    old = path.with_name("old.db")
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as db:
        db.execute("ATTACH ? AS now", (str(path),))
        db.executescript(_VERSION_1)
    return old


def test_a_catalog_of_the_first_version_is_brought_up_to_date_by_whoever_writes_first(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    stories = [
        Article("a", HEADLINES[1], read_more=(ReadMore(HEADLINES[6]), ReadMore("x", ADDRESSES[2]))),
        Article("b", HEADLINES[6], url=ADDRESSES[1], read_more=(ReadMore(HEADLINES[0]),)),
    ]
    with Catalog(path, write=True) as catalog:
        _writer(catalog).upsert(stories, "test")
        expected = catalog.links()
    path = _of_the_first_version(path)

    with pytest.raises(
        CatalogError, match="was written by an earlier version of this program; bring it up to date with"
    ):
        Catalog(path)
    Catalog.require(path)
    with Catalog(path, write=True) as catalog:
        _writer(catalog).bring_up_to_date()
        assert catalog.links() == expected == _anew(catalog)
        assert {each for each, _ in catalog.changed_since(0)} == {"a", "b"}
        _writer(catalog).upsert([Article("c", HEADLINES[0])], "test")
        assert catalog.links() == _anew(catalog)
        assert catalog.check() == []
