"""JSON Schema (2020-12, as OpenAPI 3.1 takes it) of annotated plain data: dataclasses, named tuples and typed dicts.

What is said of a field is what the class's docstring says of it under ``Attributes``.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

Schema = dict[str, Any]

_PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
}


class Components:
    """Schemas by name, made when they are first referred to.

    Attributes:
        schemas: those that were referred to.
    """

    def __init__(self, made: Mapping[type, Callable[[Components], Schema]] | None = None) -> None:
        """Take how some types are made that cannot be read off their class."""
        self.schemas: dict[str, Schema] = {}
        self._made = made or {}

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type: classes as a reference, everything else in place."""
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if kind in (Any, object):
            return {}
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin in (Union, types.UnionType):
            return _either([self.of(each) for each in arguments])
        if origin is NotRequired:
            return self.of(arguments[0])
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(arguments[0])}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"type": "string", "enum": [each.value for each in kind]}
        return self._referred(kind)

    def _referred(self, kind: type) -> Schema:
        name = kind.__name__
        if name not in self.schemas:
            self.schemas[name] = {}  # a class may speak of itself
            self.schemas[name] = self._made[kind](self) if kind in self._made else object_schema(kind, self)
        return {"$ref": f"#/components/schemas/{name}"}


def object_schema(kind: type, components: Components, *, without: Sequence[str] = ()) -> Schema:
    """Return the schema of a class as it is answered: every field is there, unless it is marked as not required."""
    says = attributes(kind)
    names = _fields(kind, without)
    hints = {name: hint for name, hint in get_type_hints(kind, include_extras=True).items() if name in names}
    schema: Schema = {
        "type": "object",
        "properties": {name: _described(components.of(hint), says.get(name)) for name, hint in hints.items()},
    }
    optional: frozenset[str] = getattr(kind, "__optional_keys__", frozenset())
    if required := [
        name for name, hint in hints.items() if name not in optional and get_origin(hint) is not NotRequired
    ]:
        schema["required"] = required
    return _described(schema, summary(kind))


def summary(kind: object) -> str:
    """Return the first paragraph of a docstring, in one line."""
    return _plain(_docstring(kind).split("\n\n")[0])


def attributes(kind: type) -> dict[str, str]:
    """Return what a class's docstring says of its fields."""
    told = _docstring(kind).partition("Attributes:\n")[2]
    says: dict[str, str] = {}
    for names, text in re.findall(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", told, re.MULTILINE):
        says |= dict.fromkeys(names.split(", "), _plain(text))
    return says


def _docstring(kind: object) -> str:
    """Return what is said of it itself, not of what it is derived from."""
    told = kind.__dict__.get("__doc__") if isinstance(kind, type) else kind.__doc__
    return inspect.cleandoc(told or "")


def _fields(kind: type, without: Sequence[str]) -> set[str]:
    if dataclasses.is_dataclass(kind):
        names = {field.name for field in dataclasses.fields(kind)}
    elif is_typeddict(kind):
        names = set(kind.__annotations__)
    else:
        names = set(getattr(kind, "_fields", ()))
    if not names:
        raise TypeError(f"{kind!r} is no plain data that a schema can be made of")
    return names - set(without)


def _either(schemas: Sequence[Schema]) -> Schema:
    """Return the schema of a union; two plain types become one schema with both."""
    if all(set(each) == {"type"} for each in schemas):
        return {"type": [each["type"] for each in schemas]}
    return {"anyOf": list(schemas)}


def _described(schema: Schema, text: str | None) -> Schema:
    return schema | {"description": text} if text else schema


def _plain(text: str) -> str:
    """Return a docstring's text for people who do not read Python."""
    return " ".join(re.sub(r":\w+:", "", text).replace("``", "`").replace("None", "null").split())
