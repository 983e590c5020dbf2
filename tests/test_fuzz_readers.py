"""Thousands of inputs that nobody should send, and every reader goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from fuzz_readers import READERS, Reader, fuzz, made, shares

from recommender.readers import FORMATS

INPUTS = 5_000


@pytest.mark.slow
@pytest.mark.parametrize(("name", "numbers"), list(shares(list(READERS), INPUTS)), ids=list(READERS))
def test_every_input_is_read_or_refused_and_none_hangs(
    name: str, numbers: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz_readers.MOST_SECONDS", 20.0)  # how long one takes is for the script to say
    findings = fuzz(name, numbers)

    assert not findings.found
    assert sum(findings.counts.values()) == len(numbers)


def test_every_format_has_a_row() -> None:
    same = {
        "htm": "page",
        "html": "page",
        "xhtml": "page",
        "ndjson": "jsonl",
        "atom": "feed",
        "rss": "feed",
        "markdown": "md",
    }
    covered = {same.get(form, form) for form in FORMATS}

    assert covered <= set(READERS)


def test_an_input_is_the_same_each_time_and_inputs_differ() -> None:
    assert made("page", 7) == made("page", 7)
    assert len({made("page", number) for number in range(50)}) > 40


def test_a_reader_that_breaks_or_takes_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "broken", Reader(lambda raw: 1 // 0, lambda: [b"x"], [b"y"]))
    monkeypatch.setattr("fuzz_readers.MOST_SECONDS", -1.0)

    assert fuzz("broken", [3]).found == [
        "broken 3: ZeroDivisionError: integer division or modulo by zero",
        f"broken 3: took 0.0 seconds for {len(made('broken', 3)):,} bytes",
    ]
