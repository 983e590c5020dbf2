from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import QueryError
from recommender.rank import (
    Columns,
    Filters,
    allowed,
    encode_lists,
    encode_names,
    not_younger,
    other_language,
    same_language,
)
from recommender.text import base_language
from recommender.vectors import UNDATED

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
    kind: str = "news"
    tags: tuple[str, ...] = ()


ROWS = st.lists(
    st.builds(
        Row,
        st.none() | st.integers(-3, 3).map(lambda hours: MARCH + timedelta(hours=hours)),
        st.none() | st.sampled_from(LANGUAGES),
        st.none() | st.sampled_from(SECTIONS),
        st.booleans(),
        st.sampled_from(["news", "wire", "opinion"]),
        st.lists(st.sampled_from(["ferry", "harbour", "vote"]), max_size=3).map(tuple),
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
    kinds=st.lists(st.sampled_from(["news", "wire", "live"]), max_size=2).map(tuple),
    tags=st.lists(st.sampled_from(["ferry", "harbour"]), max_size=2).map(tuple),
    authors=st.lists(st.sampled_from(["ferry", "vote"]), max_size=1).map(tuple),
    published_after=INSTANTS,
    published_before=INSTANTS,
    stubs=st.booleans(),
)


def _columns(rows: list[Row]) -> Columns:
    language, languages = encode_names([row.language for row in rows])
    section, sections = encode_names([row.section for row in rows])
    kind, kinds = encode_names([row.kind for row in rows])
    instants = [UNDATED if row.published_at is None else int(row.published_at.timestamp()) for row in rows]
    stub = np.array([row.stub for row in rows], np.bool_)
    tags, tag_names = encode_lists([row.tags for row in rows])
    authors, author_names = encode_lists([row.tags[:1] for row in rows])
    return Columns(
        np.array(instants, np.int64), language, section, kind, stub, np.zeros(len(rows), np.int32),
        np.full(len(rows), -1, np.int32), tags, authors, languages, sections, kinds, tag_names, author_names,
    )  # fmt: skip


def _passes(row: Row, filters: Filters) -> bool:
    """Say in plain Python what the filters promise."""
    if row.stub and not filters.stubs:
        return False
    if filters.sections and row.section not in filters.sections:
        return False
    if filters.kinds and row.kind not in filters.kinds:
        return False
    if filters.tags and not set(filters.tags) & set(row.tags):
        return False
    if filters.authors and not set(filters.authors) & set(row.tags[:1]):
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
    filters = Filters(
        sections=("world",),
        kinds=("live",),  # a kind that exists and that no story here is of
        tags=("ferry", "vote"),
        authors=("ferry",),
        published_after=MARCH,
        published_before=MARCH + timedelta(seconds=1),
    )
    filters.check(_columns([Row(None, None, "world", False, tags=("ferry", "vote"))]))


@given(st.lists(st.none() | st.sampled_from(["en", "de", "uk", ""])))
@properties
def test_names_are_coded_and_decoded_without_loss(values: list[str | None]) -> None:
    codes, names = encode_names(values)

    assert codes.dtype == np.int32
    assert names == tuple(sorted({value for value in values if value is not None}))
    assert [None if code < 0 else names[code] for code in codes] == values


@given(st.lists(st.lists(st.sampled_from(["ferry", "vote", "Fähre", ""]))))
@properties
def test_lists_of_names_are_coded_and_decoded_without_loss_each_name_once(values: list[list[str]]) -> None:
    pairs, names = encode_lists(values)

    assert (pairs.dtype, pairs.shape[1:]) == (np.int32, (2,))
    assert names == tuple(sorted({name for row in values for name in row}))
    assert [[names[code] for row, code in pairs if row == number] for number in range(len(values))] == [
        list(dict.fromkeys(row)) for row in values
    ]


@given(ROWS, st.none() | st.sampled_from(["pt", "pt-br", "en-gb", "fr", "ptx"]), st.randoms(use_true_random=False))
@properties
def test_another_language_is_one_that_is_known_and_differs_regions_apart(
    rows: list[Row], tag: str | None, random: Random
) -> None:
    order = random.choices(range(len(rows)), k=5) if rows else []

    mask = other_language(_columns(rows), tag)[np.array(order, np.int64)]

    languages = [rows[number].language for number in order]
    assert mask.tolist() == [
        tag is not None and language is not None and language.split("-")[0] != tag.split("-")[0]
        for language in languages
    ]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(tags=("fery",)), "tag: 'fery' is not in this archive; its tags are ferry"),
        (Filters(authors=("nobody",)), "author: 'nobody' is not in this archive; its authors are ferry"),
        (Filters(kinds=("rumour",)), "kind: 'rumour' is none; kinds are news, opinion, wire, live, sponsored"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(filters: Filters, message: str) -> None:
    with pytest.raises(QueryError, match=f"^{message}$"):
        filters.check(_columns([Row(None, None, None, False, tags=("ferry",))]))


def test_of_many_names_the_nearest_are_told() -> None:
    rows = [Row(None, None, None, False, tags=(f"tag {number:02d}",)) for number in range(30)]
    with pytest.raises(QueryError, match=r"its tags are tag 07.* and \d+ more$"):
        Filters(tags=("tag 07x",)).check(_columns(rows))
