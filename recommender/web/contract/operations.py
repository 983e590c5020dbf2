"""What each route takes and answers, by its endpoint. The path, the methods and the summary come from the route itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender.article import Article
from recommender.errors import (
    BusyError,
    CatalogError,
    EncoderBusyError,
    EncoderDisabledError,
    EncoderMissingError,
    KeysError,
    NoSnapshotError,
    QueryError,
    RecommenderError,
    RecordError,
    SettingsError,
    SnapshotError,
    UnknownArticleError,
)
from recommender.settings import Settings
from recommender.web.contract import clicks, record, shapes
from recommender.web.contract.parameters import HEADING_WORDS, URL, Parameter, text_of_at_most
from recommender.web.contract.schema import Schema

JSON = "application/json"
Errors = tuple[type[RecommenderError], ...]

_INDEX: Errors = (NoSnapshotError, SnapshotError, SettingsError)
_LIST: Errors = (QueryError, *_INDEX)
_TEXT: Errors = (EncoderBusyError, EncoderDisabledError, EncoderMissingError)
_KEY: Errors = (KeysError, CatalogError)
_WRITE: Errors = (*_KEY, BusyError)


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent.

    Attributes:
        schema: of the body, or of a line of it.
        example: one that is taken.
        media: its content type; it is not looked at.
    """

    schema: Schema
    example: object
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and answers.

    Attributes:
        tag: what it stands among.
        answers: by status; None for an answer without a body.
        errors: what may go wrong; everything that is asked of every route comes besides.
        is_list: it takes the parameters of a list.
        also: the parameters that it takes besides.
        body: what is sent.
        cached: it says how long its answer may be kept, and has an ETag.
        scope: of the key that it asks for; None for none.
        media: content type of its answers.
        tells: whether errors are told in the body; an include pastes whatever comes.
        limited: whether it is refused to who asks too often.
    """

    tag: str
    answers: Mapping[int, type | str | None]
    errors: Errors = ()
    is_list: bool = False
    also: tuple[Parameter, ...] = ()
    body: Body | None = None
    cached: bool = False
    scope: str | None = None
    media: str = JSON
    tells: bool = True
    limited: bool = True


def operations(settings: Settings) -> dict[str, Operation]:
    """Return what is known of each endpoint."""
    article = Body(record.RECORD, record.EXAMPLE)
    lists: dict[str, Any] = {"tag": "lists", "is_list": True, "cached": True, "answers": {200: shapes.StoryList}}
    html: dict[str, Any] = lists | {"answers": {200: "An HTML fragment; empty for no story."}, "media": "text/html"}
    writing: dict[str, Any] = {"tag": "articles", "scope": "write"}
    counting = Operation("lists", {204: None}, (QueryError, *_INDEX), body=Body(clicks.SCHEMA, clicks.EXAMPLE))
    return {
        "api.related": Operation(**lists, errors=(*_LIST, UnknownArticleError)),
        "api.related_by_url": Operation(**lists, errors=(*_LIST, UnknownArticleError), also=(URL,)),
        "api.related_to": Operation(**lists | {"cached": False}, errors=(*_LIST, RecordError, *_TEXT), body=article),
        "api.search": Operation(
            **lists, errors=(*_LIST, *_TEXT), also=(text_of_at_most(settings.serve.max_query_chars),)
        ),
        "fragments.related": Operation(
            **html, errors=(*_LIST, UnknownArticleError), also=(HEADING_WORDS,), tells=False
        ),
        "fragments.related_by_url": Operation(
            **html, errors=(*_LIST, UnknownArticleError), also=(URL, HEADING_WORDS), tells=False
        ),
        "slots.page": Operation(
            "lists",
            {200: shapes.Page},
            (*_LIST, UnknownArticleError, RecordError, *_TEXT),
            body=Body({"$ref": "#/components/schemas/PageRequest"}, record.PAGE_EXAMPLE),
        ),
        "writing.put": Operation(
            **writing, answers={200: shapes.Written, 201: shapes.Written}, errors=(*_WRITE, RecordError), body=article
        ),
        "writing.post": Operation(
            **writing,
            answers={200: shapes.BatchWritten, 422: shapes.BatchWritten},
            errors=(*_WRITE, QueryError),
            body=Body({"type": "string", "description": "One article record a line."}, "", "application/x-ndjson"),
        ),
        "writing.get": Operation(**writing, answers={200: Article}, errors=(*_KEY, UnknownArticleError)),
        "writing.delete": Operation(**writing, answers={200: shapes.Written}, errors=(*_WRITE, UnknownArticleError)),
        "api.healthz": Operation("operation", {200: shapes.Health}, limited=False),
        "api.readyz": Operation("operation", {200: shapes.Ready, 503: shapes.NotReady}, limited=False),
        "api.metrics": Operation(
            "operation", {200: "Counts and times in Prometheus' text format."}, media="text/plain", limited=False
        ),
        "api.status": Operation("operation", {200: shapes.Status}, _INDEX),
        "docs.document_of_this": Operation("operation", {200: "This document."}),
        **({"clicks.count": counting} if settings.serve.clicks else {}),
    }
