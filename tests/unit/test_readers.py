from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import KINDS, Article
from recommender.errors import RecordError, SourceError
from recommender.readers import READERS, Entry, article_from_record, find, jsonl, read, read_bytes

NOT_UTF8 = "convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"


def _entries(folder: Path, name: str, raw: bytes) -> list[Entry]:
    path = folder / name
    path.write_bytes(raw)
    return list(read(path))


def _titles(folder: Path, name: str, raw: bytes) -> list[str]:
    """Return the title of each entry, or its line and the reason for refusing it."""
    return [
        entry.article.title if entry.article else f"{entry.line}: {entry.reason}"
        for entry in _entries(folder, name, raw)
    ]


# --- any format ---


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.ndjson", "a.json", "a.csv", "A.JSONL"])
@pytest.mark.parametrize("raw", [b"", b" \n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_yields_one_refusal(tmp_path: Path, name: str, raw: bytes) -> None:
    (entry,) = _entries(tmp_path, name, raw)

    assert entry.article is None
    assert "empty" in str(entry.reason) or "column 1" in str(entry.reason)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.txt", "Café\nBody".encode("cp1252")),
        ("a.jsonl", '{"title": "Café"}'.encode("cp1252")),
        ("a.json", '[{"title": "Café"}]'.encode("cp1252")),
        ("a.csv", "title\nCafé".encode("cp1252")),
    ],
)
def test_bytes_that_are_not_utf8_are_named_with_the_mend(tmp_path: Path, name: str, raw: bytes) -> None:
    (entry,) = _entries(tmp_path, name, raw)

    assert re.fullmatch(rf"is not UTF-8 \(byte 0xe9 at \d+\); {re.escape(NOT_UTF8)}", str(entry.reason))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.txt", b"\xef\xbb\xbfA title\r\nBody."),
        ("a.jsonl", b'\xef\xbb\xbf{"title": "A title", "text": "Body."}\r\n'),
        ("a.json", b'\xef\xbb\xbf{"title": "A title", "text": "Body."}'),
        ("a.csv", b"\xef\xbb\xbftitle,text\r\nA title,Body.\r\n"),
    ],
)
def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_article(
    tmp_path: Path, name: str, raw: bytes
) -> None:
    (entry,) = _entries(tmp_path, name, raw)
    assert entry.article is not None
    assert (entry.article.title, entry.article.text) == ("A title", "Body.")
    assert read_bytes(raw) == [entry.article]


def test_a_file_that_cannot_be_opened_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=re.escape(f"{tmp_path / 'no.jsonl'}: cannot be read: No such file")):
        list(read(tmp_path / "no.jsonl"))


# --- which files ---


def test_a_folder_stands_for_the_known_files_below_it_in_one_order(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/1.TXT", "a.csv", "notes.rst", ".hidden.txt", ".git/x.txt", "b/.x/y.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("title")

    found = find(tmp_path)

    assert [str(path.relative_to(tmp_path)) for path in found.paths] == ["a.csv", "b/1.TXT", "b/2.jsonl"]
    assert (found.n_skipped, found.n_bytes) == (1, 15)


def test_a_file_that_no_reader_knows_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.docx"
    file.write_bytes(b"PK")

    with pytest.raises(
        SourceError,
        match=re.escape(f"{file}: no reader knows this kind of file; known are {', '.join(sorted(READERS))} and f"),
    ):
        find(file)
    with pytest.raises(SourceError, match=re.escape(f"{tmp_path / 'b'}: no such file or folder")):
        find(tmp_path / "b")


# --- plain text ---


def test_plain_text_is_a_title_paragraphs_and_links(tmp_path: Path) -> None:
    raw = "Title — with a dash\n\nFirst paragraph.\n\nSubheading\nSecond.\n\nRead more:\nOne\nTwo — 2\n".encode()

    (entry,) = _entries(tmp_path, "a.txt", raw)

    assert entry.article is not None
    assert entry.line is None
    assert entry.article.title == "Title — with a dash"
    assert entry.article.text == "First paragraph.\nSubheading\nSecond."
    assert [link.title for link in entry.article.read_more] == ["One", "Two — 2"]


def test_plain_text_of_one_line_is_a_title(tmp_path: Path) -> None:
    assert _titles(tmp_path, "a.txt", b"Only a title") == ["Only a title"]


def test_plain_text_without_a_title_or_too_large_is_refused(tmp_path: Path) -> None:
    assert _titles(tmp_path, "a.txt", b"\x00\n") == ["None: the file is empty; the first line must be the title"]
    assert _titles(tmp_path, "b.txt", b"x" * 100_000) == [
        "None: title: has 100,000 characters, at most 1,000 are taken; is the body in the title field?"
    ]
    assert _titles(tmp_path, "c.txt", b"T\n" + b"x" * 8_000_000) == [
        "None: the file has over 8,000,000 bytes; one article has at most 2,000,000 characters"
    ]


# --- JSON ---


def test_a_bad_line_costs_itself_alone_and_is_named(tmp_path: Path) -> None:
    lines = [
        b'{"title": "One"}',
        b"",
        b'{"title": "Tw',
        b"[]",
        b"null",
        b'{"text": "x"}',
        b"\xff",
        b'{"title": "Last"}',
    ]

    assert _titles(tmp_path, "a.jsonl", b"\n".join(lines)) == [
        "One",
        "3: is not JSON: Unterminated string starting at column 11; is it cut off?",
        "4: a record must be a JSON object, this is a list",
        "5: a record must be a JSON object, this is null",
        "6: title: is missing or empty; every article needs a headline",
        f"7: is not UTF-8 (byte 0xff at 0); {NOT_UTF8}",
        "Last",
    ]


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    raw = '{"title": "é"}\n\n{"title": "b"}'.encode()

    assert [entry.offset_bytes for entry in _entries(tmp_path, "a.jsonl", raw)] == [16, len(raw)]


def test_a_line_over_the_limit_is_refused_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 30)
    long = b'{"title": "' + b"x" * 100 + b'"}'

    assert _titles(tmp_path, "a.jsonl", b'{"title": "a"}\n' + long + b'\n{"title": "b"}\n' + long) == [
        "a",
        "2: the line has 114 bytes, at most 30 are taken",
        "b",
        "4: the line has 113 bytes, at most 30 are taken",
    ]


def test_deep_nesting_and_huge_numbers_are_refused_not_a_crash(tmp_path: Path) -> None:
    deep = b'{"title": "T", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    huge = b'{"title": "T", "x": ' + b"9" * 5_000 + b"}"

    first, second = _titles(tmp_path, "a.jsonl", deep + b"\n" + huge)

    assert first == "1: is nested too deep to be an article"
    assert second.startswith("2: is not JSON that can be read: Exceeds the limit (4300 digits)")


def test_a_json_document_is_an_article_or_a_list_of_them(tmp_path: Path) -> None:
    assert _titles(tmp_path, "a.json", b'{\n "title": "One"\n}') == ["One"]
    assert _titles(tmp_path, "a.json", b'[{"title": "One"}, 7, {"title": "Two"}]') == [
        "One",
        "2: a record must be a JSON object, this is a number",
        "Two",
    ]
    assert _titles(tmp_path, "a.json", b'[\n{"title": "One"},\n{"ti') == [
        "None: is not JSON: Unterminated string starting at line 3, column 2; is it cut off?"
    ]


def test_a_json_document_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_DOCUMENT_BYTES", 1_000)

    assert _titles(tmp_path, "a.json", b" " * 1_001) == [
        "None: the document has over 1,000 bytes; write it as .jsonl, one object a line"
    ]


# --- CSV ---


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_is_parted_by_comma_semicolon_or_tab(tmp_path: Path, mark: str) -> None:
    raw = f'ID{mark}"Title"{mark} tags \na1{mark}"One{mark} two"{mark}x;y\n'.replace("x;y", '"x; y"').encode()

    (entry,) = _entries(tmp_path, "a.csv", raw)

    assert entry.article is not None
    assert (entry.article.id, entry.article.title, entry.article.tags) == (
        "a1",
        " ".join(f"One{mark} two".split("\t ", 1)),
        ("x", "y"),
    )


def test_lists_in_a_table_are_json_or_written_by_hand(tmp_path: Path) -> None:
    raw = (
        b"title,tags,authors,read_more\n"
        b'One,"[""a, b"", ""c""]",Mira; Ole,"First\nSecond"\n'
        b'Two,,,"[{""title"": ""X"", ""url"": ""https://a.example/x""}, ""Y""]"\n'
        b"Three,[a,,\n"
    )

    first, second, third = _entries(tmp_path, "a.csv", raw)

    assert first.article is not None
    assert second.article is not None
    assert (first.article.tags, first.article.authors) == (("a, b", "c"), ("Mira", "Ole"))
    assert [link.title for link in first.article.read_more] == ["First", "Second"]
    assert [(link.title, link.url) for link in second.article.read_more] == [("X", "https://a.example/x"), ("Y", None)]
    assert third.reason == "tags: '[a' begins like a JSON list and is none"


def test_a_bad_row_costs_itself_alone_and_is_named_by_its_line(tmp_path: Path) -> None:
    raw = b'id,title,text\na1,One,"two\nlines"\na2,Two\n,,\na3,,x\na4,Caf\xe9,x\na5,Last,x\n'

    assert _titles(tmp_path, "a.csv", raw) == [
        "One",
        "4: has 2 cells where the header names 3; is a quote or delimiter missing?",
        "6: title: is missing or empty; every article needs a headline",
        f"7: is not UTF-8 (byte 0xe9 at 3); {NOT_UTF8}",
        "Last",
    ]


def test_a_quote_that_is_never_closed_is_refused_and_loses_nothing_before_it(tmp_path: Path) -> None:
    assert _titles(tmp_path, "a.csv", b'title,text\nOne,x\nTwo,"open\nThree,x\n') == [
        "One",
        "4: is not CSV: unexpected end of data",
    ]
    assert _titles(tmp_path, "b.csv", b'title,text\n"One" and more,x\nTwo,x\n') == [
        """2: is not CSV: ',' expected after '"'""",
        "Two",
    ]


def test_a_cell_over_the_limit_is_refused(tmp_path: Path) -> None:
    titles = _titles(tmp_path, "a.csv", b"title,text\nOne," + b"x" * 8_000_001 + b"\nTwo,x\n")

    assert titles[0] == "2: is not CSV: field larger than field limit (8000000)"
    assert titles[-1] == "Two"


@pytest.mark.parametrize("header", ["headline,text", "a", "\xff\xfe"])
def test_a_table_without_a_title_column_is_refused(tmp_path: Path, header: str) -> None:
    (refusal,) = _titles(tmp_path, "a.csv", f"{header}\nx,y\n".encode())

    assert refusal == f"1: the first line must name the columns and one must be 'title'; it reads {header!r}"


# --- by looking ---


@pytest.mark.parametrize(
    ("raw", "titles"),
    [
        (b'{"title": "One"}', ["One"]),
        (b'{"title": "One"}\n{"title": "Two"}\n', ["One", "Two"]),
        (b'{\n"title": "One"\n}', ["One"]),
        (b' \n[{"title": "One"}]', ["One"]),
        (b"id,title\n1,One\n", ["One"]),
        (b'"Title";"Text"\r\nOne;x\r\n', ["One"]),
        (b"url\ttitle\n\tOne\n", ["One"]),
        (b"One\nBody, with title, in it.", ["One"]),
        (b"Title\nBody.", ["Title"]),
        ("\ufeffÜber\nText".encode(), ["Über"]),
        (b"(Un)titled, they said\nBody.", ["(Un)titled, they said"]),
    ],
)
def test_the_form_of_bytes_is_told_by_looking(raw: bytes, titles: list[str]) -> None:
    assert [article.title for article in read_bytes(raw)] == titles


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "body: is empty"),
        (b" \n\n", "body: is empty"),
        (b"[]", "body: is empty"),
        (
            b'{"title": "One"}\n{"titel": "Two"}',
            "body, line 2: title: is missing or empty; every article needs a headline",
        ),
        (b'{"title": ', "body: is not JSON: Expecting value at column 10; is it cut off?"),
        (b"\xff\xfeT\x00", f"body: is not UTF-8 (byte 0xff at 0); {NOT_UTF8}"),
        (b"id,title\n1\n", "body, line 2: has 1 cells where the header names 2; is a quote or delimiter missing?"),
    ],
)
def test_bytes_without_a_good_article_are_refused(raw: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=f"^{re.escape(message)}$"):
        read_bytes(raw, "body")


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_articles_or_a_refusal_never_a_crash(raw: bytes) -> None:
    try:
        n_articles = len(read_bytes(raw))
    except RecordError:
        return
    assert n_articles > 0


# --- round trips ---

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("\n\r\t\x00\"',;[{}\\|  abПеü👩‍🚀\u200f\ufeff"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=40,
)
URLS = st.builds("https://a.example/{}?q={}".format, st.integers(), st.sampled_from(["1", "", "x,y;z"]))
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=5)))
)
RECORDS = st.fixed_dictionaries(
    {"title": TEXT.map(lambda text: f"T{text}")},
    optional={
        "id": st.text(alphabet="abc/:-,;\"'[é", min_size=1, max_size=20),
        "description": TEXT,
        "text": TEXT,
        "url": URLS,
        "image_url": URLS,
        "published_at": INSTANTS.map(datetime.isoformat),
        "modified_at": INSTANTS.map(datetime.isoformat),
        "language": st.sampled_from(["en", "uk", "pt-BR"]),
        "section": TEXT,
        "tags": st.lists(TEXT, max_size=3),
        "authors": st.lists(TEXT, max_size=3),
        "kind": st.sampled_from(KINDS),
        "read_more": st.lists(
            st.fixed_dictionaries({"title": TEXT.map(lambda text: f"L{text}")}, optional={"url": URLS})
        ),
    },
)


def _record(article: Article) -> dict[str, Any]:
    """Return an article as a newsroom would send it."""
    record = {field.name: getattr(article, field.name) for field in fields(article)}
    for name in ("published_at", "modified_at"):
        record[name] = record[name] and record[name].isoformat()
    return record | {
        "tags": list(article.tags),
        "authors": list(article.authors),
        "read_more": [{"title": link.title, "url": link.url} for link in article.read_more],
    }


def _as_jsonl(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


def _as_json(record: dict[str, Any]) -> bytes:
    return json.dumps([record], ensure_ascii=False, indent=1).encode()


def _as_csv(record: dict[str, Any], mark: str = ",") -> bytes:
    table = io.StringIO()
    rows = csv.writer(table, delimiter=mark)
    rows.writerow(record)
    rows.writerow(json.dumps(value) if isinstance(value, list) else value for value in record.values())
    return table.getvalue().encode()


@given(RECORDS)
@settings(deadline=None, max_examples=100)
def test_an_article_read_again_is_the_same_article(record: dict[str, Any]) -> None:
    article = article_from_record(record)

    assert article_from_record(_record(article)) == article


@pytest.mark.parametrize("write", [_as_jsonl, _as_json, _as_csv, lambda record: _as_csv(record, ";")])
@given(record=RECORDS)
@settings(deadline=None, max_examples=60)
def test_an_article_written_to_a_file_and_read_is_the_same_article(
    write: Callable[[dict[str, Any]], bytes], record: dict[str, Any]
) -> None:
    article = article_from_record(record)

    assert read_bytes(write(_record(article))) == [article]


def test_the_instants_of_a_record_are_utc_whatever_their_offset() -> None:
    article = article_from_record({"title": "T", "published_at": "2025-03-14T09:30:00+05:00"})

    assert article.published_at is not None
    assert article.published_at.tzinfo is UTC
