"""The routes that write: one article, a batch, a withdrawal. Each answers when what it tells of is on the disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from recommender import readers
from recommender.article import Article
from recommender.catalog import Catalog, Outcome
from recommender.errors import QueryError, RecordError, UnknownArticleError
from recommender.home import Home
from recommender.ingest import IngestReport, Intake, accepted, article_of
from recommender.settings import Settings
from recommender.web.bodies import body
from recommender.web.guard import write_key_needed
from recommender.web.responses import as_json

writing = Blueprint("writing", __name__)


def _settings() -> Settings:
    held: Settings = current_app.extensions["recommender.settings"]
    return held


def _intake() -> Intake:
    return Intake(Home(_settings().home), fuzzy_threshold=_settings().links.fuzzy_threshold)


def _source() -> str:
    return f"http, key {g.key_name}"


@writing.put("/v1/articles/<path:article_id>")
@write_key_needed
def put(article_id: str) -> Response:
    """Write one article: 201 where it is new, 200 where it was known."""
    record = readers.parse_json(body())
    if not isinstance(record, dict):
        raise RecordError("the body is no JSON object; send one article")
    if record.get("id", article_id) != article_id:
        raise RecordError(
            f"id: the body says {str(record['id'])[:100]!r}, the address {article_id[:100]!r}; leave it out"
        )
    article = article_of(readers.entry_of(record | {"id": article_id}, "body", None, 0))
    written = _intake().upsert([article], _source())
    (outcome,) = written.outcomes
    told = {"id": article_id, "outcome": outcome.value, "change": written.change}
    return as_json(told, 201 if outcome is Outcome.NEW else 200)


@writing.post("/v1/articles")
@write_key_needed
def post() -> Response:
    """Write a batch, one JSON object a line: all good ones in one transaction, the others named. 422 where none is good."""
    request.max_content_length = _settings().serve.max_batch_bytes
    report = IngestReport()
    articles = [article for article, _ in accepted(readers.read_jsonl(BytesIO(body()), "body"), report)]
    if not articles and not report.n_refused:
        raise QueryError("the body is empty; send articles as JSONL, one JSON object a line")
    written = _intake().upsert(articles, _source())
    outcomes = Counter(written.outcomes)
    told: dict[str, Any] = {outcome.value: outcomes[outcome] for outcome in Outcome} | {"refused": report.n_refused}
    told |= {"change": written.change, "refusals": [asdict(refusal) for refusal in report.refused]}
    return as_json(told, 200 if articles else 422)


@writing.delete("/v1/articles/<path:article_id>")
@write_key_needed
def delete(article_id: str) -> Response:
    """Withdraw an article: no list holds it from here on, in any process."""
    withdrawn = _intake().withdraw([article_id])
    if not withdrawn.ids:
        raise UnknownArticleError(f"no article has the id {article_id[:200]!r}")
    return as_json({"id": article_id, "outcome": "withdrawn", "change": withdrawn.change})


@writing.get("/v1/articles/<path:article_id>")
@write_key_needed
def get(article_id: str) -> Response:
    """Return an article as it is stored."""
    with Catalog(Home(_settings().home).catalog) as catalog:
        article = catalog.article(article_id)
    if article is None:
        raise UnknownArticleError(f"no article has the id {article_id[:200]!r}")
    return as_json(_record(article))


def _record(article: Article) -> dict[str, Any]:
    record = asdict(article)
    for name in ("published_at", "modified_at"):
        record[name] = record[name].isoformat() if record[name] else None
    return record
