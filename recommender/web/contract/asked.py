"""What was given under the names of parameters, read: every wrong one is named, whatever it came in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender.answer import DEFAULT_OPTIONS, Options, options_of
from recommender.errors import Problem, QueryError
from recommender.rank import Filters
from recommender.settings import RankingSettings
from recommender.web.contract.parameters import MAX_GIVEN, Parameter

MAX_PROBLEMS = 20
_MAX_NAME_CHARS = 100
_CHECKED = ("k", "diversity", "floor")  # bounds that the options themselves hold


def read(
    given: Iterable[tuple[str, Sequence[str]]], parameters: Iterable[Parameter]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of what is good, by name, and what is wrong with the rest, at most 20.

    Args:
        given: names and their texts, in order.
        parameters: those that may be given.
    """
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, texts in given:
        if len(problems) >= MAX_PROBLEMS:
            break
        try:
            found[name] = _values(known[name], texts) if name in known else _unknown(name, list(known))
        except QueryError as error:
            problems.append(Problem(name[:_MAX_NAME_CHARS], str(error)))
    return found, problems


def options_from(found: Mapping[str, Any], settings: RankingSettings) -> Options:
    """Return the options that good values ask for; what is not given is as the settings say.

    ``language=any`` turns the rule "only the article's language" off, ``kind=any`` the one that wire copies, opinion and
    the like are not offered.
    """
    languages, kinds = found.get("language", ()), found.get("kind", ())
    chosen = ("k", "past_only", "explain", "raw", "ranker", "freshness", "feedback", "collapse", "diversity", "floor")
    return replace(
        options_of(settings),
        filters=_filters(found),
        kinds=() if "any" in kinds else settings.kinds,
        same_language=settings.same_language and "any" not in languages,
        **{name: found[name] for name in chosen if name in found},
    )


def _filters(found: Mapping[str, Any]) -> Filters:
    languages, kinds = found.get("language", ()), found.get("kind", ())
    return Filters(
        sections=found.get("section", ()),
        languages=() if "any" in languages else languages,
        kinds=() if "any" in kinds else kinds,
        tags=found.get("tag", ()),
        authors=found.get("author", ()),
        published_after=found.get("published_after"),
        published_before=found.get("published_before"),
        exclude=frozenset(found.get("exclude", ())),
        stubs=found.get("stubs", True),
    )


def _values(parameter: Parameter, texts: Sequence[str]) -> Any:
    name = parameter.name
    if parameter.many:
        if len(texts) > MAX_GIVEN:
            raise QueryError(f"{name}: is given {len(texts)} times, at most {MAX_GIVEN} are taken")
        return tuple(parameter.read(name, text) for text in texts)
    if len(texts) > 1:
        raise QueryError(f"{name}: is given {len(texts)} times; give it once")
    value: Any = parameter.read(name, texts[0])
    if name in _CHECKED:
        replace(DEFAULT_OPTIONS, **{name: value})
    return value


def _unknown(name: str, known: Sequence[str]) -> Any:
    shown = name[:_MAX_NAME_CHARS]
    near = difflib.get_close_matches(shown, known, n=1)
    raise QueryError(
        f"{shown}: no such parameter" + (f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}")
    )
