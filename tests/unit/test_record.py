from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from recommender.article import KINDS, Article, ReadMore
from recommender.errors import RecordError
from recommender.readers import article_from_record
from recommender.text import digest

FULL: dict[str, Any] = {
    "id": "ferry-vote",
    "title": " Ferry crews\nvote  to strike ",
    "description": "Two men on\nevery crossing.",
    "text": "First.\r\n\r\nSecond.\nRead more:\nA title of the block",
    "url": "https://www.LindenPost.example/a/?utm_source=x",
    "image_url": "/img/a.jpg",
    "published_at": "2025-03-14T09:30:00+01:00",
    "modified_at": "2025-03-15",
    "language": "pt_BR",
    "section": " Business ",
    "tags": ["ferries", "", "strike", "ferries"],
    "authors": "Mira Solheim",
    "kind": "opinion",
    "read_more": ["A title", {"title": "B", "url": "../b"}, {"url": "https://other.example/c/"}],
    "unknown": {"is": "ignored"},
}


def test_every_field_is_cleaned_and_kept() -> None:
    assert article_from_record(FULL) == Article(
        id="ferry-vote",
        title="Ferry crews vote to strike",
        description="Two men on every crossing.",
        text="First.\nSecond.",
        url="https://www.lindenpost.example/a",
        image_url="https://www.lindenpost.example/img/a.jpg",
        published_at=datetime(2025, 3, 14, 8, 30, tzinfo=UTC),
        modified_at=datetime(2025, 3, 15, tzinfo=UTC),
        language="pt-br",
        section="Business",
        tags=("ferries", "strike"),
        authors=("Mira Solheim",),
        kind="opinion",
        read_more=(
            ReadMore("A title"),
            ReadMore("B", "https://www.lindenpost.example/b"),
            ReadMore("https://other.example/c", "https://other.example/c"),
        ),
    )


def test_a_title_alone_makes_an_article() -> None:
    article = article_from_record({"title": "A title"})

    assert article == Article(id="a" + digest("A title", "").hex(), title="A title")


@pytest.mark.parametrize("empty", [None, ""])
def test_null_and_empty_fields_are_absent_ones(empty: str | None) -> None:
    names = (
        "id",
        "description",
        "text",
        "url",
        "image_url",
        "published_at",
        "modified_at",
        "language",
        "section",
        "kind",
    )

    assert article_from_record(dict.fromkeys(names, empty) | {"title": "T"}) == article_from_record({"title": "T"})
    assert article_from_record({"title": "T", "tags": None, "authors": None, "read_more": None}).tags == ()


def test_without_an_id_the_address_is_the_id_and_without_both_title_and_date() -> None:
    dated = {"title": "T", "published_at": "2025-03-14"}

    assert article_from_record({"title": "T", "url": "http://a.example/x/"}).id == "http://a.example/x"
    assert article_from_record(dated).id == article_from_record(dated | {"text": "other"}).id
    assert article_from_record(dated).id != article_from_record({"title": "T"}).id
    assert article_from_record({"title": "T", "url": "http://a.example/" + "x" * 600}).id.startswith("a")


def test_a_number_is_an_id_as_it_is_written() -> None:
    assert article_from_record({"title": "T", "id": 4711}).id == "4711"
    assert article_from_record({"title": "T", "id": 0}).id == "0"


def test_titles_of_a_block_become_the_links_only_where_none_are_given() -> None:
    text = "Body.\nRead more:\nOne\nTwo"

    assert article_from_record({"title": "T", "text": text}).read_more == (ReadMore("One"), ReadMore("Two"))
    assert article_from_record({"title": "T", "text": text, "read_more": []}).read_more == ()
    assert article_from_record({"title": "T", "text": text, "read_more": ["X"]}).text == "Body."


def test_an_address_that_is_none_is_dropped_from_pictures_and_links() -> None:
    record = {
        "title": "T",
        "image_url": "javascript:alert(1)",
        "read_more": [{"title": "One", "url": "data:x"}, {"title": "Two", "url": 7}, {"title": "Three", "url": "/rel"}],
    }
    article = article_from_record(record)

    assert article.image_url is None
    assert article.read_more == (ReadMore("One"), ReadMore("Two"), ReadMore("Three"))
    assert article_from_record({"title": "T", "url": "http://a.example", "image_url": "http://[x"}).image_url is None


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-03-14", datetime(2025, 3, 14, tzinfo=UTC)),
        ("2025-03-14T09:30:00Z", datetime(2025, 3, 14, 9, 30, tzinfo=UTC)),
        ("2025-03-14t09:30:00z", datetime(2025, 3, 14, 9, 30, tzinfo=UTC)),
        ("2025-03-14 09:30", datetime(2025, 3, 14, 9, 30, tzinfo=UTC)),
        (" 2025-03-14T09:30:00-05:00 ", datetime(2025, 3, 14, 14, 30, tzinfo=UTC)),
        ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_dates_become_utc(written: str, instant: datetime) -> None:
    assert article_from_record({"title": "T", "published_at": written}).published_at == instant


@pytest.mark.parametrize(
    ("written", "language"),
    [("EN", "en"), ("pt_BR", "pt-br"), ("zh-Hant-TW", "zh-hant-tw"), ("und", None), ("mul", None), ("zxx", None)],
)
def test_a_language_is_a_lower_case_tag(written: str, language: str | None) -> None:
    assert article_from_record({"title": "T", "language": written}).language == language


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_taken(kind: str) -> None:
    assert article_from_record({"title": "T", "kind": kind}).kind == kind


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("Nul\x00 and bell\x07", "Nul and bell"),
        ("שלום \u200f\u202eabc", "שלום \u200fabc"),
        ("👩‍🚀 in orbit 🚀", "👩‍🚀 in orbit 🚀"),
        ("lone \ud800", "lone \ufffd"),
        ("x" * 1_000, "x" * 1_000),
        (" " * 2_000 + "x", "x"),
    ],
)
def test_odd_titles_are_cleaned_and_taken(title: str, cleaned: str) -> None:
    assert article_from_record({"title": title}).title == cleaned


def test_a_tag_that_is_too_long_is_cut() -> None:
    assert article_from_record({"title": "T", "tags": ["x" * 5_000]}).tags == ("x" * 300,)


class Odd:
    pass


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "a record must be a JSON object, this is a list"),
        (None, "a record must be a JSON object, this is null"),
        ("text", "a record must be a JSON object, this is a string"),
        (7, "a record must be a JSON object, this is a number"),
        (True, "a record must be a JSON object, this is true or false"),
        (Odd(), "a record must be a JSON object, this is Odd"),
        ({}, "title: is missing or empty; every article needs a headline"),
        ({"title": " \x00\n"}, "title: is missing or empty; every article needs a headline"),
        ({"title": 7}, "title: must be a string, this is a number"),
        ({"title": float("nan")}, "title: must be a string, this is a number"),
        ({"title": {"en": "T"}}, "title: must be a string, this is an object"),
        (
            {"title": "x" * 1_001},
            "title: has 1,001 characters, at most 1,000 are taken; is the body in the title field?",
        ),
        (
            {"title": "x" * 100_000},
            "title: has 100,000 characters, at most 1,000 are taken; is the body in the title field?",
        ),
        (
            {"description": "x" * 10_001},
            "description: has 10,001 characters, at most 10,000 are taken; cut it or split the article",
        ),
        (
            {"text": "x" * 5_000_000},
            "text: has 5,000,000 characters, at most 2,000,000 are taken; cut it or split the article",
        ),
        (
            {"text": "x" * 8_000_001},
            "text: has 8,000,001 characters, at most 2,000,000 are taken; cut it or split the article",
        ),
        ({"text": ["a", "b"]}, "text: must be a string, this is a list"),
        ({"url": "/relative"}, "url: '/relative' is not an absolute http(s) address"),
        ({"url": "javascript:alert(1)"}, "url: 'javascript:alert(1)' is not an absolute http(s) address"),
        ({"url": 7}, "url: 7 is not an absolute http(s) address"),
        ({"url": "x" * 200}, f"url: '{'x' * 76}… is not an absolute http(s) address"),
        (
            {"published_at": "yesterday"},
            "published_at: 'yesterday' is no date; write it like 2025-03-14T09:30:00+01:00",
        ),
        (
            {"published_at": "14.03.2025"},
            "published_at: '14.03.2025' is no date; write it like 2025-03-14T09:30:00+01:00",
        ),
        (
            {"modified_at": "2025-02-30"},
            "modified_at: '2025-02-30' is no date; write it like 2025-03-14T09:30:00+01:00",
        ),
        (
            {"published_at": 1741944600},
            "published_at: 1741944600 is no date; write it like 2025-03-14T09:30:00+01:00",
        ),
        (
            {"published_at": "0001-01-01T00:00:00+14:00"},
            "published_at: '0001-01-01T00:00:00+14:00' is no date; write it like 2025-03-14T09:30:00+01:00",
        ),
        ({"language": "english!"}, "language: 'english!' is no BCP 47 tag; write it like en, uk or pt-BR"),
        ({"language": "e"}, "language: 'e' is no BCP 47 tag; write it like en, uk or pt-BR"),
        ({"language": ["en"]}, "language: must be a string, this is a list"),
        ({"kind": "advert"}, "kind: 'advert' is not known; it is one of news, opinion, wire, live, sponsored"),
        ({"id": 1.5}, "id: must be a string, this is a number"),
        ({"id": True}, "id: must be a string, this is true or false"),
        ({"id": "x" * 1_513}, "id: has 1,513 characters, at most 512 are taken"),
        ({"id": "a\nb"}, "id: 'a\\nb' has control characters or blanks at its ends"),
        ({"id": "a\x00"}, "id: 'a\\x00' has control characters or blanks at its ends"),
        ({"id": "\ud800"}, "id: '\\ud800' has control characters or blanks at its ends"),
        ({"id": " a"}, "id: ' a' has control characters or blanks at its ends"),
        ({"id": "stub:a"}, "id: 'stub:a' begins with 'stub:', which is kept for links without an article"),
        ({"tags": {"a": 1}}, "tags: must be a list of strings, this is an object"),
        ({"tags": ["a", 1]}, "tags: must be a list of strings, this is a list"),
        ({"authors": 7}, "authors: must be a list of strings, this is a number"),
        ({"tags": ["a"] * 201}, "tags: has 201 items, at most 200 are taken"),
        ({"read_more": "A title"}, "read_more: must be a list of links, this is a string"),
        ({"read_more": ["a"] * 201}, "read_more: has 201 links, at most 200 are taken"),
        ({"read_more": ["a", 7]}, "read_more: link 2 must be a title or an object with a title, this is a number"),
        ({"read_more": ["a", {}]}, "read_more: link 2 has neither title nor http(s) url"),
        ({"read_more": [{"url": "/a"}]}, "read_more: link 1 has neither title nor http(s) url"),
        (
            {"read_more": ["x" * 1_001]},
            "title: has 1,001 characters, at most 1,000 are taken; is the body in the title field?",
        ),
    ],
)
def test_what_cannot_be_an_article_is_refused_with_the_reason(record: object, message: str) -> None:
    if isinstance(record, dict) and record and "title" not in record:
        record = {"title": "T"} | record
    with pytest.raises(RecordError, match=f"^{re.escape(message)}$"):
        article_from_record(record)
