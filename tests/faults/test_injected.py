"""Every write, sync and rename fails once, in every operation: a clear refusal, a whole home, and a second run that works."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from faults.disks import failing_sqlite, files_end_at, sqlite_is_in_reach
from faults.injection import Bench, Outcome
from faults.operations import OPERATIONS
from faults.steps import Step, broken_disk, failing, failing_writes, no_room
from recommender.home import Home

BY_NAME = {each.name: each for each in OPERATIONS if each.beside is None}
ERRORS = {"no room": (no_room, False), "broken": (broken_disk, False), "cut": (no_room, True)}
IN_REACH = pytest.mark.skipif(not sqlite_is_in_reach(), reason="this Python's SQLite gives no symbols away")
HARMED = [
    ("ingest", failing),
    pytest.param("ingest", failing_sqlite, marks=IN_REACH),
    pytest.param("upsert", failing_sqlite, marks=IN_REACH),
    pytest.param("withdraw", failing_sqlite, marks=IN_REACH),
    pytest.param("desk", failing_sqlite, marks=IN_REACH),
    pytest.param("undo at the desk", failing_sqlite, marks=IN_REACH),
    ("rebuild", failing),
    ("rebuild", failing_writes),
    pytest.param("rebuild", failing_sqlite, marks=IN_REACH),
    ("rollback", failing),
    ("rollback", failing_writes),
    ("prune", failing),
]
LARGEST_FILE_BYTES = 300_000


def _accepted(outcome: Outcome) -> None:
    assert outcome.problems == []
    if outcome.refusal is not None:
        assert "home" in outcome.refusal or "source.jsonl" in outcome.refusal
        assert "Error in" not in outcome.refusal  # what FAISS says is for its developers


def _inject(bench: Bench, kind: Callable[[Step], Any], error: str, every: int) -> list[Outcome]:
    """Let each ``every``-th call fail until there are no more, and return what came of the faults."""
    found: list[Outcome] = []
    for at in itertools.count(every - 1, every):
        outcome = bench.at_call(at, kind, *ERRORS[error])
        _accepted(outcome)
        if outcome.failed is None:
            return found
        found.append(outcome)
    raise AssertionError


@IN_REACH
def test_a_few_calls_of_sqlite_that_are_cut_in_an_ingest_lose_nothing(template: Home, tmp_path: Path) -> None:
    assert len(_inject(Bench(template, tmp_path, BY_NAME["ingest"]), failing_sqlite, "cut", 25)) > 1


def test_a_few_calls_that_fail_in_a_rollback_lose_nothing(template: Home, tmp_path: Path) -> None:
    assert len(_inject(Bench(template, tmp_path, BY_NAME["rollback"]), failing, "broken", 15)) > 1


@pytest.mark.parametrize(
    "every", [pytest.param(13, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("name", "kind"), HARMED)
def test_every_call_fails_once_and_nothing_is_lost(
    template: Home, tmp_path: Path, name: str, kind: Callable[[Step], Any], error: str, every: int
) -> None:
    found = _inject(Bench(template, tmp_path, BY_NAME[name]), kind, error, every)
    assert found or every > 1
    print(f"{len(found)} faults, {sum(each.refusal is not None for each in found)} of them refused")


@pytest.mark.parametrize(
    "every", [pytest.param(11, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("name", BY_NAME)
def test_files_that_end_at_any_size_are_refused_or_not_needed(
    template: Home, tmp_path: Path, name: str, every: int
) -> None:
    bench = Bench(template, tmp_path, BY_NAME[name])
    sizes = [*range(0, 4096, 331), *range(4096, LARGEST_FILE_BYTES, 3_011)][::every]
    refused = 0
    for size in sizes:
        outcome = bench.under(partial(files_end_at, size))
        _accepted(outcome)
        refused += outcome.refusal is not None
    print(f"{len(sizes)} faults, {refused} of them refused")
    assert refused or name == "prune"
