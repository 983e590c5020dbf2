"""JSON Schemas of what is sent: an article's record, and a page's question. The limits are the readers' own."""

from __future__ import annotations

from typing import Any

from recommender.article import KINDS
from recommender.readers import record
from recommender.web.contract.parameters import MAX_GIVEN, Parameter
from recommender.web.contract.schema import Schema
from recommender.web.contract.slots import MAX_PAGE_K, MAX_SLOTS, NAME, SLOT

RECORD: Schema = {"$ref": "#/components/schemas/ArticleRecord"}

EXAMPLE: dict[str, Any] = {
    "title": "Ferry crews vote to strike over night shifts",
    "description": "Sailors of the harbour ferries want two men on every night crossing.",
    "text": "The ferry crews of Port Linden voted on Monday for a strike.\nThey ask for a second sailor at night.",
    "url": "https://www.example.org/news/ferry-vote",
    "published_at": "2025-03-10T09:00:00+01:00",
    "language": "en",
    "section": "business",
    "read_more": [{"title": "Council presents its plan", "url": "https://www.example.org/news/harbour-plan"}],
}
PAGE_EXAMPLE: dict[str, Any] = {
    "article": EXAMPLE,
    "slots": [{"name": "sidebar", "k": 3}, {"name": "foot", "k": 5, "past_only": True}],
    "exclude": ["ferry-strike"],
}


def article_record() -> Schema:
    """Return the schema of an article as a newsroom sends it; fields that it does not name are ignored."""
    strings = {"type": "array", "items": {"type": "string"}, "maxItems": record.MAX_LIST_ITEMS}
    forms = [{"format": "date"}, {"format": "date-time"}, {"enum": ["", None]}]
    moment = {"type": ["string", "null"], "anyOf": forms}
    link = {
        "type": "object",
        "properties": {"title": _text("The headline shown.", record.MAX_TITLE_CHARS), "url": _ADDRESS},
    }
    return {
        "type": "object",
        "description": "An article as a newsroom sends it. Fields that are not named here are ignored; lengths are of cleaned text.",
        "required": ["title"],
        "properties": {
            "id": {
                "type": ["string", "integer", "null"],
                "maxLength": record.MAX_ID_CHARS,
                "description": "Stable key; by default the canonical url, else a digest of title and date.",
            },
            "title": {
                "type": "string",
                "minLength": 1,
                "maxLength": record.MAX_TITLE_CHARS,
                "description": "The headline; it must hold something that can be read.",
            },
            "description": _text("The standfirst.", record.MAX_DESCRIPTION_CHARS),
            "text": _text("The body, paragraphs parted by newlines.", record.MAX_TEXT_CHARS),
            "url": {
                "type": ["string", "null"],
                "format": "uri",
                "pattern": "^$|^\\s*[hH][tT][tT][pP][sS]?://",
                "description": "The article's address, absolute http(s).",
            },
            "image_url": _ADDRESS | {"description": "Absolute http(s), or relative to the url; else it is dropped."},
            "published_at": moment | {"description": "RFC 3339; without an offset it counts as UTC."},
            "modified_at": moment | {"description": "RFC 3339; without an offset it counts as UTC."},
            "language": {
                "type": ["string", "null"],
                "pattern": "^$|^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$",
                "maxLength": 35,
                "description": "BCP 47; detected where it is absent.",
            },
            "section": _text("The section, as the newsroom names it.", record.MAX_ITEM_CHARS),
            "tags": {"anyOf": [strings, {"type": ["string", "null"]}], "description": "Or a single one."},
            "authors": {"anyOf": [strings, {"type": ["string", "null"]}], "description": "Or a single one."},
            "kind": {"enum": [*KINDS, "", None], "description": "`news` where it is absent."},
            "read_more": {
                "type": ["array", "null"],
                "items": {"anyOf": [{"type": "string"}, link]},
                "maxItems": record.MAX_LIST_ITEMS,
                "description": "The editor's links in order: title and url, or a bare title.",
            },
        },
    }


def page_request() -> Schema:
    """Return the schema of the body that asks for a page."""
    slot = {
        "type": "object",
        "description": "A list of the page. It takes what a list takes in a query string, but for `raw` and `collapse`.",
        "properties": {
            "name": {"type": "string", "pattern": NAME, "description": "Its list is answered under this name."},
            **{parameter.name: _in_slot(parameter) for parameter in SLOT},
        },
        "required": ["name"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": "An article, and the lists of its page. The first slots choose first.",
        "properties": {
            "id": {"type": "string", "minLength": 1, "description": "Of a known article."},
            "url": {"type": "string", "minLength": 1, "format": "uri", "description": "Of a known article."},
            "article": RECORD | {"description": "An article that is sent along and not stored."},
            "slots": {
                "type": "array",
                "items": slot,
                "minItems": 1,
                "maxItems": MAX_SLOTS,
                "description": f"In the order in which they choose; no name twice, {MAX_PAGE_K} stories together.",
            },
            "exclude": {
                "type": "array",
                "items": {"type": "string"},
                "maxItems": MAX_GIVEN,
                "description": "Ids of stories that stand on the page already.",
            },
        },
        "required": ["slots"],
        "oneOf": [{"required": [name]} for name in ("id", "url", "article")],
        "additionalProperties": False,
    }


_ADDRESS: Schema = {"description": "An absolute http(s) address; anything else is dropped."}


def _text(says: str, most: int) -> Schema:
    return {"type": ["string", "null"], "maxLength": most, "description": says}


def _in_slot(parameter: Parameter) -> Schema:
    value = dict(parameter.schema)
    if parameter.many:
        value = {"anyOf": [value, {"type": "array", "items": value, "maxItems": MAX_GIVEN}]}
    return value | {"description": parameter.says}
