"""The rules of the desk, resolved once to rows of the index and asked for every request."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from recommender.editorial.layer import Applied, Line, Scope, laid_over
from recommender.editorial.rule import Rule
from recommender.text import clean_line


class Hand:
    """What the desk wants of every list. Made by :meth:`of`; safe to share between threads.

    Attributes:
        unresolved: (place, id or url or section) of what the archive does not hold, each once, in the order of the
            rules. A rule does what is left of it.
    """

    __slots__ = ("_ends", "_everywhere", "_own", "unresolved")

    def __init__(
        self, lines: Mapping[int | None, Iterable[Line]], unresolved: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Take the lines of each story by its row; those under None hold everywhere."""
        self.unresolved = unresolved
        self._own = {row: Scope(own) for row, own in lines.items() if row is not None}
        self._everywhere = Scope(lines.get(None, ()))
        self._ends = sorted({end for scope in (self._everywhere, *self._own.values()) for end in scope.ends})

    @classmethod
    def of(cls, rules: Iterable[Rule], resolve: Callable[[str], int | None], sections: Sequence[str]) -> Hand:
        """Return the hand that these rules make over one index.

        Args:
            rules: pins in the order in which they are to stand; the order of the others means nothing.
            resolve: gives the row of an id or url, or None; called once for each.
            sections: names in the archive. A rule's section is the one spelled the same, else those that differ from it
                in capitals alone.
        """
        lines: defaultdict[int | None, list[Line]] = defaultdict(list)
        unresolved: dict[tuple[str, str], None] = {}
        row_of = cache(resolve)
        names_of = _by_spelling(sections)
        for rule in rules:
            under = None if rule.under is None else row_of(rule.under)
            if rule.under is not None and under is None:
                unresolved[rule.place, rule.under] = None
            for name, subjects in _subjects(rule, row_of, names_of):
                if not subjects:
                    unresolved[rule.place, name] = None
                elif rule.under is None or under is not None:
                    lines[under] += [
                        Line(rule.kind, subject, rule.factor, rule.until, rule.note)
                        for subject in subjects
                        if subject != under  # a story is never in its own list
                    ]
        return cls(lines, tuple(unresolved)) if lines or unresolved else NO_HAND

    def next_end(self, now: datetime) -> datetime | None:
        """Return when, after a moment, the next rule ends and lists may change by it; None where none does."""
        at = bisect_right(self._ends, now)
        return self._ends[at] if at < len(self._ends) else None

    def under(self, own_row: int | None, now: datetime) -> Applied:
        """Return what the desk wants of one list at a moment.

        Args:
            own_row: of the story under which the list stands; None for a free text, which only the rules for
                everywhere touch.
            now: aware; a rule whose ``until`` is not after it does nothing.
        """
        everywhere = self._everywhere.at(now)
        own = None if own_row is None else self._own.get(own_row)
        return everywhere.applied if own is None else laid_over(everywhere, own.at(now))


def _subjects(
    rule: Rule, row_of: Callable[[str], int | None], names_of: Callable[[str], tuple[str, ...]]
) -> Iterator[tuple[str, Sequence[int | str]]]:
    """Yield each thing that a rule names, with the rows or sections that it stands for."""
    for reference in rule.articles:
        row = row_of(reference)
        yield reference, () if row is None else (row,)
    if rule.section is not None:
        yield rule.section, names_of(rule.section)


def _by_spelling(sections: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    names = set(sections)
    folded: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        folded[clean_line(name).casefold()].append(name)
    return lambda name: (name,) if name in names else tuple(folded.get(name.casefold(), ()))


NO_HAND = Hand({})
"""No rules at all."""
