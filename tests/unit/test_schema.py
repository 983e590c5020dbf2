"""JSON Schema of annotated plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import pytest

from recommender.web.contract.schema import Components, attributes, summary


class Colour(StrEnum):
    RED = "red"


class Point(NamedTuple):
    """Where it is."""

    x: int


@dataclass
class Shape:
    """A shape.
    On paper.

    Not told.

    Attributes:
        name: as ``people`` say, or None
            where they say nothing.
        at, to: its :class:`ends`.
    """

    name: str | None
    at: Point
    to: Point
    parts: tuple[Shape, ...] = ()


class Drawing(TypedDict):
    shapes: list[Shape]
    title: NotRequired[str]


class Loose(TypedDict, total=False):
    x: int


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (int | None, {"type": ["integer", "null"]}),
        (bool | str | None, {"type": ["boolean", "string", "null"]}),
        (list[float], {"type": "array", "items": {"type": "number"}}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (list[int] | None, {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Colour, {"type": "string", "enum": ["red"]}),
        (Colour | Literal["b"], {"anyOf": [{"type": "string", "enum": ["red"]}, {"type": "string", "enum": ["b"]}]}),
        (datetime, {"type": "string", "format": "date-time"}),
        (Point, {"$ref": "#/components/schemas/Point"}),
    ],
)
def test_a_type_has_its_schema(kind: Any, schema: dict[str, Any]) -> None:
    assert Components().of(kind) == schema


def test_a_class_is_told_by_its_fields_and_its_docstring_also_where_it_speaks_of_itself() -> None:
    components = Components()
    components.of(Shape)
    told = components.schemas["Shape"]
    assert told["description"] == "A shape. On paper."
    assert told["required"] == ["name", "at", "to", "parts"]
    assert told["properties"]["name"] == {
        "type": ["string", "null"],
        "description": "as `people` say, or null where they say nothing.",
    }
    assert told["properties"]["to"]["description"] == "its `ends`."
    assert told["properties"]["parts"]["items"] == {"$ref": "#/components/schemas/Shape"}
    assert set(components.schemas) == {"Shape", "Point"}


def test_what_need_not_be_there_is_not_required() -> None:
    components = Components()
    components.of(Drawing)
    components.of(Loose)
    assert components.schemas["Drawing"]["required"] == ["shapes"]
    assert "required" not in components.schemas["Loose"]


def test_a_class_may_be_made_by_hand() -> None:
    components = Components({Point: lambda made: {"type": "string"}})
    components.of(Point)
    assert components.schemas == {"Point": {"type": "string"}}


def test_what_is_no_plain_data_has_no_schema() -> None:
    with pytest.raises(TypeError, match=r"is no plain data that a schema can be made of"):
        Components().of(Components)


def test_a_docstring_may_say_nothing() -> None:
    assert (summary(Drawing), attributes(Drawing)) == ("", {})
