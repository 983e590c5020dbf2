"""Everything held against everything else, and what can be made again made again."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import test_cli
from newsroom import publish, settings_for, store, stories
from test_cli import Command

from recommender import build, snapshot
from recommender.article import Article
from recommender.audit import audit
from recommender.catalog import Catalog
from recommender.home import Home
from recommender.settings import Settings

command, ready, source = test_cli.command, test_cli.ready, test_cli.source


def _harm(home: Path, *statements: str) -> None:
    with Catalog(Home(home).catalog, write=True) as catalog:
        for statement in statements:
            catalog._db.execute(statement)


def _n_vectors(home: Path) -> int:
    with Catalog(Home(home).catalog) as catalog:
        return sum(catalog.counts()["embeddings"].values())


def test_a_whole_home_has_no_problem(published: Settings) -> None:
    found = audit(Home(published.home))
    assert found.problems == []
    assert found.checked == ["catalog: 7 articles", "snapshot s00000001: 8 rows"]


def test_what_came_after_the_snapshot_is_no_problem(published: Settings) -> None:
    store(published, [Article(id="new", title="Minister promises a law on pilot boats")])
    assert audit(Home(published.home)).problems == []


def test_a_home_that_went_back_is_whole(published: Settings) -> None:
    store(published, [Article(id="pilots", title="Minister promises a law on pilot boats")])
    publish(published)
    snapshot.roll_back(Home(published.home))
    assert audit(Home(published.home)).problems == []


def test_links_to_nowhere_are_counted_and_the_first_named(published: Settings) -> None:
    _harm(published.home, "UPDATE links SET target_id = 'gone' WHERE method IN ('url', 'title')")
    assert audit(Home(published.home)).index == [
        f"{published.home}/catalog.db: 4 links lead to articles that are not there: "
        "'faehren #1', 'ferry-deal #1', 'ferry-strike #1', ...; run: recommender verify --repair"
    ]


@pytest.mark.parametrize(
    "harm",
    ["UPDATE links SET method = 'url' WHERE method = 'stub'", "UPDATE links SET method = 'stub' WHERE method = 'url'"],
)
def test_a_link_whose_method_belies_its_target_is_named(published: Settings, harm: str) -> None:
    _harm(published.home, harm)
    (problem,) = audit(Home(published.home)).index
    assert "1 links are not to what their method says, an article or a stub: 'ferry-strike #" in problem


def test_rows_that_the_catalog_does_not_know_are_counted_and_the_first_named(published: Settings) -> None:
    _harm(published.home, "PRAGMA foreign_keys = ON", "DELETE FROM articles WHERE id IN ('undated', 'faehren')")
    assert (
        "snapshot s00000001: 2 articles are not in the catalog: 'faehren', 'undated'; run: recommender verify"
        in str(audit(Home(published.home)).index)
    )


def test_rows_that_contradict_their_ids_are_named(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    load = snapshot.load

    def turned(home: Home) -> snapshot.Snapshot:
        live = load(home)
        live.columns = dataclasses.replace(live.columns, stub=~live.columns.stub)
        return live

    monkeypatch.setattr(snapshot, "load", turned)
    (problem,) = audit(Home(published.home)).index
    assert "8 rows are marked as a stub, or not, against their id: 'cup-final', 'faehren', 'ferry-deal', ..." in problem


def test_a_vector_of_no_encoder_is_named(published: Settings) -> None:
    _harm(published.home, "PRAGMA foreign_keys = OFF", "UPDATE embeddings SET encoder = 7 WHERE rowid = 1")
    (problem,) = audit(Home(published.home)).vectors
    assert problem.endswith("of encoder 7: the encoder is not named; run: recommender verify --repair")


def test_only_vectors_of_texts_that_are_gone_are_dropped(published: Settings) -> None:
    """What another encoder made of texts that are there stays; what nothing uses goes, whoever made it."""
    home = published.home
    before = _n_vectors(home)
    with Catalog(Home(home).catalog, write=True) as catalog:
        digests = [row[0] for row in catalog._db.execute("SELECT digest FROM embeddings")]
        unit = np.eye(1, 8, dtype=np.float32)[0]
        catalog.save_embeddings("another", {digests[0]: unit, b"nobody has this": unit})
        catalog.save_embeddings("hashing@1", {b"nor this": unit})
        assert build.drop_unused_vectors(catalog, published) == 2
        assert build.drop_unused_vectors(catalog, published) == 0
        assert catalog.counts()["embeddings"] == {"another": 1, "hashing@1": before}
    assert publish(published).n_texts_encoded == 0


def test_the_vector_of_a_stub_is_used(published: Settings) -> None:
    store(published, [Article(id="new", title="New", read_more=stories()[1].read_more)])
    publish(published)
    with Catalog(Home(published.home).catalog, write=True) as catalog:
        assert build.drop_unused_vectors(catalog, published) == 0


def _damage(name: str) -> Callable[[Path], object]:
    return lambda home: (home / "snapshots" / "s00000001" / name).write_bytes(b"x")


@pytest.mark.parametrize(
    "harm",
    [
        _damage("dense.faiss"),
        _damage("manifest.json"),
        lambda home: (home / "CURRENT").write_bytes(b"{"),
        lambda home: (home / "CURRENT").unlink(),
        lambda home: shutil.rmtree(home / "snapshots"),
        lambda home: _harm(home, "UPDATE links SET target_id = 'gone' WHERE method = 'url'"),
        lambda home: _harm(home, "UPDATE embeddings SET vector = x'00000040' WHERE rowid = 1"),
        lambda home: _harm(home, "PRAGMA foreign_keys = OFF", "UPDATE embeddings SET encoder = 7 WHERE rowid = 1"),
    ],
)
def test_repair_makes_again_what_can_be_made_again_and_says_so(
    ready: Command, environment: Path, shared: Settings, harm: Callable[[Path], object]
) -> None:
    before = ready("related", "ferry-vote", "--json").data["results"]
    harm(environment)
    assert ready("verify").code == 1
    done = ready("verify", "--repair")
    assert (done.code, done.out.splitlines()[-1]) == (0, "everything is as it was published")
    live = ready("status", "--json").data["snapshot"]["name"]
    assert f"repaired: the index was built anew from the catalog: {live} is live" in done.out
    assert ready("related", "ferry-vote", "--json").data["results"] == before
    with Catalog(environment / "catalog.db") as mended, Catalog(Home(shared.home).catalog) as right:
        assert list(mended.articles()) == list(right.articles())
        assert mended.links() == right.links()
    assert ready("verify", "--repair", "--json").data["repaired"] == []


def test_repair_drops_what_nothing_uses_and_builds_nothing_when_nothing_is_wrong(
    ready: Command, environment: Path
) -> None:
    with Catalog(environment / "catalog.db", write=True) as catalog:
        catalog.save_embeddings("hashing@1", {b"nobody has this": np.eye(1, 256, dtype=np.float32)[0]})
    assert ready("verify").code == 0
    done = ready("verify", "--repair")
    assert done.out == "repaired: 1 vectors that nothing uses were dropped\neverything is as it was published\n"
    assert snapshot.names(Home(environment)) == ["s00000001"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda home: _harm(home, "UPDATE articles SET text = 'other' WHERE id = 'undated'"),
        lambda home: (home / "catalog.db").write_bytes(b"no database" * 1_000),
        lambda home: (home / "catalog.db").unlink(),
    ],
)
def test_repair_never_touches_a_damaged_catalog_nor_builds_from_one(
    ready: Command, environment: Path, harm: Callable[[Path], object]
) -> None:
    harm(environment)
    _damage("dense.faiss")(environment)
    path = environment / "catalog.db"
    before = path.read_bytes() if path.exists() else None
    done = ready("verify", "--repair", "--json")
    assert (done.code, done.data["repaired"]) == (1, [])
    assert "the catalog itself is damaged: nothing is made from it; restore a backup" in done.err
    assert (path.read_bytes() if path.exists() else None) == before
    assert snapshot.names(Home(environment)) == ["s00000001"]


def test_repair_waits_for_no_writer(ready: Command, environment: Path) -> None:
    with Home(environment).writer("an ingest"):
        assert ready("verify").code == 0
        assert "an ingest since" in ready("verify", "--repair").err


def test_repair_is_not_held_back_by_the_gate(
    ready: Command, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOMMENDER_GATE__ON", "true")
    monkeypatch.setenv("RECOMMENDER_GATE__MAX_CHURN", "0")
    _harm(environment, "DELETE FROM links", "DELETE FROM articles WHERE id = 'undated'")
    store(settings_for(environment), [s for s in stories() if s.id != "undated"])
    assert ready("verify", "--repair").code == 0
