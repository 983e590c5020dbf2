"""The OpenAPI 3.1 document, made from the routes of the application, the table of parameters and the shapes of answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recommender.answer import Recommendation
from recommender.article import Article
from recommender.errors import HTTP_STATUSES, BusyError, RateLimitedError
from recommender.readers.record import MAX_ID_CHARS
from recommender.settings import Settings
from recommender.web.contract import record, shapes
from recommender.web.contract.examples import ANSWERS, ERRORS
from recommender.web.contract.operations import JSON, Body, Operation, operations
from recommender.web.contract.parameters import LIST, MAX_GIVEN, Parameter
from recommender.web.contract.schema import Components, Schema, summary

VERSION = "3.1.0"
_ERROR = {"$ref": "#/components/schemas/Error"}
_TAGS = {
    "lists": "Related stories, for readers.",
    "articles": "Articles written, read and withdrawn, with a key.",
    "operation": "How the service is.",
}
_ABOUT = """\
Which stories belong under which, and why.

Every error has one shape, `{"error": {"type", "message"}}`; `problems` names every wrong parameter, `suggestions` the articles \
that may have been meant. A path that is not here is answered with 404 (`not_found`), a method that a path does not know with \
405 (`method_not_allowed`). `HEAD` is answered wherever `GET` is. Every answer has an `X-Request-Id`, which is the request's own where it brings one.\
"""
_HEADERS: Mapping[str, Schema] = {
    "ETag": {"description": "A sum of the answer's bytes; send it back in `If-None-Match`.", "type": "string"},
    "Cache-Control": {
        "description": "How long the list may be kept: the older the story, the longer.",
        "type": "string",
    },
    "Surrogate-Key": {
        "description": "What a shared cache may drop it by: every story that it names.",
        "type": "string",
    },
    "Retry-After": {"description": "Seconds until it is worth to ask again.", "type": "integer", "minimum": 0},
    "WWW-Authenticate": {"description": "`Bearer`.", "type": "string"},
}
_CACHING = ("ETag", "Cache-Control", "Surrogate-Key")
_ARTICLE_ID: Mapping[str, Any] = {
    "name": "article_id",
    "in": "path",
    "required": True,
    "description": "The article's id, percent-encoded, slashes too. One that begins with a slash has no path.",
    "schema": {"type": "string", "pattern": "^[^/]", "maxLength": MAX_ID_CHARS},
}


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the application.

    Attributes:
        endpoint: by which it is known.
        path: with its variables in braces.
        methods: in lower case, without those that every route answers.
        says: what it does, a sentence.
    """

    endpoint: str
    path: str
    methods: tuple[str, ...]
    says: str


def document(routes: Iterable[Route], settings: Settings, version: str) -> Schema:
    """Return the document for these routes; those that ``operations`` does not know are not in it.

    Args:
        routes: of the application.
        settings: whose values are the defaults and the limits.
        version: of the program.
    """
    known = operations(settings)
    components = Components({Recommendation: shapes.story, Article: shapes.stored})
    paths: dict[str, Schema] = {}
    for route in sorted(routes, key=lambda each: each.path):
        if route.endpoint in known:
            told = _operation(route, known[route.endpoint], settings, components)
            paths.setdefault(route.path, {}).update(dict.fromkeys(route.methods, told))
    components.of(shapes.Error)
    schemas = components.schemas | {"ArticleRecord": record.article_record(), "PageRequest": record.page_request()}
    return {
        "openapi": VERSION,
        "info": {"title": "Newsroom Recommender", "version": version, "description": _ABOUT},
        "tags": [{"name": name, "description": says} for name, says in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "headers": {name: _header(schema) for name, schema in _HEADERS.items()},
            "securitySchemes": {
                "writeKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key with the scope `write`: `recommender keys add NAME --scope write`.",
                }
            },
        },
    }


def _operation(route: Route, operation: Operation, settings: Settings, components: Components) -> Schema:
    told: Schema = {
        "operationId": route.endpoint.replace(".", "_"),
        "tags": [operation.tag],
        "summary": route.says.rstrip("."),
        "parameters": _parameters(route, operation, settings),
        "responses": _responses(operation, components, has_id="{article_id}" in route.path),
    }
    if operation.body is not None:
        told["requestBody"] = _body(operation.body)
    if operation.scope is not None:
        told["security"] = [{f"{operation.scope}Key": []}]
    return told


def _parameters(route: Route, operation: Operation, settings: Settings) -> list[Schema]:
    listed = (*operation.also, *(LIST if operation.is_list else ()))
    told = [_parameter(parameter, settings) for parameter in listed]
    if "{article_id}" in route.path:
        told.insert(0, dict(_ARTICLE_ID))
    if operation.cached:
        says = "ETag of a list that is at hand; 304 where it is still the list."
        told.append({"name": "If-None-Match", "in": "header", "description": says, "schema": {"type": "string"}})
    return told


def _parameter(parameter: Parameter, settings: Settings) -> Schema:
    schema = dict(parameter.schema)
    if parameter.many:
        schema = {"type": "array", "items": schema, "maxItems": MAX_GIVEN}
    default = getattr(settings.ranking, parameter.setting) if parameter.setting else parameter.default
    if default is not None:
        schema["default"] = default
    told: Schema = {"name": parameter.name, "in": "query", "description": parameter.says, "schema": schema}
    if parameter.required:
        told["required"] = True
    return told if parameter.example is None else told | {"example": parameter.example}


def _body(body: Body) -> Schema:
    example = body.example or json.dumps({"id": "ferry-vote"} | record.EXAMPLE)
    return {"required": True, "content": {body.media: {"schema": body.schema, "example": example}}}


def _responses(operation: Operation, components: Components, *, has_id: bool) -> Schema:
    told: dict[str, Schema] = {}
    for status, shape in operation.answers.items():
        told[str(status)] = _answer(operation, shape, components)
    if operation.cached:
        told["304"] = {"description": "It is still the list.", "headers": _headers("ETag", "Cache-Control")}
    if operation.is_list:
        says = "The address is too long for the server, which says no more; `POST /v1/pages` takes the same in a body."
        told["414"] = {"description": says}
    for status, types in _refusals(operation, has_id=has_id).items():
        told[str(status)] = _refused(status, types, operation, told.get(str(status)))
    return dict(sorted(told.items()))


def _answer(operation: Operation, shape: type | str | None, components: Components) -> Schema:
    if shape is None:
        return {"description": "Done."}
    if isinstance(shape, str):
        schema: Schema = {"type": "string" if operation.media.startswith("text/") else "object"}
        told: Schema = {"description": shape, "content": {operation.media: {"schema": schema}}}
    else:
        content: Schema = {"schema": components.of(shape)}
        if shape in ANSWERS:
            content["example"] = ANSWERS[shape]
        told = {"description": summary(shape), "content": {operation.media: content}}
    return told | {"headers": _headers(*_CACHING)} if operation.cached else told


def _refusals(operation: Operation, *, has_id: bool) -> dict[int, dict[str, str]]:
    """Return what may be told, by status and type."""
    told: dict[int, dict[str, str]] = {500: {"internal": "An unforeseen error."}}
    if has_id:
        told[404] = {"not_found": "No id stands in the path."}
    for error in operation.errors:
        status, kind = HTTP_STATUSES[error]
        told.setdefault(status, {})[kind] = summary(error)
    if operation.scope is not None:
        told[401] = {"unauthorized": f"No key with the scope `{operation.scope}` was shown."}
    if operation.limited:
        status, kind = HTTP_STATUSES[RateLimitedError]
        told[status] = {kind: summary(RateLimitedError)}
    if operation.body is not None:
        told[413] = {"too_large": "The body is larger than is taken."}
        told.setdefault(400, {})["bad_request"] = "The body ends before it is whole."
        status, kind = HTTP_STATUSES[BusyError]
        told.setdefault(status, {}).setdefault(kind, summary(BusyError))
    return told


def _refused(status: int, types: Mapping[str, str], operation: Operation, besides: Schema | None) -> Schema:
    """Return the answer of an error; ``besides`` is what else is answered with this status."""
    says = "\n".join(f"- `{kind}`: {text}" for kind, text in types.items())
    told: Schema = {"description": says}
    if operation.tells:
        schema: Schema = _ERROR
        if besides is not None:
            schema = {"anyOf": [besides["content"][JSON]["schema"], _ERROR]}
        example = {"example": ERRORS[status]} if status in ERRORS else {}
        told["content"] = {JSON: {"schema": schema} | example}
    if status == 429 or (status == 503 and operation.tells):
        told["headers"] = _headers("Retry-After")
    if status == 401:
        told["headers"] = _headers("WWW-Authenticate")
    return told


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(schema: Schema) -> Schema:
    return {"description": schema["description"], "schema": {k: v for k, v in schema.items() if k != "description"}}
