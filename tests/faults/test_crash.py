"""``kill -9`` at random moments: a home is whole after it, and the harness would notice if it were not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from faults.crash import Crasher
from faults.operations import OPERATIONS, Work
from recommender import snapshot

ROOT = Path(__file__).parent.parent.parent
INGEST = OPERATIONS[0]


def test_a_home_is_whole_after_a_few_kills(tmp_path: Path) -> None:
    some = OPERATIONS[::3]
    tally = Crasher(tmp_path, seed=7, operations=some).run(2 * len(some))
    assert tally.failures == []
    assert tally.kills == {each.name: 2 for each in some}


@pytest.mark.slow
def test_a_home_is_whole_after_three_hundred_kills() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "crash_test.py", "--kills", "300", "--seed", "20"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines())
    assert header == ["operation", "kills", "in the act", "acknowledged articles, all there", "failures"]
    assert [row[0] for row in rows] == [*(each.name for each in OPERATIONS), "all"]
    assert (rows[-1][1], rows[-1][4]) == ("300", "0")
    assert all(int(row[2]) > 0 for row in rows)


def _promising_too_early(work: Work) -> None:
    work.begun()
    work.acknowledged(work.editions)
    INGEST.act(work)


def _tearing_what_is_live(work: Work) -> None:
    work.begun()
    (work.home.snapshots / snapshot.read_current(work.home).name / "names.json").write_bytes(b"[")


def _leaving_rubbish(work: Work) -> None:
    work.begun()
    with work.home.writer("a test"):
        work.home.current.write_bytes(b"{}")


def _failing(work: Work) -> None:
    work.begun()
    raise ZeroDivisionError("nobody foresaw this")


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (_promising_too_early, r"story-\d\d: edition \d+ is there, \d+ was promised"),
        (_tearing_what_is_live, r"names.json: has 1 bytes, .* were published"),
        pytest.param(_leaving_rubbish, "CURRENT: is damaged", marks=pytest.mark.slow),
    ],
)
def test_what_a_kill_loses_or_breaks_is_noticed(tmp_path: Path, act: Callable[[Work], None], told: str) -> None:
    crasher = Crasher(tmp_path, seed=7, operations=[INGEST])
    crasher._operations = [replace(INGEST, act=act)]
    failures = crasher.run(4).failures
    assert any(re.search(told, failure) for _, failure in failures), failures


def test_an_error_that_nobody_foresaw_is_a_failure(tmp_path: Path) -> None:
    crasher = Crasher(tmp_path, seed=7, operations=[INGEST])
    crasher._operations = [replace(INGEST, act=_failing)]
    assert "ZeroDivisionError: nobody foresaw this" in crasher.run(1).failures[0][1]
