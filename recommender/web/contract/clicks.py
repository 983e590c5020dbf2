"""What is sent to be counted: stories that were shown under an article, or one that was clicked."""

from __future__ import annotations

from typing import Any, NamedTuple

from recommender import readers
from recommender.answer import MAX_K
from recommender.errors import Problem, QueryError, RecordError
from recommender.readers.record import MAX_ID_CHARS
from recommender.web.contract.schema import Schema

MAX_POSITION = 20
"""What stands further down is not counted."""
MAX_IDS = 200
_MAX_REFERENCE_CHARS = 4_096
_MAX_TOLD = 20
_FIELDS = ("article", "ids", "id", "position")

_ID: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS}
_ARTICLE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": _MAX_REFERENCE_CHARS,
    "description": "Id or address of the article under which the list stands.",
}
SCHEMA: Schema = {
    "description": "Also as `text/plain`, which browsers send without asking before.",
    "oneOf": [
        {
            "title": "Shown",
            "type": "object",
            "properties": {
                "article": _ARTICLE,
                "ids": {
                    "type": "array",
                    "items": _ID,
                    "minItems": 1,
                    "maxItems": MAX_IDS,
                    "description": "What was shown, in its order; the first 20 are counted.",
                },
            },
            "required": ["article", "ids"],
            "additionalProperties": False,
        },
        {
            "title": "Clicked",
            "type": "object",
            "properties": {
                "article": _ARTICLE,
                "id": _ID | {"description": "What was clicked."},
                "position": {"type": "integer", "minimum": 1, "maximum": MAX_K},
            },
            "required": ["article", "id", "position"],
            "additionalProperties": False,
        },
    ],
}
EXAMPLE: dict[str, Any] = {"article": "ferry-vote", "ids": ["ferry-strike", "ferry-deal"]}


class Told(NamedTuple):
    """What was told: the stories that were shown, from position 1 on, or the one that was clicked, with its position."""

    article: str
    shown: tuple[str, ...] = ()
    clicked: tuple[str, int] | None = None


def told_of(raw: bytes) -> Told:
    """Return what a body tells.

    Raises:
        QueryError: it names everything that is wrong.
    """
    try:
        body = readers.parse_json(raw)
    except RecordError as error:
        raise QueryError(str(error)) from None
    if not isinstance(body, dict):
        raise QueryError(
            'the body is no JSON object; send {"article": …, "ids": […]} or {"article": …, "id": …, "position": …}'
        )
    problems = [
        Problem(str(name)[:60], f"{str(name)[:60]}: is unknown; known are {', '.join(_FIELDS)}")
        for name in body
        if name not in _FIELDS
    ][:_MAX_TOLD]
    if not _is_text(article := body.get("article"), _MAX_REFERENCE_CHARS):
        problems.append(
            Problem("article", "article: must be the id or address of the article under which the list stands")
        )
    if ("ids" in body) == ("id" in body):
        problems.append(
            Problem("ids", "ids: give either ids, what was shown in order, or id and position, what was clicked")
        )
    problems += _problems_of(body)
    if problems:
        raise QueryError.of(problems)
    if "ids" in body:
        return Told(str(article), shown=tuple(body["ids"]))
    return Told(str(article), clicked=(body["id"], body["position"]))


def _problems_of(body: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    if "ids" in body:
        ids = body["ids"]
        if not isinstance(ids, list) or not 0 < len(ids) <= MAX_IDS or not all(map(_is_id, ids)):
            problems.append(Problem("ids", f"ids: must be a list of 1 to {MAX_IDS} ids"))
        if "position" in body:
            problems.append(
                Problem("position", "position: belongs to an id that was clicked; ids have their own order")
            )
    if "id" in body:
        if not _is_id(body["id"]):
            problems.append(Problem("id", "id: must be the id of the story that was clicked"))
        position = body.get("position")
        if isinstance(position, bool) or not isinstance(position, int) or not 1 <= position <= MAX_K:
            problems.append(Problem("position", f"position: must be a whole number from 1 to {MAX_K}"))
    return problems


def _is_id(value: object) -> bool:
    return _is_text(value, MAX_ID_CHARS)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most
