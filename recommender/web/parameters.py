"""Query parameters made into options; every wrong one is named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from werkzeug.datastructures import MultiDict

from recommender.answer import MAX_K, RANKERS, Options, Ranker, options_of
from recommender.errors import QueryError
from recommender.rank import Filters
from recommender.settings import RankingSettings

_LIST = (
    "k",
    "section",
    "language",
    "kind",
    "tag",
    "author",
    "published_after",
    "published_before",
    "exclude",
    "stubs",
    "past_only",
    "explain",
    "raw",
    "ranker",
    "freshness",
    "feedback",
    "collapse",
    "diversity",
    "floor",
)
_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_MAX_EXCLUDED = 200


def options(arguments: MultiDict[str, str], settings: RankingSettings, *, also: Collection[str] = ()) -> Options:
    """Return the options that a query string asks for.

    ``section``, ``language``, ``kind``, ``tag``, ``author`` and ``exclude`` may be given several times. ``language=any`` turns the
    rule "only the article's language" off, ``kind=any`` the one that wire copies, opinion and the like are not offered.

    Raises:
        QueryError: an unknown parameter, or a value that means nothing; the message names it.
    """
    for name in arguments:
        if name not in (*_LIST, *also):
            near = difflib.get_close_matches(name, [*_LIST, *also], n=1)
            raise QueryError(
                f"{name}: no such parameter"
                + (f"; did you mean {near[0]}?" if near else f"; known are {', '.join([*also, *_LIST])}")
            )
    languages = tuple(name.lower() for name in arguments.getlist("language"))
    kinds = tuple(arguments.getlist("kind"))
    excluded = arguments.getlist("exclude")
    if len(excluded) > _MAX_EXCLUDED:
        raise QueryError(f"exclude: is given {len(excluded)} times, at most {_MAX_EXCLUDED} are taken")
    return replace(
        options_of(settings),
        k=_k(arguments.get("k"), settings.k),
        filters=Filters(
            sections=tuple(arguments.getlist("section")),
            languages=() if "any" in languages else languages,
            kinds=() if "any" in kinds else kinds,
            tags=tuple(arguments.getlist("tag")),
            authors=tuple(arguments.getlist("author")),
            published_after=_instant(arguments, "published_after"),
            published_before=_instant(arguments, "published_before"),
            exclude=frozenset(excluded),
            stubs=_flag(arguments, "stubs", default=True),
        ),
        raw=_flag(arguments, "raw", default=False),
        kinds=() if "any" in kinds else settings.kinds,
        ranker=_ranker(arguments.get("ranker", "full")),
        freshness=_flag(arguments, "freshness", default=settings.freshness),
        feedback=_flag(arguments, "feedback", default=settings.feedback),
        collapse=_flag(arguments, "collapse", default=settings.collapse),
        diversity=_number(arguments, "diversity", settings.diversity),
        floor=_number(arguments, "floor", settings.floor),
        past_only=_flag(arguments, "past_only", default=settings.past_only),
        same_language=settings.same_language and "any" not in languages,
        explain=_flag(arguments, "explain", default=False),
    )


def _k(value: str | None, default: int) -> int:
    if value is None:
        return default
    if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 12:
        raise QueryError(f"k: {value[:40]!r} is no whole number; give 1 to {MAX_K}")
    return int(value)


def _number(arguments: MultiDict[str, str], name: str, default: float) -> float:
    value = arguments.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"\d{1,4}(\.\d{1,9})?", value, re.ASCII):
        raise QueryError(f"{name}: {value[:40]!r} is no number")
    return float(value)


def _ranker(value: str) -> Ranker:
    for ranker in RANKERS:
        if value == ranker:
            return ranker
    raise QueryError(f"ranker: {value[:40]!r} is none; rankers are {', '.join(RANKERS)}")


def _flag(arguments: MultiDict[str, str], name: str, *, default: bool) -> bool:
    value = arguments.get(name)
    if value is None:
        return default
    if value.lower() not in _YES:
        raise QueryError(f"{name}: {value[:40]!r} is neither 1 nor 0")
    return _YES[value.lower()]


def _instant(arguments: MultiDict[str, str], name: str) -> datetime | None:
    value = arguments.get(name)
    if value is None:
        return None
    try:
        # A plus sign in a query string arrives as a blank.
        instant = datetime.fromisoformat(value.strip().replace(" ", "+") if "T" in value else value.strip())
        if instant.tzinfo is None and "T" in value:
            raise ValueError
        aware = instant if instant.tzinfo else datetime.fromisoformat(f"{value.strip()}T00:00:00+00:00")
        aware.timestamp()
    except (ValueError, OverflowError):
        raise QueryError(
            f"{name}: {value[:40]!r} is no date; write it like 2025-03-14 or 2025-03-14T09:30:00Z"
        ) from None
    return aware
