from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import Article, Link
from recommender.links import Headlines, LinkResolver, Target, counts, nearest, resolve_all, stub_id, stubs
from recommender.text import title_key

MARCH = datetime(2025, 3, 1, tzinfo=UTC)
FERRY = "Ferry crews vote to strike over night shifts"


def _day(number: int) -> datetime:
    return MARCH + timedelta(days=number)


def _resolver(*targets: Target, threshold: float = 90) -> LinkResolver:
    return LinkResolver(Headlines(targets), fuzzy_threshold=threshold)


ARCHIVE = (
    Target("ferry", FERRY, "https://www.a.example/ferry", _day(1)),
    Target("plan", "Council presents its plan for the old harbour", None, _day(2)),
    Target("day-3", "Live blog of the strike, day 3", None, _day(3)),
)


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (Link("x", 0, "Whatever", "http://a.example/ferry/?utm_source=y#top"), ("ferry", "url")),
        (Link("x", 0, "FERRY crews vote to strike – over night shifts!"), ("ferry", "title")),
        (Link("x", 0, FERRY, "https://a.example/moved"), ("ferry", "title")),
        (Link("x", 0, "Council presents its plan", "https://a.example/ferry"), ("ferry", "url")),
        (Link("x", 0, "Ferry crews vote to strike over the night shifts"), ("ferry", "fuzzy")),
        (Link("x", 0, "Ferry crew votes to strike over night shifts"), ("ferry", "fuzzy")),
        (Link("x", 0, "Ferry crews vote to strike over the night shifts", "https://b.example/x"), None),
        (Link("x", 0, "Live blog of the strike, day 4"), None),
        (Link("x", 0, "Live blog of the strike: day 3"), ("day-3", "title")),
        (Link("x", 0, "Ferry crews"), None),
        (Link("x", 0, "Something else altogether, with no article"), None),
        (Link("x", 0, "…"), None),
        (Link("x", 0, "javascript", "javascript:alert(1)"), None),
    ],
)
def test_a_link_is_found_by_address_then_by_headline_then_by_nearly_the_same(
    link: Link, found: tuple[str, str] | None
) -> None:
    assert _resolver(*ARCHIVE).resolve(link) == found


def test_headlines_of_signs_only_are_never_the_same() -> None:
    assert _resolver(Target("a", "…"), Target("b", "!!!")).resolve(Link("x", 0, "???")) is None


def test_the_threshold_is_the_least_similarity() -> None:
    link = Link("x", 0, "Ferry crew votes to strike over night shifts")

    assert _resolver(*ARCHIVE, threshold=90).resolve(link) == ("ferry", "fuzzy")
    assert _resolver(*ARCHIVE, threshold=99).resolve(link) is None


def test_a_headline_shorter_than_twelve_letters_must_be_the_same() -> None:
    resolver = _resolver(Target("a", "Oil prices"), Target("b", "Oil price up"))

    assert resolver.resolve(Link("x", 0, "Oil price")) is None
    assert resolver.resolve(Link("x", 0, "Oil prices up")) == ("b", "fuzzy")


def test_of_two_headlines_the_more_alike_one_is_meant() -> None:
    resolver = _resolver(
        Target("a", "Ferry crews vote to strike over early shifts"),
        Target("b", "Ferry crews voted to strike over night shifts"),
    )

    assert resolver.resolve(Link("x", 0, FERRY)) == ("b", "fuzzy")


SAME = (
    Target("old", "The week in pictures", None, _day(1)),
    Target("young", "The week in pictures", None, _day(8)),
    Target("twin", "The Week in Pictures", None, _day(8)),
    Target("late", "The week in pictures", None, _day(15)),
    Target("undated", "The week in pictures"),
)


@pytest.mark.parametrize(
    ("published_at", "found"),
    [
        (_day(0), "old"),  # nothing older: the oldest younger one
        (_day(1), "old"),
        (_day(7), "old"),
        (_day(8), "twin"),  # two of one date: by id
        (_day(20), "late"),
        (None, "late"),
    ],
)
def test_of_equal_headlines_the_youngest_that_was_there_is_meant(published_at: datetime | None, found: str) -> None:
    assert _resolver(*SAME).resolve(Link("x", 0, "The week in pictures"), published_at) == (found, "title")


def test_undated_ones_come_last_and_then_by_id() -> None:
    undated = [Target("b", "The week in pictures"), Target("a", "The week in pictures")]

    assert _resolver(*undated).resolve(Link("x", 0, "The week in pictures"), _day(9)) == ("a", "title")
    assert _resolver(*undated, SAME[3]).resolve(Link("x", 0, "The week in pictures"), _day(0)) == ("late", "title")


def test_a_headline_that_fits_another_article_too_does_not_lead_to_its_own() -> None:
    resolver = _resolver(*SAME[:2])

    assert resolver.resolve(Link("young", 0, "The week in pictures"), _day(8)) == ("old", "title")
    assert resolver.resolve(Link("old", 0, "The week in pictures"), _day(1)) == ("young", "title")
    assert _resolver(SAME[0]).resolve(Link("old", 0, "The week in pictures"), _day(1)) == ("old", "title")


@given(st.permutations(SAME + ARCHIVE), st.sampled_from([None, _day(0), _day(5), _day(8), _day(30)]))
@settings(deadline=None, max_examples=80)
def test_the_order_in_which_articles_arrive_is_irrelevant(targets: list[Target], published_at: datetime | None) -> None:
    titles = [
        "The week in pictures",
        "The weeks in pictures",
        FERRY,
        "Ferry crew vote to strike over night shift",
        "None",
    ]

    for title in titles:
        link = Link("x", 0, title)
        expected = _resolver(*SAME, *ARCHIVE).resolve(link, published_at)
        assert LinkResolver(Headlines(targets), fuzzy_threshold=90).resolve(link, published_at) == expected


def test_two_articles_of_one_address_are_told_apart_by_id_not_by_arrival() -> None:
    first, second = Target("a", "One", "https://a.example/x"), Target("b", "Two", "http://www.a.example/x/")
    link = Link("x", 0, "Three", "https://a.example/x")

    assert _resolver(first, second).resolve(link) == _resolver(second, first).resolve(link) == ("a", "url")


_MANY = """
from recommender.article import Link
from recommender.links import Headlines, LinkResolver, Target
words = "harbour council minister ferries".split()
targets = [Target(f"{word}{number}", f"{word} filler text{number}x alpha") for word in words for number in range(1500)]
targets += [Target("both", "harbour council minister ferries alphas")]
resolver = LinkResolver(Headlines(targets), fuzzy_threshold=50)
print(resolver.resolve(Link("x", 0, " ".join(words))))
"""


def test_common_words_lead_to_the_same_article_in_every_process() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", _MANY],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }

    assert len(answers) == 1


# --- a whole archive's links ---


def _resolved(*links: Link) -> list[tuple[str | None, str | None]]:
    resolver = _resolver(*ARCHIVE)
    dates = {target.article_id: target.published_at for target in ARCHIVE}
    return [(link.target_id, link.method) for link in resolve_all(links, resolver, dates)]


def test_a_link_to_itself_is_kept_and_counts_nowhere() -> None:
    links = [Link("ferry", 0, FERRY), Link("ferry", 1, "x", "https://a.example/ferry")]

    assert _resolved(*links) == [("ferry", "self"), ("ferry", "self")]
    assert [counts(link) for link in resolve_all(links, _resolver(*ARCHIVE), {})] == [False, False]


def test_the_same_target_counts_once_under_one_article_and_again_under_the_next() -> None:
    links = [Link("plan", 0, FERRY), Link("plan", 1, "x", "https://a.example/ferry"), Link("day-3", 0, FERRY)]

    assert _resolved(*links) == [("ferry", "title"), ("ferry", "repeat"), ("ferry", "title")]
    assert [counts(link) for link in resolve_all(links, _resolver(*ARCHIVE), {})] == [True, False, True]


def test_a_link_that_nobody_has_resolved_does_not_count() -> None:
    assert not counts(Link("a", 0, "One"))


def test_the_same_stub_twice_under_one_article_counts_once() -> None:
    (first, method), (second, repeated) = _resolved(Link("plan", 0, "No such story"), Link("plan", 1, "No such story!"))

    assert first == second == stub_id(Link("", 0, "NO SUCH STORY"))
    assert (method, repeated) == ("stub", "repeat")


def test_one_headline_is_one_stub_whoever_links_to_it() -> None:
    assert stub_id(Link("a", 0, "No such — story", "https://a.example/x")) == stub_id(Link("b", 7, "no such story"))
    assert stub_id(Link("a", 0, "No such story")).startswith("stub:")
    assert stub_id(Link("a", 0, "…", "https://a.example/x")) == stub_id(Link("b", 0, "!", "https://a.example/x"))
    assert stub_id(Link("a", 0, "…")) != stub_id(Link("a", 0, "!"))


def test_resolving_keeps_every_link_as_the_editor_wrote_it() -> None:
    link = Link("plan", 3, "ferry crews VOTE to strike over night shifts", None, "was", "stub")

    (resolved,) = resolve_all([link], _resolver(*ARCHIVE), {})

    assert resolved == Link("plan", 3, link.title, None, "ferry", "title")


def test_stubs_have_title_address_and_language_of_the_first_link() -> None:
    links = resolve_all(
        [
            Link("day-3", 0, "No such story"),
            Link("ferry", 0, "Another story", "https://a.example/other"),
            Link("ferry", 1, FERRY),
            Link("plan", 0, "NO SUCH STORY", "https://a.example/none"),
            Link("plan", 1, "Another Story", "https://b.example/other"),
        ],
        _resolver(*ARCHIVE),
        {},
    )

    made = stubs(links, {"day-3": "en", "ferry": None, "plan": "de"})

    expected = [
        Article(stub_id(links[0]), "No such story", url="https://a.example/none", language="en"),
        Article(stub_id(links[1]), "Another story", url="https://a.example/other", language=None),
    ]
    assert made == sorted(expected, key=lambda stub: stub.id)


def test_a_stub_gives_way_when_its_article_arrives() -> None:
    link = Link("plan", 0, "A promised story arrives")
    arrived = Target("new", "A promised story arrives")

    assert resolve_all([link], _resolver(*ARCHIVE), {})[0].method == "stub"
    assert resolve_all([link], _resolver(*ARCHIVE, arrived), {})[0].target_id == "new"


# --- suggestions ---

TITLES = [title_key(title) for title in (FERRY, "Ferries stay in port as strike begins", "Council presents its plan")]
IDS = [title_key(article_id) for article_id in ("2025-03-10-ferry-vote", "2025-03-14-ferry-strike", "harbour-plan")]


@pytest.mark.parametrize(
    ("asked", "first"), [("ferry crews vote", 0), ("ferry-strke", 1), ("harbor plan", 2), ("Ferries in port", 1)]
)
def test_the_nearest_headline_or_id_comes_first(asked: str, first: int) -> None:
    assert nearest(title_key(asked), TITLES, IDS, 3)[0] == first


def test_nothing_far_off_is_suggested_and_no_more_than_asked_for() -> None:
    assert nearest(title_key("zzzz qqqq xxxx"), TITLES, IDS, 3) == []
    assert nearest(title_key("ferry"), TITLES, IDS, 1) == [0]
    assert len(nearest(title_key("ferry strike"), TITLES, IDS, 5)) >= 2
    assert nearest("anything", [], [], 3) == []
