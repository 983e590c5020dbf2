"""What the desk does: each act is one durable transaction, with who did it and when."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime

from recommender.catalog import Catalog
from recommender.catalog.acts import Act, Wish
from recommender.desk.rules import DeskRules, as_rules
from recommender.errors import CatalogError, InputError, QueryError
from recommender.home import Home
from recommender.text import clean_line

MAX_IN_FORCE = 5_000
_MAX_NAME_CHARS = 64
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Desk:
    """Sets rules, takes them back, and tells of both; safe to share between threads and processes."""

    def __init__(self, home: Home) -> None:
        """Take whose lists they are; nothing is opened before something is asked."""
        self._home = home

    def set(self, wish: Wish, *, by: str, now: datetime) -> Act:
        """Let a wish hold from now on, and return its line of the log when it is on the disk.

        It takes the place of a rule of its kind about the same.

        Args:
            wish: from :func:`wish_of`.
            by: who wants it.
            now: aware.

        Raises:
            InputError: nobody is named, its end is over, or too many rules are in force.
            CatalogError, BusyError: nothing was written.
        """
        who = _name(by)
        if wish.until is not None and wish.until <= now:
            raise QueryError(f"{wish.kind}: until: {wish.until:%Y-%m-%d %H:%M} UTC is over; give a later end, or none")
        with self._writing() as catalog, catalog.transaction():
            if len(catalog.rules_in_force()) >= MAX_IN_FORCE:
                raise InputError(f"{MAX_IN_FORCE:,} rules of the desk are in force; take some back first")
            return _there(catalog, catalog.set_rule(wish, who, now))

    def undo(self, number: int, *, by: str, now: datetime) -> Act:
        """Take a line of the log back, and return the line that says so when it is on the disk.

        A rule goes, and what it had taken the place of holds again; an undo goes, and its rule is set anew.

        Raises:
            InputError: there is no such line, or it was taken back or replaced already.
            CatalogError, BusyError: nothing was written.
        """
        who = _name(by)
        with self._writing() as catalog, catalog.transaction():
            act = _undoable(catalog, number)
            done = catalog.undo_rule(act, who, now) if act.undoes is None else catalog.set_rule(act.wish, who, now)
            return _there(catalog, done)

    def log(self, most: int = 100, *, before: int | None = None) -> list[Act]:
        """Return at most so many lines (up to 1,000), the latest first, all before a number; none without a catalog."""
        if not self._home.catalog.exists():
            return []
        with Catalog(self._home.catalog) as catalog:
            return catalog.desk_log(most, before=before)

    def in_force(self) -> list[Act]:
        """Return the rules that nothing ended, the earliest first; the time of some may be over."""
        if not self._home.catalog.exists():
            return []
        with Catalog(self._home.catalog) as catalog:
            return catalog.rules_in_force()

    def with_wish(self, wish: Wish, *, now: datetime) -> DeskRules:
        """Return the rules as they would be with a wish, which is not written."""
        acts = [act for act in self.in_force() if not act.wish.same_as(wish)]
        return DeskRules(0, as_rules([*acts, Act(0, now, "", wish)]))

    def without(self, number: int, *, now: datetime) -> DeskRules:
        """Return the rules as they would be with a line of the log taken back, which is not written. Raises as :meth:`undo`."""
        with Catalog(self._home.catalog) as catalog, catalog.pinned():
            act = _undoable(catalog, number)
            revived = catalog.ended_by(number)
        if act.undoes is not None:
            return self.with_wish(act.wish, now=now)
        acts = [*(each for each in self.in_force() if each.number != number), *revived]
        return DeskRules(0, as_rules(sorted(acts, key=lambda each: each.number)))

    def undoable(self, number: int) -> Act:
        """Return a line of the log that can be taken back. Raises as :meth:`undo`."""
        with Catalog(self._home.catalog) as catalog:
            return _undoable(catalog, number)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Catalog]:
        if not self._home.catalog.exists():
            raise CatalogError(f"{self._home.catalog}: there is no catalog yet; run: recommender ingest SOURCE")
        with self._home.storing(), Catalog(self._home.catalog, write=True) as catalog:
            yield catalog


def _undoable(catalog: Catalog, number: int) -> Act:
    act = catalog.act(number)
    if act is None:
        raise InputError(f"the desk's log has no line {number}; recommender desk log shows what there is")
    if act.ended_by == act.number:
        raise InputError(f"line {number} of the desk's log has ended by itself")
    if act.ended_by is not None:
        raise InputError(f"line {number} of the desk's log was ended by line {act.ended_by} already")
    return act


def _there(catalog: Catalog, number: int) -> Act:
    act = catalog.act(number)
    assert act is not None
    return act


def _name(by: str) -> str:
    name = clean_line(_NO_NAME.sub("", by))
    if not name:
        raise InputError("nobody is named; every change of the desk's rules is logged with who made it")
    return name[:_MAX_NAME_CHARS]
