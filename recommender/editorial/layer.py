"""What rules do to one list: those for everywhere, and those of one story laid over them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from recommender.editorial.fields import LEAST_FACTOR, MOST_FACTOR
from recommender.editorial.rule import Kind

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FACTOR_DIGITS = 6
_MAX_NOTES = 3
_NEVER = datetime.max.replace(tzinfo=UTC)


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Applied:
    """What the desk wants of one list, by row of the index. Shared between requests: nothing in it can be changed.

    Attributes:
        pinned: first, in this order; each row once, none of them blocked.
        blocked: never, not even where an editor linked them.
        boosts: factors on the odds, 0.1 to 10, rounded to six decimals; none of a blocked row.
        section_boosts: the same for every row of a section. A row's own factor and its section's multiply.
        why: which rule touched a row, in an editor's words; for a row that several touched, the strongest: a block, then
            a pin, then its boosts.
        section_why: the same for the sections in ``section_boosts``.
    """

    pinned: tuple[int, ...] = ()
    blocked: frozenset[int] = frozenset()
    boosts: Mapping[int, float] = field(default_factory=_nothing)
    section_boosts: Mapping[str, float] = field(default_factory=_nothing)
    why: Mapping[int, str] = field(default_factory=_nothing)
    section_why: Mapping[str, str] = field(default_factory=_nothing)


class Line(NamedTuple):
    """What one rule says of one row or section.

    Attributes:
        kind, factor, until, note: see ``Rule``.
        subject: a row of the index, or the name of a section.
    """

    kind: Kind
    subject: int | str
    factor: float = 1.0
    until: datetime | None = None
    note: str = ""

    def in_force(self, now: datetime) -> bool:
        """Tell whether the rule has not ended; it has at its very end."""
        return self.until is None or now < self.until


class Layer(NamedTuple):
    """Lines in force and what they come to; others are laid over it.

    Attributes:
        applied: what they come to.
        boosts: the lines behind each factor, by row or section.
    """

    applied: Applied
    boosts: Mapping[int | str, Sequence[Line]]


NOTHING = Applied()
EMPTY_LAYER = Layer(NOTHING, MappingProxyType({}))


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return pins as they come, then the rest in an order that does not depend on the file's."""
    return tuple(sorted(lines, key=_order))


def layer(lines: Sequence[Line]) -> Layer:
    """Return a layer of lines (ordered, in force) with nothing below it."""
    return Layer(applied(lines), _boosts(lines)) if lines else EMPTY_LAYER


def applied(lines: Sequence[Line], below: Layer = EMPTY_LAYER) -> Applied:
    """Return what ``lines`` (ordered, in force) come to, laid over ``below``.

    Blocks of both hold, factors of both are multiplied, the pins are those of ``lines``.
    """
    base = below.applied
    blocks = {line.subject: line for line in lines if line.kind == "block" and isinstance(line.subject, int)}
    blocked = base.blocked.union(blocks)
    pins: dict[int, Line] = {}
    for line in lines:
        if line.kind == "pin" and isinstance(line.subject, int) and line.subject not in blocked:
            pins.setdefault(line.subject, line)
    boosts = dict(base.boosts)
    section_boosts = dict(base.section_boosts)
    why = dict(base.why)
    section_why = dict(base.section_why)
    for subject, own in _boosts(lines).items():
        together = ordered([*below.boosts.get(subject, ()), *own])
        if isinstance(subject, str):
            section_boosts[subject] = _product(together)
            section_why[subject] = f"{subject}: {_boosted(together)}"
        elif subject not in blocked:
            boosts[subject] = _product(together)
            why[subject] = _boosted(together)
    for row, line in pins.items():
        why[row] = _noted("Pinned by the desk", line.note)
    for row, line in blocks.items():
        boosts.pop(row, None)
        why[row] = _noted("Blocked by the desk", line.note)
    frozen = (MappingProxyType(boosts), MappingProxyType(section_boosts), MappingProxyType(why))
    return Applied(tuple(pins), blocked, *frozen, section_why=MappingProxyType(section_why))


def _order(line: Line) -> tuple[bool, datetime, float, str]:
    # The first is one value for all pins, so that their own order stays.
    if line.kind == "pin":
        return (False, _NEVER, 0.0, "")
    return (True, line.until or _NEVER, line.factor, line.note)


def _boosts(lines: Iterable[Line]) -> dict[int | str, list[Line]]:
    boosts: defaultdict[int | str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "boost":
            boosts[line.subject].append(line)
    return boosts


def _product(lines: Sequence[Line]) -> float:
    # Logarithms, summed exactly: a product of many factors would depend on their order, or leave the range of floats.
    product = math.exp(min(math.fsum(math.log(line.factor) for line in lines), math.log(MOST_FACTOR) + 1))
    return round(min(max(product, LEAST_FACTOR), MOST_FACTOR), _FACTOR_DIGITS)


def _boosted(lines: Sequence[Line]) -> str:
    factor = _product(lines)
    text = f"{'Damped' if factor < 1 else 'Boosted'} ×{factor:g}"
    if len(lines) > 1:
        text += f" by {len(lines)} rules"
    ends = [line.until for line in lines if line.until]
    if ends:
        text += f" until {_day(min(ends))}"
    notes = list(dict.fromkeys(line.note for line in lines if line.note))
    return _noted(text, "; ".join(notes[:_MAX_NOTES]))


def _noted(text: str, note: str) -> str:
    return f"{text}: {note}" if note else text


def _day(moment: datetime) -> str:
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"  # strftime would speak the machine's language
    return day if moment.hour == moment.minute == 0 else f"{day}, {moment:%H:%M} UTC"
