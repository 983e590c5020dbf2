from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import ARTICLES, CHRISTMAS, NOON, RULES, SECTIONS, TOML, as_csv, as_toml, make_rule
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.editorial import NO_HAND, NOTHING, Applied, Hand, Rule, parse_rules

properties = settings(deadline=None, max_examples=100)


def _hand(*rules: Rule) -> Hand:
    return Hand.of(rules, ARTICLES.get, SECTIONS)


def test_no_rules_are_one_shared_hand_that_does_nothing() -> None:
    assert _hand() is NO_HAND
    assert NO_HAND.under(3, NOON) is NO_HAND.under(None, NOON) is NOTHING
    assert Applied((), frozenset(), {}, {}, {}, {}) == NOTHING
    assert NO_HAND.unresolved == ()


def test_it_is_told_when_the_next_rule_ends() -> None:
    ends = [NOON + timedelta(days=days) for days in (1, 2, 3)]
    hand = _hand(
        make_rule("boost", "a", until=ends[1]),
        make_rule("block", "b", under="c", until=ends[2]),
        make_rule("block", "c"),
    )
    assert hand.next_end(NOON) == ends[1]
    assert hand.next_end(ends[1]) == ends[2], "one that has ended ends no more"
    assert hand.next_end(ends[2]) is None
    assert NO_HAND.next_end(NOON) is None


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
    why = _hand(make_rule("boost", "b", factor=1.25, until=until)).under(None, NOON).why

    assert why == {1: f"Boosted ×1.25 until {words}"}


def test_a_rule_does_nothing_from_its_end_on() -> None:
    hand = _hand(
        make_rule("pin", "b", under="a", until=NOON),
        make_rule("block", "c", until=NOON),
        make_rule("boost", "d", factor=2.0, until=NOON),
    )
    before = hand.under(0, NOON - timedelta(microseconds=1))

    assert before.pinned == (1,)
    assert before.blocked == {2}
    assert before.boosts == {3: 2.0}
    assert hand.under(0, NOON) == NOTHING
    assert hand.under(0, NOON - timedelta(microseconds=1)) == before


@pytest.mark.parametrize("blocked_under", [None, "a"])
@pytest.mark.parametrize("boosted_under", [None, "a"])
def test_a_block_beats_a_pin_and_a_boost_wherever_either_stands(
    blocked_under: str | None, boosted_under: str | None
) -> None:
    applied = _hand(
        make_rule("pin", "b", "c", under="a"),
        make_rule("boost", "b", under=boosted_under, factor=3.0, until=CHRISTMAS),
        make_rule("block", "b", under=blocked_under, note="Withdrawn"),
    ).under(0, NOON)

    assert applied.pinned == (2,)
    assert applied.blocked == {1}
    assert applied.boosts == {}
    assert applied.why == {1: "Blocked by the desk: Withdrawn", 2: "Pinned by the desk"}


def test_a_block_under_a_story_is_told_before_one_for_everywhere_and_one_that_lasts_before_one_that_ends() -> None:
    hand = _hand(
        make_rule("block", "b", note="for ever"),
        make_rule("block", "b", note="for now", until=CHRISTMAS),
        make_rule("block", "b", note="here", under="a", until=CHRISTMAS),
    )

    assert hand.under(None, NOON).why == {1: "Blocked by the desk: for ever"}
    assert hand.under(0, NOON).why == {1: "Blocked by the desk: here"}
    assert hand.under(0, CHRISTMAS).why == {1: "Blocked by the desk: for ever"}


@pytest.mark.parametrize("unders", [[None], ["a"], [None, "a"]])
def test_a_pinned_story_tells_of_its_pin_and_keeps_its_boosts(unders: list[str | None]) -> None:
    boosts = [make_rule("boost", "b", under=under, factor=3.0, until=CHRISTMAS) for under in unders]

    applied = _hand(make_rule("pin", "b", under="a"), *boosts).under(0, NOON)

    assert applied.pinned == (1,)
    assert applied.boosts == {1: 3.0 ** len(unders)}
    assert applied.why == {1: "Pinned by the desk"}


def test_boosts_of_one_story_multiply_and_say_what_they_come_to_until_the_first_of_them_ends() -> None:
    hand = _hand(
        make_rule("boost", "b", factor=2.0, until=CHRISTMAS + timedelta(days=1), note="later"),
        make_rule("boost", "b", factor=1.5, until=CHRISTMAS, note="sooner"),
        make_rule("boost", "b", factor=0.5, until=CHRISTMAS + timedelta(days=2), under="a"),
        make_rule("boost", "b", factor=0.5, until=CHRISTMAS + timedelta(days=3), under="a", note="later"),
    )

    assert hand.under(None, NOON).boosts == {1: 3.0}
    assert hand.under(None, NOON).why == {1: "Boosted ×3 by 2 rules until 24 Dec 2026: sooner; later"}
    assert hand.under(0, NOON).boosts == {1: 0.75}
    assert hand.under(0, NOON).why == {1: "Damped ×0.75 by 4 rules until 24 Dec 2026: sooner; later"}
    assert hand.under(0, CHRISTMAS).boosts == {1: 0.5}


@pytest.mark.parametrize(("factor", "product"), [(10.0, 10.0), (0.1, 0.1)])
@pytest.mark.parametrize("number", [1, 2, 5000])
def test_the_product_of_boosts_stays_in_range(factor: float, product: float, number: int) -> None:
    rules = [make_rule("boost", "b", factor=factor, until=CHRISTMAS)] * number

    assert _hand(*rules).under(None, NOON).boosts == {1: product}


def test_boosts_that_undo_each_other_are_one() -> None:
    rules = [make_rule("boost", "b", factor=factor, until=CHRISTMAS) for factor in [0.1] * 400 + [10.0] * 400]

    assert _hand(*rules).under(None, NOON).boosts == {1: 1.0}


def test_one_story_pinned_by_id_and_by_address_stands_once_and_none_stands_under_itself() -> None:
    hand = _hand(
        make_rule("pin", "b", "https://news.example/a", "a", "c", under="d"),
        make_rule("pin", "https://news.example/a", "b", under="a"),
    )

    assert hand.under(3, NOON).pinned == (1, 0, 2)
    assert hand.under(0, NOON).pinned == (1,)


def test_pins_of_one_story_named_in_two_ways_stand_in_the_order_of_the_file() -> None:
    late, soon = CHRISTMAS + timedelta(days=1), CHRISTMAS
    hand = _hand(
        make_rule("pin", "c", under="a", until=late, note="first"),
        make_rule("pin", "b", "c", under="https://news.example/a", until=soon, note="second"),
    )

    assert hand.under(0, NOON).pinned == (2, 1)
    assert hand.under(0, NOON).why == {2: "Pinned by the desk: first", 1: "Pinned by the desk: second"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Politics", {"Politics"}), ("POLITICS", {"Politics"}), ("sport", {"sport"}), ("SPORT", {"Sport", "sport"})],
)
def test_a_section_is_found_as_it_is_spelled_or_else_in_other_capitals(written: str, meant: set[str]) -> None:
    hand = _hand(make_rule("boost", section=written, factor=2.0, until=CHRISTMAS))

    assert hand.under(None, NOON).section_boosts.keys() == meant
    assert hand.unresolved == ()


def test_what_the_archive_does_not_hold_is_told_once_and_the_rest_of_the_rule_holds() -> None:
    hand = _hand(
        make_rule("pin", "x", "b", "x", under="a", place="r, pin 1"),
        make_rule("pin", "b", "y", under="z", place="r, pin 2"),
        make_rule("boost", section="Weather", factor=2.0, until=CHRISTMAS, place="r, boost 1"),
    )

    assert hand.unresolved == (("r, pin 1", "x"), ("r, pin 2", "z"), ("r, pin 2", "y"), ("r, boost 1", "Weather"))
    assert hand.under(0, NOON) == Applied(pinned=(1,), why={1: "Pinned by the desk"})
    assert hand.under(None, NOON) == NOTHING


def test_a_rule_under_a_story_that_is_not_there_does_not_hold_everywhere() -> None:
    hand = _hand(
        make_rule("block", "b", under="z"), make_rule("boost", section="Sport", under="z", factor=2.0, until=CHRISTMAS)
    )

    assert hand.under(None, NOON) == hand.under(0, NOON) == NOTHING


def test_each_name_is_resolved_once() -> None:
    asked: list[str] = []

    def resolve(name: str) -> int | None:
        asked.append(name)
        return ARTICLES.get(name)

    rules = [make_rule("pin", "b", "x", under="a"), make_rule("pin", "x", "c", under="a"), make_rule("block", "b")]
    hand = Hand.of(rules, resolve, SECTIONS)
    for row in range(5):
        hand.under(row, NOON)

    assert sorted(asked) == ["a", "b", "c", "x"]


def test_nobody_can_change_what_is_shared() -> None:
    applied = _hand(make_rule("boost", "b", factor=2.0, until=CHRISTMAS)).under(None, NOON)

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

    hand = Hand.of([make_rule("pin", *show, under="100")], int, ())

    assert hand.under(100, NOON).pinned == tuple(rows[:k])


@properties
@given(RULES, UNDERS)
def test_both_forms_make_the_same_hand(rules: list[Rule], row: int | None) -> None:
    made = [
        Hand.of(parse_rules(write(rules), source), ARTICLES.get, SECTIONS).under(row, NOON)
        for write, source in ((as_toml, "r.toml"), (as_csv, "r.csv"))
    ]

    assert made[0] == made[1] == _hand(*rules).under(row, NOON)
