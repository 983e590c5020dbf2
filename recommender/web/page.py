"""The demo page: an article with its sidebar, and a search box."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from recommender.answer import options_of
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.errors import CatalogError, RecommenderError
from recommender.home import Home
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.snapshot import Row
from recommender.web.api import live, settings
from recommender.web.refusals import refusal

page = Blueprint("page", __name__)

_CSP = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_SECTIONS, _STORIES_EACH = 12, 4


@page.get("/")
def demo() -> Response:
    """Show an article (``?id=``) with its sidebar, or the stories nearest to a text (``?q=``)."""
    try:
        recommender = live().get()
        text = request.args.get("q", "").strip()[: settings().serve.max_query_chars]
        shown = _search(recommender, text) if text else _article(recommender, request.args.get("id"))
        status = 200
    except RecommenderError as error:
        told = refusal(error)
        status = told.status
        shown = {"problem": told.message, "suggestions": told.suggestions}
    response = make_response(render_template("demo.html", status=status, **shown), status)
    response.headers["Content-Security-Policy"] = _CSP
    return response


@page.app_template_filter("day")
def day(instant: str | datetime | None) -> str:
    """Return a date as a newspaper prints it, empty for None."""
    if instant is None:
        return ""
    when = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{when.day} {when:%B %Y}"


def _article(recommender: Recommender, article_id: str | None) -> dict[str, Any]:
    snapshot = recommender.snapshot
    if not len(snapshot):
        return {
            "problem": "The archive is empty. Run: recommender ingest SOURCE, then: recommender rebuild",
            "suggestions": (),
        }
    article_id = article_id or _opening(recommender)
    answer = recommender.related(article_id, options_of(settings().ranking))
    row = snapshot.row(snapshot.dense.row_of(article_id) or 0)
    return {"article": _body(row), "row": row, "answer": answer, "sections": _sections(recommender)}


def _search(recommender: Recommender, text: str) -> dict[str, Any]:
    answer = recommender.search(text, replace(options_of(settings().ranking), k=10, filters=Filters(stubs=False)))
    return {"text": text, "answer": answer, "sections": _sections(recommender)}


def _body(row: Row) -> Article:
    """Return the article with its text from the catalog; without the catalog the page still has title and standfirst."""
    try:
        with Catalog(Home(settings().home).catalog) as catalog:
            found = catalog.article(row.id)
    except CatalogError:
        found = None
    return found or Article(row.id, row.title, row.description, url=row.url, language=row.language, section=row.section)


def _opening(recommender: Recommender) -> str:
    """Return the story to open with: the youngest one under which an editor set at least two links."""
    newest = _newest(recommender)
    for number in newest:
        if len(recommender.snapshot.graph.linked_by(number)) >= 2:
            return recommender.snapshot.dense.ids[number]
    return recommender.snapshot.dense.ids[newest[0] if newest else 0]


def _newest(recommender: Recommender) -> list[int]:
    columns = recommender.snapshot.columns
    return [
        int(number)
        for number in (-columns.published_at.astype(float)).argsort(kind="stable")
        if not columns.stub[number]
    ]


def _sections(recommender: Recommender) -> dict[str, list[Row]]:
    """Return the newest stories of the sections that have published last, for the list of other stories to try."""
    rows = (recommender.snapshot.row(number) for number in _newest(recommender)[:400])
    sections: dict[str, list[Row]] = {}
    for row in rows:
        stories = sections.setdefault(row.section or "news", [])
        if len(stories) < _STORIES_EACH:
            stories.append(row)
    return dict(sorted(list(sections.items())[:_SECTIONS]))
