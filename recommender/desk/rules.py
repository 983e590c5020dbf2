"""The desk's log as rules: what is in force, in the order in which pins are to stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from recommender.catalog import Catalog
from recommender.catalog.acts import Act
from recommender.editorial import KINDS, Rule
from recommender.home import Home


class DeskRules(NamedTuple):
    """What the desk wants as of one line of its log: ``number`` of the line, and the rules that were in force then."""

    number: int
    rules: tuple[Rule, ...]


NO_RULES = DeskRules(0, ())


def rules_of(home: Home) -> DeskRules:
    """Return what the desk wants now; nothing where there is no catalog.

    Beside the reviewed file's rules a pin of the desk stands first, a block wins whichever of the two it is from, and boosts
    multiply.

    Raises:
        CatalogError: it cannot be read.
    """
    if not home.catalog.exists():
        return NO_RULES
    with Catalog(home.catalog) as catalog:
        return rules_in(catalog)


def rules_in(catalog: Catalog) -> DeskRules:
    """Return what the desk wants as an open catalog has it, as of one moment. Raises CatalogError."""
    with catalog.pinned():
        return DeskRules(catalog.last_act(), as_rules(catalog.rules_in_force()))


def as_rules(acts: Iterable[Act]) -> tuple[Rule, ...]:
    """Return the rules of lines of the log that are in force, earliest first: a pin stands below those before it, or on top."""
    ordered: list[Rule] = []
    for act in acts:
        if (rule := _rule(act)) is not None:
            ordered.insert(0 if act.wish.top else len(ordered), rule)
    return tuple(sorted(ordered, key=lambda rule: KINDS.index(rule.kind)))


def _rule(act: Act) -> Rule | None:
    """Return the rule of a line; None for a kind that a later version of this program may have written."""
    wish = act.wish
    kind = next((kind for kind in KINDS if kind == wish.kind), None)
    if kind is None:
        return None
    articles = () if wish.article is None else (wish.article,)
    return Rule(kind, articles, wish.under, wish.section, wish.factor, wish.until, wish.note, place_of(act))


def place_of(act: Act) -> str:
    """Return where a rule stands, as messages name it."""
    return f"the desk's log, line {act.number}"
