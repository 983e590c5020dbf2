"""Lists as files: what stands in them, that only changed ones are written, and that nothing is lost when one is killed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import test_cli
from faults import Killed, Step, failing
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import RECORDS, publish, settings_for, store, stories
from test_cli import Command, Done

import recommender.export
from recommender.answer import Options
from recommender.article import Article
from recommender.build import embed
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.errors import BusyError, ExportError, QueryError
from recommender.export import Exported, export
from recommender.export.folder import Folder
from recommender.export.pages import FILE, stem
from recommender.fragment import fragment
from recommender.fusion import Weights
from recommender.home import Home
from recommender.ingest import Writer
from recommender.rank import Filters
from recommender.recommend import Live, Recommender
from recommender.settings import Settings

command, ready, source = test_cli.command, test_cli.ready, test_cli.source
IDS = sorted(str(record["id"]) for record in RECORDS)
ODD_IDS = (
    "../../etc/passwd",
    "..",
    "/",
    "https://a.example/b?c=d#e",
    "with space",
    "ім'я",
    "CON",
    "x" * 512,
    "a/b",
    "a-b",
)


def exported_to(folder: Path, settings: Settings, **given: Any) -> Exported:
    return export(Recommender.open(settings), settings, folder, given.pop("options", Options()), **given)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".export.lock"
    }


def index_of(folder: Path) -> Any:
    return json.loads((folder / "index.json").read_bytes())


def change(settings: Settings) -> None:
    """Take one article away, add another and give a third another headline."""
    home = Home(settings.home)
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).withdraw(["cup-final"])
    store(
        settings,
        [
            Article("cup-party", "Rovers fans fill the harbour after the cup final", section="sport", language="en"),
            Article("harbour-plan", "Council drops its plan for the old harbour", language="en"),
        ],
    )


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a home in which one article went, one came and one changed since the first export."""
    made = settings_for(tmp_path_factory.mktemp("changed") / "home")
    store(made, stories())
    publish(made)
    change(made)
    publish(made)
    return made


def test_every_article_has_its_answer_and_its_fragment_and_the_index_names_them(
    shared: Settings, tmp_path: Path
) -> None:
    told: list[Exported] = []
    made = exported_to(tmp_path / "new" / "out", shared, announce=told.append)

    out = tmp_path / "new" / "out"
    recommender = Recommender.open(shared)
    index = index_of(out)
    assert list(index["articles"]) == IDS
    assert (index["format"], index["snapshot"], index["folders"], index["removed"]) == (1, "s00000001", False, [])
    for article_id, entry in index["articles"].items():
        answer = recommender.related(article_id)
        expected = answer.as_dict()
        del expected["snapshot"]
        raw = (out / entry["json"]["file"]).read_bytes()
        assert json.loads(raw) == expected
        assert len(raw) == entry["json"]["bytes"]
        assert (out / entry["html"]["file"]).read_text() == fragment(answer)
        assert entry["url"] is None or index["urls"][entry["url"]] == article_id
    assert index["articles"]["ferry-vote"]["json"]["file"].startswith("ferry-vote-")
    assert index["urls"]["https://www.lindenpost.example/business/ferry-vote"] == "ferry-vote"
    assert sorted(made.written) == sorted(set(tree(out)) - {"index.json"})
    assert (made.snapshot, made.removed, made.unchanged) == ("s00000001", (), 0)
    assert told == [made]


def test_an_export_of_the_same_lists_touches_nothing(shared: Settings, tmp_path: Path) -> None:
    exported_to(tmp_path, shared)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("[!.]*")}

    made = exported_to(tmp_path, shared)

    assert (made.written, made.removed, made.unchanged) == ((), (), 14)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("[!.]*")} == before


def test_a_rebuild_that_changes_no_list_changes_no_file_but_the_index(filled: Settings, tmp_path: Path) -> None:
    publish(filled)
    exported_to(tmp_path / "out", filled)
    before = tree(tmp_path / "out")
    publish(filled)

    made = exported_to(tmp_path / "out", filled)

    after = tree(tmp_path / "out")
    assert made.written == ()
    assert {name for name in after if after[name] != before[name]} == {"index.json"}
    assert index_of(tmp_path / "out")["snapshot"] == "s00000002"


def test_only_lists_that_changed_are_written_and_those_of_articles_that_are_gone_removed(
    shared: Settings, changed: Settings, tmp_path: Path
) -> None:
    exported_to(tmp_path / "out", shared)
    before = tree(tmp_path / "out")

    made = exported_to(tmp_path / "out", changed)

    after = tree(tmp_path / "out")
    gone = [f"{stem('cup-final', folders=False)}.{kind}" for kind in ("html", "json")]
    assert made.removed == tuple(gone)
    assert set(before) - set(after) == set(gone)
    assert set(made.written) == {name for name in after if before.get(name) != after[name]} - {"index.json"}
    assert f"{stem('cup-party', folders=False)}.json" in made.written
    assert 0 < made.unchanged == len(after) - 1 - len(made.written)
    anew = exported_to(tmp_path / "anew", changed)
    assert {name: _seen(raw) for name, raw in after.items()} == {
        name: _seen(raw) for name, raw in tree(tmp_path / "anew").items()
    }
    assert anew.removed == ()


def _seen(raw: bytes) -> Any:
    """Return what readers see in a file: no scores, and of the index nothing that scores or history are in."""
    if raw.startswith(b"<"):
        return raw
    told = json.loads(raw)
    for line in told.get("results", ()):
        del line["score"]
    for entry in told.get("articles", {}).values():
        del entry["json"]["bytes"]
    for name in ("removed", "sha256"):
        told.pop(name, None)
    return told


def test_scores_alone_make_no_file_another_one(shared: Settings, tmp_path: Path) -> None:
    exported_to(tmp_path, shared)
    before = tree(tmp_path)

    # With all weights a hundredth greater every score is another one, and every list the same.
    opened = Recommender.open(shared)
    weights = Weights(**{name: 1.01 * weight for name, weight in asdict(opened.model.article).items()})
    moved = opened.with_model(replace(opened.model, article=weights))
    made = export(moved, shared, tmp_path, Options())

    assert moved.related("ferry-deal").results[0].score != opened.related("ferry-deal").results[0].score
    assert made.written == ()
    assert tree(tmp_path) == before


def test_a_file_that_was_changed_or_lost_is_written_again(shared: Settings, tmp_path: Path) -> None:
    made = exported_to(tmp_path, shared)
    before = tree(tmp_path)
    lost, cut, *_ = made.written
    (tmp_path / lost).unlink()
    (tmp_path / cut).write_bytes(b"half")

    assert exported_to(tmp_path, shared).written == (lost, cut)
    assert tree(tmp_path) == before


def test_without_fragments_the_former_ones_go(shared: Settings, tmp_path: Path) -> None:
    exported_to(tmp_path, shared)

    made = exported_to(tmp_path, shared, html=False)

    assert len(made.removed) == len(IDS)
    assert not list(tmp_path.glob("*.html"))
    assert all("html" not in entry for entry in index_of(tmp_path)["articles"].values())
    assert len(exported_to(tmp_path, shared).written) == len(IDS)


def test_files_of_others_stay(shared: Settings, changed: Settings, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    others = {"robots.txt": b"x", "a/page.html": b"y", f"cup-final-{'0' * 20}.json": b"z", ".htaccess": b"w"}
    for name, raw in others.items():
        (tmp_path / name).write_bytes(raw)
    exported_to(tmp_path, shared)
    exported_to(tmp_path, changed)

    assert others.items() <= tree(tmp_path).items()


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[1]",
        b"<html>",
        b"",
        b'{"format": 1, "articles": {}}',
        json.dumps({"format": 1, "sha256": "0" * 64}).encode(),
        b"[" * 100_000,
    ],
)
def test_an_index_of_somebody_else_is_refused_and_left_alone(shared: Settings, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "index.json").write_bytes(raw)
    with pytest.raises(ExportError, match=r"index\.json: was not written by an export, or was changed since"):
        exported_to(tmp_path, shared)
    assert (tmp_path / "index.json").read_bytes() == raw
    assert not list(tmp_path.glob("*.html"))


def test_an_index_that_names_a_path_outside_is_refused(shared: Settings, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim.json"
    victim.write_text("mine")
    exported_to(out, shared)
    fields = index_of(out)
    del fields["sha256"]
    for entry in ({**fields, "removed": ["../victim.json"]}, _with_file(fields, "../victim.json")):
        seal = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
        (out / "index.json").write_text(json.dumps(entry | {"sha256": seal}))
        with pytest.raises(ExportError, match=r"'\.\./victim\.json' is no exported file's path"):
            exported_to(out, shared)
    assert victim.read_text() == "mine"


def _with_file(fields: dict[str, Any], file: str) -> dict[str, Any]:
    entry = {"url": None, "json": {"file": file, "digest": "", "bytes": 0}}
    return fields | {"articles": fields["articles"] | {"gone": entry}}


@given(st.text(min_size=1) | st.sampled_from(ODD_IDS), st.booleans())
def test_any_id_makes_a_short_safe_name(article_id: str, folders: bool) -> None:
    name = f"{stem(article_id, folders=folders)}.json"
    assert FILE.fullmatch(name)
    assert len(Path(name).name) < 100
    assert Path(name).parts == (name,) or folders


def test_names_tell_ids_apart_and_say_what_they_are() -> None:
    assert len({stem(article_id, folders=False) for article_id in ODD_IDS}) == len(ODD_IDS)
    assert stem("https://www.a.example/Politics/Åre vote/", folders=False).startswith("a-example-politics-are-vote-")
    assert stem("ім'я", folders=False) == stem("ім'я", folders=True).rpartition("/")[2]
    assert len(stem("ім'я", folders=False)) == 20


def test_odd_ids_and_hostile_headlines_are_exported(tmp_path: Path) -> None:
    made = settings_for(tmp_path / "home")
    title = '<script>alert("1")</script> ferry'
    store(made, [Article(each, title, f"{title} {each}", language="en") for each in ODD_IDS])
    publish(made)

    exported_to(tmp_path / "out", made, options=Options(floor=0, collapse=False))

    index = index_of(tmp_path / "out")
    assert set(index["articles"]) == set(ODD_IDS)
    inside = set(tree(tmp_path / "out"))
    assert {file["file"] for entry in index["articles"].values() for file in (entry["json"], entry["html"])} <= inside
    html = "".join((tmp_path / "out" / name).read_text() for name in inside if name.endswith(".html"))
    assert "<script" not in html
    assert "&lt;script" in html
    assert {path.name for path in tmp_path.iterdir()} == {"home", "out"}


def test_many_articles_lie_in_two_levels_of_folders_and_stay_there(
    shared: Settings, changed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported_to(tmp_path / "flat", shared)
    monkeypatch.setattr(recommender.export, "_FLAT", 3)
    made = exported_to(tmp_path / "deep", shared)
    assert all(len(Path(name).parts) == 3 for name in made.written)
    assert exported_to(tmp_path / "flat", shared).written == ()  # no address moves because the archive has grown
    monkeypatch.undo()
    assert all(len(Path(name).parts) == 3 for name in exported_to(tmp_path / "deep", changed).written)


def test_a_dry_run_tells_the_same_and_does_nothing(shared: Settings, changed: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(exported_to(out, shared, dry_run=True).written) == 2 * len(IDS)
    assert not out.exists()
    exported_to(out, shared)
    before = tree(out)

    told = exported_to(out, changed, dry_run=True)

    assert tree(out) == before
    assert exported_to(out, changed) == told


def test_options_are_those_of_the_lists(shared: Settings, tmp_path: Path) -> None:
    options = Options(k=1, filters=Filters(sections=("sport",)), floor=0)
    exported_to(tmp_path, shared, options=options)
    answer = json.loads((tmp_path / f"{stem('ferry-vote', folders=False)}.json").read_bytes())
    assert [line["id"] for line in answer["results"]] == ["cup-final"]
    assert answer["query"]["k"] == 1


def test_a_filter_that_can_never_match_is_refused_before_anything_is_made(shared: Settings, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="section: "):
        exported_to(tmp_path / "out", shared, options=Options(filters=Filters(sections=("sprot",))))
    assert not (tmp_path / "out").exists()


def test_a_second_export_into_the_folder_is_refused(shared: Settings, tmp_path: Path) -> None:
    with Folder(tmp_path), pytest.raises(BusyError, match=r"process \d+, an export since .* UTC is writing here"):
        exported_to(tmp_path, shared)
    assert exported_to(tmp_path, shared, dry_run=True).removed == ()
    exported_to(tmp_path, shared)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (lambda home, tmp: tmp / "file", "is no folder"),
        (lambda home, tmp: tmp / "file" / "out", "could not be written"),
        (lambda home, tmp: home, "lies in the home"),
        (lambda home, tmp: home / "out", "lies in the home"),
        (lambda home, tmp: tmp / ("x" * 300), "could not be written"),
    ],
)
def test_a_place_that_will_not_do_is_refused(
    shared: Settings, tmp_path: Path, place: Callable[[Path, Path], Path], why: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=why):
        exported_to(place(shared.home, tmp_path), shared)


def test_a_full_disk_is_named_and_the_next_export_goes_on(
    shared: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, raw: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("recommender.export.folder.write_synced", full)
    with pytest.raises(ExportError, match=r"the disk is full; every file in it is whole\. Make room"):
        exported_to(tmp_path, shared)
    assert not list(tmp_path.glob("*.json"))
    monkeypatch.undo()
    assert len(exported_to(tmp_path, shared).written) == 2 * len(IDS)
    assert {path.name for path in tmp_path.glob(".*")} == {".export.lock"}


def test_an_export_that_could_not_announce_tells_it_again(shared: Settings, changed: Settings, tmp_path: Path) -> None:
    exported_to(tmp_path, shared)

    def closed(exported: Exported) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        exported_to(tmp_path, changed, announce=closed)
    names = exported_to(tmp_path, changed)
    assert names.removed
    assert f"{stem('cup-party', folders=False)}.html" in names.written


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_an_export_that_is_killed_anywhere_leaves_whole_files_and_the_next_one_ends_it(
    shared: Settings, changed: Settings, tmp_path: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call into the operating system: no half file, no index that names what is not there, nothing unannounced."""
    monkeypatch.setattr(recommender.export, "_BATCH", 4)
    monkeypatch.setattr("recommender.export.folder._THREADS", 1)
    former, wanted = tmp_path / "former", tmp_path / "wanted"
    exported_to(former, shared)
    shutil.copytree(former, wanted)
    expected = exported_to(wanted, changed)
    opened = Recommender.open(changed)
    whole = tree(former), tree(wanted)
    at = 0
    while True:
        out = tmp_path / "out"
        shutil.copytree(former, out)
        told: list[Exported] = []
        step = Step(at, Killed, after)
        try:
            with failing(step):
                export(opened, changed, out, Options(), announce=told.append)
        except Killed:
            pass
        for name, raw in tree(out).items():
            if not name.startswith("."):
                assert raw in (whole[0].get(name), whole[1].get(name)), (at, name)
        for entry in index_of(out)["articles"].values():
            assert (out / entry["json"]["file"]).exists()
        export(opened, changed, out, Options(), announce=told.append)
        assert tree(out) == tree(wanted) or _settled(out, wanted), at
        assert {name for each in told for name in each.written} >= set(expected.written), at
        assert {name for each in told for name in each.removed} >= set(expected.removed), at
        shutil.rmtree(out)
        if step.failed is None:
            return
        at += 1


def _settled(out: Path, wanted: Path) -> bool:
    """Tell whether two folders differ in what the last export took away alone, which an export after it has not."""
    return {name: _seen(raw) for name, raw in tree(out).items()} == {
        name: _seen(raw) for name, raw in tree(wanted).items()
    }


def overlaid(settings: Settings) -> Recommender:
    """Return a recommender over a snapshot with changes over it, for whose texts there are vectors."""
    home = Home(settings.home)
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        embed(catalog, HashingEncoder(), settings)
    return Live(settings).get()


def test_what_changed_since_the_snapshot_is_exported_without_a_rebuild(published: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported_to(out, published)
    change(published)

    made = export(overlaid(published), published, out, Options())

    assert made.removed == tuple(f"{stem('cup-final', folders=False)}.{kind}" for kind in ("html", "json"))
    assert f"{stem('cup-party', folders=False)}.json" in made.written
    assert index_of(out)["snapshot"] == "s00000001"
    assert "Council drops its plan" in json.dumps([json.loads(raw) for raw in tree(out).values() if raw[:1] == b"{"])


@pytest.mark.slow
def test_several_processes_export_what_changed_since_the_snapshot(published: Settings, tmp_path: Path) -> None:
    change(published)
    recommender = overlaid(published)
    one = export(recommender, published, tmp_path / "one", Options())
    assert export(recommender, published, tmp_path / "two", Options(), processes=2) == one
    assert tree(tmp_path / "two") == tree(tmp_path / "one")


@pytest.mark.slow
def test_several_processes_write_the_same_files(shared: Settings, tmp_path: Path) -> None:
    one = exported_to(tmp_path / "one", shared)
    assert exported_to(tmp_path / "two", shared, processes=2) == one
    assert tree(tmp_path / "two") == tree(tmp_path / "one")


def test_the_command_prints_the_names_for_the_cache_and_talks_elsewhere(ready: Command, tmp_path: Path) -> None:
    done = ready("export", tmp_path / "out", "-k", "2")
    names = done.out.splitlines()
    assert sorted(names) == sorted(set(tree(tmp_path / "out")) - {"index.json"})
    assert (done.code, done.err) == (0, "s00000001: 14 files written, 0 removed, 0 unchanged\n")
    answer = json.loads((tmp_path / "out" / names[0]).read_bytes())
    asked = ready("related", answer["query"]["id"], "-k", "2", "--json").data
    assert answer | {"snapshot": "s00000001"} == asked
    assert ready("export", tmp_path / "out", "-k", "2") == Done(
        0, "", "s00000001: 0 files written, 0 removed, 14 unchanged\n"
    )


def test_the_command_for_machines_gives_one_object(ready: Command, tmp_path: Path) -> None:
    done = ready("export", tmp_path / "out", "--no-html", "--json", "--dry-run")
    assert done.err == ""
    assert {name: done.data[name] for name in ("snapshot", "written", "removed", "unchanged")} == {
        "snapshot": "s00000001",
        "written": 7,
        "removed": 0,
        "unchanged": 0,
    }
    assert len(done.data["names"]["written"]) == 7
    assert done.data["names"]["removed"] == []
    assert not (tmp_path / "out").exists()


def test_the_command_needs_a_published_index(command: Command, tmp_path: Path) -> None:
    done = command("export", tmp_path / "out")
    assert (done.code, done.out) == (1, "")
    assert "no index has been published here" in done.err
    assert not (tmp_path / "out").exists()


@examples(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["first", "second", "killed", "lost"]), max_size=6))
def test_whatever_came_before_the_folder_ends_as_it_should(
    shared: Settings, changed: Settings, tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """A law: after any history of exports, kills and losses the folder holds the lists of the last snapshot."""
    out = tmp_path_factory.mktemp("history") / "out"
    for step in steps:
        if step == "killed":
            with pytest.raises(Killed), failing(Step(11, Killed, True)):
                exported_to_quietly(out, changed)
        elif step == "lost":
            for path in sorted(out.glob("*.json"))[:2]:
                if path.name != "index.json":
                    path.unlink()
        else:
            exported_to(out, shared if step == "first" else changed)
    exported_to(out, changed)
    assert {name.partition(".")[0] for name in tree(out)} - {"index"} == {
        stem(article_id, folders=False) for article_id in index_of(out)["articles"]
    }
    for article_id in index_of(out)["articles"]:
        answer = Recommender.open(changed).related(article_id)
        assert (out / f"{stem(article_id, folders=False)}.html").read_text() == fragment(answer)


def exported_to_quietly(out: Path, settings: Settings) -> None:
    out.mkdir(parents=True, exist_ok=True)
    opened = Recommender.open(settings)
    export(opened, settings, out, Options())
    raise Killed  # it was done before the call that was to fail
