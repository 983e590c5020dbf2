"""The desk: what editors want of lists, set and taken back by name, kept with a log in the catalog.

A reviewed file of rules (:mod:`recommender.editorial`) holds beside it; :func:`rules_of` says in which order.
"""

from __future__ import annotations

from recommender.catalog.acts import Act, Wish
from recommender.desk.acting import MAX_IN_FORCE, Desk
from recommender.desk.rules import NO_RULES, DeskRules, as_rules, rules_in, rules_of
from recommender.desk.wishes import in_words, wish_of

__all__ = [
    "MAX_IN_FORCE",
    "NO_RULES",
    "Act",
    "Desk",
    "DeskRules",
    "Wish",
    "as_rules",
    "in_words",
    "rules_in",
    "rules_of",
    "wish_of",
]
