"""Damaged files: refused with a clear error or answered right, never a wrong answer, never the end of the process."""

from __future__ import annotations

import shutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pytest

from faults.checks import answers
from faults.damage import KINDS, REMOVED, damage
from faults.forked import in_child
from faults.operations import publish, write
from recommender import dense, snapshot
from recommender.article import Article
from recommender.audit import audit
from recommender.catalog import Catalog
from recommender.disk import sha256
from recommender.errors import CatalogError, NoSnapshotError, RecommenderError, SnapshotError
from recommender.home import Home

FILES = (*snapshot.FILES, "manifest.json")
EVERY_KIND = (*KINDS, REMOVED)
Case = tuple[str, str, int]


def _tried(path: Path, cases: Iterable[Case], outcome: Callable[[], str]) -> Counter[str]:
    """Damage a file in every way, put it back after each, and count what came of it; runs in a child.

    Args:
        path: a file, or the folder of the files that the cases name.
        cases: file (empty for ``path`` itself), kind and seed.
        outcome: looks at the home; what it raises ends the child.
    """

    def look() -> dict[str, int]:
        found: Counter[str] = Counter()
        for file, kind, seed in cases:
            target = path / file if file else path
            raw = target.read_bytes()
            damage(target, raw, kind, Random(f"{file} {kind} {seed}"))
            try:
                told = outcome()
            except Exception:
                told = traceback.format_exc()
            found[told if told in ("refused", "right") else f"{file or path.name}, {kind}, seed {seed}: {told}"] += 1
            target.write_bytes(raw)
        return found

    return Counter(in_child(look))


def _outcome_of_asking(home: Home) -> Callable[[], str]:
    """Return what asks a home and tells of its answer; what FAISS is given to read must be what was written."""
    right = answers(home)
    written = {sha256(path) for path in home.snapshots.rglob("*.faiss")}
    read_index = dense.faiss.read_index

    def checked(name: str, *flags: Any) -> Any:
        assert sha256(Path(name)) in written, "FAISS was given damaged bytes"
        return read_index(name, *flags)

    def outcome() -> str:
        with mock.patch.object(dense.faiss, "read_index", checked):
            try:
                return "right" if answers(home) == right else "another answer"
            except SnapshotError as error:
                return "refused" if str(home.path) in str(error) and "run: recommender" in str(error) else str(error)

    return outcome


def _cases(files: Iterable[str], n_each: int) -> list[Case]:
    return [(file, kind, seed) for file in files for kind in EVERY_KIND for seed in range(n_each)]


def _damage_live(home: Home, files: Iterable[str], n_each: int) -> None:
    folder = home.snapshots / snapshot.read_current(home).name
    found = _tried(folder, _cases(files, n_each), _outcome_of_asking(home))
    assert set(found) <= {"refused", "right"}
    print(f"{found.total()} cases of damage, {found['refused']} of them refused")


def test_a_snapshot_with_a_damaged_file_is_refused_or_answers_right(home: Home) -> None:
    _damage_live(home, FILES, 1)


@pytest.mark.parametrize(
    "n_each", [pytest.param(10, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("file", FILES)
def test_a_snapshot_with_any_damage_is_refused_or_answers_right(home: Home, file: str, n_each: int) -> None:
    _damage_live(home, [file], n_each)


@pytest.mark.parametrize("n_each", [4, pytest.param(40, marks=pytest.mark.exhaustive)])
def test_a_damaged_current_is_refused_or_answers_right_and_a_rebuild_mends_it(home: Home, n_each: int) -> None:
    found = _tried(home.current, _cases([""], n_each), _outcome_of_asking(home))
    assert set(found) <= {"refused", "right"}
    print(f"{found.total()} cases of damage, {found['refused']} of them refused")
    home.current.write_bytes(b"\0")
    with pytest.raises(SnapshotError, match="CURRENT: is damaged"):
        snapshot.load(home)
    publish(home)
    assert snapshot.load(home).name == "s00000004"


def test_a_current_that_is_gone_says_what_to_run(home: Home) -> None:
    home.current.unlink()
    with pytest.raises(NoSnapshotError, match="no index has been published here; run: recommender"):
        snapshot.load(home)


def _outcome_of_catalog(home: Home) -> Callable[[], str]:
    """Return what looks at a catalog in every way and tells of it."""
    right = _articles_of(home)

    def outcome() -> str:
        shutil.rmtree(home.snapshots, ignore_errors=True)
        problems = audit(home).catalog
        try:
            same = _articles_of(home) == right
        except CatalogError as error:
            if str(home.catalog) not in str(error) and "ingest" not in str(error):
                return f"unclear: {error}"
            same = False
        for act in (publish, _write):
            try:
                act(home)
            except RecommenderError:
                problems = problems or ["refused"]
        for beside in home.path.glob("catalog.db-*"):  # of the damaged one
            beside.unlink()
        if not same and not problems:
            return "an article is another, and verify does not say so"
        return "refused" if problems else "right"

    return outcome


def _articles_of(home: Home) -> list[Article | None]:
    with Catalog(home.catalog) as catalog:
        return [catalog.article(article_id) for article_id in sorted(catalog.ids(), key=str)]


def _write(home: Home) -> None:
    write(home, {"story-03": 900})


@pytest.mark.parametrize("n_each", [2, pytest.param(60, marks=pytest.mark.exhaustive)])
def test_a_damaged_catalog_is_refused_or_verify_finds_every_article_that_is_another(home: Home, n_each: int) -> None:
    found = _tried(home.catalog, _cases([""], n_each), _outcome_of_catalog(home))
    assert set(found) <= {"refused", "right"}
    print(f"{found.total()} cases of damage, {found['refused']} of them refused")
