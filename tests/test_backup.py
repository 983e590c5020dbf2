"""A home as one file and back: right, or refused with the home as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import itertools
import json
import os
import random
import shutil
import signal
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import test_cli
from faults import Killed, Step, failing
from faults.damage import damaged
from faults.forked import ChildDiedError, in_child
from newsroom import NOW, publish, settings_for, store, stories, wider_stories, write_jsonl
from test_cli import Command

from recommender import backup, disk, snapshot
from recommender.article import Article
from recommender.backup import back_up, restore, tar
from recommender.backup.manifest import MANIFEST, Manifest, Member, parsed
from recommender.catalog import Catalog, copying
from recommender.errors import BackupError, BusyError, CatalogError, RecommenderError
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings

command, ready, source = test_cli.command, test_cli.ready, test_cli.source


@pytest.fixture(autouse=True, scope="module")
def _quick_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two snapshots, rules and weights; no test may write to it."""
    settings = settings_for(tmp_path_factory.mktemp("made") / "home")
    store(settings, stories())
    publish(settings)
    store(settings, wider_stories())
    publish(settings)
    home = Home(settings.home)
    home.rules.write_text('[[block]]\narticle = "ferry-deal"\n', encoding="utf-8")
    home.weights.write_bytes((Path(snapshot.__file__).parent.parent / "weights.json").read_bytes())
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    shutil.copytree(made.path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def archive(made: Home, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup of ``made``."""
    file = tmp_path_factory.mktemp("archive") / "backup.tar"
    back_up(made, file, now=NOW)
    return file.read_bytes()


@pytest.fixture
def file(archive: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar"
    path.write_bytes(archive)
    return path


def _held(home: Home) -> dict[str, Any]:
    """Return all that a home says: articles, links, what is live, what was before, lists, and the desk's files."""
    with Catalog(home.catalog) as catalog:
        assert catalog.check() == []
        articles, links = list(catalog.articles()), catalog.links()
    recommender = Recommender.open(settings_for(home.path))
    return {
        "articles": articles,
        "links": links,
        "live": recommender.snapshot.name,
        "former": snapshot.former(home, recommender.snapshot.name),
        "lists": [recommender.related(article.id).as_dict() for article in articles],
        "desk": [path.read_bytes() if path.exists() else None for path in (home.rules, home.weights)],
    }


def _tree(folder: Path) -> dict[str, bytes | None]:
    """Return every file below a folder but the lock, which says who held it last."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != "writer.lock"
    }


def _left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_is_restored_answers_as_what_was_backed_up(made: Home, file: Path, tmp_path: Path) -> None:
    new = Home(tmp_path / "deep" / "new")
    told = restore(new, file)
    assert (told.created_at, told.articles, told.snapshot, told.problem) == (
        "2025-04-01T12:00:00+00:00",
        10,
        "s00000002",
        None,
    )
    assert _held(new) == _held(made)
    assert sorted(path.name for path in new.path.iterdir()) == [
        "CURRENT",
        "catalog.db",
        "rules.toml",
        "snapshots",
        "weights.json",
    ]
    assert _left_over(tmp_path / "deep") == []
    assert snapshot.roll_back(new).name == "s00000001"


def test_a_backup_is_a_plain_tar_whose_first_file_names_the_others(file: Path) -> None:
    with tarfile.open(file) as archive:
        members = archive.getmembers()
        manifest = parsed(archive.extractfile(members[0]).read())  # type: ignore[union-attr]
    assert members[0].name == MANIFEST
    assert [(each.name, each.size) for each in members[1:]] == [(each.name, each.size) for each in manifest.members]
    assert all(each.isreg() for each in members)


def test_a_backup_of_a_backup_that_was_restored_holds_the_same(file: Path, made: Home, tmp_path: Path) -> None:
    restore(Home(tmp_path / "new"), file)
    back_up(Home(tmp_path / "new"), tmp_path / "again.tar", now=NOW)
    restore(Home(tmp_path / "newer"), tmp_path / "again.tar")
    assert _held(Home(tmp_path / "newer")) == _held(made)


def test_a_backup_can_be_written_to_and_published_from(file: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "new")
    restore(Home(settings.home), file)
    store(settings, [dataclasses.replace(stories()[0], id="later")])
    assert publish(settings).snapshot == "s00000003"
    with Catalog(Home(settings.home).catalog) as catalog:
        assert catalog.check() == []


def test_a_file_that_is_there_is_replaced_only_by_force(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    path.write_bytes(b"precious")
    with pytest.raises(BackupError, match=r"backup.tar: is there already; choose another name, or replace .* --force$"):
        back_up(home, path, now=NOW)
    assert path.read_bytes() == b"precious"
    assert back_up(home, path, now=NOW, force=True).bytes == path.stat().st_size
    assert path.stat().st_mode & 0o077 == 0
    assert _left_over(tmp_path) == []


@pytest.mark.parametrize("place", ["no/folder/backup.tar", ".", "home/catalog.db/backup.tar"])
def test_a_place_that_cannot_be_written_is_named(home: Home, tmp_path: Path, place: str) -> None:
    with pytest.raises(BackupError, match=r"could not be written \(|is a folder; name a file in it"):
        back_up(home, tmp_path / place, now=NOW)


def test_a_home_without_a_catalog_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no catalog yet"):
        back_up(Home(tmp_path / "none"), tmp_path / "backup.tar", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_catalog_never_replaces_a_good_backup(home: Home, file: Path, archive: bytes) -> None:
    with Catalog(home.catalog, write=True) as catalog:
        catalog._db.execute("UPDATE articles SET text = 'something else' WHERE id = 'storm'")
    with pytest.raises(
        CatalogError, match=r"is damaged, a backup of it would be, too \(article 'storm': .*recommender verify"
    ):
        back_up(home, file, now=NOW, force=True)
    assert file.read_bytes() == archive


def test_broken_vectors_keep_no_archive_from_being_saved(home: Home, tmp_path: Path) -> None:
    with Catalog(home.catalog, write=True) as catalog:
        catalog._db.execute("UPDATE embeddings SET vector = x'00'")
    back_up(home, tmp_path / "backup.tar", now=NOW)
    new = settings_for(tmp_path / "new")
    restore(Home(new.home), tmp_path / "backup.tar")
    with Catalog(Home(new.home).catalog, write=True) as catalog:
        assert catalog.drop_broken_vectors() > 10
    assert publish(new).n_texts_encoded > 10


@pytest.mark.parametrize("name", ["s00000002", "s00000001"])
def test_a_damaged_snapshot_is_left_out_and_named(home: Home, tmp_path: Path, name: str) -> None:
    (home.snapshots / name / "rows.npz").write_bytes(b"x")
    told = back_up(home, tmp_path / "backup.tar", now=NOW)
    assert (told.snapshot, told.former) == (None if name == "s00000002" else "s00000002", None)
    assert len(told.left_out) == 1
    assert f"{name}/rows.npz: has 1 bytes" in told.left_out[0]
    new = settings_for(tmp_path / "new")
    assert restore(Home(new.home), tmp_path / "backup.tar").snapshot == told.snapshot
    assert publish(new).n_texts_encoded == 0


def test_a_large_former_snapshot_is_left_out(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup.sources, "SMALL_BYTES", 1_000)
    told = back_up(home, tmp_path / "backup.tar", now=NOW)
    assert (told.snapshot, told.former) == ("s00000002", None)
    assert told.left_out[0].startswith("s00000001, which rollback goes to: has ")
    restore(Home(tmp_path / "new"), tmp_path / "backup.tar")
    assert snapshot.former(Home(tmp_path / "new"), "s00000002") is None


def test_a_home_without_a_snapshot_is_backed_up_all_the_same(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    store(settings, stories())
    told = back_up(Home(settings.home), tmp_path / "backup.tar", now=NOW)
    assert (told.snapshot, told.members, told.left_out) == (None, ("catalog.db",), ())
    assert restore(Home(tmp_path / "new"), tmp_path / "backup.tar").snapshot is None


def test_a_snapshot_that_is_dropped_while_it_is_opened_gives_way_to_the_live_one(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, acts = backup.sources._opened, [1]

    def slow(*arguments: Any) -> Any:
        if acts:
            acts.pop()
            publish(settings_for(home.path))
            publish(settings_for(home.path))
            snapshot.prune(home, 1)
        return opened(*arguments)

    monkeypatch.setattr(backup.sources, "_opened", slow)
    told = back_up(home, tmp_path / "backup.tar", now=NOW)
    assert (told.snapshot, told.former, told.left_out) == ("s00000004", "s00000003", [])


def test_a_snapshot_that_is_dropped_while_it_is_copied_is_copied_to_its_end(home: Home, tmp_path: Path) -> None:
    def drop(stage: str, done: int, total: int, unit: str) -> None:
        shutil.rmtree(home.snapshots, ignore_errors=True)

    assert back_up(home, tmp_path / "backup.tar", now=NOW, watch=drop).snapshot == "s00000002"
    assert restore(Home(tmp_path / "new"), tmp_path / "backup.tar").snapshot == "s00000002"


def test_an_ingest_that_goes_on_neither_waits_nor_gets_in(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two pages of the copy another connection writes an article: the backup would begin anew each time."""
    monkeypatch.setattr(copying, "_PAGES", 1)
    written: list[str] = []
    stages: set[str] = set()

    def write(stage: str, done: int, total: int, unit: str) -> None:
        stages.add(stage)
        if stage == "copying the catalog" and len(written) < 50:
            written.append(f"new-{len(written):03d}")
            with home.writer("an ingest"), Catalog(home.catalog, write=True) as catalog:
                catalog.upsert([Article(id=written[-1], title="No. 1", text="word " * 2_000)], "test")

    assert back_up(home, tmp_path / "backup.tar", now=NOW, watch=write).articles == 10
    assert stages == {"copying the catalog", "writing"}
    assert len(written) > 10
    assert restore(Home(tmp_path / "new"), tmp_path / "backup.tar").articles == 10
    with Catalog(home.catalog) as catalog:
        assert catalog.counts()["n_articles"] == 10 + len(written)


def test_two_backups_into_one_file_do_not_mix(home: Home, tmp_path: Path) -> None:
    refused: list[str] = []

    def again(stage: str, done: int, total: int, unit: str) -> None:
        with pytest.raises(BusyError, match="another backup is writing it") as caught:
            back_up(home, tmp_path / "backup.tar", now=NOW)
        refused.append(str(caught.value))

    back_up(home, tmp_path / "backup.tar", now=NOW, watch=again)
    assert refused
    restore(Home(tmp_path / "new"), tmp_path / "backup.tar")


@pytest.mark.parametrize("what", ["catalog.db", "snapshots", "CURRENT", "rules.toml", "weights.json"])
def test_a_home_that_holds_data_is_refused(file: Path, tmp_path: Path, what: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / what).write_bytes(b"mine")
    with pytest.raises(BackupError, match=f"home: holds {what}; restore into another home with --home, or .* --force$"):
        restore(Home(tmp_path / "home"), file)
    assert _tree(tmp_path / "home") == {what: b"mine"}


def test_a_folder_without_data_becomes_the_home_and_keeps_what_is_in_it(file: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o700)
    (home.path / "README.md").write_text("about this folder", encoding="utf-8")
    restore(home, file)
    assert (home.path / "README.md").read_text(encoding="utf-8") == "about this folder"
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert snapshot.load(home).name == "s00000002"


def test_force_replaces_the_data_and_keeps_everything_else(file: Path, made: Home, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    store(settings, [Article(id="mine", title="Mine")])
    for _ in range(6):
        publish(settings)
    home = Home(settings.home)
    (home.path / "rules.csv").write_text("not ours to replace", encoding="utf-8")
    (home.encoders / "model").mkdir(parents=True)
    (home.encoders / "model" / "export.json").write_text("{}", encoding="utf-8")
    (home.path / "link").symlink_to("nowhere")
    lock = (home.path / "writer.lock").stat().st_ino
    restore(home, file, force=True)
    assert _held(home) == _held(made)
    assert (home.path / "rules.csv").read_text(encoding="utf-8") == "not ours to replace"
    assert (home.encoders / "model" / "export.json").read_text(encoding="utf-8") == "{}"
    assert (home.path / "link").readlink() == Path("nowhere")
    assert (home.path / "writer.lock").stat().st_ino == lock  # whoever waits for it waits for the same one
    assert publish(settings).snapshot == "s00000007"  # no number is given twice
    assert _left_over(tmp_path) == []


def test_rules_that_a_backup_does_not_hold_do_not_outlive_it(home: Home, tmp_path: Path) -> None:
    rules = home.rules.read_bytes()
    home.rules.unlink()
    back_up(home, tmp_path / "backup.tar", now=NOW)
    home.rules.write_bytes(rules)
    restore(home, tmp_path / "backup.tar", force=True)
    assert not home.rules.exists()


def test_a_symlink_to_a_home_stays_one(home: Home, file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("home")
    restore(Home(tmp_path / "link"), file, force=True)
    assert (tmp_path / "link").readlink() == Path("home")
    assert _left_over(tmp_path) == []


def test_nobody_writes_to_a_home_while_it_is_replaced(home: Home, file: Path) -> None:
    before = _tree(home.path)
    with home.writer("an ingest"), pytest.raises(BusyError, match="an ingest since"):
        restore(home, file, force=True)
    assert _tree(home.path) == before

    def write(stage: str, done: int, total: int, unit: str) -> None:
        with pytest.raises(BusyError, match="a restore since"), home.writer("an ingest"):
            pass

    restore(home, file, force=True, watch=write)


def test_two_restores_into_one_missing_home_do_not_mix(file: Path, tmp_path: Path) -> None:
    def again(stage: str, done: int, total: int, unit: str) -> None:
        with pytest.raises(BusyError, match="another process is restoring it"):
            restore(Home(tmp_path / "new"), file)

    restore(Home(tmp_path / "new"), file, watch=again)
    assert _left_over(tmp_path) == []


def test_a_home_that_was_filled_meanwhile_is_not_replaced(file: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "new")

    def fill(stage: str, done: int, total: int, unit: str) -> None:
        store(settings, stories()[:1])

    with pytest.raises(BackupError, match=r"could not be restored .*; it is as it was"):
        restore(Home(settings.home), file, watch=fill)
    with Catalog(settings.home / "catalog.db") as catalog:
        assert catalog.counts()["n_articles"] == 1
    assert _left_over(tmp_path) == []


def test_what_a_killed_restore_left_is_cleared_away(file: Path, tmp_path: Path) -> None:
    left = tmp_path / ".new.restoring" / "snapshots" / "s00000009"
    left.mkdir(parents=True)
    (tmp_path / ".new.restoring" / "evil").symlink_to(file)
    restore(Home(tmp_path / "new"), file)
    assert snapshot.names(Home(tmp_path / "new")) == ["s00000002", "s00000001"]
    assert file.exists()


def test_a_backup_that_lies_in_what_it_would_replace_is_refused(home: Home, file: Path) -> None:
    inside = home.snapshots / "backup.tar"
    file.rename(inside)
    with pytest.raises(BackupError, match="lies in what it would replace; move it out of"):
        restore(home, inside, force=True)
    kept = home.path / "backup.tar"
    inside.rename(kept)
    restore(home, kept, force=True)
    assert kept.exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [(22, "cannot swap two folders in one step; move it away"), (16, "is a mount point and cannot be replaced in one")],
)
def test_a_file_system_that_cannot_swap_is_told_and_the_home_stays(
    home: Home, file: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(code, os.strerror(code))

    before = _tree(home.path)
    monkeypatch.setattr(disk, "exchange", refuse)
    with pytest.raises(BackupError, match=message):
        restore(home, file, force=True)
    assert _tree(home.path) == before


def test_a_disk_without_room_is_told_before_anything_is_written(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 5, 4))  # type: ignore[attr-defined]
    with pytest.raises(BackupError, match="bytes are needed there, 4 are free"):
        restore(Home(tmp_path / "new"), file)
    assert not (tmp_path / "new").exists()


def _refusal(home: Home, path: Path) -> str | None:
    """Return why a backup was not restored, None where it was."""
    try:
        restore(home, path, force=True)
    except BackupError as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_backup_is_refused_or_restored_right(
    archive: bytes, made: Home, home: Home, tmp_path: Path, seed: int
) -> None:
    """25 times 8: never a wrong home, never another error, and the home that is there is untouched."""
    chance, path, right, before = random.Random(seed), tmp_path / "damaged.tar", _held(made), _tree(home.path)
    n_refused = 0
    for number in range(25):
        path.write_bytes(damaged(archive, chance))
        new = Home(tmp_path / f"new-{number}")
        told = _refusal(new, path)
        if told is None:
            assert _held(new) == right
            continue
        n_refused += 1
        assert str(path) in told
        assert not new.path.exists()
        assert _refusal(home, path) == told
        assert _tree(home.path) == before
    assert n_refused >= 20
    assert not _left_over(tmp_path)


def _packed(*entries: tuple[tarfile.TarInfo, bytes], manifest: bytes | None = None) -> bytes:
    """Return a tar as somebody who wants harm would write it."""
    stream = io.BytesIO()
    if manifest is not None:
        tar.write_member(stream, MANIFEST, len(manifest), 0, [manifest])
    for header, content in entries:
        stream.write(header.tobuf(tarfile.GNU_FORMAT))
        stream.write(content + bytes(-len(content) % 512))
    stream.write(bytes(1024))
    return stream.getvalue()


def _entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo(name)
    header.size, header.type, header.linkname = len(content), kind, link
    return header, content


def _named(*members: tuple[str, int]) -> bytes:
    told = [Member(name, size, "0" * 64) for name, size in members]
    return Manifest("2025-04-01", 1, None, told).as_bytes()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "it is cut"),
        (b"x" * 5_000, "there is no file"),
        (bytes(10_240), "there is no file"),
        (_packed(_entry("catalog.db", b"x")), "where backup.json should begin there is 'catalog.db'"),
        (_packed(manifest=b"{}"), "its own sha256 differs"),
        (_packed(manifest=b"[" * 100_000), "nested too deeply"),
        (_packed(manifest=b"[]"), "it is no JSON object"),
        (_packed(manifest=b"\xff" * 2_000_000), "has 2000000 bytes, at most 1000000 are expected"),
        (_packed(manifest=disk.sealed({"format": 2})), "it has format 2, this program reads 1"),
        (_packed(manifest=disk.sealed({"format": 1})), "it does not say what a backup says"),
        (_packed(manifest=_named(("../catalog.db", 1))), "'../catalog.db' is no file of a home"),
        (_packed(manifest=_named(("/etc/passwd", 1))), "'/etc/passwd' is no file of a home"),
        (_packed(manifest=_named(("snapshots/s00000001/..", 1))), "is no file of a home"),
        (_packed(manifest=_named(("snapshots/s00000001/a/b", 1))), "is no file of a home"),
        (_packed(manifest=_named(("catalog.db\n", 1))), "is no file of a home"),
        (_packed(manifest=_named(("writer.lock", 1))), "'writer.lock' is no file of a home"),
        (_packed(manifest=_named(("catalog.db", 1), ("catalog.db", 1))), "it names a file twice"),
        (_packed(manifest=_named(("rules.toml", 1))), "it holds no catalog"),
        (_packed(manifest=_named(("catalog.db", -1))), "its size or sha256 is none"),
        (_packed(manifest=_named(("catalog.db", 10**15))), "it was written with 1,000,000,000,"),
        (_packed(manifest=_named(("catalog.db", 1), ("CURRENT", 1))), "does not say which snapshot is live"),
        (_packed(_entry("../catalog.db", b"x"), manifest=_named(("catalog.db", 1))), "there is '../catalog.db'"),
        (_packed(_entry("catalog.db", b"", tarfile.SYMTYPE, "/etc/passwd"), manifest=_named(("catalog.db", 0))), "of type"),
        (_packed(_entry("catalog.db", b"", tarfile.LNKTYPE, "backup.json"), manifest=_named(("catalog.db", 0))), "of type"),
        (_packed(_entry("catalog.db", b"", tarfile.CHRTYPE), manifest=_named(("catalog.db", 0))), "of type"),
        (_packed(_entry("catalog.db", b"", tarfile.FIFOTYPE), manifest=_named(("catalog.db", 0))), "of type"),
        (_packed(_entry("catalog.db", b"", tarfile.DIRTYPE), manifest=_named(("catalog.db", 0))), "there is 'catalog.db"),
        (_packed(_entry("catalog.db", b"x", tarfile.GNUTYPE_SPARSE), manifest=_named(("catalog.db", 1))), "of type"),
        (_packed(_entry("catalog.db", b"x", tarfile.XHDTYPE), manifest=_named(("catalog.db", 1))), "of type"),
        (_packed(_entry("catalog.db", b"x", tarfile.GNUTYPE_LONGNAME), manifest=_named(("catalog.db", 1))), "of type"),
        (_packed(_entry("catalog.db", b"xy"), manifest=_named(("catalog.db", 1))), "has 2 bytes, at most 1 are expected"),
        (_packed(_entry("catalog.db", b""), manifest=_named(("catalog.db", 1))), "it was written with"),
        (_packed(_entry("catalog.db", b"x"), manifest=_named(("catalog.db", 1))), "catalog.db is not what it was"),
    ],
    ids=range(33),
)  # fmt: skip
def test_a_hostile_archive_is_refused_and_leaves_nothing(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "backup.tar"
    path.write_bytes(raw)
    with pytest.raises(BackupError, match=message.replace("[", r"\[")):
        restore(Home(tmp_path / "new"), path)
    assert [each.name for each in tmp_path.iterdir()] == ["backup.tar"]


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda raw: _zipped(raw), lambda raw: raw.replace(b"catalog.db", b"Catalog.db")]
)
def test_another_kind_of_archive_is_refused(archive: bytes, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "backup.tar"
    path.write_bytes(pack(archive))
    with pytest.raises(BackupError, match="is no backup of a home, or its beginning is damaged"):
        restore(Home(tmp_path / "new"), path)


def _zipped(raw: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(MANIFEST, raw)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["nowhere.tar", "."])
def test_what_is_no_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BackupError, match="no such file; name one that recommender backup wrote"):
        restore(Home(tmp_path / "new"), tmp_path / name)


def _forged(home: Home, tmp_path: Path) -> Path:
    """Return a backup whose manifest is right about a home that no good program would have backed up."""
    path = tmp_path / "forged.tar"
    sources = [
        backup.sources.hashed(str(each.relative_to(home.path)), each.open("rb"))
        for each in (home.catalog, *sorted(home.snapshots.rglob("*.*")), home.current)
    ]
    with path.open("wb") as stream:
        manifest = Manifest("2025-04-01", 1, "s00000002", [source.member for source in sources])
        backup.write._write(stream, manifest, sources, 0, lambda *told: None)
    for source in sources:
        source.stream.close()
    return path


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("DROP TABLE links", "cannot be used: .*no such table: links"),
        (
            "CREATE TRIGGER evil AFTER INSERT ON articles BEGIN DELETE FROM links; END",
            "trigger 'evil': was not made by",
        ),
        ("PRAGMA user_version = 99", "has schema version 99, this program reads"),
        ("PRAGMA application_id = 7", "is another program's database"),
        ("UPDATE articles SET title = 'x' WHERE id = 'storm'", "article 'storm': is not as it was stored"),
    ],
)
def test_a_catalog_that_no_good_program_wrote_is_refused(home: Home, tmp_path: Path, harm: str, message: str) -> None:
    with Catalog(home.catalog, write=True) as catalog:
        catalog._db.execute(harm)
        catalog._db.execute("PRAGMA journal_mode = DELETE")
    with pytest.raises(BackupError, match=message):
        restore(Home(tmp_path / "new"), _forged(home, tmp_path))
    assert not (tmp_path / "new").exists()


def test_a_snapshot_that_is_not_what_it_says_is_refused(home: Home, tmp_path: Path) -> None:
    with Catalog(home.catalog, write=True) as catalog:
        catalog._db.execute("PRAGMA journal_mode = DELETE")
    (home.snapshots / "s00000001" / "names.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BackupError, match=r"what is in it cannot be used: .*names.json: has 2 bytes"):
        restore(Home(tmp_path / "new"), _forged(home, tmp_path))


def test_a_backup_from_a_program_of_another_format_is_restored_and_wants_a_rebuild(home: Home, tmp_path: Path) -> None:
    with Catalog(home.catalog, write=True) as catalog:
        catalog._db.execute("PRAGMA journal_mode = DELETE")
    path = home.snapshots / "s00000002" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": 1}), encoding="utf-8")
    current = snapshot.read_current(home)
    snapshot.write_current(home, current._replace(manifests={**current.manifests, "s00000002": disk.sha256(path)}))
    told = restore(Home(tmp_path / "new"), _forged(home, tmp_path))
    assert str(told.problem).endswith(f"has format 1, this program reads {snapshot.FORMAT}")
    assert publish(settings_for(tmp_path / "new")).snapshot == "s00000003"


Act = Callable[[Home, Path], Any]


def _backing_up(home: Home, file: Path) -> None:
    back_up(home, file, now=NOW, force=True)


def _restoring(home: Home, file: Path) -> None:
    restore(home, file, force=True)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Killed, partial(OSError, 28, "No space left on device")])
def test_a_fault_at_any_step_of_a_backup_leaves_the_old_one_or_a_good_new_one(
    home: Home, file: Path, archive: bytes, error: Callable[[], BaseException], after: bool
) -> None:
    failed: set[str] = set()
    for at in range(1_000):
        file.write_bytes(archive[:-1])  # an old one, to be told from the new one
        step = Step(at, error, after)
        with failing(step), contextlib.suppress(Killed, RecommenderError):
            _backing_up(home, file)
        assert (file.read_bytes() != archive[:-1]) == step.switched, f"call {at}, {step.failed}"
        if step.switched:
            shutil.rmtree(file.parent / "new", ignore_errors=True)
            assert restore(Home(file.parent / "new"), file).articles == 10
        if step.failed is None:
            break
        failed.add(step.failed)
    assert failed == {"open", "fsync", "replace", "unlink"}
    assert snapshot.load(home).name == "s00000002"
    assert _left_over(file.parent) == []


@pytest.mark.parametrize(
    ("error", "after", "there"),
    [
        (Killed, False, True),
        (Killed, True, False),
        pytest.param(partial(OSError, 28, "No space left on device"), False, True),
        pytest.param(partial(OSError, 28, "No space left on device"), True, False),
        pytest.param(Killed, True, True, marks=pytest.mark.slow),
        pytest.param(Killed, False, False, marks=pytest.mark.slow),
        pytest.param(partial(OSError, 28, "No space left on device"), True, True, marks=pytest.mark.slow),
        pytest.param(partial(OSError, 28, "No space left on device"), False, False, marks=pytest.mark.slow),
    ],
)
def test_a_fault_at_any_step_of_a_restore_leaves_the_old_home_or_the_new_one(
    settings: Settings, tmp_path: Path, error: Callable[[], BaseException], after: bool, there: bool
) -> None:
    store(settings, stories()[:1])
    publish(settings)
    file = tmp_path / "backup.tar"
    back_up(Home(settings.home), file, now=NOW)
    template, place = tmp_path / "template", tmp_path / "place" / "home"
    if there:
        store(settings_for(template), [Article(id="mine", title="Mine")])
    old = _tree(template) if there else {}
    failed: set[str] = set()
    for at in range(1_000):
        if there:
            shutil.copytree(template, place)
        step = Step(at, error, after)
        with failing(step), contextlib.suppress(Killed, RecommenderError):
            _restoring(Home(place), file)
        found = _tree(place) if place.exists() else {}
        moved = found != old
        assert not moved or snapshot.load(Home(place)).dense.ids == ["ferry-vote"], f"call {at}, {step.failed}"
        if step.failed is None:
            assert moved
            break
        failed.add(step.failed)
        if not moved:
            _restoring(Home(place), file)
        with Catalog(place / "catalog.db") as catalog:
            assert [article.id for article in catalog.articles()] == ["ferry-vote"]
        shutil.rmtree(place.parent)
    assert failed >= {"mkdir", "open", "fsync", "exchange" if there else "rename"}


def _killing_itself_at(at: int, work: Callable[[], object]) -> None:
    """Do ``work`` in this process, which dies as of ``kill -9`` at the ``at``-th call into the operating system."""
    calls = itertools.count(1)

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if next(calls) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return called

    for name in ("mkdir", "rename", "replace", "fsync", "unlink", "rmdir", "link"):
        setattr(os, name, dying(getattr(os, name)))
    disk.exchange = dying(disk.exchange)
    work()


def _until_killed_nowhere(work: Callable[[], object], every: int) -> Iterator[bool]:
    """Do it in a process that is killed at its n-th call, with n growing, until it comes to its end; yield whether it was killed."""
    for at in range(1, 10_000, every):
        killed = False
        try:
            in_child(lambda at=at: _killing_itself_at(at, work))
        except ChildDiedError as error:
            if not str(error).startswith(f"the child ended with {-signal.SIGKILL} "):
                raise
            killed = True
        yield killed
        if not killed:
            return


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_restore_leaves_the_old_home_or_the_new_one(
    file: Path, made: Home, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "home")
    store(settings, [Article(id="mine", title="Mine")])
    publish(settings)
    home, old, new = Home(settings.home), _held(Home(settings.home)), _held(made)
    n_runs = 0
    for _ in _until_killed_nowhere(lambda: restore(home, file, force=True), 9):
        n_runs += 1
        held = _held(home)
        assert held in (old, new)
        old = held if held == new else old
    assert n_runs > 5
    assert _held(home) == new
    assert _left_over(tmp_path) == []


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_prune_leaves_a_working_home(home: Home) -> None:
    publish(settings_for(home.path))
    held = _held(home)

    def prune() -> None:
        with home.writer("a test"):
            snapshot.prune(home, 1)

    n_runs = 0
    for _ in _until_killed_nowhere(prune, 3):
        n_runs += 1
        assert _held(home) == held
    assert n_runs > 3
    assert snapshot.names(home) == ["s00000003", "s00000002"]


@pytest.mark.slow
def test_backups_during_a_real_ingest_hold_whole_batches(command: Command, environment: Path, tmp_path: Path) -> None:
    lines = [{"id": f"a{number:05d}", "title": f"No. {number}", "text": "ferry " * 300} for number in range(3_000)]
    many = write_jsonl(tmp_path / "many.jsonl", lines)
    store(settings_for(environment), stories())
    counts = []
    with test_cli._started("ingest", str(many)) as process:
        while process.poll() is None:
            done = command("backup", tmp_path / "backup.tar", "--force", "--json")
            assert done.code == 0
            counts.append(done.data["articles"])
        assert process.returncode == 0
    assert counts == sorted(counts)
    assert all((count - len(stories())) % 200 == 0 for count in counts)
    assert command("--home", tmp_path / "new", "restore", tmp_path / "backup.tar").code == 0
    assert command("--home", tmp_path / "new", "status", "--json").data["catalog"]["n_articles"] == counts[-1]


def test_the_commands_say_what_they_did_and_related_answers_alike(ready: Command, environment: Path) -> None:
    path, new = environment.parent / "backup.tar", environment.parent / "new"
    done = ready("backup", path)
    assert done == test_cli.Done(0, f"written {path}, {path.stat().st_size / 1000:.1f} kB: 7 articles, s00000001\n", "")
    assert ready("backup", path).code == 1
    assert ready("backup", path, "--force", "--json").data["members"][0] == "catalog.db"
    done = ready("--home", new, "restore", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"restored {new}, as it was at 2")
    assert done.out.endswith(": 7 articles, s00000001\n")
    assert ready("--home", new, "verify").code == 0
    assert ready("--home", new, "related", "ferry-vote", "--json") == ready("related", "ferry-vote", "--json")
    assert ready("--home", new, "restore", path).code == 1
    assert ready("--home", new, "restore", path, "--force", "--json").data["snapshot"] == "s00000001"


def test_a_backup_without_a_snapshot_says_what_to_run(command: Command, environment: Path) -> None:
    store(settings_for(environment), stories())
    path = environment.parent / "backup.tar"
    assert "no snapshot is in it; after a restore, run: recommender rebuild" in command("backup", path).err
    assert "nothing is published yet; run: recommender rebuild" in command("restore", path, "--force").err


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_file_must_be_named(command: Command, name: str) -> None:
    assert command(name).code == 2
