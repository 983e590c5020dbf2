from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import Article
from recommender.copies import AGENCY_COSINE, AGENCY_DAYS, AGENCY_TERMS, CopyFinder, agency_version
from recommender.vectors import UNDATED, Matrix

MANY = settings(deadline=None, max_examples=40)
DAY = 86_400
NOW = int(datetime(2025, 3, 1, tzinfo=UTC).timestamp())


def _words(seed: int, n: int) -> str:
    return " ".join(f"w{number}" for number in np.random.default_rng(seed).integers(0, 5000, n))


def _story(text: str, title: str = "Ferries stay in port as strike begins") -> Article:
    return Article("x", title, text=text)


def _groups(
    stories: Sequence[Article],
    days: Sequence[float | None] | None = None,
    vectors: Matrix | None = None,
    finder: CopyFinder | None = None,
) -> list[int]:
    finder = finder or CopyFinder()
    for story in stories:
        finder.add(story)
    dates = [UNDATED if day is None else NOW + round(day * DAY) for day in days or [0.0] * len(stories)]
    found = finder.groups(
        np.tile(np.array([[1, 0]], np.float32), (len(stories), 1)) if vectors is None else vectors,
        np.array(dates, np.int64),
    )
    assert (found.dtype, found.shape) == (np.int32, (len(stories),))
    return [int(group) for group in found]


AGENCY = _words(1, 200)


@pytest.mark.parametrize(
    "other",
    [
        _story(AGENCY),
        _story(AGENCY, "Another headline of the desk altogether"),
        _story(AGENCY.upper().replace(" ", ", ")),
        _story(" ".join(AGENCY.split()[:120])),
        _story(f"{AGENCY} {_words(2, 120)}"),
        _story(f"{_words(2, 60)} {AGENCY}"),
    ],
    ids=["same", "headline", "case and commas", "cut", "longer", "own paragraph"],
)
def test_a_story_printed_again_is_a_copy(other: Article) -> None:
    assert _groups([_story(AGENCY), _story(_words(3, 200)), other]) == [0, -1, 0]


@pytest.mark.parametrize(
    "other",
    [
        _words(4, 200),
        " ".join(AGENCY.split()[::-1]),
        " ".join(sorted(AGENCY.split())),
        f"{' '.join(AGENCY.split()[:50])} {_words(4, 150)}",
    ],
    ids=["other words", "backwards", "the same words in another order", "a quarter"],
)
def test_a_story_in_other_words_or_another_order_is_none(other: str) -> None:
    assert _groups([_story(AGENCY), _story(other)]) == [-1, -1]


def test_a_group_is_named_by_its_smallest_row() -> None:
    one, two, three = (_story(_words(seed, 100)) for seed in (1, 2, 3))
    assert _groups([three, two, one, two, one, two]) == [-1, 1, 2, 1, 2, 1]


def test_very_many_copies_are_one_group() -> None:
    assert _groups([_story(AGENCY)] * 200) == [0] * 200


def test_copies_in_a_script_without_blanks_are_found() -> None:
    text = "".join(chr(0x4E00 + int(number)) for number in np.random.default_rng(1).integers(0, 3000, 400))
    other = "".join(chr(0x4E00 + int(number)) for number in np.random.default_rng(2).integers(0, 3000, 400))
    assert _groups([_story(text, ""), _story(text[:280], ""), _story(other, "")]) == [0, 0, -1]


def test_what_comes_after_two_thousand_words_is_not_read() -> None:
    text = _words(1, 2000)
    assert _groups([_story(f"{text} {_words(2, 9000)}"), _story(f"{text} {_words(3, 9000)}")]) == [0, 0]


# --- vectors and dates ---


@pytest.mark.parametrize(("cosine", "groups"), [(0.81, [0, 0]), (0.79, [-1, -1]), (-1.0, [-1, -1])])
def test_vectors_must_agree(cosine: float, groups: list[int]) -> None:
    vectors = np.array([[1, 0], [cosine, (1 - cosine**2) ** 0.5]], np.float32)
    assert _groups([_story(AGENCY)] * 2, vectors=vectors) == groups


@pytest.mark.parametrize(
    ("days", "groups"),
    [
        ((0, 30), [0, 0]),
        ((30, 0), [0, 0]),
        ((0, 30.01), [-1, -1]),
        ((30.01, 0), [-1, -1]),
        ((None, 500), [0, 0]),
        ((500, None), [0, 0]),
        ((None, None), [0, 0]),
    ],
)
def test_copies_lie_within_the_window_where_both_have_a_date(
    days: tuple[float | None, float | None], groups: list[int]
) -> None:
    assert _groups([_story(AGENCY)] * 2, days) == groups


def test_copies_of_copies_do_not_chain_through_the_months() -> None:
    assert _groups([_story(AGENCY)] * 3, [0, 25, 50]) == [0, 0, -1]
    assert _groups([_story(AGENCY)] * 5, [0, 25, 50, 75, 29]) == [0, 0, 2, 2, 0]


def test_what_makes_a_copy_is_for_the_caller_to_say() -> None:
    stories = [_story(AGENCY), _story(f"{' '.join(AGENCY.split()[:140])} {_words(2, 60)}")]
    apart = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert _groups(stories) == [0, 0]
    assert _groups(stories, finder=CopyFinder(least_containment=0.9)) == [-1, -1]
    assert _groups(stories, [0, 2], finder=CopyFinder(window_days=1)) == [-1, -1]
    assert _groups(stories, vectors=apart, finder=CopyFinder(least_cosine=0.5)) == [0, 0]


# --- few words ---


def test_few_words_must_be_nearly_all_the_same() -> None:
    headline = "Ferries stay in port as the strike of the crews begins"
    assert _groups([_story("", headline), _story("", headline.upper())]) == [0, 0]
    assert _groups([_story("", headline), _story("", headline.replace("crews", "pilots"))]) == [-1, -1]


@pytest.mark.parametrize("n", [0, 1, 2, 70])
@pytest.mark.parametrize("text", ["", "…", " !\n"])
def test_stories_without_a_word_stand_alone(text: str, n: int) -> None:
    assert _groups([_story(text, text)] * n) == [-1] * n


# --- laws ---

TEXTS = st.lists(st.sampled_from([_words(seed, 60) for seed in range(6)]), max_size=25)


@MANY
@given(TEXTS)
def test_exact_copies_of_one_day_are_the_groups(texts: list[str]) -> None:
    rows = defaultdict(list)
    for row, text in enumerate(texts):
        rows[text].append(row)
    expected = [rows[text][0] if len(rows[text]) > 1 else -1 for text in texts]
    assert _groups([_story(text) for text in texts]) == expected


@MANY
@given(st.lists(st.tuples(st.text(st.characters()), st.text(st.characters())), max_size=8))
def test_any_text_is_taken_and_its_exact_copy_found(parts: list[tuple[str, str]]) -> None:
    stories = [_story(text, title) for title, text in parts]
    groups = _groups([*stories, *stories])
    for row in range(len(stories)):
        assert groups[row] == groups[row + len(stories)]
        assert groups[row] == -1 or groups[row] <= row


def test_the_same_stories_give_the_same_groups_again() -> None:
    stories = [_story(" ".join(AGENCY.split()[start : start + 120])) for start in range(0, 80, 10)]
    finder = CopyFinder()
    first = _groups(stories, finder=finder)
    assert _groups(stories) == first
    assert max(first) >= 0


# --- the agency's version in other words ---


@pytest.mark.parametrize(
    ("wire", "seconds_apart", "dense", "terms", "found"),
    [
        (True, 0, AGENCY_COSINE, AGENCY_TERMS, True),
        (True, AGENCY_DAYS * DAY, 0.9, 0.6, True),
        (True, -AGENCY_DAYS * DAY, 0.9, 0.6, True),
        (False, 0, 0.9, 0.9, False),
        (True, AGENCY_DAYS * DAY + 1, 0.9, 0.6, False),
        (True, -AGENCY_DAYS * DAY - 1, 0.9, 0.6, False),
        (True, 0, AGENCY_COSINE - 0.001, 0.9, False),
        (True, 0, 0.9, AGENCY_TERMS - 0.001, False),
    ],
)
def test_an_agencys_version_is_near_in_time_in_vectors_and_in_terms(
    wire: bool, seconds_apart: int, dense: float, terms: float, found: bool
) -> None:
    told = agency_version(np.array([wire]), np.array([seconds_apart]), np.array([dense]), np.array([terms]))
    assert told.tolist() == [found]
