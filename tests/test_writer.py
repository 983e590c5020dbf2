"""Articles go in, change and go away in any order: links lead where one look at the whole archive would lead them."""

from __future__ import annotations

import contextlib
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
