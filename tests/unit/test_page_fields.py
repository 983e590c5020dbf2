"""What a page says of its story, in every shape, and who is believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from recommender.errors import RecordError
from recommender.readers import read_bytes
from recommender.readers.page.dates import instant, most_trusted
from recommender.readers.page.document import decoded
from recommender.readers.page.extract import record_from_page

URL = "https://www.paper.example/2025/05/ferry-strike-enters-third-day"
TEXT = "The crews of the ferries have been on strike since the morning, and the harbour of the capital lies empty. Nobody knows when the next ship will leave. The owners say that they will wait, and that the crews of other harbours are at work."
ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Ferry strike",
    "datePublished": "2025-05-13T09:30:00+02:00",
}


def _page(
    head: str = "", *, body: str = f"<article><h1>Ferry strike</h1><p>{TEXT}</p></article>", language: str = "en"
) -> bytes:
    return f"<!doctype html><html lang='{language}'><head>{head}</head><body>{body}</body></html>".encode()


def _script(value: object, *, before: str = "", after: str = "") -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"<script type='application/ld+json'>{before}{text}{after}</script>"


def _read(raw: bytes, url: str | None = URL) -> dict[str, Any]:
    return record_from_page(raw, url, None)


AUTHOR = {"@type": "Person", "@id": "#ann", "name": "Ann Lee"}


@pytest.mark.parametrize(
    "head",
    [
        _script(ARTICLE | {"author": "Ann Lee"}),
        _script(ARTICLE | {"author": {"@type": "Person", "name": "Ann Lee"}}),
        _script([{"@type": "Organization", "name": "Paper"}, ARTICLE | {"author": [{"name": "Ann Lee"}]}]),
        _script({"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "name": "x"}, ARTICLE | {"author": {"@id": "#ann"}}, AUTHOR]}),
        _script(ARTICLE | {"author": {"@id": "#ann"}}) + _script(AUTHOR),
        _script({"@type": "WebPage", "mainEntity": ARTICLE | {"author": ["Ann Lee"]}}),
        _script(ARTICLE | {"@type": ["Article", "http://schema.org/NewsArticle"], "author": "Ann Lee"}),
        _script(ARTICLE | {"author": "Ann Lee"}, before="<!--", after="-->"),
        _script(ARTICLE | {"author": "Ann Lee"}, before="//<![CDATA[\n", after="\n//]]>"),
        _script(json.dumps(ARTICLE | {"author": "Ann Lee"}).replace("}", ",}")),
        _script(json.dumps(ARTICLE | {"author": "Ann Lee"}) + ";"),
        _script(json.dumps(ARTICLE | {"author": "Ann Lee", "description": "one@two"}).replace("@two", "\ntwo")),
        _script("{broken") + _script(ARTICLE | {"author": "Ann Lee"}),
        _script({"@type": "ItemList", "itemListElement": [{"item": ARTICLE | {"headline": "Other", "author": "No One"}}]}) + _script(ARTICLE | {"author": "Ann Lee"}),
        _script([ARTICLE | {"headline": "Other", "url": "https://www.paper.example/other", "author": "No One"}, ARTICLE | {"url": URL, "author": "Ann Lee"}]),
    ],
)  # fmt: skip
def test_the_story_is_found_in_json_ld_of_every_shape(head: str) -> None:
    found = _read(_page(head))

    assert (found["title"], found["published_at"], found["authors"]) == (
        "Ferry strike",
        "2025-05-13T09:30:00+02:00",
        ["Ann Lee"],
    )


@pytest.mark.parametrize(
    ("head", "name", "value"),
    [
        ("<meta property='article:published_time' content='2025-05-13T07:30:00Z'>", "published_at", "2025-05-13T07:30:00+00:00"),
        ("<meta name='DC.date.issued' content='2025-05-13'>", "published_at", "2025-05-13T00:00:00"),
        ("<meta name='parsely-author' content='Ann Lee and Bo Ek'>", "authors", ["Ann Lee", "Bo Ek"]),
        ("<meta name='author' content='By Ann Lee, Bo Ek'>", "authors", ["Ann Lee", "Bo Ek"]),
        ("<meta property='article:author' content='https://facebook.com/ann'>", "authors", []),
        ("<meta property='article:tag' content='ferry'><meta property='article:tag' content='strike'>", "tags", ["ferry", "strike"]),
        ("<meta name='news_keywords' content='ferry, strike'>", "tags", ["ferry", "strike"]),
        ("<meta property='og:description' content='No ship &amp; no crew'>", "description", "No ship & no crew"),
        ("<meta property='og:image' content='/i.jpg'>", "image_url", "/i.jpg"),
        ("<meta property='article:opinion' content='true'>", "kind", "opinion"),
        ("<meta property='article:section' content='Meinung'>", "kind", "opinion"),
        (_script(ARTICLE | {"@type": "AdvertiserContentArticle"}), "kind", "sponsored"),
        (_script(ARTICLE | {"@type": "LiveBlogPosting"}), "kind", "live"),
        (_script(ARTICLE | {"author": {"@type": "Organization", "name": "Reuters"}}), "kind", "wire"),
        (_script(ARTICLE | {"headline": "Ferry strike &amp; no end &amp;quot;soon&amp;quot;"}), "title", "Ferry strike"),
        ("<title>Ferry strike | The Paper</title><meta property='og:site_name' content='The Paper'>", "title", "Ferry strike"),
    ],
)  # fmt: skip
def test_a_field_is_read_from_where_it_is_said(head: str, name: str, value: object) -> None:
    assert _read(_page(head))[name] == value


@pytest.mark.parametrize(
    ("canonical", "found_at", "expected"),
    [
        ("https://paper.example/a-b-c", URL, "https://paper.example/a-b-c"),
        ("/a-b-c", URL, "https://www.paper.example/a-b-c"),
        ("https://amp.paper.example/a-b-c", URL, "https://amp.paper.example/a-b-c"),
        ("https://evil.example/a-b-c", URL, URL),
        ("https://www.paper.example/", URL, URL),
        ("javascript:alert(1)", URL, URL),
        ("https://paper.example/a-b-c", None, "https://paper.example/a-b-c"),
        ("/a-b-c", None, None),
    ],
)
def test_a_pages_own_address_is_believed_within_its_site_alone(
    canonical: str, found_at: str | None, expected: str | None
) -> None:
    assert _read(_page(f"<link rel='canonical' href='{canonical}'>"), found_at)["url"] == expected


def test_the_heading_that_readers_see_is_the_title_where_a_declared_one_vouches_for_it() -> None:
    head = "<meta property='og:title' content='Ferry strike: all you need to know'>"

    assert _read(_page(head))["title"] == "Ferry strike"
    assert (
        _read(_page(head, body=f"<h1>The Daily Paper</h1><article><p>{TEXT}</p></article>"))["title"]
        == "Ferry strike: all you need to know"
    )


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [("en", TEXT, "en"), ("en-US", TEXT, "en-us"), ("en", "Екіпажі поромів страйкують від самого ранку, і гавань столиці порожня. " * 3, None), ("uk", "Екіпажі поромів страйкують. " * 8, "uk"), ("x-klingon!", TEXT, None), ("", TEXT, None)],
)  # fmt: skip
def test_a_declared_language_counts_where_the_text_is_written_in_its_letters(
    declared: str, text: str, expected: str | None
) -> None:
    body = f"<article><h1>{text.split('.')[0][:40]}</h1><p>{text}</p></article>"

    assert (
        _read(_page("<meta property='og:type' content='article'>", body=body, language=declared))["language"]
        == expected
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-05-13T09:30:00+0200", datetime(2025, 5, 13, 9, 30, tzinfo=timezone(timedelta(hours=2)))),
        ("2025-05-13 09:30", datetime(2025, 5, 13, 9, 30)),
        ("2025/5/3", datetime(2025, 5, 3)),
        ("20250513T093000Z", datetime(2025, 5, 13, 9, 30, tzinfo=UTC)),
        ("2025-05-13T09:30:00.123456789Z", datetime(2025, 5, 13, 9, 30, tzinfo=UTC)),
        ("Tue, 13 May 2025 09:30:00 GMT", datetime(2025, 5, 13, 9, 30, tzinfo=UTC)),
        ("1747128600", datetime(2025, 5, 13, 9, 30, tzinfo=UTC)),
        ("1747128600000", datetime(2025, 5, 13, 9, 30, tzinfo=UTC)),
        ("03/04/2025", None),
        ("2025-02-30", None),
        ("yesterday", None),
        ("9999-12-31T23:59:59Z", None),
        ("", None),
    ],
)
def test_an_instant_is_read_in_the_forms_of_machines_and_no_other(value: str, expected: datetime | None) -> None:
    assert instant(value) == expected


def test_the_most_trusted_date_is_said_as_precisely_as_another_one_of_the_day_says_it() -> None:
    assert most_trusted(["2025-05-13", "2025-05-13T09:30:00Z"]) == datetime(2025, 5, 13, 9, 30, tzinfo=UTC)
    assert most_trusted(["2025-05-13T09:30:00", "2025-05-13T09:30:00+02:00"]) == datetime(
        2025, 5, 13, 9, 30, tzinfo=timezone(timedelta(hours=2))
    )
    assert most_trusted(["nonsense", "2025-05-13", "2025-05-14T09:30:00Z"]) == datetime(2025, 5, 13)
    assert most_trusted(["nonsense"]) is None


@pytest.mark.parametrize(
    ("raw", "charset", "expected"),
    [
        ("Київ".encode(), None, "Київ"),
        ("<meta charset='windows-1251'>Київ".encode("cp1251"), None, "Київ"),
        ("<meta charset='windows-1251'>Київ".encode(), "utf-8", "Київ"),
        ("<meta charset='iso-8859-1'>Київ".encode(), None, "Київ"),
        ("<meta charset=iso-8859-1>“Café”".encode("cp1252"), None, "“Café”"),
        ("Київ".encode("koi8-u"), "KOI8-U", "Київ"),
        ("\ufeffКиїв".encode("utf-16"), "utf-8", "Київ"),
        ("<meta charset='utf-16'>Київ".encode(), None, "Київ"),
        ("<meta charset='punycode'>Київ".encode(), "rot13", "Київ"),
        ("東京は今日も雨です。港の船は動きません。".encode("euc_jp"), "euc-jp", "東京は今日も雨です。港の船は動きません。"),
    ],
)  # fmt: skip
def test_characters_are_read_by_mark_header_and_meta(raw: bytes, charset: str | None, expected: str) -> None:
    assert decoded(raw, charset).endswith(expected)


def test_characters_that_nobody_names_are_detected() -> None:
    text = "Екіпажі поромів страйкують від самого ранку, і гавань столиці порожня. Коли вийде наступне судно, ніхто не знає."

    assert decoded(text.encode("cp1251")) == text


def test_a_page_is_told_from_other_forms_by_looking() -> None:
    page = _page(_script(ARTICLE))

    for raw in (
        page,
        b"\xef\xbb\xbf\n" + page,
        b"<?xml version='1.0'?>\n<!-- made by hand -->" + page,
        page.replace(b"<!doctype html>", b""),
    ):
        assert [article.title for article in read_bytes(raw)] == ["Ferry strike"]


def test_a_page_without_any_word_is_refused_with_what_is_missing() -> None:
    with pytest.raises(RecordError, match="names no headline"):
        _read(b"<html><body></body></html>")


def test_a_short_page_that_says_it_is_a_story_is_taken_and_one_that_does_not_is_refused() -> None:
    body = "<h1>Ferry strike</h1><p>No ship today.</p>"

    assert _read(_page(_script(ARTICLE), body=body))["text"] == "No ship today."
    with pytest.raises(RecordError, match="does not say that it is a story, and has 3 words of text; at least 40"):
        _read(_page("<title>Ferry strike</title>", body=body))


def test_the_address_of_a_front_page_is_refused_unless_it_says_that_it_is_a_story() -> None:
    with pytest.raises(RecordError, match=r"is a front page \(www.paper.example\)"):
        _read(_page("<title>The Paper</title>"), "https://www.paper.example/")


def test_a_heading_that_is_longer_than_any_headline_is_none() -> None:
    body = f"<h1>{'Ferry strike ' * 200}</h1><article><p>{TEXT}</p></article>"

    assert _read(_page("<meta property='og:title' content='Ferry strike'>", body=body))["title"] == "Ferry strike"


def test_a_page_that_shows_its_story_by_a_script_alone_is_read_by_its_json_ld() -> None:
    head = _script(ARTICLE | {"articleBody": f"{TEXT}\n\n{TEXT}"})

    assert _read(_page(head, body="<h1>Ferry strike</h1><div id='root'></div>"))["text"] == f"{TEXT}\n{TEXT}"
    assert _read(_page(head))["text"] == TEXT
