"""A desk for tests: two files of the same rules, rules as hypothesis draws them, and writers of both forms."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st

from recommender.editorial import Rule, parse_rules
from recommender.errors import RulesError
from recommender.text import clean_line

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
CHRISTMAS = datetime(2026, 12, 24, tzinfo=UTC)
ARTICLES = {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "https://news.example/a": 0}
SECTIONS = ("Politics", "Sport", "sport")

TOML = """
[[boost]]
article = "c"
factor = 2
until = 2026-12-24
note = "Election night"

[[pin]]
under = "a"
show = ["b", "https://news.example/c"]
until = 2026-12-24T18:00:00+01:00
note = "The series"

[[block]]
article = "d"

[[block]]
article = "e"
under = "a"

[[boost]]
section = "Politics"
under = "b"
factor = 0.5
until = 2026-12-24
"""
CSV = """\
rule,article,under,section,factor,until,note
boost,c,,,2,2026-12-24,Election night
pin,b,a,,,2026-12-24T18:00:00+01:00,The series
pin,https://news.example/c,a,,,2026-12-24T18:00:00+01:00,The series
block,d,,,,,
block,e,a,,,,
boost,,b,Politics,0.5,2026-12-24,
"""


def make_rule(kind: Any, *articles: str, **others: Any) -> Rule:
    given = {"under": None, "section": None, "factor": 1.0, "until": None, "note": "", "place": "test"} | others
    return Rule(kind, articles, **given)


def placeless(rules: Iterable[Rule]) -> list[Rule]:
    return [replace(rule, place="") for rule in rules]


def problems(text: str | bytes, source: str = "rules.toml") -> list[str]:
    """Return what is wrong with a file, without its name."""
    with pytest.raises(RulesError) as caught:
        parse_rules(text if isinstance(text, bytes) else text.encode(), source)
    return [problem.removeprefix(source).removeprefix(", ") for problem in caught.value.problems]


def outcome(raw: bytes, source: str) -> tuple[Rule, ...] | str:
    """Return the rules of a file, or the message with which it is refused."""
    try:
        return parse_rules(raw, source)
    except RulesError as error:
        return str(error)


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "https://news.example/a", "Ünter; \"x\", 'y'", "1.5"])
NOTES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).map(clean_line)
ENDS = st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days))
OPTIONAL_ENDS = st.none() | ENDS
EVERYWHERE = st.none() | NAMES
FACTORS = st.integers(1, 40).map(lambda number: number / 4) | st.just(0.1)
BLOCKS = st.builds(
    lambda name, **others: make_rule("block", name, **others), NAMES, under=EVERYWHERE, until=OPTIONAL_ENDS, note=NOTES
)
BOOSTS = st.builds(
    lambda name, **others: make_rule("boost", name, **others), NAMES, under=EVERYWHERE, factor=FACTORS, until=ENDS, note=NOTES
) | st.builds(
    lambda section, **others: make_rule("boost", section=section, **others),
    st.sampled_from(["Politics", "POLITICS", "sport", "SPORT", "Weather"]), under=EVERYWHERE, factor=FACTORS, until=ENDS, note=NOTES,
)  # fmt: skip


@st.composite
def pins(draw: st.DrawFn) -> list[Rule]:
    """Draw pins as a file may hold them: no article twice under one story, and none under itself."""
    pins: list[Rule] = []
    for under in draw(st.lists(NAMES, max_size=3, unique=True)):
        free = [name for name in draw(st.permutations(sorted(ARTICLES))) if name != under][: draw(st.integers(0, 5))]
        while free:
            cut = draw(st.integers(1, len(free)))
            pins.append(make_rule("pin", *free[:cut], under=under, until=draw(OPTIONAL_ENDS), note=draw(NOTES)))
            free = free[cut:]
    return pins


RULES = st.tuples(pins(), st.lists(BLOCKS, max_size=4), st.lists(BOOSTS, max_size=5)).map(
    lambda parts: [*parts[0], *parts[1], *parts[2]]
)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def as_toml(rules: Iterable[Rule]) -> bytes:
    lines: list[str] = []
    for rule in rules:
        lines.append(f"[[{rule.kind}]]")
        if rule.kind == "pin":
            lines.append(f"show = [{', '.join(map(_quoted, rule.articles))}]")
        elif rule.articles:
            lines.append(f"article = {_quoted(rule.articles[0])}")
        for name in ("under", "section", "note"):
            if getattr(rule, name):
                lines.append(f"{name} = {_quoted(getattr(rule, name))}")
        if rule.kind == "boost":
            lines.append(f"factor = {rule.factor}")
        if rule.until:
            lines.append(f"until = {rule.until.astimezone(timezone(timedelta(hours=2))).isoformat()}")
    return "\n".join(lines).encode()


def as_csv(rules: Iterable[Rule]) -> bytes:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["rule", "article", "under", "section", "factor", "until", "note"])
    for rule in rules:
        factor = rule.factor if rule.kind == "boost" else ""
        until = rule.until.isoformat() if rule.until else ""
        for article in rule.articles or ("",):
            rows.writerow([rule.kind, article, rule.under, rule.section, factor, until, rule.note])
    return table.getvalue().encode()
