from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import QueryError
from recommender.rank import (
    UNDATED,
    Columns,
    Filters,
    allowed,
    base_language,
    encode_names,
    not_younger,
    place,
    same_language,
)
from recommender.vectors import Hit

properties = settings(deadline=None, max_examples=100)
MARCH = datetime(2025, 3, 1, tzinfo=UTC)
SECTIONS = ("business", "sport", "world")
LANGUAGES = ("de", "en", "pt", "pt-br", "ptx")


@dataclass(frozen=True)
class Row:
    published_at: datetime | None
    language: str | None
    section: str | None
    stub: bool


ROWS = st.lists(
    st.builds(
        Row,
        st.none() | st.integers(-3, 3).map(lambda hours: MARCH + timedelta(hours=hours)),
        st.none() | st.sampled_from(LANGUAGES),
        st.none() | st.sampled_from(SECTIONS),
        st.booleans(),
    ),
    max_size=12,
)
INSTANTS = st.none() | st.integers(-14_000, 14_000).map(
    lambda number: MARCH.astimezone().replace(tzinfo=UTC) + timedelta(seconds=number, milliseconds=number % 3 * 500)
)
FILTERS = st.builds(
    Filters,
    sections=st.lists(st.sampled_from(SECTIONS), max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(["pt", "en", "pt-br", "fr"]), max_size=2).map(tuple),
    published_after=INSTANTS,
    published_before=INSTANTS,
    stubs=st.booleans(),
)


def _columns(rows: list[Row]) -> Columns:
    language, languages = encode_names([row.language for row in rows])
    section, sections = encode_names([row.section for row in rows])
    kind, kinds = encode_names(["news"] * len(rows))
    instants = [UNDATED if row.published_at is None else int(row.published_at.timestamp()) for row in rows]
    stub = np.array([row.stub for row in rows], np.bool_)
    return Columns(np.array(instants, np.int64), language, section, kind, stub, languages, sections, kinds)


def _passes(row: Row, filters: Filters) -> bool:
    """Say in plain Python what the filters promise."""
    if row.stub and not filters.stubs:
        return False
    if filters.sections and row.section not in filters.sections:
        return False
    wanted = filters.languages
    if wanted and (row.language is None or not any(re.match(rf"{tag}(-|$)", row.language) for tag in wanted)):
        return False
    if row.published_at is None:
        return filters.published_after is None and filters.published_before is None
    if filters.published_after and row.published_at < filters.published_after:
        return False
    return not (filters.published_before and row.published_at >= filters.published_before)


@given(ROWS, FILTERS)
@properties
def test_the_rows_that_pass_are_those_that_one_would_pick_by_hand(rows: list[Row], filters: Filters) -> None:
    mask = allowed(_columns(rows), filters)

    assert mask.dtype == np.bool_
    assert mask.tolist() == [_passes(row, filters) for row in rows]


def test_the_span_of_dates_holds_its_start_and_not_its_end() -> None:
    rows = [Row(MARCH + timedelta(seconds=second), None, None, False) for second in (-1, 0, 1, 2)]
    columns = _columns(rows)
    half = timedelta(milliseconds=500)

    def passing(after: datetime, before: datetime) -> list[bool]:
        return list(allowed(columns, Filters(published_after=after, published_before=before)))

    assert passing(MARCH, MARCH + timedelta(seconds=2)) == [False, True, True, False]
    assert passing(MARCH + half, MARCH + timedelta(seconds=1) + half) == [False, False, True, False]


@given(ROWS, st.integers(-3, 3))
@properties
def test_not_younger_means_a_known_date_that_is_the_same_or_earlier(rows: list[Row], hours: int) -> None:
    instant = MARCH + timedelta(hours=hours)

    mask = not_younger(_columns(rows), int(instant.timestamp()))

    assert mask.tolist() == [row.published_at is not None and row.published_at <= instant for row in rows]


def test_a_language_covers_its_regions_and_no_other_language() -> None:
    assert same_language("pt-br", "pt")
    assert same_language("pt", "pt")
    assert not same_language("pt", "pt-br")
    assert not same_language("ptx", "pt")
    assert [base_language(tag) for tag in ("pt-br", "en", None, "zh-hant-tw")] == ["pt", "en", "", "zh"]


def test_a_section_that_is_not_there_is_refused_with_those_that_are() -> None:
    columns = _columns([Row(None, None, "world", False), Row(None, None, "sport", False)])
    with pytest.raises(QueryError, match=r"^section: 'sports' is not in this archive; its sections are sport, world$"):
        Filters(sections=("sport", "sports")).check(columns)
    with pytest.raises(QueryError, match=r"^section: 'x' is not in this archive; its sections are none$"):
        Filters(sections=("x",)).check(_columns([]))


@pytest.mark.parametrize("hours", [0, 1])
def test_a_span_that_ends_before_it_starts_is_refused(hours: int) -> None:
    filters = Filters(published_after=MARCH + timedelta(hours=hours), published_before=MARCH)

    with pytest.raises(
        QueryError,
        match=rf"^published_after \(2025-03-01T0{hours}:00:00\+00:00\) is not before published_before \(2025-03-01T00",
    ):
        filters.check(_columns([]))


def test_filters_that_can_match_are_taken() -> None:
    Filters(sections=("world",), published_after=MARCH, published_before=MARCH + timedelta(seconds=1)).check(
        _columns([Row(None, None, "world", False)])
    )


@given(
    st.lists(st.sampled_from("abcdefgh"), unique=True),
    st.lists(st.sampled_from("abcdefgh"), unique=True),
    st.integers(0, 12),
)
@properties
def test_linked_stories_come_first_then_similar_ones_each_once(linked: list[str], similar: list[str], k: int) -> None:
    placed = place([Hit(article, 0.1) for article in linked], (Hit(article, 0.9) for article in similar), k)

    everything = linked + [article for article in similar if article not in linked]
    assert [hit.article_id for hit in placed] == everything[:k]
    assert all(hit.score == (0.1 if hit.article_id in linked else 0.9) for hit in placed)


@given(st.lists(st.none() | st.sampled_from(["en", "de", "uk", ""])))
@properties
def test_names_are_coded_and_decoded_without_loss(values: list[str | None]) -> None:
    codes, names = encode_names(values)

    assert codes.dtype == np.int32
    assert names == tuple(sorted({value for value in values if value is not None}))
    assert [None if code < 0 else names[code] for code in codes] == values
