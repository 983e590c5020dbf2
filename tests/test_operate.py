"""The commands of whoever runs it: what is there, going back, dropping, keeping a copy, mending."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import test_cli
from newsroom import publish, settings_for, write_jsonl
from test_cli import Command

from recommender import snapshot
from recommender.home import Home
from recommender.settings import Settings

command, ready, source = test_cli.command, test_cli.ready, test_cli.source


@pytest.fixture(scope="module")
def three_home(tmp_path_factory: pytest.TempPathFactory, shared: Settings) -> Path:
    """A home with three snapshots of seven stories; no test may write to it."""
    home = tmp_path_factory.mktemp("three") / "home"
    shutil.copytree(shared.home, home)
    for _ in range(2):
        publish(settings_for(home))
    return home


@pytest.fixture
def three(command: Command, environment: Path, three_home: Path) -> Command:
    """The command line over a home of its own with three snapshots."""
    shutil.copytree(three_home, environment)
    return command


def test_status_lists_the_snapshots_the_newest_first(three: Command) -> None:
    done = three("status", "--json")
    assert done.code == 0
    listed = done.data["snapshots"]
    assert [each["name"] for each in listed] == ["s00000003", "s00000002", "s00000001"]
    assert listed[0] == {
        "name": "s00000003",
        "published_at": "2025-04-01T12:00:00+00:00",
        "articles": 7,
        "stubs": 1,
        "bytes": listed[0]["bytes"],
        "encoder": "hashing@1",
        "live": True,
        "former": False,
        "state": "whole",
        "problem": None,
        "score": None,
    }
    lines = three("status").out.splitlines()
    assert lines[-4].split() == ["snapshot", "published", "articles", "stubs", "size", "encoder", "score"]
    assert lines[-3].split()[:2] == ["*", "s00000003"]
    assert lines[-3].endswith("hashing@1  none   live")
    assert lines[-2].endswith("none   rollback goes here")


def test_status_names_a_damaged_snapshot_and_ends_well_while_the_live_one_is_whole(
    three: Command, environment: Path
) -> None:
    (environment / "snapshots" / "s00000002" / "rows.npz").unlink()
    assert three("status").out.splitlines()[-2].endswith("rollback goes here, damaged")
    done = three("status", "--json")
    assert (done.code, done.data["snapshots"][1]["state"]) == (0, "damaged")
    assert "rows.npz: cannot be read" in done.data["snapshots"][1]["problem"]


def test_rollback_says_what_is_live_now_and_how_to_undo_it(three: Command) -> None:
    before = three("related", "ferry-vote", "--json").data["snapshot"]
    assert three("rollback") == test_cli.Done(
        0,
        "s00000002 is live now, published 2025-04-01T12:00:00+00:00: 7 articles, 1 stubs\n",
        "s00000003 was live; to have it back: recommender rollback --to s00000003\n",
    )
    after = three("related", "ferry-vote", "--json").data["snapshot"]
    assert (before, after) == ("s00000003", "s00000002")
    assert three("rollback", "--json", "--to", "s00000003").data == {
        "snapshot": "s00000003",
        "was": "s00000002",
        "former": "s00000002",
        "created_at": "2025-04-01T12:00:00+00:00",
        "counts": {"articles": 7, "stubs": 1, "links": {"stub": 1, "title": 3, "url": 1}},
    }


def test_rollback_survives_an_ingest_and_a_rebuild_makes_a_new_one(three: Command, tmp_path: Path) -> None:
    three("rollback")
    three("ingest", write_jsonl(tmp_path / "more.jsonl", [{"id": "new", "title": "A new story"}]))
    assert three("status", "--json").data["snapshot"]["name"] == "s00000002"
    assert three("rebuild", "--json").data["snapshot"] == "s00000004"
    assert three("rollback", "--json").data["snapshot"] == "s00000002"
    assert three("verify").code == 0


def test_the_last_snapshot_of_evaluate_is_the_one_that_rollback_goes_to(three: Command, environment: Path) -> None:
    three("rollback")
    three("rebuild")
    (environment / "snapshots" / "s00000002" / "names.json").unlink()
    assert "the snapshot before, s00000002, cannot be compared with: " in three("evaluate").err


@pytest.mark.parametrize("arguments", [["rollback"], ["prune", "--keep", "1"]])
def test_an_empty_home_has_nothing_to_go_back_to_and_stays_missing(
    command: Command, environment: Path, arguments: Sequence[str]
) -> None:
    done = command(*arguments)
    assert (done.code, done.out) == (1, "")
    assert "no index has been published here; run: recommender ingest SOURCE" in done.err
    assert not environment.exists()


def test_rollback_of_the_first_snapshot_is_refused(ready: Command) -> None:
    done = ready("rollback")
    assert (done.code, done.out) == (1, "")
    assert "no snapshot that was live before s00000001 is left, there is nothing to go back to" in done.err


def test_rollback_goes_to_a_snapshot_of_another_encoder_whatever_the_settings_name(
    three: Command, monkeypatch: pytest.MonkeyPatch, environment: Path
) -> None:
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "all-MiniLM-L6-v2")
    assert three("rollback").code == 0
    assert snapshot.read_current(Home(environment)).name == "s00000002"


def test_a_damaged_current_is_mended_by_naming_a_snapshot(three: Command, environment: Path) -> None:
    (environment / "CURRENT").write_bytes(b"{")
    done = three("rollback")
    assert (done.code, "CURRENT: is damaged" in done.err) == (1, True)
    assert three("rollback", "--to", "s00000002") == test_cli.Done(
        0, "s00000002 is live now, published 2025-04-01T12:00:00+00:00: 7 articles, 1 stubs\n", ""
    )
    assert three("rollback", "--to", "s00000002").err == "it was live already\n"


def test_rules_that_cannot_be_used_are_told_and_do_not_keep_a_bad_index(three: Command, environment: Path) -> None:
    (environment / "rules.toml").write_text("[[pin]]\n", encoding="utf-8")
    done = three("rollback")
    assert (done.code, done.out.split()[0]) == (0, "s00000002")
    assert "warning: rules.toml" in done.err


def test_prune_tells_what_it_dropped_and_how_much_that_freed(three: Command, environment: Path) -> None:
    size = snapshot.published(Home(environment))[-1].bytes
    done = three("prune", "--keep", "2")
    assert done.code == 0
    assert done.out.splitlines() == [
        f"dropped s00000001  {size / 1000:.1f} kB",
        f"1 dropped, {size:,} bytes freed; kept: s00000003, s00000002",
    ]
    assert three("prune", "--keep", "1", "--json").data == {
        "dropped": [],
        "freed_bytes": 0,
        "kept": ["s00000003", "s00000002"],
    }


@pytest.mark.parametrize("keep", ["0", "-1", "many", "1.5", ""])
def test_a_number_of_snapshots_that_is_none_is_wrong_usage(three: Command, environment: Path, keep: str) -> None:
    done = three("prune", "--keep", keep)
    assert (done.code, done.out) == (2, "")
    assert "--keep" in done.err
    assert len(snapshot.names(Home(environment))) == 3


@pytest.mark.parametrize("arguments", [["rollback"], ["prune", "--keep", "1"]])
def test_whoever_comes_second_is_told_who_is_writing(
    three: Command, environment: Path, arguments: Sequence[str]
) -> None:
    with Home(environment).writer("an ingest"):
        done = three(*arguments)
    assert (done.code, done.out) == (1, "")
    assert "an ingest since" in done.err
    assert json.loads((environment / "CURRENT").read_text())["snapshot"] == "s00000003"
