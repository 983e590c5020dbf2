"""The demo newsroom: a front page, sections, articles with their sidebars, a search, and the widget as a site would have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from recommender.answer import options_of
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.errors import CatalogError, RecommenderError, UnknownArticleError
from recommender.home import Home
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.snapshot import Row
from recommender.web import edition
from recommender.web.api import live, settings
from recommender.web.refusals import refusal

page = Blueprint("page", __name__)

_OWN = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
_GUARDED = "frame-ancestors 'none'; require-trusted-types-for 'script'"
_CSP = f"{_OWN}; img-src 'self' data:; {_GUARDED}"
_CSP_WITH_PICTURES = f"{_OWN}; img-src 'self' data: http: https:; {_GUARDED}"
_NAV, _LEAD_LINKS, _MORE, _SECTION_PAGE = 10, 3, 6, 40
_EMPTY = "The archive is empty. Run: recommender ingest SOURCE, then: recommender rebuild"


@page.get("/")
def demo() -> Response:
    """Show the front page, an article (``?id=``), a section (``?section=``), or the stories nearest to a text (``?q=``)."""
    text = request.args.get("q", "").strip()[: settings().serve.max_query_chars]
    if text:
        return _page("search.html", _search, text)
    if "id" in request.args:
        return _page("story.html", _story, request.args["id"])
    if "section" in request.args:
        return _page("section.html", _section, request.args["section"])
    return _page("front.html", _front)


@page.get("/embed")
def embed() -> Response:
    """Show the widget on a page, for an article (``?id=``) or the front page's lead, and how to put it there."""
    response = _page("embed.html", _embed, request.args.get("id"))
    response.headers["Content-Security-Policy"] = _CSP_WITH_PICTURES
    return response


@page.app_template_filter("day")
def day(instant: str | datetime | None) -> str:
    """Return a date as a newspaper prints it, empty for None."""
    if instant is None:
        return ""
    when = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{when.day} {when:%B %Y}"


def _page(template: str, show: Callable[..., dict[str, Any]], *asked: str | None) -> Response:
    """Return a page of what ``show`` finds, or one that says what went wrong."""
    common: dict[str, Any] = {}
    status = 200
    try:
        recommender = live().get()
        common = {"nav": edition.section_names(recommender.snapshot)[:_NAV], "snapshot": recommender.snapshot.name}
        shown = show(recommender, *asked) if len(recommender.snapshot) else {"problem": _EMPTY}
    except RecommenderError as error:
        told = refusal(error)
        status, shown = told.status, {"problem": told.message, "suggestions": told.suggestions}
    template = "problem.html" if "problem" in shown else template
    response = make_response(render_template(template, status=status, **common, **shown), status)
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _front(recommender: Recommender) -> dict[str, Any]:
    front = edition.front(recommender.snapshot)
    if front is None:
        return {"problem": _EMPTY}
    options = replace(options_of(settings().ranking), k=_LEAD_LINKS)
    return {"front": front, "answer": recommender.related(front.lead.id, options), "n_stories": _n_stories(recommender)}


def _section(recommender: Recommender, name: str) -> dict[str, Any]:
    rows = edition.of_section(recommender.snapshot, name, _SECTION_PAGE)
    if not rows:
        raise UnknownArticleError(f"no section of this archive is called {name[:100]!r}")
    return {"section": name, "rows": rows}


def _story(recommender: Recommender, article_id: str) -> dict[str, Any]:
    answer = recommender.related(article_id, options_of(settings().ranking))
    row = recommender.snapshot.row(recommender.snapshot.dense.row_of(article_id) or 0)
    more = edition.of_section(recommender.snapshot, row.section, _MORE, without=row.id) if row.section else []
    return {"article": _body(row), "row": row, "answer": answer, "section": row.section, "more": more}


def _search(recommender: Recommender, text: str) -> dict[str, Any]:
    options = replace(options_of(settings().ranking), k=10, filters=Filters(stubs=False))
    return {"text": text, "answer": recommender.search(text, options)}


def _embed(recommender: Recommender, article_id: str | None) -> dict[str, Any]:
    front = edition.front(recommender.snapshot)
    if article_id is None and front is not None:
        article_id = front.lead.id
    answer = recommender.related(article_id or "", options_of(settings().ranking))
    return {"row": recommender.snapshot.row(recommender.snapshot.dense.row_of(answer.query["id"]) or 0)}


def _n_stories(recommender: Recommender) -> int:
    return int((~recommender.snapshot.columns.stub).sum())


def _body(row: Row) -> Article:
    """Return the article with its text from the catalog; without the catalog the page still has title and standfirst."""
    try:
        with Catalog(Home(settings().home).catalog) as catalog:
            found = catalog.article(row.id)
    except CatalogError:
        found = None
    return found or Article(row.id, row.title, row.description, url=row.url, language=row.language, section=row.section)
