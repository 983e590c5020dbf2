"""What rules do to one list: those for everywhere, and those of one story laid over them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from recommender.editorial.fields import LEAST_FACTOR, MOST_FACTOR
from recommender.editorial.rule import Kind

_FACTOR_DIGITS = 6
_MAX_NOTES = 3
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
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


class Layer(NamedTuple):
    """Lines in force and what they come to.

    Attributes:
        applied: what they come to.
        boosts: the lines behind each factor, by row or section.
    """

    applied: Applied
    boosts: Mapping[int | str, Sequence[Line]]


NOTHING = Applied()
EMPTY_LAYER = Layer(NOTHING, MappingProxyType({}))


class Scope:
    """The lines of one story, or those for everywhere. What they come to changes when one ends; in between it is kept."""

    __slots__ = ("_latest", "_lines", "_turns")

    def __init__(self, lines: Iterable[Line]) -> None:
        """Take pins in the order in which they are to stand, and the other lines in any."""
        self._lines = sorted(lines, key=_order)
        self._turns = sorted({line.until for line in self._lines if line.until})
        self._latest = (-1, EMPTY_LAYER)

    @property
    def ends(self) -> list[datetime]:
        """When lines end, ascending."""
        return self._turns

    def at(self, now: datetime) -> Layer:
        """Return the layer of a moment; a line has ended when its end is there."""
        turn = bisect_right(self._turns, now) if self._turns else 0
        latest = self._latest
        if latest[0] != turn:  # two threads may both make it: they make the same, and each takes its own
            latest = (turn, _layer([line for line in self._lines if line.until is None or now < line.until]))
            self._latest = latest
        return latest[1]


def laid_over(below: Layer, above: Layer) -> Applied:
    """Return what two layers come to: the pins and blocks of both, the factors of both multiplied.

    Only the layer above has pins. Costs what it takes to copy the mappings, and a product for each row or section that
    both boost.
    """
    under, over = below.applied, above.applied
    if below is EMPTY_LAYER:
        return over
    if above is EMPTY_LAYER:
        return under
    blocked = under.blocked | over.blocked
    pinned = tuple(row for row in over.pinned if row not in blocked)
    boosts = {**under.boosts, **over.boosts}
    section_boosts = {**under.section_boosts, **over.section_boosts}
    why = {**under.why, **over.why}
    section_why = {**under.section_why, **over.section_why}
    for subject in below.boosts.keys() & above.boosts.keys():
        together = [*below.boosts[subject], *above.boosts[subject]]
        if isinstance(subject, str):
            section_boosts[subject], section_why[subject] = _product(together), _boosted(together, subject)
        else:
            boosts[subject] = _product(together)
            why[subject] = why[subject] if subject in pinned else _boosted(together)
    for row in boosts.keys() & blocked:
        del boosts[row]
    for row in blocked:
        why[row] = over.why[row] if row in over.blocked else under.why[row]
    return _frozen(pinned, blocked, boosts, section_boosts, why, section_why)


def _layer(lines: Sequence[Line]) -> Layer:
    if not lines:
        return EMPTY_LAYER
    blocks = {line.subject: line for line in lines if line.kind == "block" and isinstance(line.subject, int)}
    pins: dict[int, Line] = {}
    boosted: defaultdict[int | str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "boost":
            boosted[line.subject].append(line)
        elif line.kind == "pin" and isinstance(line.subject, int) and line.subject not in blocks:
            pins.setdefault(line.subject, line)
    boosts = {subject: own for subject, own in boosted.items() if subject not in blocks}
    rows = {row: own for row, own in boosts.items() if isinstance(row, int)}
    sections = {name: own for name, own in boosts.items() if isinstance(name, str)}
    applied = _frozen(
        tuple(pins),
        frozenset(blocks),
        {row: _product(own) for row, own in rows.items()},
        {name: _product(own) for name, own in sections.items()},
        {row: _boosted(own) for row, own in rows.items()}
        | {row: _noted("Pinned by the desk", line.note) for row, line in pins.items()}
        | {row: _noted("Blocked by the desk", line.note) for row, line in blocks.items()},
        {name: _boosted(own, name) for name, own in sections.items()},
    )
    return Layer(applied, boosts)


def _frozen(
    pinned: tuple[int, ...],
    blocked: frozenset[int],
    boosts: dict[int, float],
    section_boosts: dict[str, float],
    why: dict[int, str],
    section_why: dict[str, str],
) -> Applied:
    proxy = MappingProxyType
    return Applied(pinned, blocked, proxy(boosts), proxy(section_boosts), proxy(why), proxy(section_why))


def _order(line: Line) -> tuple[bool, datetime, float, str]:
    # One value for all pins, so that their own order stays; the others do not depend on the order of the file.
    if line.kind == "pin":
        return (False, _NEVER, 0.0, "")
    return (True, line.until or _NEVER, line.factor, line.note)


def _product(lines: Sequence[Line]) -> float:
    # Logarithms, summed exactly: a product of many factors would depend on their order, or leave the range of floats.
    product = math.exp(min(math.fsum(math.log(line.factor) for line in lines), math.log(MOST_FACTOR) + 1))
    return round(min(max(product, LEAST_FACTOR), MOST_FACTOR), _FACTOR_DIGITS)


def _boosted(lines: Sequence[Line], section: str = "") -> str:
    factor = _product(lines)
    text = f"{section}: " if section else ""
    text += f"{'Damped' if factor < 1 else 'Boosted'} ×{factor:g}"
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
