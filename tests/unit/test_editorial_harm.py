"""Files that mean harm: whatever is in one, it ends as rules or as one refusal in few words."""

from __future__ import annotations

from datetime import UTC

import pytest
from desk import ARTICLES, CSV, NOON, SECTIONS, TOML, outcome, problems
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.editorial import MAX_FILE_BYTES, Hand, parse_rules

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
    assert problems(f"# ''' a.b\n[[block]]\r\nnote = '''a.b\nb'''\n{line}\n") == [f"line 5: {DOT}"]


def test_dots_of_numbers_are_no_dots_of_keys() -> None:
    text = "boost = [{article = 'a', factor = 1.5, until = 2026-12-24 00:00:00.5Z}, {section='x',until=2026-12-24,factor=+2.5}]"

    assert [rule.factor for rule in parse_rules(text.encode(), "r.toml")] == [1.5, 2.5]
    assert problems("x = [1.5,\n 1_0.5]") == [
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
    (b"[" + b"a" * (HALF - 4) + b"]\n") * 2,
    b"[[pin]]\n" + b"".join(b"x%d=1\n" % number for number in range(100_000)),
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


@pytest.mark.slow
@pytest.mark.parametrize("raw", [bomb[:MAX_FILE_BYTES] for bomb in BOMBS], ids=range(len(BOMBS)))
@pytest.mark.parametrize("source", ["r.toml", "r.csv"])
def test_a_bomb_goes_in_or_is_refused_in_few_words(raw: bytes, source: str) -> None:
    told = outcome(raw, source)

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
    told = outcome(raw, source)
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
