from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from newsroom import RecordingEncoder, publish, settings_for, store

from recommender import readers
from recommender.article import KINDS, Article
from recommender.catalog import Catalog
from recommender.home import Home
from recommender.ingest import IngestReport, Writer, ingest
from recommender.measures import read_qrels
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import load

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
DOCUMENTS = ROOT.parent / "shared" / "seeds"
SECTIONS = {"world", "politics", "business", "science", "culture", "sport"}


def _ingest(settings: Settings, *sources: Path) -> IngestReport:
    home = Home(settings.home)
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        return ingest(sources, Writer(catalog, fuzzy_threshold=90))


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted((SEEDS / "articles").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, IngestReport]:
    """The sample corpus, ingested and published."""
    made = settings_for(tmp_path_factory.mktemp("corpus") / "home")
    report = _ingest(made, SEEDS / "articles")
    publish(made)
    return made, report


def test_the_whole_corpus_goes_in(corpus: tuple[Settings, IngestReport], records: list[dict[str, Any]]) -> None:
    _, report = corpus
    assert report.refused == []
    assert report.n_skipped == 0
    assert report.outcomes == {"new": len(records)}
    assert len(records) >= 120


def test_every_article_is_of_a_newspapers_length(records: list[dict[str, Any]]) -> None:
    lengths = {record["id"]: len(record["text"].split()) for record in records}
    assert {article_id: n_words for article_id, n_words in lengths.items() if not 120 <= n_words <= 400} == {}


def test_the_corpus_has_six_sections_several_kinds_and_languages(
    corpus: tuple[Settings, IngestReport], records: list[dict[str, Any]]
) -> None:
    settings, _ = corpus
    with Catalog(Home(settings.home).catalog) as catalog:
        articles = list(catalog.articles())
        links = catalog.links()
    assert {article.section for article in articles} == SECTIONS
    assert {article.kind for article in articles} <= set(KINDS)
    assert len({article.kind for article in articles}) >= 3
    assert Counter(article.language for article in articles)["en"] >= 100
    assert all(article.url and article.description and article.published_at for article in articles)
    assert len({article.url for article in articles}) == len(articles)
    assert {"url", "title", "fuzzy", "stub"} <= {link.method for link in links}
    assert not any(
        link.title in article.text for article in articles for link in links if link.article_id == article.id
    )


def test_every_judged_article_is_in_the_corpus(records: list[dict[str, Any]]) -> None:
    file = SEEDS / "qrels.tsv"
    if not file.exists():
        pytest.skip("the corpus has no judgments")
    qrels = read_qrels(file.read_text(encoding="utf-8").splitlines())
    language = {record["id"]: record["language"] for record in records}
    judged = {article_id for grades in qrels.values() for article_id in grades}
    assert (judged | set(qrels)) - set(language) == set()
    assert all(query not in grades for query, grades in qrels.items())
    assert all(0 <= grade <= 3 for grades in qrels.values() for grade in grades.values())
    assert all(sum(grade > 0 for grade in grades.values()) >= 4 for grades in qrels.values())
    assert {query for query, grades in qrels.items() for other in grades if language[other] != language[query]} == set()


def test_every_story_of_the_corpus_has_a_list(corpus: tuple[Settings, IngestReport]) -> None:
    settings, report = corpus
    recommender = Recommender.open(settings)
    for article_id in recommender.snapshot.dense.ids:
        answer = recommender.related(article_id)
        assert article_id not in [result.id for result in answer.results]
        assert answer.results
    assert len(recommender.snapshot) > sum(report.outcomes.values())


def test_only_news_is_offered_and_no_near_copy_twice(corpus: tuple[Settings, IngestReport]) -> None:
    settings, _ = corpus
    recommender = Recommender.open(settings)
    columns, row_of = recommender.snapshot.columns, recommender.snapshot.dense.require_row
    for article_id in recommender.snapshot.dense.ids:
        similar = [
            row_of(result.id) for result in recommender.related(article_id).results if result.source == "similar"
        ]
        assert {columns.kinds[columns.kind[row]] for row in similar} <= {"news"}
        groups = [int(columns.copies[row]) for row in [row_of(article_id), *similar] if columns.copies[row] >= 0]
        assert len(set(groups)) == len(groups)


def _document() -> Path:
    if not DOCUMENTS.is_dir():
        pytest.skip("the documents that this project was given are not beside this checkout")
    (file,) = DOCUMENTS.glob("*.txt")
    return file


def test_a_plain_text_document_goes_the_whole_way(settings: Settings) -> None:
    file = _document()
    assert _ingest(settings, file).outcomes == {"new": 1}
    encoder = RecordingEncoder()
    report = publish(settings, encoder)
    assert (report.n_articles, report.n_stubs, report.links) == (1, 3, {"stub": 3})
    (article,) = readers.read_bytes(file.read_bytes())
    titles = [link.title for link in article.read_more]
    assert titles == [line.strip() for line in file.read_text(encoding="utf-8").splitlines()[-3:]]
    body = [text for text in encoder.texts if text not in titles]
    assert sorted(set(encoder.texts) - set(body)) == sorted(titles)
    assert not [text for text in body for title in titles if title in text or "Read more" in text]
    live = load(Home(settings.home))
    row = live.dense.row_of(article.id)
    assert row is not None
    assert [live.row(number).title for number in live.graph.linked_by(row)] == titles
    assert live.row(row).language == "en"
    answer = Recommender.open(settings).related(article.id)
    assert [(result.title, result.stub, result.source) for result in answer.results] == [
        (title, True, "link") for title in titles
    ]


def test_the_document_finds_its_stubs_articles_when_they_arrive(settings: Settings) -> None:
    file = _document()
    (article,) = readers.read_bytes(file.read_bytes())
    _ingest(settings, file)
    publish(settings)
    store(settings, [Article(f"a{number}", link.title, language="en") for number, link in enumerate(article.read_more)])
    report = publish(settings)
    assert (report.n_stubs, report.links) == (0, {"title": 3})
    assert [result.id for result in Recommender.open(settings).related(article.id).results] == ["a0", "a1", "a2"]
