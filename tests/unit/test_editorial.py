from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import CHRISTMAS, CSV, RULES, TOML, as_csv, as_toml, make_rule, placeless, problems
from hypothesis import given, settings

from recommender.editorial import MAX_FILE_BYTES, Rule, parse_rules, read_rules
from recommender.errors import RulesError

properties = settings(deadline=None, max_examples=100)

# --- files that are good ---


def test_each_form_gives_the_same_rules_pins_first_then_blocks_then_boosts() -> None:
    expected = [
        make_rule(
            "pin", "b", "https://news.example/c", under="a", until=CHRISTMAS + timedelta(hours=17), note="The series"
        ),
        make_rule("block", "d"),
        make_rule("block", "e", under="a"),
        make_rule("boost", "c", factor=2.0, until=CHRISTMAS, note="Election night"),
        make_rule("boost", under="b", section="Politics", factor=0.5, until=CHRISTMAS),
    ]

    assert placeless(parse_rules(TOML.encode(), "rules.toml")) == placeless(expected)
    assert placeless(parse_rules(CSV.encode(), "rules.csv")) == placeless(expected)


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

    assert placeless(parse_rules(raw, source)) == placeless(parse_rules(TOML.encode(), "rules.toml"))


@pytest.mark.parametrize("source", ["rules.toml", "rules.csv"])
@pytest.mark.parametrize("raw", [b"", b" \n\n", b"\xef\xbb\xbf"])
def test_a_file_without_rules_is_a_valid_one(source: str, raw: bytes) -> None:
    assert parse_rules(raw, source) == ()


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    assert placeless(parse_rules(b"until,Article,RULE\n,d,block\n", "r.csv")) == placeless([make_rule("block", "d")])


def test_columns_that_somebody_has_emptied_are_no_columns() -> None:
    assert placeless(parse_rules(b"rule,article,,\nblock,d,,\n,,,\nblock,e\n", "r.csv")) == placeless(
        [make_rule("block", "d"), make_rule("block", "e")]
    )
    assert problems("rule,article,,\nblock,d,,x\n", "r.csv") == [
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
    found = problems(text)

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

    assert problems(text, "r.csv") == [problem.replace("{}", listed)]


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
        ("[[boost]]\n" * 1000, "r.toml"),
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


# --- one set of rules in two forms ---


def _joined(rules: list[Rule]) -> list[Rule]:
    """Join the pins that one rule could say as well as two, which is how CSV is read."""
    joined: list[Rule] = []
    for rule in placeless(rules):
        last = joined[-1] if joined else None
        if last and rule.kind == "pin" and replace(last, articles=()) == replace(rule, articles=()):
            joined[-1] = replace(last, articles=last.articles + rule.articles)
        else:
            joined.append(rule)
    return joined


@properties
@given(RULES)
def test_the_same_rules_in_toml_and_in_csv_are_the_same_rules(rules: list[Rule]) -> None:
    assert placeless(parse_rules(as_toml(rules), "r.toml")) == placeless(rules)
    assert placeless(parse_rules(as_csv(rules), "r.csv")) == _joined(rules)
