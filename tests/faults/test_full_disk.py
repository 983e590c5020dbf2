"""A disk without room, of its own size and seen by nobody else: a clear refusal, old answers, and all works when room is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faults.checks import answers
from faults.disks import SmallDisk, files_end_at
from faults.forked import ChildDiedError, in_child
from faults.injection import Bench
from faults.operations import OPERATIONS
from recommender import snapshot
from recommender.dense import DenseIndex
from recommender.errors import RecommenderError
from recommender.home import Home
from recommender.lexical import LexicalBuilder, builder

DISK_BYTES = 16 * 2**20
PAGE = 4096
BY_NAME = {each.name: each for each in OPERATIONS if each.beside is None}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder that a child can put a small disk on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        in_child(lambda: SmallDisk(folder, DISK_BYTES) and None)
    except ChildDiedError as error:
        pytest.skip(f"nobody may mount a disk here: {str(error).splitlines()[-1]}")
    return folder


def _on_full_disk(bench: Bench, place: Path, free_bytes: int) -> dict[str, Any]:
    """Return what comes of an operation for which there is only so much room; runs in a child."""
    disk, home = SmallDisk(place, DISK_BYTES), Home(place / "home")
    bench.copied(home)
    acknowledged: list[str] = []
    refusal = None
    try:
        bench.act(home, lambda: disk.fill(free_bytes), acknowledged.extend)
    except RecommenderError as error:
        refusal = str(error)
    live, found = snapshot.read_current(home).name, answers(home)
    problems = [] if found == bench.lists.get(live, found) else ["other answers while the disk is full"]
    disk.empty()
    return {
        "refusal": refusal,
        "problems": problems + bench.problems(home, acknowledged) or bench.problems_of_second_run(home),
    }


def _refusals(bench: Bench, place: Path, frees: range) -> Iterator[str | None]:
    for free_bytes in frees:
        told = in_child(lambda free_bytes=free_bytes: _on_full_disk(bench, place, free_bytes))
        assert told["problems"] == [], f"with {free_bytes} bytes free"
        yield told["refusal"]


def test_a_disk_without_any_room_keeps_what_there_is_and_lets_prune_make_room(
    template: Home, place: Path, tmp_path: Path
) -> None:
    names = ("ingest", "rebuild", "rollback", "prune")
    benches = {name: Bench(template, tmp_path / name, BY_NAME[name]) for name in names}
    refusals = {name: next(_refusals(bench, place, range(1))) for name, bench in benches.items()}
    assert refusals.pop("prune") is None
    for refusal in refusals.values():
        assert "the disk is full" in str(refusal) or "No space left on device" in str(refusal)


@pytest.mark.parametrize(
    "pages", [pytest.param(11, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("name", BY_NAME)
def test_a_disk_that_is_full_after_any_number_of_pages_loses_nothing(
    template: Home, place: Path, tmp_path: Path, name: str, pages: int
) -> None:
    frees = range(0, 320_000, pages * PAGE)
    bench = Bench(template, tmp_path, BY_NAME[name])
    refusals = [each for each in _refusals(bench, place, frees) if each is not None]
    print(f"{len(frees)} faults, {len(refusals)} of them refused")
    assert all("the disk is full" in each or "No space left on device" in each for each in refusals)


@pytest.mark.parametrize("many_postings", [10**6, pytest.param(2_000, marks=pytest.mark.slow)])
def test_an_index_of_terms_that_does_not_fit_is_an_error_and_not_the_end_of_the_process(
    place: Path, many_postings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its large files have holes while they are written: who fills one through a map on a full disk is killed (SIGBUS)."""
    monkeypatch.setattr(builder, "_MANY_POSTINGS", many_postings)

    def outcome(free_bytes: int) -> str:
        disk = SmallDisk(place, DISK_BYTES)
        disk.fill(free_bytes)
        texts = LexicalBuilder(place)
        try:
            for row in range(60):
                texts.add(f"Story {row}", " ".join(f"w{number}" for number in range(row * 20, row * 20 + 200)), "en")
            texts.write(place)
        except OSError as error:
            texts.close()
            return str(error)
        return "written"

    outcomes = {in_child(lambda free=free: outcome(free)) for free in range(0, 2_000_000, 32 * PAGE)}
    assert outcomes == {"written", "[Errno 28] No space left on device"}


@pytest.mark.parametrize("cut_bytes", [0, 1, 100, 500])
def test_vectors_whose_last_bytes_are_refused_are_not_taken_for_written(tmp_path: Path, cut_bytes: int) -> None:
    """FAISS's own writer says nothing when its last bytes do not fit."""

    def outcome() -> str:
        with files_end_at(cut_bytes):
            try:
                DenseIndex.build(["a", "b"], np.ones((2, 64), np.float32)).write(tmp_path / "dense.faiss")
            except OSError as error:
                return str(error)
        return "written"

    assert in_child(outcome) == f"{tmp_path}/dense.faiss: cannot be written: File too large"


def test_the_writers_lock_can_be_taken_where_nothing_can_be_written(tmp_path: Path) -> None:
    def outcome() -> bool:
        with files_end_at(0), Home(tmp_path / "home").writer("a prune"):
            return True

    assert in_child(outcome)
