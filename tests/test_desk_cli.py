"""``recommender desk``: the same power as at ``/desk``, from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from newsroom import publish, settings_for, store, stories

from recommender.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(environment: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    made = settings_for(environment)
    store(made, stories())
    publish(made)

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["desk", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


def _lines(run: Run, *arguments: str) -> Any:
    code, out, _ = run(*arguments, "--json")
    assert code == 0
    return json.loads(out)


def test_a_pin_is_tried_out_set_logged_and_taken_back(run: Run) -> None:
    pin = ("pin", "ferry-vote", "https://www.lindenpost.example/business/ferry-deal", "--note", "the end of it")
    tried = _lines(run, *pin, "--preview")
    assert tried["changed"]
    assert tried["lists"][0]["after"]["results"][0]["id"] == "ferry-deal"
    assert _lines(run, "log") == []

    code, out, err = run(*pin, "--by", "anna")
    assert (code, err) == (0, "to take it back: recommender desk undo 1\n")
    assert "anna  pin “Ferry strike ends with a deal on night crews” under" in out
    (line,) = _lines(run, "rules")
    assert (line["number"], line["who"], line["article"], line["note"]) == (1, "anna", "ferry-deal", "the end of it")
    assert "Pinned by the desk: the end of it" in run("show", "ferry-vote")[1]
    assert _lines(run, "undo", "1", "--preview")["lists"][0]["before"]["results"][0]["source"] == "pinned"
    assert _lines(run, "undo", "1", "--by", "ole")["undoes"] == 1
    assert _lines(run, "rules") == []
    assert [(each["number"], each["who"]) for each in _lines(run, "log", "-n", "1")] == [(2, "ole")]
    assert "took back 1: pin" in run("log")[1]


def test_a_block_and_a_boost_are_printed_before_and_after(run: Run) -> None:
    code, out, _ = run("block", "ferry-strike", "--preview")
    assert code == 0
    assert "Under: Ferry crews vote" in out
    assert "  -     Ferries stay in port as strike begins" in out
    until = ("--factor", "2", "--until", "2990-01-01")
    assert (
        run("boost", "--section", "business", *until, "--by", "anna")[1].strip().endswith("until 2990-01-01 00:00 UTC")
    )
    assert "no list that was looked at changes" in run("boost", "--section", "nowhere", *until, "--preview")[2]


def test_a_list_is_shown_with_what_is_left_out(run: Run) -> None:
    _, out, _ = run("show", "ferry-vote", "-k", "2")
    assert "left out: Streik: Ferries stay in port, Hafen ohne Schiffe: in another language" in out
    told = _lines(run, "show", "ferry-vote")
    assert told["results"][0]["parts"]
    assert {"id", "title", "why", "shown_instead"} == told["left_out"][0].keys()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("pin", "ferry-vote", "ferry-vot"), 1, "no article has the id 'ferry-vot'"),
        (("pin", "ferry-vote", "ferry-vote"), 2, "can be pinned under itself"),
        (("boost", "ferry-vote", "--factor", "2"), 2, "boost: until: is missing"),
        (("block", "ferry-vote", "--until", "1999-01-01"), 2, "is over; give a later end"),
        (("block", "ferry-vote", "--by", " "), 1, "nobody is named"),
        (("undo", "7"), 1, "the desk's log has no line 7"),
        (("show", "nowhere"), 1, "no article has the id 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    found, _, err = run(*arguments)
    assert found == code
    assert message in err


def test_nothing_done_is_told_as_such(run: Run) -> None:
    assert run("log") == (0, "", "nothing was done yet\n")
    assert run("rules") == (0, "", "none is in force\n")
