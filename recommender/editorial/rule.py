"""One rule of the desk, made from one table of a TOML file or one row of a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from recommender.editorial import fields
from recommender.editorial.problems import Problems, nearest, shown
from recommender.text import url_key

T = TypeVar("T")
Kind = Literal["pin", "block", "boost"]
KINDS: tuple[Kind, ...] = ("pin", "block", "boost")
Shows = Literal["show", "article"]
"""How a pin names its articles: ``show``, a list (TOML), or ``article``, one a row (CSV)."""

_BLOCK_FIELDS = ("article", "under", "until", "note")
_BOOST_FIELDS = ("article", "section", "under", "factor", "until", "note")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as the desk wrote it; ``parse_rules`` makes valid ones.

    Attributes:
        kind: ``pin`` (these first), ``block`` (never) or ``boost`` (multiply the odds).
        articles: ids or urls; in order for a pin, one for a block, one or none for a boost.
        under: the story under which the rule holds, id or url; None for everywhere. A pin always has one.
        section: what a boost without an article is about; else None.
        factor: of a boost, 0.1 to 10, below 1 for less; 1 for the other kinds.
        until: from this instant on the rule does nothing; aware UTC; None for no end. A boost always has one.
        note: the desk's own words on one line, may be empty.
        place: where it stands, such as ``rules.toml, pin 2`` or ``rules.csv, line 7``.
    """

    kind: Kind
    articles: tuple[str, ...]
    under: str | None
    section: str | None
    factor: float
    until: datetime | None
    note: str
    place: str


def read_rule(
    kind: Kind, values: Mapping[str, object], place: str, problems: Problems, *, shows: Shows = "show"
) -> Rule | None:
    """Return the rule that a table describes, or None after naming every problem of it."""
    known = problems.n_found
    table = _Table(values, place, problems)
    if kind == "pin":
        table.check_names(kind, ("under", shows, "until", "note"))
        under = table.take("under", fields.reference, "name the story under which it is pinned")
        read = fields.references if shows == "show" else fields.one_reference
        articles = table.take(shows, read, "name what to show")
        if under and article_key(under) in map(article_key, articles or ()):
            problems.add(place, f"{shows}: no story can be pinned under itself; take {shown(under)} out")
    else:
        table.check_names(kind, _BLOCK_FIELDS if kind == "block" else _BOOST_FIELDS)
        under = table.take("under", fields.reference)
        articles = table.take("article", fields.one_reference, "name the article to block" if kind == "block" else "")
    section = factor = None
    if kind == "boost":
        section = table.take("section", fields.section)
        factor = table.take("factor", fields.factor, f"give {fields.FACTORS}, below 1 for less")
        if ("article" in values) == ("section" in values):
            problems.add(place, "must name either an article or a section; give one of them, for both write two boosts")
    until = table.take("until", fields.instant, f"a boost needs an end, {fields.A_DATE}" if kind == "boost" else "")
    note = table.take("note", fields.note)
    if problems.n_found > known:
        return None
    return Rule(kind, articles or (), under, section, 1.0 if factor is None else factor, until, note or "", place)


def one_rule(kind: Kind, values: Mapping[str, object], place: str) -> Rule:
    """Return one rule that stands in no file; a pin's article is its ``article``, as in CSV.

    Raises:
        RulesError: names every problem, each beginning with ``place``.
    """
    problems = Problems(place)
    rule = read_rule(kind, values, place, problems, shows="article")
    problems.check()
    assert rule is not None
    return rule


def article_key(reference: str) -> str:
    """Return what the spellings of one address share; an id is its own."""
    return url_key(reference) or reference


class _Table:
    """The fields of one rule while they are read."""

    def __init__(self, values: Mapping[str, object], place: str, problems: Problems) -> None:
        self._values = values
        self._place = place
        self._problems = problems

    def check_names(self, kind: Kind, names: tuple[str, ...]) -> None:
        for name in self._values:
            if self._problems.full:
                return
            if name not in names:
                self._problems.add(self._place, f"{shown(name)} does not belong to a {kind}{nearest(name, names)}")

    def take(self, name: str, read: Callable[[object], T], missing: str = "") -> T | None:
        """Return a field's value, or None where it is not there or cannot be taken.

        Args:
            name: of the field.
            read: gives the value or raises Unfit.
            missing: what to do when it is not there; empty where it need not be.
        """
        if name not in self._values:
            if missing:
                self._problems.add(self._place, f"{name}: is missing; {missing}")
            return None
        try:
            return read(self._values[name])
        except fields.Unfit as error:
            self._problems.add(self._place, f"{name}: {error}")
            return None
