"""The editors' hand: what the desk pins, blocks and boosts, read from a reviewed file.

A file is taken whole or refused whole: a half-applied set of rules is worse than the old one.
"""

from recommender.editorial.files import MAX_FILE_BYTES, parse_rules, read_rules
from recommender.editorial.hand import NO_HAND, Hand
from recommender.editorial.layer import NOTHING, Applied
from recommender.editorial.rule import KINDS, Kind, Rule, one_rule

__all__ = [
    "KINDS",
    "MAX_FILE_BYTES",
    "NOTHING",
    "NO_HAND",
    "Applied",
    "Hand",
    "Kind",
    "Rule",
    "one_rule",
    "parse_rules",
    "read_rules",
]
