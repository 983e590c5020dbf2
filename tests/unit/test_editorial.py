from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.editorial import MAX_FILE_BYTES, NO_HAND, NOTHING, Applied, Hand, Rule, parse_rules, read_rules
from recommender.errors import RulesError
from recommender.text import clean_line

properties = settings(deadline=None, max_examples=100)
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


def _rule(kind: Any, *articles: str, **others: Any) -> Rule:
    given = {"under": None, "section": None, "factor": 1.0, "until": None, "note": "", "place": "test"} | others
    return Rule(kind, articles, **given)


def _placeless(rules: Iterable[Rule]) -> list[Rule]:
    return [replace(rule, place="") for rule in rules]


def _problems(text: str | bytes, source: str = "rules.toml") -> list[str]:
    """Return what is wrong with a file, without its name."""
    with pytest.raises(RulesError) as caught:
        parse_rules(text if isinstance(text, bytes) else text.encode(), source)
    return [problem.removeprefix(source).removeprefix(", ") for problem in caught.value.problems]


def _told(raw: bytes, source: str) -> tuple[Rule, ...] | str:
    """Return the rules of a file, or the message with which it is refused."""
    try:
        return parse_rules(raw, source)
    except RulesError as error:
        return str(error)


# --- files that are good ---


def test_each_form_gives_the_same_rules_pins_first_then_blocks_then_boosts() -> None:
    expected = [
        _rule(
            "pin", "b", "https://news.example/c", under="a", until=CHRISTMAS + timedelta(hours=17), note="The series"
        ),
        _rule("block", "d"),
        _rule("block", "e", under="a"),
        _rule("boost", "c", factor=2.0, until=CHRISTMAS, note="Election night"),
        _rule("boost", under="b", section="Politics", factor=0.5, until=CHRISTMAS),
    ]

    assert _placeless(parse_rules(TOML.encode(), "rules.toml")) == _placeless(expected)
    assert _placeless(parse_rules(CSV.encode(), "rules.csv")) == _placeless(expected)


def test_a_rule_says_where_it_stands() -> None:
    in_toml = [rule.place for rule in parse_rules(TOML.encode(), "rules.toml")]
    in_csv = [rule.place for rule in parse_rules(CSV.encode(), "rules.csv")]

    assert in_toml == [f"rules.toml, {name}" for name in ("pin 1", "block 1", "block 2", "boost 1", "boost 2")]
    assert in_csv == [f"rules.csv, line {number}" for number in (3, 5, 6, 2, 7)]


def test_a_line_is_the_one_on_which_a_row_begins() -> None:
    raw = b'rule,article,note\n\nblock,a,"two\r\nlines"\n,,\nblock,b,x\n'

    assert [(rule.place, rule.note) for rule in parse_rules(raw, "r.csv")] == [
        ("r.csv, line 3", "two lines"),
        ("r.csv, line 6", "x"),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("rules.toml", TOML),
        ("rules.csv", CSV),
        ("RULES.CSV", CSV.replace(",", ";")),
        ("rules.csv", CSV.replace(",", "\t")),
        ("rules.csv", CSV.replace("\n", "\n\n").replace("pin", " Pin ")),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_spreadsheets_and_editors_may_save_as_they_do(source: str, text: str, line_end: str, mark: bytes) -> None:
    raw = mark + text.replace("\n", line_end).encode()

    assert _placeless(parse_rules(raw, source)) == _placeless(parse_rules(TOML.encode(), "rules.toml"))


@pytest.mark.parametrize("source", ["rules.toml", "rules.csv"])
@pytest.mark.parametrize("raw", [b"", b" \n\n", b"\xef\xbb\xbf"])
def test_a_file_without_rules_is_a_valid_one(source: str, raw: bytes) -> None:
    assert parse_rules(raw, source) == ()


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    assert _placeless(parse_rules(b"until,Article,RULE\n,d,block\n", "r.csv")) == _placeless([_rule("block", "d")])


def test_columns_that_somebody_has_emptied_are_no_columns() -> None:
    assert _placeless(parse_rules(b"rule,article,,\nblock,d,,\n,,,\nblock,e\n", "r.csv")) == _placeless(
        [_rule("block", "d"), _rule("block", "e")]
    )
    assert _problems("rule,article,,\nblock,d,,x\n", "r.csv") == [
        "line 2: has 4 cells where the header names 2; is a quote or delimiter missing?"
    ]


def test_a_row_of_pins_joins_the_one_before_it_under_the_same_story_if_all_else_is_the_same() -> None:
    rows = "pin,a,x,\npin,q,y,\npin,b,x,\npin,c,x,2026-12-24\npin,d,x,\npin,e,x,\n"

    rules = parse_rules(f"rule,article,under,until\n{rows}".encode(), "r.csv")

    assert [(rule.under, rule.articles, rule.place[-1]) for rule in rules] == [
        ("x", ("a", "b"), "2"),
        ("y", ("q",), "3"),
        ("x", ("c",), "5"),
        ("x", ("d", "e"), "6"),
    ]


@pytest.mark.parametrize("written", ["{}", '"{}"', "'{}'"])
@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-12-24", CHRISTMAS),
        ("2026-12-24T18:00:00+01:00", CHRISTMAS + timedelta(hours=17)),
        ("2026-12-24T18:00:00Z", CHRISTMAS + timedelta(hours=18)),
        ("2026-12-24 18:00:00.5-02:00", CHRISTMAS + timedelta(hours=20, milliseconds=500)),
    ],
)
def test_an_end_is_a_date_or_a_time_with_an_offset(written: str, until: str, expected: datetime) -> None:
    in_toml = parse_rules(f"[[block]]\narticle='a'\nuntil={written.format(until)}".encode(), "r.toml")
    in_csv = parse_rules(f"rule,article,until\nblock,a,{until}".encode(), "r.csv")

    for (rule,) in (in_toml, in_csv):
        assert rule.until == expected
        assert rule.until.tzinfo is UTC


def test_a_whole_number_is_an_id_as_it_is_in_an_articles_record() -> None:
    (pin,) = parse_rules(b"[[pin]]\nunder = 7\nshow = [12, '13']\n", "r.toml")

    assert (pin.under, pin.articles) == ("7", ("12", "13"))


def test_a_file_is_read_from_the_disk_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(TOML, encoding="utf-8")

    assert read_rules(tmp_path / "desk.toml") == parse_rules(TOML.encode(), "desk.toml")


# --- files that are refused ---

PIN = "[[pin]]\nunder='a'\nshow=['b']\n"
BOOST = "[[boost]]\narticle='a'\nfactor=2\nuntil=2026-12-24\n"
REFERENCE = 'must be an id or a url in quotes, such as "politics-123"'
FACTOR = "boost 1: factor: must be a number from 0.1 to 10, it is"
UNTIL = "must be a date, for example 2026-12-24 or 2026-12-24T18:00:00+01:00, it is"
OFFSET = "is a time without an offset from UTC; write 2026-12-24T18:00:00+01:00, or 2026-12-24T18:00:00Z for UTC"
SUBJECT = "must name either an article or a section; give one of them, for both write two boosts"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[pins]]\nunder='a'", "'pins' is no kind of rule; did you mean 'pin'?"),
        ("x = 1", "'x' is no kind of rule; known are pin, block, boost"),
        ("[pin]\nunder='a'", "pin: must stand in double brackets, [[pin]], once for each rule"),
        ("pin = [1]", "pin 1: must be a table under [[pin]], it is 1"),
        (PIN + "untill=2026-12-24", "pin 1: 'untill' does not belong to a pin; did you mean 'until'?"),
        (PIN + "zzz=1", "pin 1: 'zzz' does not belong to a pin; known are under, show, until, note"),
        (PIN + "article='b'", "pin 1: 'article' does not belong to a pin; known are under, show, until, note"),
        ("[[pin]]\nshow=['b']", "pin 1: under: is missing; name the story under which it is pinned"),
        ("[[pin]]\nunder='a'", "pin 1: show: is missing; name what to show"),
        ("[[pin]]\nunder='a'\nshow=[]", "pin 1: show: is empty; name at least one article, or take the rule out"),
        (
            "[[pin]]\nunder='a'\nshow='b'",
            """pin 1: show: must be a list, such as ["politics-123", "sport-7"], it is 'b'""",
        ),
        ("[[pin]]\nunder='a'\nshow=['b', 1.5]", f"pin 1: show: article 2 of the list {REFERENCE}, it is 1.5"),
        (
            "[[pin]]\nunder='a'\nshow=['b', ' ']",
            "pin 1: show: article 2 of the list is empty; give an id or a url",
        ),
        ("[[pin]]\nunder=['a']\nshow=['b']", f"pin 1: under: {REFERENCE}, it is a list"),
        ("[[pin]]\nunder=true\nshow=['b']", f"pin 1: under: {REFERENCE}, it is true"),
        ("[[pin]]\nunder=2026-12-24\nshow=['b']", f"pin 1: under: {REFERENCE}, it is 2026-12-24"),
        (
            f"[[pin]]\nunder=0x{'f' * 5000}\nshow=['b']",
            f"pin 1: under: {REFERENCE}, it is a number of very many digits",
        ),
        (
            f"[[block]]\narticle='{'x' * 4097}'",
            "block 1: article: has 4,097 characters, at most 4,096 are taken; is a quote missing?",
        ),
        (
            '[[block]]\narticle="a\\u0000b"',
            r"block 1: article: 'a\x00b' has control characters; copy the id or url again",
        ),
        ("[[pin]]\nunder='a'\nshow=['b','a']", "pin 1: show: no story can be pinned under itself; take 'a' out"),
        (
            "[[pin]]\nunder='https://www.news.example/a'\nshow=['http://news.example/a/?utm_source=x']",
            "pin 1: show: no story can be pinned under itself; take 'https://www.news.example/a' out",
        ),
        ("[[pin]]\nunder='a'\nshow=['b','c','b']", "pin 1: pins 'b' twice under 'a'; take one out"),
        (PIN + PIN, "pin 2: pins 'b' twice under 'a' (first in rules.toml, pin 1); take one out"),
        (
            "[[pin]]\nunder='a'\nshow=['http://x.example/b']\n[[pin]]\nunder='a'\nshow=['https://www.x.example/b/']\n",
            "pin 2: pins 'https://www.x.example/b/' twice under 'a' (first in rules.toml, pin 1); take one out",
        ),
        (PIN + "until=2026-12-24T18:00:00", f"pin 1: until: 2026-12-24T18:00:00 {OFFSET}"),
        (PIN + "until='2026-12-24T18:00'", f"pin 1: until: 2026-12-24T18:00:00 {OFFSET}"),
        (PIN + "until='24.12.2026'", f"pin 1: until: {UNTIL} '24.12.2026'"),
        (PIN + "until='2026-02-31'", f"pin 1: until: {UNTIL} '2026-02-31'"),
        (PIN + "until='20261224'", f"pin 1: until: {UNTIL} '20261224'"),
        (PIN + "until=20261224", f"pin 1: until: {UNTIL} 20261224"),
        (PIN + "until=18:00:00", f"pin 1: until: {UNTIL} a time"),
        (
            PIN + "until=0001-01-01T00:00:00+01:00",
            "pin 1: until: 0001-01-01T00:00:00+01:00 is beyond the calendar; give a date, "
            "for example 2026-12-24 or 2026-12-24T18:00:00+01:00",
        ),
        (PIN + "note=1", "pin 1: note: must be text in quotes, it is 1"),
        (PIN + f"note='{'x' * 501}'", "pin 1: note: has 501 characters, at most 500 are taken; shorten it"),
        ("[[block]]", "block 1: article: is missing; name the article to block"),
        ("[[block]]\nart='a'\narticle='b'", "block 1: 'art' does not belong to a block; did you mean 'article'?"),
        (BOOST + "section='x'", f"boost 1: {SUBJECT}"),
        (BOOST.replace("article='a'", ""), f"boost 1: {SUBJECT}"),
        (
            BOOST.replace("article='a'", "section=' '"),
            "boost 1: section: is empty; give the name of a section",
        ),
        (
            BOOST.replace("until=2026-12-24", ""),
            "boost 1: until: is missing; a boost needs an end, for example 2026-12-24 or 2026-12-24T18:00:00+01:00",
        ),
        (
            BOOST.replace("factor=2", ""),
            "boost 1: factor: is missing; give a number from 0.1 to 10, below 1 for less",
        ),
        *(
            (BOOST.replace("=2\n", f"={written}\n"), f"{FACTOR} {shown}")
            for written, shown in [
                ("0.09", "0.09"),
                ("10.01", "10.01"),
                ("-1", "-1"),
                ("0", "0"),
                ("nan", "nan"),
                ("-inf", "-inf"),
                ("'2'", "'2'"),
                ("true", "true"),
                ("[2]", "a list"),
                ("{x=2}", "a table"),
                ("0x" + "f" * 999, "a number of very many digits"),
            ]
        ),
        (
            "[[pin]",
            "is not TOML: Expected ']]' at the end of an array declaration (at line 1, column 6); mend it there",
        ),
        (f"x = {'[' * 50_000}", "is nested too deeply; no rule needs a list inside a list"),
    ],
)
def test_what_is_wrong_with_toml_is_named_with_its_place_and_the_mend(text: str, problem: str) -> None:
    found = _problems(text)

    assert [line.removeprefix(": ") for line in found] == [problem]


HEADER = "rule,article,under,section,factor,until,note\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("article,under\n", "line 1: must name the columns, {}; there is no 'rule' in it"),
        ("rule,artikel\nblock,a", "line 1: column 2: 'artikel' is unknown; did you mean 'article'?"),
        ("rule,,note\nblock,a", "line 1: column 2: '' is unknown; known are rule, {}"),
        ("rule,article,Article\n", "line 1: column 3: 'article' stands twice; take one out"),
        ('rule,"x"y\nblock,a', "line 1: is not CSV: ',' expected after '\"'; is there a quote missing or one too many?"),
        ("rule,article\nblock\n", "line 2: has 1 cells where the header names 2; is a quote or delimiter missing?"),
        ("rule,article\nbloc,a\n", "line 2: rule: 'bloc' is no kind of rule; did you mean 'block'?"),
        ("rule,article\n,a\n", "line 2: rule: '' is no kind of rule; known are pin, block, boost"),
        (HEADER + "pin,a,,,,,", "line 2: under: is missing; name the story under which it is pinned"),
        (HEADER + "pin,,a,,,,", "line 2: article: is missing; name what to show"),
        (HEADER + "pin,a,a,,,,", "line 2: article: no story can be pinned under itself; take 'a' out"),
        (HEADER + "pin,b,a,,,,\nblock,x,,,,,\npin,b,a,,,,", "line 4: pins 'b' twice under 'a' (first in r.csv, line 2); take one out"),
        (HEADER + "pin,b,a,,2,,", "line 2: 'factor' does not belong to a pin; known are under, article, until, note"),
        (HEADER + "boost,b,,,2,,", "line 2: until: is missing; a boost needs an end, for example 2026-12-24 or 2026-12-24T18:00:00+01:00"),
        (HEADER + "boost,b,,S,2,2026-12-24,", f"line 2: {SUBJECT}"),
        *(
            (f"{HEADER}boost,b,,,{written},2026-12-24,", f"line 2: factor: must be a number from 0.1 to 10, it is {shown}")
            for written, shown in [
                ('"2,0"', "'2,0'"), ("nan", "'nan'"), ("1e0", "'1e0'"), ("1_0", "'1_0'"), ("١", "'١'"), ("11", "11.0"),
            ]
        ),
        (HEADER + "boost,b,,,2,24.12.2026,", f"line 2: until: {UNTIL} '24.12.2026'"),
        ('rule,note\nblock,"open', "line 2: is not CSV: unexpected end of data; is there a quote missing or one too many?"),
        ("rule,note\nblock,\"x\"y\n", "line 2: is not CSV: ',' expected after '\"'; is there a quote missing or one too many?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_csv_is_named_with_its_line_and_the_mend(text: str, problem: str) -> None:
    columns = "rule,article,under,section,factor,until,note"
    listed = columns if "name the columns" in problem else columns.removeprefix("rule,").replace(",", ", ")

    assert _problems(text, "r.csv") == [problem.replace("{}", listed)]


def test_every_problem_of_a_file_is_named_at_once_and_no_rule_is_taken() -> None:
    text = "[[pin]]\nsho=['b']\nuntil=1\n[[block]]\narticle='fine'\n[[boost]]\nfactor=99\n[[blocks]]\n"
    message = f"""rules.toml: 8 problems; none of its rules is taken until all are mended
  rules.toml, pin 1: 'sho' does not belong to a pin; did you mean 'show'?
  rules.toml, pin 1: under: is missing; name the story under which it is pinned
  rules.toml, pin 1: show: is missing; name what to show
  rules.toml, pin 1: until: {UNTIL} 1
  rules.toml, boost 1: factor: must be a number from 0.1 to 10, it is 99
  rules.toml, boost 1: {SUBJECT}
  rules.toml, boost 1: until: is missing; a boost needs an end, for example 2026-12-24 or 2026-12-24T18:00:00+01:00
  rules.toml: 'blocks' is no kind of rule; did you mean 'block'?"""

    with pytest.raises(RulesError, match=f"^{re.escape(message)}$") as caught:
        parse_rules(text.encode(), "rules.toml")

    assert caught.value.problems == tuple(line.strip() for line in message.splitlines()[1:])


def test_a_single_problem_is_a_message_of_one_line() -> None:
    message = "rules.toml, block 1: article: is missing; name the article to block"

    with pytest.raises(RulesError, match=f"^{re.escape(message)}$"):
        parse_rules(b"[[block]]", "rules.toml")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("[[block]]\n" * 1000, "r.toml"),
        ("".join(f"x{number} = 1\n" for number in range(1000)), "r.toml"),
        ("[[pin]]\nunder='a'\nshow=['b']\n" + "".join(f"x{number} = 1\n" for number in range(1000)), "r.toml"),
        ("pin = [" + "1," * 1000 + "]", "r.toml"),
        (f"[[pin]]\nunder='a'\nshow=[{chr(39) + 'b' + chr(39) + ','}" + "'b'," * 1000 + "]", "r.toml"),
        (HEADER + "block,,,,,,\n" * 1000, "r.csv"),
        (HEADER + "block\n" * 1000, "r.csv"),
        (HEADER + 'block,"x"y\n' * 1000, "r.csv"),
        ("rule," + ",".join(f"x{number}" for number in range(1000)), "r.csv"),
    ],
)
def test_twenty_problems_are_told_and_no_more(text: str, source: str) -> None:
    with pytest.raises(RulesError, match=rf"^{source}: 20 problems or more; none of its rules") as caught:
        parse_rules(text.encode(), source)

    assert len(caught.value.problems) == 20
    assert str(caught.value).count("\n") == 20


@pytest.mark.parametrize(
    ("raw", "source", "message"),
    [
        (b"", "rules.json", "rules.json: rules are read from .toml and .csv; name it by what it is"),
        (b"", "rules", "rules: rules are read from .toml and .csv; name it by what it is"),
        (
            "Café".encode("cp1252"),
            "r.csv",
            "r.csv: is not UTF-8 (byte 0xe9 at 3); save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        ),
        (
            b"#" * (MAX_FILE_BYTES + 1),
            "r.toml",
            "r.toml: has over 1,000,000 bytes; take out the rules that have ended",
        ),
    ],
)
def test_a_file_that_cannot_be_rules_is_refused(raw: bytes, source: str, message: str) -> None:
    with pytest.raises(RulesError, match=f"^{re.escape(message)}$"):
        parse_rules(raw, source)


def test_a_file_of_just_the_size_is_read() -> None:
    assert parse_rules(b"#" * MAX_FILE_BYTES, "r.toml") == ()


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")  # to open it would wait for ever
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "pipe.toml"):
        message = f"{path}: no such file; give the path of the desk's .toml or .csv"
        with pytest.raises(RulesError, match=f"^{re.escape(message)}$"):
            read_rules(path)


class _Unreadable(Path):
    _flavour = getattr(Path(), "_flavour", None)

    def is_file(self, **_: Any) -> bool:
        return True

    def open(self, *_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")


def test_a_file_that_may_not_be_read_is_refused() -> None:
    with pytest.raises(RulesError, match=r"^desk\.toml: cannot be read \(Permission denied\); mend its permissions$"):
        read_rules(_Unreadable("desk.toml"))


# --- files that mean harm ---

DOT = "has a dot that is part of no number; put ids and urls in quotes"


@pytest.mark.parametrize(
    "line",
    [
        "a.b = 1",
        "[a.b]",
        "[[a.b]]",
        "x = {a.b = 1}",
        "x = [{y = 1.5, a.b = 1}]",
        "1.2.3 = 1",
        "[1.2.3]",
        "x = {1.2.3 = 1}",
        '"a"."b" = 1',
        "'#' . 'b' = 1",
        'x = ["""a"""", {a.b = 1}]',
        'x = ["""a""""", {a.b = 1}]',
        'x = ["""a"" """, {a.b = 1}]',
        "x = ['''a'''', {a.b = 1}]",
        'x = ["a\\"", {a.b = 1}]',
        'x = ["a\\\\", {a.b = 1}]',
        'x = ["""\\"""", "", {a.b = 1}]',
        "x = ['\\', {a.b = 1}]",
        "article = https://news.example/a",
        "until = 24.12.2026",
        "factor = .5",
    ],
)
def test_keys_that_could_cost_the_parser_the_square_of_their_length_never_reach_it(line: str) -> None:
    assert _problems(f"# ''' a.b\n[[block]]\r\nnote = '''a.b\nb'''\n{line}\n") == [f"line 5: {DOT}"]


def test_dots_of_numbers_are_no_dots_of_keys() -> None:
    text = "boost = [{article = 'a', factor = 1.5, until = 2026-12-24 00:00:00.5Z}, {section='x',until=2026-12-24,factor=+2.5}]"

    assert [rule.factor for rule in parse_rules(text.encode(), "r.toml")] == [1.5, 2.5]
    assert _problems("x = [1.5,\n 1_0.5]") == [
        ": x is no kind of rule".replace("x", "'x'") + "; known are pin, block, boost"
    ]


def test_dots_inside_quotes_and_comments_are_as_many_as_one_likes() -> None:
    dots = "." * 40
    text = f"""# {dots}
[[pin]] # "{dots}
under = 'a{dots}'
show = ["b{dots}", "\\"{dots}"]
note = \"\"\"{dots} " "" \\\"\"\" {dots}
{dots}\"\"\"
"""
    (pin,) = parse_rules(text.encode(), "r.toml")

    assert pin.note == f'{dots} " "" """ {dots} {dots}'


HALF = MAX_FILE_BYTES // 2
BOMBS = [
    b"a." * (HALF - 2) + b"a=1",
    b"[" + b"a." * (HALF // 2) + b"a]\n" + b"b=1\n" * (HALF // 4),
    b"x=" + b"[" * (MAX_FILE_BYTES - 2),
    b"x=" + b"{a=" * (HALF // 2),
    b"".join(b"x%d=[]\n" % number for number in range(100_000)),
    b"".join(b"[x%d]\n" % number for number in range(110_000)),
    b"x=[" + b"[]," * (MAX_FILE_BYTES // 3 - 2) + b"]",
    b"x=" + b"9" * (MAX_FILE_BYTES - 2),
    b"x=1." + b"9" * (MAX_FILE_BYTES - 4),
    b"x=0x" + b"f" * (MAX_FILE_BYTES - 4),
    b'x="""' + b'\\"""' * (HALF // 2 - 2) + b"\\",
    b"x='''" + b"''" * (HALF - 3),
    b"x=" + b'"' * (MAX_FILE_BYTES - 2),
    b"x=" + b"'" * (MAX_FILE_BYTES - 2),
    b"x=" + b'"\\' * (HALF - 1),
    b"a" * (MAX_FILE_BYTES - 2) + b"=1",
    b"[[pin]]\n" * (MAX_FILE_BYTES // 8),
    b"[[pin]]\nunder='a'\nshow=[" + b"'b'," * (MAX_FILE_BYTES // 4 - 9) + b"]",
    b"rule,article\n" + b"block,a\n" * (MAX_FILE_BYTES // 8 - 2),
    b"rule,article,under\n" + b"".join(b"pin,%d,a\n" % number for number in range(70_000)),
    b"rule" + b"," * (MAX_FILE_BYTES - 4),
    b"rule,article\nblock," + b"a" * (MAX_FILE_BYTES - 100),
    b'rule,article\n"' + b'""' * (HALF - 10),
    b"\0" * MAX_FILE_BYTES,
    b"\r" * MAX_FILE_BYTES,
]


@pytest.mark.parametrize("raw", [bomb[:MAX_FILE_BYTES] for bomb in BOMBS], ids=range(len(BOMBS)))
@pytest.mark.parametrize("source", ["r.toml", "r.csv"])
def test_a_bomb_goes_in_or_is_refused_in_few_words(raw: bytes, source: str) -> None:
    told = _told(raw, source)

    assert isinstance(told, tuple) or len(told) < 10_000


WORDS = [
    "[[pin]]\n", "[[block]]\n", "[[boost]]\n", "[pin]\n", "under", "show", "article", "section", "factor", "until", "note",
    "=", "\n", "'a'", '"b"', "[", "]", "{", "}", ",", ".", '"""', "'''", "\\", "#", "nan", "1e400", "-0", "2026-12-24",
    "2026-12-24T00:00:00", "+01:00", "18:00:00", "0x", "true", "\\uD800", "\0", "rule", "pin", "block", "boost", ";", "\t",
    "\r", '"', "https://x.example/a", "9" * 5000,
]  # fmt: skip
SOUP = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=40).map(
    lambda words: "".join(words).encode("utf-8", "surrogatepass")
)
BROKEN = st.tuples(
    st.sampled_from([TOML, CSV]), st.integers(0, 400), st.integers(0, 30), st.sampled_from(WORDS) | st.text(max_size=2)
).map(lambda cut: (cut[0][: cut[1]] + cut[3] + cut[0][cut[1] + cut[2] :]).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=300) | SOUP | BROKEN, st.sampled_from(["r.toml", "r.csv"]))
def test_whatever_a_file_holds_ends_as_valid_rules_or_as_one_refusal(raw: bytes, source: str) -> None:
    told = _told(raw, source)
    if isinstance(told, str):
        assert all(line.strip().startswith(source) and line.isprintable() for line in told.split("\n"))
        return
    for rule in told:
        assert all(rule.articles)
        assert rule.under != ""
        assert 0.1 <= rule.factor <= 10
        assert rule.until is None or rule.until.tzinfo is UTC
        assert (rule.kind == "boost") <= (rule.until is not None)
        assert (rule.kind == "pin") <= (rule.under is not None and rule.under not in rule.articles)
        assert (rule.section is None) == (len(rule.articles) > 0)
    Hand.of(told, ARTICLES.get, SECTIONS).under(0, NOON)


# --- one set of rules in two forms ---

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "https://news.example/a", "Ünter; \"x\", 'y'", "1.5"])
NOTES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).map(clean_line)
ENDS = st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days))
OPTIONAL_ENDS = st.none() | ENDS
EVERYWHERE = st.none() | NAMES
FACTORS = st.integers(1, 40).map(lambda number: number / 4) | st.just(0.1)
BLOCKS = st.builds(
    lambda name, **others: _rule("block", name, **others), NAMES, under=EVERYWHERE, until=OPTIONAL_ENDS, note=NOTES
)
BOOSTS = st.builds(
    lambda name, **others: _rule("boost", name, **others), NAMES, under=EVERYWHERE, factor=FACTORS, until=ENDS, note=NOTES
) | st.builds(
    lambda section, **others: _rule("boost", section=section, **others),
    st.sampled_from(["Politics", "POLITICS", "sport", "SPORT", "Weather"]), under=EVERYWHERE, factor=FACTORS, until=ENDS, note=NOTES,
)  # fmt: skip


@st.composite
def _pins(draw: st.DrawFn) -> list[Rule]:
    """Draw pins as a file may hold them: no article twice under one story, and none under itself."""
    pins: list[Rule] = []
    for under in draw(st.lists(NAMES, max_size=3, unique=True)):
        free = [name for name in draw(st.permutations(sorted(ARTICLES))) if name != under][: draw(st.integers(0, 5))]
        while free:
            cut = draw(st.integers(1, len(free)))
            pins.append(_rule("pin", *free[:cut], under=under, until=draw(OPTIONAL_ENDS), note=draw(NOTES)))
            free = free[cut:]
    return pins


RULES = st.tuples(_pins(), st.lists(BLOCKS, max_size=4), st.lists(BOOSTS, max_size=5)).map(
    lambda parts: [*parts[0], *parts[1], *parts[2]]
)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _as_toml(rules: Iterable[Rule]) -> bytes:
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


def _as_csv(rules: Iterable[Rule]) -> bytes:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["rule", "article", "under", "section", "factor", "until", "note"])
    for rule in rules:
        factor = rule.factor if rule.kind == "boost" else ""
        until = rule.until.isoformat() if rule.until else ""
        for article in rule.articles or ("",):
            rows.writerow([rule.kind, article, rule.under, rule.section, factor, until, rule.note])
    return table.getvalue().encode()


def _joined(rules: list[Rule]) -> list[Rule]:
    """Join the pins that one rule could say as well as two, which is how CSV is read."""
    joined: list[Rule] = []
    for rule in _placeless(rules):
        last = joined[-1] if joined else None
        if last and rule.kind == "pin" and replace(last, articles=()) == replace(rule, articles=()):
            joined[-1] = replace(last, articles=last.articles + rule.articles)
        else:
            joined.append(rule)
    return joined


@properties
@given(RULES)
def test_the_same_rules_in_toml_and_in_csv_are_the_same_rules(rules: list[Rule]) -> None:
    assert _placeless(parse_rules(_as_toml(rules), "r.toml")) == _placeless(rules)
    assert _placeless(parse_rules(_as_csv(rules), "r.csv")) == _joined(rules)


# --- the hand ---


def _hand(*rules: Rule) -> Hand:
    return Hand.of(rules, ARTICLES.get, SECTIONS)


def test_no_rules_are_one_shared_hand_that_does_nothing() -> None:
    assert _hand() is NO_HAND
    assert NO_HAND.under(3, NOON) is NO_HAND.under(None, NOON) is NOTHING
    assert Applied((), frozenset(), {}, {}, {}, {}) == NOTHING
    assert NO_HAND.unresolved == ()


def test_the_rules_of_the_example_do_what_they_say() -> None:
    hand = Hand.of(parse_rules(TOML.encode(), "rules.toml"), ARTICLES.get, SECTIONS)

    assert hand.unresolved == (("rules.toml, pin 1", "https://news.example/c"),)
    assert hand.under(0, NOON) == Applied(
        pinned=(1,),
        blocked=frozenset({3, 4}),
        boosts={2: 2.0},
        why={
            1: "Pinned by the desk: The series",
            2: "Boosted ×2 until 24 Dec 2026: Election night",
            3: "Blocked by the desk",
            4: "Blocked by the desk",
        },
    )
    assert hand.under(1, NOON).section_boosts == {"Politics": 0.5}
    assert hand.under(1, NOON).section_why == {"Politics": "Politics: Damped ×0.5 until 24 Dec 2026"}
    assert hand.under(None, NOON) is hand.under(2, NOON)
    assert hand.under(None, NOON).blocked == {3}


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (datetime(2026, 12, 24, tzinfo=UTC), "24 Dec 2026"),
        (datetime(2027, 3, 1, 17, 5, tzinfo=UTC), "1 Mar 2027, 17:05 UTC"),
    ],
)
def test_an_end_is_told_as_a_day_and_a_time_only_where_it_is_not_midnight(until: datetime, words: str) -> None:
    why = _hand(_rule("boost", "b", factor=1.25, until=until)).under(None, NOON).why

    assert why == {1: f"Boosted ×1.25 until {words}"}


def test_a_rule_does_nothing_from_its_end_on() -> None:
    hand = _hand(
        _rule("pin", "b", under="a", until=NOON),
        _rule("block", "c", until=NOON),
        _rule("boost", "d", factor=2.0, until=NOON),
    )
    before = hand.under(0, NOON - timedelta(microseconds=1))

    assert before.pinned == (1,)
    assert before.blocked == {2}
    assert before.boosts == {3: 2.0}
    assert hand.under(0, NOON) == NOTHING
    assert hand.under(0, NOON - timedelta(microseconds=1)) == before


def test_a_block_beats_a_pin_and_a_boost_wherever_either_stands() -> None:
    touched = [_rule("pin", "b", "c", under="a"), _rule("boost", "b", factor=3.0, until=CHRISTMAS)]
    for block in (_rule("block", "b", note="Withdrawn"), _rule("block", "b", under="a", note="Withdrawn")):
        applied = _hand(*touched, block).under(0, NOON)

        assert applied.pinned == (2,)
        assert applied.blocked == {1}
        assert applied.boosts == {}
        assert applied.why == {1: "Blocked by the desk: Withdrawn", 2: "Pinned by the desk"}


def test_a_pinned_story_tells_of_its_pin_and_keeps_its_boost() -> None:
    applied = _hand(_rule("pin", "b", under="a"), _rule("boost", "b", under="a", factor=3.0, until=CHRISTMAS)).under(
        0, NOON
    )

    assert (applied.pinned, applied.boosts, applied.why) == ((1,), {1: 3.0}, {1: "Pinned by the desk"})


def test_boosts_of_one_story_multiply_and_say_what_they_come_to_until_the_first_of_them_ends() -> None:
    hand = _hand(
        _rule("boost", "b", factor=2.0, until=CHRISTMAS + timedelta(days=1), note="later"),
        _rule("boost", "b", factor=1.5, until=CHRISTMAS, note="sooner"),
        _rule("boost", "b", factor=0.5, until=CHRISTMAS + timedelta(days=2), under="a"),
        _rule("boost", "b", factor=0.5, until=CHRISTMAS + timedelta(days=3), under="a", note="later"),
    )

    assert hand.under(None, NOON).boosts == {1: 3.0}
    assert hand.under(None, NOON).why == {1: "Boosted ×3 by 2 rules until 24 Dec 2026: sooner; later"}
    assert hand.under(0, NOON).boosts == {1: 0.75}
    assert hand.under(0, NOON).why == {1: "Damped ×0.75 by 4 rules until 24 Dec 2026: sooner; later"}
    assert hand.under(0, CHRISTMAS).boosts == {1: 0.5}


@pytest.mark.parametrize(("factor", "product"), [(10.0, 10.0), (0.1, 0.1)])
@pytest.mark.parametrize("number", [1, 2, 5000])
def test_the_product_of_boosts_stays_in_range(factor: float, product: float, number: int) -> None:
    rules = [_rule("boost", "b", factor=factor, until=CHRISTMAS)] * number

    assert _hand(*rules).under(None, NOON).boosts == {1: product}


def test_boosts_that_undo_each_other_are_one() -> None:
    rules = [_rule("boost", "b", factor=factor, until=CHRISTMAS) for factor in [0.1] * 400 + [10.0] * 400]

    assert _hand(*rules).under(None, NOON).boosts == {1: 1.0}


def test_one_story_pinned_by_id_and_by_address_stands_once_and_none_stands_under_itself() -> None:
    hand = _hand(
        _rule("pin", "b", "https://news.example/a", "a", "c", under="d"),
        _rule("pin", "https://news.example/a", "b", under="a"),
    )

    assert hand.under(3, NOON).pinned == (1, 0, 2)
    assert hand.under(0, NOON).pinned == (1,)


def test_pins_of_one_story_named_in_two_ways_stand_in_the_order_of_the_file() -> None:
    hand = _hand(_rule("pin", "c", under="a"), _rule("pin", "b", under="https://news.example/a"))

    assert hand.under(0, NOON).pinned == (2, 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Politics", {"Politics"}), ("POLITICS", {"Politics"}), ("sport", {"sport"}), ("SPORT", {"Sport", "sport"})],
)
def test_a_section_is_found_as_it_is_spelled_or_else_in_other_capitals(written: str, meant: set[str]) -> None:
    hand = _hand(_rule("boost", section=written, factor=2.0, until=CHRISTMAS))

    assert hand.under(None, NOON).section_boosts.keys() == meant
    assert hand.unresolved == ()


def test_what_the_archive_does_not_hold_is_told_once_and_the_rest_of_the_rule_holds() -> None:
    hand = _hand(
        _rule("pin", "x", "b", "x", under="a", place="r, pin 1"),
        _rule("pin", "b", "y", under="z", place="r, pin 2"),
        _rule("boost", section="Weather", factor=2.0, until=CHRISTMAS, place="r, boost 1"),
    )

    assert hand.unresolved == (("r, pin 1", "x"), ("r, pin 2", "z"), ("r, pin 2", "y"), ("r, boost 1", "Weather"))
    assert hand.under(0, NOON) == Applied(pinned=(1,), why={1: "Pinned by the desk"})
    assert hand.under(None, NOON) == NOTHING


def test_a_rule_under_a_story_that_is_not_there_does_not_hold_everywhere() -> None:
    hand = _hand(
        _rule("block", "b", under="z"), _rule("boost", section="Sport", under="z", factor=2.0, until=CHRISTMAS)
    )

    assert hand.under(None, NOON) == hand.under(0, NOON) == NOTHING


def test_each_name_is_resolved_once() -> None:
    asked: list[str] = []

    def resolve(name: str) -> int | None:
        asked.append(name)
        return ARTICLES.get(name)

    rules = [_rule("pin", "b", "x", under="a"), _rule("pin", "x", "c", under="a"), _rule("block", "b")]
    hand = Hand.of(rules, resolve, SECTIONS)
    for row in range(5):
        hand.under(row, NOON)

    assert sorted(asked) == ["a", "b", "c", "x"]


def test_nobody_can_change_what_is_shared() -> None:
    applied = _hand(_rule("boost", "b", factor=2.0, until=CHRISTMAS)).under(None, NOON)

    with pytest.raises(TypeError, match="does not support item assignment"):
        applied.boosts[1] = 3.0  # type: ignore[index]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'pinned'"):
        applied.pinned = (1,)  # type: ignore[misc]


# --- laws of the hand, against the same said in plain Python ---

NOWS = st.lists(st.integers(-4, 4).map(lambda days: NOON + timedelta(days=days)), min_size=1, max_size=4)
UNDERS = st.none() | st.integers(0, 5)


def _in_force(rules: Iterable[Rule], now: datetime) -> list[Rule]:
    return [rule for rule in rules if rule.until is None or rule.until > now]


def _clamped(factors: Iterable[float]) -> float:
    return min(max(math.prod(factors), 0.1), 10.0)


def _expected(rules: list[Rule], row: int | None, now: datetime) -> tuple[list[int], set[int], dict[Any, float]]:
    """Say in plain Python what is pinned, blocked and boosted under a row."""
    here = [
        rule
        for rule in _in_force(rules, now)
        if rule.under is None or (row is not None and ARTICLES.get(rule.under) == row)
    ]
    rows = [(rule, ARTICLES[name]) for rule in here for name in rule.articles if name in ARTICLES]
    rows = [(rule, number) for rule, number in rows if rule.under is None or number != row]
    blocked = {number for rule, number in rows if rule.kind == "block"}
    pinned = [number for rule, number in rows if rule.kind == "pin" and number not in blocked]
    factors: dict[Any, list[float]] = {}
    for rule, number in rows:
        if rule.kind == "boost" and number not in blocked:
            factors.setdefault(number, []).append(rule.factor)
    for rule in here:
        if rule.section:
            same = [name for name in SECTIONS if name == rule.section]
            for name in same or [name for name in SECTIONS if name.lower() == rule.section.lower()]:
                factors.setdefault(name, []).append(rule.factor)
    return list(dict.fromkeys(pinned)), blocked, {key: _clamped(values) for key, values in factors.items()}


@properties
@given(RULES, UNDERS, NOWS)
def test_the_hand_does_what_plain_python_says(rules: list[Rule], row: int | None, nows: list[datetime]) -> None:
    hand = _hand(*rules)
    for now in nows:  # forth and back: what was made for one moment is not taken for another
        pinned, blocked, factors = _expected(rules, row, now)

        applied = hand.under(row, now)

        assert applied.pinned == tuple(pinned)
        assert applied.blocked == blocked
        assert dict[Any, float](applied.boosts) | dict[Any, float](applied.section_boosts) == pytest.approx(
            factors, abs=1e-6
        )
        assert applied.why.keys() == blocked | applied.boosts.keys() | set(pinned)
        assert applied.section_why.keys() == applied.section_boosts.keys()


@properties
@given(RULES, UNDERS, NOWS, st.randoms(use_true_random=False))
def test_the_order_of_rules_means_nothing_but_that_of_pins(
    rules: list[Rule], row: int | None, nows: list[datetime], random: Any
) -> None:
    shuffled = random.sample(rules, len(rules))
    pins = iter(rule for rule in rules if rule.kind == "pin")
    shuffled = [next(pins) if rule.kind == "pin" else rule for rule in shuffled]

    assert [_hand(*rules).under(row, now) for now in nows] == [_hand(*shuffled).under(row, now) for now in nows]


@properties
@given(RULES, UNDERS, NOWS)
def test_a_rule_that_has_ended_is_as_one_that_was_never_written(
    rules: list[Rule], row: int | None, nows: list[datetime]
) -> None:
    hand = _hand(*rules)

    for now in nows:
        assert hand.under(row, now) == _hand(*_in_force(rules, now)).under(row, now)


@properties
@given(st.permutations(range(30)), st.integers(1, 30))
def test_however_many_pins_keep_their_order(rows: list[int], k: int) -> None:
    show = [str(row) for row in rows[:k]]

    hand = Hand.of([_rule("pin", *show, under="100")], int, ())

    assert hand.under(100, NOON).pinned == tuple(rows[:k])


@properties
@given(RULES, UNDERS)
def test_both_forms_make_the_same_hand(rules: list[Rule], row: int | None) -> None:
    made = [
        Hand.of(parse_rules(write(rules), source), ARTICLES.get, SECTIONS).under(row, NOON)
        for write, source in ((_as_toml, "r.toml"), (_as_csv, "r.csv"))
    ]

    assert made[0] == made[1] == _hand(*rules).under(row, NOON)
