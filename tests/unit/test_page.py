"""Several lists of one page, over a made-up archive in which lists are plain slices."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from recommender.answer import Answer, Options, Recommendation
from recommender.rank import Filters
from recommender.recommend.page import page

STORIES = [f"s{number:02}" for number in range(30)]


def _line(rank: int, article_id: str) -> Recommendation:
    return Recommendation(rank, article_id, "T", None, 0.0, "similar", "", None, None, None, False)


def _making(ids: list[str], asked: list[Options]) -> Callable[[Options], Answer]:
    """Return what lists these stories in order, near-copies among them, and notes what it was asked."""

    def make(options: Options) -> Answer:
        asked.append(options)
        left = [each for each in ids if each not in options.filters.exclude][: options.k]
        return Answer({}, tuple(_line(rank, each) for rank, each in enumerate(left, start=1)), "s")

    return make


def _alone(article_id: str) -> list[str]:
    return [article_id]


def _ids(made: dict[str, Answer]) -> dict[str, list[str]]:
    return {name: [each.id for each in answer.results] for name, answer in made.items()}


def test_the_first_slots_choose_first() -> None:
    made = page(_making(STORIES, []), _alone, {"top": Options(k=2), "more": Options(k=3)})
    assert _ids(made) == {"top": ["s00", "s01"], "more": ["s02", "s03", "s04"]}


def test_what_a_slot_excludes_it_excludes_alone() -> None:
    slots = {"top": Options(k=1, filters=Filters(exclude=frozenset({"s00"}))), "more": Options(k=1)}
    assert _ids(page(_making(STORIES, []), _alone, slots)) == {"top": ["s01"], "more": ["s00"]}


def test_a_near_copy_of_what_is_shown_is_left_out_within_a_slot_too() -> None:
    def same(article_id: str) -> list[str]:
        return ["s00", "s01", "s04"] if article_id in ("s00", "s01", "s04") else [article_id]

    made = page(_making(STORIES, []), same, {"top": Options(k=3), "more": Options(k=2)})
    assert _ids(made) == {"top": ["s00", "s02", "s03"], "more": ["s05", "s06"]}
    assert _ids(page(_making(STORIES, []), same, {"top": Options(k=2)}, shown=["s04"])) == {"top": ["s02", "s03"]}


def test_copies_are_collapsed_and_rules_hold_whatever_a_slot_says() -> None:
    asked: list[Options] = []
    page(_making(STORIES, asked), _alone, {"top": Options(collapse=False, raw=True)})
    assert [(each.collapse, each.raw) for each in asked] == [(True, False)]


@given(
    groups=st.lists(st.integers(0, 8), min_size=30, max_size=30),
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=6),
    shown=st.sets(st.sampled_from(STORIES), max_size=3),
)
def test_no_two_stories_of_a_page_are_the_same_and_no_slot_is_short_while_one_is_left(
    groups: list[int], lengths: list[int], shown: set[str]
) -> None:
    group = dict(zip(STORIES, groups, strict=True))

    def same(article_id: str) -> list[str]:
        return [each for each in STORIES if group[each] == group[article_id]]

    slots = {f"slot{number}": Options(k=k) for number, k in enumerate(lengths)}
    listed = [each for ids in _ids(page(_making(STORIES, []), same, slots, shown)).values() for each in ids]
    told = [group[each] for each in listed]
    assert len(told) == len(set(told))
    assert not set(told) & {group[each] for each in shown}
    left = set(groups) - {group[each] for each in shown}
    assert len(told) == min(len(left), sum(lengths))
