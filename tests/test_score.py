"""What a rebuild measures of its new index, and where that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import test_cli
from newsroom import NOW, publish, settings_for, store, stories, write_jsonl
from test_cli import Command

from recommender import build
from recommender.answer import Options
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import load, published
from recommender.trial import Trial, measured, truth_from_links

command, ready, source = test_cli.command, test_cli.ready, test_cli.source


def manifest_of(home: Path) -> Any:
    return load(Home(home)).manifest


def test_a_rebuild_keeps_what_it_measured_in_the_manifest_and_status_shows_it(
    ready: Command, environment: Path
) -> None:
    assert ready("rebuild").code == 0

    score = manifest_of(environment)["score"]
    assert {name: score[name] for name in ("measure", "queries", "linking_articles", "truth")} == {
        "measure": "nDCG@5",
        "queries": 3,
        "linking_articles": 3,
        "truth": "links",
    }
    assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1
    listed = ready("status", "--json").data["snapshots"]
    assert [each["score"] for each in listed] == [score, None]
    shown = f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}] nDCG@5"
    live, former = ready("status").out.splitlines()[-2:]
    assert shown in live
    assert "  none " in former
    assert ready("verify").code == 0


def test_the_score_is_that_of_evaluate(shared: Settings) -> None:
    recommender = Recommender.open(shared)
    score = measured(recommender, Options(), max_queries=100)
    truth = truth_from_links(recommender.snapshot)

    def articles() -> Any:
        with Catalog(Home(shared.home).catalog) as catalog:
            yield from catalog.articles()

    evaluation = Trial(recommender, truth, articles).evaluate().as_dict()
    assert score is not None
    assert f"{score['value']:.4f}" in json.dumps(evaluation)
    assert score["queries"] == len(truth.qrels)


def test_so_many_are_asked_and_no_more_and_the_same_ones_again(shared: Settings) -> None:
    recommender = Recommender.open(shared)
    watched: list[tuple[str, int, int, str]] = []
    one = measured(recommender, Options(), max_queries=2, watch=lambda *each: watched.append(each))
    assert one is not None
    assert (one["queries"], one["linking_articles"]) == (2, 3)
    assert watched == [("measuring", 1, 2, "articles"), ("measuring", 2, 2, "articles")]
    assert measured(recommender, Options(k=50, explain=True), max_queries=2) == one


def test_an_archive_without_links_has_no_score(command: Command, environment: Path, tmp_path: Path) -> None:
    command("ingest", write_jsonl(tmp_path / "one.jsonl", [{"id": "a", "title": "One"}, {"id": "b", "title": "Two"}]))
    assert command("rebuild").code == 0
    assert "score" not in manifest_of(environment)
    assert command("status").code == 0


def test_it_can_be_switched_off(ready: Command, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOMMENDER_SCORE__MAX_QUERIES", "0")
    assert ready("rebuild").code == 0
    assert "score" not in manifest_of(environment)


def test_rules_that_cannot_be_read_cost_the_score_and_not_the_index(ready: Command, environment: Path) -> None:
    (environment / "rules.toml").write_text("[[pin]]\nunder = 3\n")
    done = ready("rebuild")
    assert done.code == 0
    assert "warning: nothing was measured: " in done.err
    assert "score" not in manifest_of(environment)


def test_what_the_check_returns_is_in_the_manifest_that_is_published_and_answers(settings: Settings) -> None:
    store(settings, stories())
    home = Home(settings.home)
    with home.writer("a test"), Catalog(home.catalog, write=True) as catalog:
        report = build.rebuild(
            home,
            catalog,
            HashingEncoder(),
            settings,
            now=NOW,
            gate=lambda candidate: {"score": {"value": len(candidate)}},
        )
    live = load(home)
    assert (live.name, live.manifest["score"]) == (report.snapshot, {"value": 8})
    assert [each.state for each in published(home)] == ["whole"]


def test_a_score_of_another_version_is_shown_as_it_stands(command: Command, environment: Path) -> None:
    made = settings_for(environment)
    store(made, stories())
    publish(made)
    folder = environment / "snapshots" / "s00000001"
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"score": "good"}))
    assert "  good " in command("status").out
