from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from exported import news_item, newsml, parquet, wxr, wxr_item
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import RECORDS, write_jsonl

from recommender.article import Article
from recommender.catalog import Catalog, Outcome
from recommender.errors import CatalogError
from recommender.ingest import IngestReport, Refusal, Writer, accepted, ingest, with_language
from recommender.readers import read_jsonl


def _ingest(home: Path, *sources: Path) -> IngestReport:
    with Catalog(home / "catalog.db", write=True) as catalog:
        return ingest(sources, Writer(catalog, fuzzy_threshold=90))


def _counts(report: IngestReport) -> tuple[int, int, int, int]:
    new, changed, unchanged = (report.outcomes[outcome] for outcome in Outcome)
    return new, changed, unchanged, report.n_refused


def _record(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"a{number:05d}", "title": f"Story number {number}", "language": "en"} | more


def test_a_second_ingest_finds_everything_unchanged(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "stories.jsonl", RECORDS)
    assert _counts(_ingest(tmp_path, source)) == (7, 0, 0, 0)
    assert _counts(_ingest(tmp_path, source)) == (0, 0, 7, 0)


def test_a_changed_link_alone_makes_an_article_changed(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "s.jsonl", [_record(1, read_more=["One headline"]), _record(2)])
    _ingest(tmp_path, source)
    write_jsonl(source, [_record(1, read_more=["Another headline"]), _record(2)])
    assert _counts(_ingest(tmp_path, source)) == (0, 1, 1, 0)
    with Catalog(tmp_path / "catalog.db") as catalog:
        assert [link.title for link in catalog.links()] == ["Another headline"]


def test_an_id_that_stands_twice_in_one_file_is_taken_once_and_the_second_is_named(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "s.jsonl", [_record(1), _record(2), _record(1, title="Another story")])
    report = _ingest(tmp_path, source)
    assert _counts(report) == (2, 0, 0, 1)
    assert report.refused == [
        Refusal(str(source), 3, "id 'a00001' was used on line 1 of this file; the first one went in")
    ]
    with Catalog(tmp_path / "catalog.db") as catalog:
        kept = catalog.article("a00001")
    assert kept is not None
    assert kept.title == "Story number 1"


def test_an_id_in_a_later_file_replaces_the_former(tmp_path: Path) -> None:
    first = write_jsonl(tmp_path / "1.jsonl", [_record(1)])
    second = write_jsonl(tmp_path / "2.jsonl", [_record(1, title="The corrected story")])
    assert _counts(_ingest(tmp_path, first, second)) == (1, 1, 0, 0)
    with Catalog(tmp_path / "catalog.db") as catalog:
        assert [article.title for article in catalog.articles()] == ["The corrected story"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in" / "s.jsonl", [_record(1)])
    report = _ingest(tmp_path, source, source.parent, source)
    assert (report.n_files, _counts(report)) == (1, (1, 0, 0, 0))


def test_a_missing_language_is_detected_and_a_given_one_is_kept(tmp_path: Path) -> None:
    german = "Die Besatzungen der Schiffe streiken seit dem Morgen, und der Hafen der Hauptstadt bleibt leer."
    source = write_jsonl(
        tmp_path / "s.jsonl",
        [
            {"id": "found", "title": "Streik", "text": german},
            {"id": "given", "title": "Streik", "text": german, "language": "nl"},
            {"id": "short", "title": "Tor"},
        ],
    )
    _ingest(tmp_path, source)
    with Catalog(tmp_path / "catalog.db") as catalog:
        assert {article.id: article.language for article in catalog.articles()} == {
            "found": "de",
            "given": "nl",
            "short": None,
        }


def test_a_short_text_gets_the_likeliest_of_the_languages_it_may_be_in() -> None:
    assert with_language(Article("q", "der Hafen"), ("de", "en")).language == "de"
    assert with_language(Article("q", "der Hafen", language="en"), ("de",)).language == "en"


def test_a_folder_is_read_to_its_bottom_and_other_kinds_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_jsonl(folder / "a.jsonl", [_record(1)])
    write_jsonl(folder / "deep" / "er" / "b.NDJSON", [_record(2)])
    (folder / "deep" / "c.txt").write_text("A title\nA paragraph.\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "deep" / "notes.rst").write_text("# no", encoding="utf-8")
    write_jsonl(folder / ".hidden" / "d.jsonl", [_record(3)])
    write_jsonl(folder / ".e.jsonl", [_record(4)])
    report = _ingest(tmp_path, folder)
    assert (report.n_files, report.n_skipped, _counts(report)) == (3, 2, (3, 0, 0, 0))


def test_a_missing_source_is_refused_and_the_others_go_in(tmp_path: Path) -> None:
    good = write_jsonl(tmp_path / "good.jsonl", [_record(1)])
    odd = tmp_path / "odd.pdf"
    odd.write_bytes(b"%PDF")
    empty = tmp_path / "empty"
    empty.mkdir()
    report = _ingest(tmp_path, tmp_path / "nowhere.jsonl", odd, empty, good)
    assert _counts(report) == (1, 0, 0, 3)
    assert [str(refusal).removeprefix(f"{tmp_path}/") for refusal in report.refused] == [
        "nowhere.jsonl: no such file or folder",
        "odd.pdf: no reader knows this kind of file; known are .atom, .csv, .htm, .html, .json, .jsonl, .markdown, .md, .ndjson, .parquet, .rss, .txt, .warc, .xhtml, .xml and folders, and all of these in .gz, .zst or .zip (--format says what a file of another name holds)",
        "empty: holds no file that a reader knows",
    ]


def test_every_refusal_names_its_line_and_reason_and_is_told_as_it_happens(tmp_path: Path) -> None:
    source = tmp_path / "s.jsonl"
    source.write_text('{"title": "One"}\n{"id": "x"}\n\n{"title": \n[1]\n', encoding="utf-8")
    told: list[Refusal] = []
    with Catalog(tmp_path / "catalog.db", write=True) as catalog:
        report = ingest([source], catalog, tell=told.append)
    assert told == report.refused
    assert [refusal.line for refusal in told] == [2, 4, 5]
    assert str(told[0]) == f"{source}, line 2: title: is missing or empty; every article needs a headline"
    assert re.match("is not JSON: .* is it cut off", told[1].reason)
    assert told[2].reason == "a record must be a JSON object, this is a list"


def test_refusals_beyond_the_list_are_still_counted(tmp_path: Path) -> None:
    n_bad = IngestReport.MAX_LISTED + 5
    report = _ingest(tmp_path, write_jsonl(tmp_path / "s.jsonl", [{}] * n_bad))
    assert (report.n_refused, len(report.refused)) == (n_bad, IngestReport.MAX_LISTED)


def test_progress_never_goes_back_and_ends_at_the_whole(tmp_path: Path) -> None:
    sources = [
        write_jsonl(tmp_path / f"{name}.jsonl", [_record(number) for number in range(start, start + 450)])
        for name, start in (("a", 0), ("b", 1000))
    ]
    seen: list[tuple[int, int]] = []
    with Catalog(tmp_path / "catalog.db", write=True) as catalog:
        ingest(sources, catalog, progress=lambda done, total: seen.append((done, total)))
    n_bytes = sum(source.stat().st_size for source in sources)
    assert {total for _, total in seen} == {n_bytes}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (n_bytes, n_bytes)
    assert len(seen) == 8


class _FailingCatalog(Catalog):
    """Fails inside the transaction of the batch that holds one certain article."""

    def _upsert(self, article: Article, source: str) -> Outcome:
        if article.id == "a00333":
            raise CatalogError("the disk is full")
        return super()._upsert(article, source)


def test_batches_before_a_failure_stay_and_the_failed_one_leaves_nothing(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "s.jsonl", [_record(number) for number in range(500)])
    with _FailingCatalog(tmp_path / "catalog.db", write=True) as catalog:
        with pytest.raises(CatalogError, match="the disk is full"):
            ingest([source], catalog)
        assert catalog.counts()["n_articles"] == 200
    assert _counts(_ingest(tmp_path, source)) == (300, 0, 200, 0)


def test_an_interrupt_between_batches_keeps_what_is_in(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "s.jsonl", [_record(number) for number in range(500)])

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with Catalog(tmp_path / "catalog.db", write=True) as catalog, pytest.raises(KeyboardInterrupt):
        ingest([source], catalog, progress=interrupt)
    assert _counts(_ingest(tmp_path, source)) == (300, 0, 200, 0)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
_FIELDS = st.sampled_from(
    ["id", "title", "text", "url", "image_url", "published_at", "language", "tags", "kind", "read_more"]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(_FIELDS, _VALUES, max_size=6) | _VALUES, min_size=1, max_size=6))
def test_every_line_is_either_in_or_refused_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, records: Iterable[Any]
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    lines = [json.dumps(record) for record in records]
    source = folder / "s.jsonl"
    source.write_text("\n".join(lines), encoding="utf-8")
    report = _ingest(folder, source)
    assert sum(report.outcomes.values()) + report.n_refused == len(lines)
    assert all(refusal.reason and refusal.line for refusal in report.refused)
    assert _counts(_ingest(folder, source))[:2] == (0, 0)


def _put(tmp_path: Path, raw: bytes, name: str = "export.xml") -> IngestReport:
    (tmp_path / name).write_bytes(raw)
    return _ingest(tmp_path, tmp_path / name)


def test_what_an_export_does_not_publish_any_more_is_withdrawn_and_told(tmp_path: Path) -> None:
    _put(tmp_path, wxr(wxr_item(1), wxr_item(2), wxr_item(3)))
    report = _put(tmp_path, wxr(wxr_item(1), wxr_item(2, status="trash"), wxr_item(4, status="draft")))

    source = tmp_path / "export.xml"
    assert report.withdrawn == [("https://paper.example/2025/03/story-2", f"{source} has it as trash")]
    assert dict(report.left_out) == {"trash": 1, "draft": 1}
    with Catalog(tmp_path / "catalog.db") as catalog:
        assert sorted(catalog.known([f"https://paper.example/2025/03/story-{n}" for n in range(5)])) == [
            "https://paper.example/2025/03/story-1",
            "https://paper.example/2025/03/story-3",
        ]


def test_a_draft_with_the_name_of_a_published_post_takes_nothing_away(tmp_path: Path) -> None:
    report = _put(tmp_path, wxr(wxr_item(1), wxr_item(2, status="draft", slug="story-1")))

    assert (report.withdrawn, _counts(report)) == ([], (1, 0, 0, 0))


@pytest.mark.parametrize("name", ["s.jsonl", "s.json", "s.csv", "s.parquet"])
def test_a_record_whose_status_says_so_is_withdrawn_or_left_out(tmp_path: Path, name: str) -> None:
    write_jsonl(tmp_path / "first.jsonl", [_record(1), _record(2)])
    _ingest(tmp_path, tmp_path / "first.jsonl")
    rows = [_record(1, status="Withdrawn"), _record(2, status="published"), _record(3, status="draft")]
    table = "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    raw = {
        "s.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "s.json": json.dumps(rows).encode(),
        "s.csv": table.encode(),
    }
    report = _put(tmp_path, raw.get(name) or parquet(rows), name)

    assert report.withdrawn == [("a00001", f"{tmp_path / name} has it as withdrawn")]
    assert (_counts(report), dict(report.left_out)) == ((0, 0, 1, 0), {"withdrawn": 1, "draft": 1})


def test_who_takes_nothing_away_refuses_such_a_record(tmp_path: Path) -> None:
    report = IngestReport()
    lines = BytesIO(b'{"id": "a", "title": "A", "status": "draft"}\n{"id": "b", "title": "B"}')
    assert [article.id for article, _ in accepted(read_jsonl(lines, "body"), report)] == ["b"]
    assert [each.reason for each in report.refused] == [
        "status: says draft; an article is taken away by its id (DELETE, or recommender withdraw)"
    ]


def test_the_last_word_of_a_message_counts_when_an_item_goes_and_comes_back(tmp_path: Path) -> None:
    went = _put(tmp_path, newsml(news_item(1), news_item(2), news_item(1, status="canceled")))
    assert [article_id for article_id, _ in went.withdrawn] == ["urn:newsml:agency.example:2025:1"]
    back = _put(tmp_path, newsml(news_item(1, status="canceled"), news_item(1)))
    assert (back.withdrawn, _counts(back)) == ([], (1, 0, 0, 0))
