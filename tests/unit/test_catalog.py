from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import Article, Link, ReadMore
from recommender.catalog import Catalog, Outcome
from recommender.errors import CatalogError
from recommender.vectors import normalise

STORY = Article(
    "ferry-strike",
    "Ferries stay in port",
    "Commuters wait for buses.",
    "No ferry left the harbour.\nThe crews stood at the gates.",
    url="https://lindenpost.example/ferry-strike",
    image_url="https://lindenpost.example/ferry.jpg",
    published_at=datetime(2025, 3, 14, 9, tzinfo=UTC),
    modified_at=datetime(2025, 3, 14, 11, 30, tzinfo=UTC),
    language="en",
    section="business",
    tags=("ferry", "Streik „Fähre“"),
    authors=("Ada Lind",),
    kind="opinion",
    read_more=(ReadMore("The vote", "https://lindenpost.example/vote"), ReadMore("The harbour plan")),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.db"


@pytest.fixture
def catalog(path: Path) -> Iterator[Catalog]:
    with Catalog(path, write=True) as made:
        yield made


def _alter(path: Path, *statements: str) -> None:
    """Change a closed catalog behind its back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def _exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


# --- articles ---


def test_an_article_comes_back_as_it_went_in(catalog: Catalog, path: Path) -> None:
    bare = Article("bare", "A headline and nothing else")
    catalog.upsert([STORY, bare], "test")

    with Catalog(path) as reader:
        assert reader.article("ferry-strike") == STORY
        assert reader.article("bare") == bare
        assert reader.article("unknown") is None


@given(
    st.lists(
        st.builds(
            Article,
            id=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6),
            title=st.text(st.characters(codec="utf-8"), max_size=8),
            published_at=st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
            tags=st.lists(st.text(st.characters(codec="utf-8"), max_size=4), max_size=2).map(tuple),
        ),
        max_size=8,
        unique_by=lambda article: article.id,
    )
)
@settings(deadline=None, max_examples=30)
def test_whatever_is_stored_is_read_in_the_order_of_ids(tmp_path_factory: Any, articles: list[Article]) -> None:
    with Catalog(tmp_path_factory.mktemp("home") / "catalog.db", write=True) as catalog:
        catalog.upsert(articles, "test")

        assert list(catalog.articles()) == sorted(articles, key=lambda article: article.id.encode())
        assert catalog.check() == []


def test_articles_come_in_the_order_of_ids_over_many_pages(catalog: Catalog) -> None:
    ids = [f"a{number:04d}" for number in range(1201)]
    catalog.upsert((Article(article_id, "x") for article_id in reversed(ids)), "test")

    assert [article.id for article in catalog.articles()] == ids


CHANGES: dict[str, Any] = {
    "title": "Another headline",
    "description": "",
    "text": "Another text.",
    "url": None,
    "image_url": None,
    "published_at": None,
    "modified_at": datetime(2025, 3, 15, tzinfo=UTC),
    "language": "de",
    "section": None,
    "tags": ("ferry",),
    "authors": ("Ada Lind", "Bo Berg"),
    "kind": "news",
    "read_more": STORY.read_more[::-1],
}


def test_the_changes_name_every_field_but_the_key() -> None:
    assert set(CHANGES) | {"id"} == set(Article.__slots__)


@pytest.mark.parametrize("field", CHANGES)
def test_a_change_of_any_field_is_a_change_and_is_stored(catalog: Catalog, field: str) -> None:
    changed = replace(STORY, **{field: CHANGES[field]})

    outcomes = [catalog.upsert([article], "test") for article in (STORY, STORY, changed, changed)]

    assert outcomes == [[Outcome.NEW], [Outcome.UNCHANGED], [Outcome.CHANGED], [Outcome.UNCHANGED]]
    assert catalog.article(STORY.id) == changed
    assert catalog.check() == []


def test_of_one_id_twice_in_one_batch_the_last_is_kept(catalog: Catalog) -> None:
    last = replace(STORY, title="Last")

    assert catalog.upsert([STORY, last], "test") == [Outcome.NEW, Outcome.CHANGED]
    assert catalog.article(STORY.id) == last


# --- links ---


def test_links_are_replaced_with_their_article_and_lose_their_targets(catalog: Catalog) -> None:
    other = Article("other", "Other", read_more=(ReadMore("Kept"),))
    catalog.upsert([STORY, other], "test")
    catalog.save_targets(replace(link, target_id="bare", method="title") for link in catalog.links())

    catalog.upsert([replace(STORY, read_more=(ReadMore("Only this"),))], "test")

    assert catalog.links() == [
        Link(STORY.id, 0, "Only this"),
        Link("other", 0, "Kept", None, "bare", "title"),
    ]


def test_an_article_that_is_unchanged_keeps_the_targets_of_its_links(catalog: Catalog) -> None:
    catalog.upsert([STORY], "test")
    resolved = [replace(link, target_id="bare", method="url") for link in catalog.links()]
    catalog.save_targets(resolved)

    catalog.upsert([STORY], "another source")

    assert catalog.links() == resolved


def test_links_come_by_article_and_position(catalog: Catalog) -> None:
    titles = tuple(ReadMore(f"Title {number}") for number in range(12))
    catalog.upsert([Article(article_id, "x", read_more=titles) for article_id in ("b", "a")], "test")

    assert [(link.article_id, link.position, link.title) for link in catalog.links()] == [
        (article_id, position, f"Title {position}") for article_id in ("a", "b") for position in range(12)
    ]


# --- embeddings ---


def test_more_embeddings_than_one_statement_takes_come_back_bit_by_bit(catalog: Catalog) -> None:
    random = np.random.default_rng(0)
    vectors = {
        number.to_bytes(16, "big"): normalise(random.normal(size=8).astype(np.float32)) for number in range(1203)
    }  # 500 variables a statement: two full ones and a rest
    catalog.save_embeddings("hashing@1", vectors)

    found = catalog.embeddings("hashing@1", [*vectors, b"unknown"])

    assert found.keys() == vectors.keys()
    assert all(found[key].dtype == np.float32 and np.array_equal(found[key], vectors[key]) for key in vectors)


def test_embeddings_of_one_encoder_are_none_of_another(catalog: Catalog) -> None:
    one, two = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    catalog.save_embeddings("one", {b"view": one})
    catalog.save_embeddings("two", {b"view": two, b"more": two})

    assert catalog.embeddings("one", [b"view", b"more"]).keys() == {b"view"}
    assert catalog.embeddings("two", [b"view"])[b"view"].tolist() == [0, 1]
    assert catalog.embeddings("three", [b"view"]) == {}
    assert catalog.embeddings("one", []) == {}


@pytest.mark.parametrize(
    "raw",
    ["no bytes", b"", b"\0\0\0", np.array([1, 1], "<f4"), np.array([np.nan, 1], "<f4"), np.array([3e38, 1], "<f4")],
)
def test_a_vector_that_is_broken_counts_as_none_and_is_encoded_anew(catalog: Catalog, raw: Any) -> None:
    catalog.save_embeddings("hashing@1", {b"view": np.array([1, 0], np.float32), b"zeros": np.zeros(2, np.float32)})
    catalog._db.execute(
        "UPDATE embeddings SET vector = ? WHERE digest = ?", (raw if isinstance(raw, str) else bytes(raw), b"view")
    )

    assert catalog.embeddings("hashing@1", [b"view", b"zeros"]).keys() == {b"zeros"}


# --- all or nothing ---


def test_a_batch_that_fails_half_way_leaves_nothing(catalog: Catalog, path: Path) -> None:
    catalog.upsert([STORY], "test")

    def half() -> Iterator[Article]:
        yield replace(STORY, title="Changed")
        yield Article("new", "New", read_more=(ReadMore("x"),))
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match=r"^the source broke off$"):
        catalog.upsert(half(), "test")

    for reader in (catalog, Catalog(path)):
        with reader:
            assert list(reader.articles()) == [replace(STORY, read_more=())]
            assert [link.article_id for link in reader.links()] == [STORY.id, STORY.id]


def test_after_a_failure_the_catalog_can_be_written_again(catalog: Catalog) -> None:
    with pytest.raises(KeyboardInterrupt), catalog.transaction():
        raise KeyboardInterrupt

    assert catalog.upsert([STORY], "test") == [Outcome.NEW]


def test_a_full_disk_is_said_and_nothing_of_the_step_is_written(catalog: Catalog) -> None:
    catalog.upsert([STORY], "test")
    (pages,) = catalog._db.execute("PRAGMA page_count").fetchone()
    catalog._db.execute(f"PRAGMA max_page_count = {pages + 2}")

    message = "the disk is full; nothing of this step was written. Make room and run it again"
    with pytest.raises(CatalogError, match=f"^{re.escape(f'{catalog.path}: {message}')} "):
        catalog.upsert((Article(f"a{number}", "x" * 3000) for number in range(50)), "test")

    assert [article.id for article in catalog.articles()] == [STORY.id]
    catalog._db.execute("PRAGMA max_page_count = 100000")
    assert catalog.upsert([Article("later", "There is room again")], "test") == [Outcome.NEW]


def test_who_opens_a_catalog_to_read_cannot_write(catalog: Catalog, path: Path) -> None:
    message = f"{path}: cannot be written; check the permissions of the file and its folder"
    with Catalog(path) as reader, pytest.raises(CatalogError, match=f"^{re.escape(message)} "):
        reader.upsert([STORY], "test")


# --- files that are none, or others ---


def test_a_missing_catalog_is_not_made_by_a_reader(path: Path) -> None:
    message = f"{path}: there is no catalog yet; run: recommender ingest SOURCE"
    with pytest.raises(CatalogError, match=_exactly(message)):
        Catalog(path)

    assert not path.exists()


@pytest.mark.parametrize("write", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path, write: bool) -> None:
    raw = b"Dear reader, this is a letter. " * 100
    path.write_bytes(raw)

    message = f"{path}: is not a catalog; move it away, or choose another folder with --home"
    with pytest.raises(CatalogError, match=f"^{re.escape(message)} "):
        Catalog(path, write=write)

    assert path.read_bytes() == raw


@pytest.mark.parametrize("write", [False, True])
def test_another_programs_database_is_refused_and_left_as_it_is(path: Path, write: bool) -> None:
    _alter(path, "CREATE TABLE recipes (name TEXT)")
    raw = path.read_bytes()

    message = f"{path}: is another program's database; choose another folder with --home"
    with pytest.raises(CatalogError, match=_exactly(message)):
        Catalog(path, write=write)

    assert path.read_bytes() == raw


def test_an_empty_file_becomes_a_catalog_for_a_writer_only(path: Path) -> None:
    path.touch()
    with pytest.raises(CatalogError, match="the catalog is empty; run: recommender ingest SOURCE"):
        Catalog(path)

    with Catalog(path, write=True) as catalog:
        assert catalog.upsert([STORY], "test") == [Outcome.NEW]


@pytest.mark.parametrize("write", [False, True])
def test_a_newer_schema_is_refused_with_both_versions(path: Path, write: bool) -> None:
    Catalog(path, write=True).__exit__(None, None, None)
    _alter(path, "PRAGMA user_version = 4")

    message = (
        f"{path}: has schema version 4, this program reads 3; use the version of the program that wrote it, "
        "or ingest into a new home"
    )
    with pytest.raises(CatalogError, match=_exactly(message)):
        Catalog(path, write=write)


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()

    with pytest.raises(CatalogError, match=f"^{re.escape(str(path))}: "):
        Catalog(path, write=True)


def test_a_path_that_no_disk_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r": cannot be opened \(.*\); choose another folder with --home$"):
        Catalog(tmp_path / ("long" * 200) / "catalog.db")


def test_a_home_with_signs_of_urls_in_its_name_is_a_home(tmp_path: Path) -> None:
    folder = tmp_path / "50% ?mode=ro#news & more"
    folder.mkdir()
    with Catalog(folder / "catalog.db", write=True) as catalog:
        catalog.upsert([STORY], "test")

    with Catalog(folder / "catalog.db") as reader:
        assert reader.article(STORY.id) == STORY


def _filled(path: Path) -> None:
    with Catalog(path, write=True) as catalog:
        catalog.upsert((Article(f"a{number:04d}", "x" * 300) for number in range(200)), "test")
        catalog.upsert([STORY], "test")
        catalog.save_embeddings("hashing@1", {b"view": np.array([1, 0], np.float32), b"zero": np.zeros(2, np.float32)})


def test_a_damaged_file_is_said_with_the_mend(path: Path) -> None:
    _filled(path)
    raw = bytearray(path.read_bytes())
    raw[8192:] = b"\xff" * (len(raw) - 8192)
    path.write_bytes(raw)

    message = (
        f"{path}: is damaged; restore it from a backup, or move it away and ingest again "
        "(the published snapshot still answers)"
    )
    with Catalog(path) as catalog:
        with pytest.raises(CatalogError, match=f"^{re.escape(message)} "):
            list(catalog.articles())
        problems = _problems(catalog)
    assert problems


def _problems(catalog: Catalog) -> list[str]:
    """Return what ``check`` finds; on a file that SQLite cannot even walk it raises instead of returning."""
    try:
        return catalog.check()
    except CatalogError as error:
        return [str(error)]


# --- check ---


def test_a_whole_catalog_has_no_problems(path: Path) -> None:
    _filled(path)

    with Catalog(path) as catalog:
        assert catalog.check() == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE articles SET text = 'changed behind its back' WHERE id = 'ferry-strike'",
            "article 'ferry-strike': is not as it was stored (its digest differs); ingest it again",
        ),
        (
            "UPDATE articles SET tags = 'no JSON' WHERE id = 'ferry-strike'",
            "article 'ferry-strike': is not as it was stored (its digest differs); ingest it again",
        ),
        (
            "DELETE FROM links WHERE article_id = 'ferry-strike' AND position = 1",
            "article 'ferry-strike': is not as it was stored (its digest differs); ingest it again",
        ),
        (
            "DELETE FROM articles WHERE id = 'ferry-strike'",
            "links of article 'ferry-strike': the article is missing; ingest it again",
        ),
        (
            "UPDATE embeddings SET vector = x'0000004000000000' WHERE digest = x'76696577'",
            "embedding 76696577 of encoder 1: is no unit vector; run: recommender verify --repair",
        ),
        (
            "UPDATE embeddings SET vector = x'000000' WHERE digest = x'76696577'",
            "embedding 76696577 of encoder 1: is no unit vector; run: recommender verify --repair",
        ),
        (
            "UPDATE embeddings SET vector = x'0000c07f00000000' WHERE digest = x'76696577'",
            "embedding 76696577 of encoder 1: is no unit vector; run: recommender verify --repair",
        ),
    ],
    ids=["text", "tags", "a link less", "an article less", "length", "cut off", "not a number"],
)
def test_what_was_changed_behind_its_back_is_found(path: Path, statement: str, problem: str) -> None:
    _filled(path)
    _alter(path, statement)

    with Catalog(path) as catalog:
        assert set(catalog.check()) == {problem}


@pytest.mark.parametrize(
    "changed", ["text = 'changed'", "tags = 'no JSON'", "published_at = 1e18", "title = CAST(x'ff' AS TEXT)"]
)
def test_a_damaged_article_is_mended_by_ingesting_it_again_as_check_says(path: Path, changed: str) -> None:
    _filled(path)
    _alter(path, f"UPDATE articles SET {changed} WHERE id = 'ferry-strike'")

    with Catalog(path, write=True) as catalog:
        assert catalog.upsert([STORY], "test") == [Outcome.CHANGED]
        assert catalog.check() == []
        assert catalog.article(STORY.id) == STORY


def test_a_row_that_cannot_be_read_names_its_article(path: Path) -> None:
    _filled(path)
    _alter(path, "UPDATE articles SET tags = 'no JSON' WHERE id = 'ferry-strike'")

    message = r"^article 'ferry-strike': is damaged in the catalog \(Expecting value.*\); ingest it again$"
    with Catalog(path) as catalog, pytest.raises(CatalogError, match=message):
        list(catalog.articles())


@pytest.mark.parametrize("write", [False, True])
def test_another_programs_database_is_left_byte_for_byte_as_it_was(path: Path, write: bool) -> None:
    _alter(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()

    with pytest.raises(CatalogError, match="is another program's database"):
        Catalog(path, write=write)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("title = x'00'", "its title is no text"),
        ("url = 7.5", None),  # SQLite makes a text of it, in a column of texts
        ("section = x'7b'", "its section is no text"),
        ("published_at = 'soon'", "its published_at is no number"),
    ],
)
def test_a_value_of_another_kind_is_told_and_never_handed_on(path: Path, change: str, problem: str | None) -> None:
    with Catalog(path, write=True) as catalog:
        catalog.upsert([STORY], "test")
    _alter(path, f"UPDATE articles SET {change}")

    with Catalog(path) as catalog:
        assert catalog.check_articles() == [
            "article 'ferry-strike': is not as it was stored (its digest differs); ingest it again"
        ]
        if problem is not None:
            with pytest.raises(
                CatalogError, match=rf"^article .*: is damaged in the catalog \({problem}\); ingest it again$"
            ):
                list(catalog.articles())


@pytest.mark.parametrize("change", ["title = x'00'", "url = x'00'", "target_id = x'00'"])
def test_a_link_of_another_kind_is_told_and_never_handed_on(path: Path, change: str) -> None:
    with Catalog(path, write=True) as catalog:
        catalog.upsert([STORY], "test")
    _alter(path, f"UPDATE links SET {change}")

    message = "links of article 'ferry-strike': are damaged in the catalog; ingest it again"
    with Catalog(path) as catalog, pytest.raises(CatalogError, match=_exactly(message)):
        catalog.links()
