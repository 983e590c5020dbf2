"""The body of a page's question, read: an article, and several named slots. Every wrong parameter is named. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommender import readers
from recommender.answer import Options
from recommender.article import Article
from recommender.errors import Problem, QueryError
from recommender.rank import Columns
from recommender.settings import RankingSettings
from recommender.web.contract import asked
from recommender.web.contract.parameters import LIST, MAX_GIVEN, Parameter

MAX_SLOTS = 10
MAX_PAGE_K = 200
NAME = r"^[A-Za-z0-9_-]{1,64}$"
SLOT = tuple(parameter for parameter in LIST if parameter.name not in ("collapse", "raw"))
"""What a slot may say: as any list, but that a page never shows a story twice."""

_ARTICLE = ("id", "url", "article")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
}


@dataclass(frozen=True, slots=True)
class PageAsked:
    """What is asked for a page.

    Attributes:
        article: an id or address, or an article that was sent along.
        by_url: ``article`` is an address.
        slots: how each list is made, in the order in which they choose.
        exclude: ids that stand on the page already.
    """

    article: str | Article
    by_url: bool
    slots: Mapping[str, Options]
    exclude: tuple[str, ...] = ()


def page_asked(body: object, settings: RankingSettings, columns: Columns | None = None) -> PageAsked:
    """Return what a body asks for.

    Args:
        body: a JSON value.
        settings: hold for what a slot does not say.
        columns: of the archive, so that what it does not hold is named beside what is wrong by itself.

    Raises:
        QueryError: names all that is wrong.
        RecordError: the article that was sent along is none.
    """
    if not isinstance(body, dict):
        raise QueryError('the body must be a JSON object: {"id": ..., "slots": [{"name": ..., "k": ...}]}')
    problems = [Problem(_shown(name), f"{_shown(name)}: {_TOP}") for name in body if name not in _KNOWN]
    given = [name for name in _ARTICLE if name in body]
    if len(given) != 1:
        told = "are given; give one of them" if given else "one of them is missing"
        problems.append(Problem("id", f"{', '.join(given or _ARTICLE)}: {told}"))
    problems += [
        Problem(name, f"{name}: must be a string that is not empty")
        for name in given
        if name != "article" and not (isinstance(body[name], str) and body[name])
    ]
    exclude = _excluded(body.get("exclude", []), problems)
    slots = _slots(body.get("slots"), settings, columns, problems)
    if problems:
        raise QueryError.of(problems[: asked.MAX_PROBLEMS])
    article = readers.article_from_record(body["article"]) if given == ["article"] else body[given[0]]
    return PageAsked(article, given == ["url"], slots, exclude)


_KNOWN = (*_ARTICLE, "slots", "exclude")
_TOP = f"no such field; known are {', '.join(_KNOWN)}"


def _excluded(value: object, problems: list[Problem]) -> tuple[str, ...]:
    if isinstance(value, list) and len(value) <= MAX_GIVEN and all(isinstance(each, str) for each in value):
        return tuple(value)
    problems.append(Problem("exclude", f"exclude: must be a list of at most {MAX_GIVEN} ids"))
    return ()


def _slots(
    value: object, settings: RankingSettings, columns: Columns | None, problems: list[Problem]
) -> dict[str, Options]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SLOTS:
        problems.append(Problem("slots", f"slots: must be a list of 1 to {MAX_SLOTS} slots"))
        return {}
    slots: dict[str, Options] = {}
    for number, slot in enumerate(value, start=1):
        name = slot.get("name") if isinstance(slot, dict) else None
        if not isinstance(name, str) or not re.fullmatch(NAME[1:-1], name):
            told = f"slots: slot {number} must be an object with a name of 1 to 64 letters, digits, _ and -"
            problems.append(Problem("slots", told))
        elif name in slots:
            problems.append(Problem("slots", f"slots: two slots have the name {name}"))
        else:
            slots[name] = _slot(slot, settings, columns, problems)
    if (total := sum(options.k for options in slots.values())) > MAX_PAGE_K:
        problems.append(Problem("slots", f"slots: ask for {total} stories together, at most {MAX_PAGE_K} are given"))
    return slots


def _slot(
    slot: Mapping[str, Any], settings: RankingSettings, columns: Columns | None, problems: list[Problem]
) -> Options:
    texts: list[tuple[str, Sequence[str]]] = []
    wrong: list[Problem] = []
    known = {parameter.name: parameter for parameter in SLOT}
    for given, value in slot.items():
        if given == "name":
            continue
        name = _shown(given)
        try:
            texts.append((name, _texts(known[name], value) if name in known else [""]))
        except QueryError as error:
            wrong.append(Problem(name, str(error)))
    found, more = asked.read(texts, SLOT)
    options = asked.options_from(found, settings)
    wrong += [*more, *(options.filters.problems(columns) if columns is not None else ())]
    where = f"slots.{slot['name']}."
    problems += [Problem(f"{where}{each.parameter}", f"{where}{each.message}") for each in wrong]
    return options


def _texts(parameter: Parameter, value: object) -> list[str]:
    """Return what a query string would have said."""
    if not parameter.many:
        return [_text(parameter, value)]
    return [_text(parameter, each) for each in (value if isinstance(value, list) else [value])]


def _text(parameter: Parameter, value: object) -> str:
    kind = parameter.schema["type"]
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON does not tell 3 from 3.0
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        often = ", or a list of them" if parameter.many else ""
        raise QueryError(f"{parameter.name}: must be {'an' if kind == 'integer' else 'a'} {kind}{often}")
    return str(value)


def _shown(name: str) -> str:
    """Return a field's name as it can be told: without half characters, and not longer than need be."""
    return name[:100].encode("utf-8", "replace").decode()
