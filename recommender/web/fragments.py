"""The list as a piece of HTML, for server-side includes and for readers and crawlers without scripts.

An include pastes whatever comes into the page, so nothing comes but a list: with no story to show, and on every error, the
body is empty and the status tells. What is wrong is said by the JSON route, asked the same.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request

from recommender.answer import Answer
from recommender.errors import RecommenderError
from recommender.fragment import HEADING, fragment
from recommender.recommend import Recommender
from recommender.web.api import asked, live
from recommender.web.caching import of_list
from recommender.web.contract.parameters import HEADING_WORDS, URL
from recommender.web.cors import share
from recommender.web.refusals import refusal

log = logging.getLogger(__name__)

fragments = Blueprint("fragments", __name__)
fragments.after_request(share)


@fragments.get("/v1/articles/<path:article_id>/related.html")
def related(article_id: str) -> Response:
    """Answer for a known article with a piece of HTML; with nothing where there is nothing to show, and on every error."""
    chosen = asked(HEADING_WORDS)
    recommender = live().get()
    return _listed(recommender.related(article_id, chosen), recommender)


@fragments.get("/v1/related.html")
def related_by_url() -> Response:
    """Answer for the article at an address with a piece of HTML."""
    chosen = asked(URL, HEADING_WORDS)
    recommender = live().get()
    return _listed(recommender.related_by_url(request.args["url"], chosen), recommender)


def _listed(answer: Answer, recommender: Recommender) -> Response:
    body = fragment(answer, heading=request.args.get("heading", HEADING)) if answer.results else ""
    return of_list(_html(body), answer, recommender)


def _html(body: str, status: int = 200) -> Response:
    return Response(body, status=status, mimetype="text/html")


@fragments.errorhandler(RecommenderError)
def _refused(error: RecommenderError) -> Response:
    return _html("", refusal(error).status)


@fragments.errorhandler(Exception)
def _failed(error: Exception) -> Response:
    log.exception("an unforeseen error", exc_info=error)
    return _html("", 500)
