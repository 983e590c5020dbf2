"""Rules as TOML: ``[[pin]]``, ``[[block]]`` and ``[[boost]]``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from recommender.editorial.problems import Problems, nearest, one_line, shown
from recommender.editorial.rule import KINDS, Kind, Rule, read_rule

# TOML's strings and comments. Each alternative takes to the end what it began, so that this is one pass over any text.
_QUOTED = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}|\\?\Z)'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
# A dot in a factor (2.5) or in a second: it follows what no key has in it.
_NUMBER = re.compile(r"(?:[=,\[]\s*+[+-]?+[\d_]++|:\d\d)\.\d", re.ASCII)


def toml_rules(text: str, source: str, problems: Problems) -> list[Rule]:
    """Return the rules of a TOML text in its order, kind by kind; what is wrong goes to ``problems``."""
    rules: list[Rule] = []
    for name, tables in _parsed(text, source, problems).items():
        kind = next((kind for kind in KINDS if kind == name), None)
        if problems.full:
            break
        if kind is None:
            problems.add(source, f"{shown(name)} is no kind of rule{nearest(name, KINDS)}")
        elif not isinstance(tables, list):
            problems.add(source, f"{kind}: must stand in double brackets, [[{kind}]], once for each rule")
        else:
            rules += _rules_of(kind, tables, source, problems)
    return rules


def _rules_of(kind: Kind, tables: list[object], source: str, problems: Problems) -> list[Rule]:
    rules: list[Rule] = []
    for number, table in enumerate(tables, start=1):
        place = f"{source}, {kind} {number}"
        if problems.full:
            break
        if not isinstance(table, dict):
            problems.add(place, f"must be a table under [[{kind}]], it is {shown(table)}")
        elif rule := read_rule(kind, table, place, problems):
            rules.append(rule)
    return rules


def _parsed(text: str, source: str, problems: Problems) -> Mapping[str, object]:
    # A key of very many dotted parts costs tomllib the square of its length, so a file with such keys is refused before it
    # is parsed; no rule needs one.
    bare = _NUMBER.sub(_line_ends, _QUOTED.sub(_line_ends, text))
    if "." in bare:
        line = bare.count("\n", 0, bare.index(".")) + 1
        problems.add(f"{source}, line {line}", "has a dot that is part of no number; put ids and urls in quotes")
        return {}
    try:
        return tomllib.loads(text)
    except RecursionError:
        problems.add(source, "is nested too deeply; no rule needs a list inside a list")
    except ValueError as error:  # TOMLDecodeError, or a number that int() does not take
        problems.add(source, f"is not TOML: {one_line(error)}; mend it there")
    return {}


def _line_ends(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
