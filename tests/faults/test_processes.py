"""Several processes in one home: writers that meet, rebuilds that meet, and a reader whose snapshots go under its feet."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from newsroom import settings_for

from faults.checks import Ledger, answers, problems_of_next_rebuild
from faults.forked import Tell, child_of, in_child
from faults.operations import ASKED, IDS, OPERATIONS, Work, editions_of, publish, write
from recommender import snapshot
from recommender.errors import BusyError
from recommender.home import Home
from recommender.recommend import Recommender

INGEST = next(each for each in OPERATIONS if each.name == "ingest")
N_ROUNDS = 3


def _until_done(act: Callable[[], None]) -> None:
    """Do something, again and again while another process is in the way."""
    while True:
        with contextlib.suppress(BusyError):
            act()
            return


def _together(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a child of its own, all at once, and return what they returned."""
    with contextlib.ExitStack() as running:
        children = [running.enter_context(child_of(lambda tell, act=act: tell([act()]))) for act in acts]
        return [child.hear()[0] for child in children]


def test_writers_that_meet_lose_nothing(home: Home) -> None:
    def writer(number: int) -> Callable[[], list[str]]:
        mine = IDS[number::3]

        def act() -> list[str]:
            acknowledged: list[str] = []
            for edition in range(100, 100 + N_ROUNDS):
                acknowledged.clear()
                work = Work(home, dict.fromkeys(mine, edition), lambda: None, acknowledged.extend)
                INGEST.act(work, source=f"source-{number}.jsonl")
            return sorted(set(acknowledged))

        return act

    assert sorted(chain(*_together([writer(number) for number in range(3)]))) == sorted(IDS)
    assert set(editions_of(home).values()) == {100 + N_ROUNDS - 1}
    assert problems_of_next_rebuild(home) == []


def test_rebuilds_that_meet_publish_one_after_the_other(home: Home) -> None:
    def act() -> list[str]:
        names = []
        for _ in range(N_ROUNDS):
            _until_done(lambda: publish(home))
            names.append(snapshot.read_current(home).name)
        return names

    seen = _together([act, act])
    assert all(names == sorted(names) for names in seen)
    assert snapshot.read_current(home).name == f"s{3 + 2 * N_ROUNDS:08d}"  # no number was given twice, none left out
    assert problems_of_next_rebuild(home) == []


@pytest.mark.parametrize("n_rounds", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_reader_always_has_an_answer_while_snapshots_are_published_and_dropped(
    home: Home, tmp_path: Path, n_rounds: int
) -> None:
    end = tmp_path / "end"

    def read(tell: Tell) -> None:
        wrong: list[Any] = []
        seen: set[str] = set()
        while not end.exists():
            for answer in answers(home).values():
                whole = isinstance(answer, dict) and bool(answer["results"])
                wrong += [] if whole else [answer]
                seen |= {answer["snapshot"]} if whole else set()
            tell(len(seen))
        tell({"wrong": wrong, "seen": sorted(seen)})

    with child_of(read) as reader:
        for edition in range(100, 100 + n_rounds):
            write(home, dict.fromkeys(IDS[edition % 5 :: 5], edition))
            publish(home)
            reader.hear()
            with home.writer("a prune"):
                snapshot.prune(home, 1)
        end.touch()
        while isinstance(told := reader.hear(), int):
            pass
    assert told["wrong"] == []
    assert len(told["seen"]) > 1


def test_what_a_reader_holds_answers_the_same_when_its_files_are_gone(home: Home, tmp_path: Path) -> None:
    held = Recommender.open(settings_for(home.path))
    before = [held.related(article_id).as_dict() for article_id in ASKED]

    def replace_all() -> None:
        for edition in range(100, 104):
            write(home, dict.fromkeys(IDS, edition))
            publish(home)
        with home.writer("a prune"):
            snapshot.prune(home, 1)

    in_child(replace_all)
    assert not (home.snapshots / held.snapshot.name).exists()
    assert [held.related(article_id).as_dict() for article_id in ASKED] == before


def test_a_writer_that_is_killed_leaves_the_lock_to_the_next(home: Home) -> None:
    def hold(tell: Tell) -> None:
        with home.writer("an ingest"):
            tell("held")
            signal.pause()

    with child_of(hold) as child:
        child.hear()
        with pytest.raises(BusyError, match=rf"process {child.pid}, an ingest since .* is writing here"):
            publish(home)
    publish(home)
    assert Ledger.of(home).problems(home, {}, ()) == []
