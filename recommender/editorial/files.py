"""Files of rules: bytes in, rules out, and nothing in between.

A file is a stranger even when an editor wrote it: its size is bounded before it is read, and whatever it holds ends
as rules or as one RulesError.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePath

from recommender.editorial.problems import Problems, shown
from recommender.editorial.rule import KINDS, Rule, article_key
from recommender.editorial.table import joined_pins, table_rules
from recommender.editorial.toml import toml_rules
from recommender.errors import RulesError

MAX_FILE_BYTES = 1_000_000


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file, whole or not at all; see :func:`parse_rules`.

    Raises:
        RulesError: also where there is no such file or it cannot be read.
    """
    try:
        if not path.is_file():  # a pipe would never end
            raise RulesError(f"{path}: no such file; give the path of the desk's .toml or .csv")
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    return parse_rules(raw, path.name)


def parse_rules(raw: bytes, source: str) -> tuple[Rule, ...]:
    """Return the rules in ``raw``: pins, then blocks, then boosts, each in the order of the file.

    All or nothing: a file with any problem is refused whole, because a half-applied set of rules is worse than the old
    one, which stays in force. A file without rules is a valid one. Rows of a CSV file that pin under one story with
    the same end and the same note are one rule.

    Args:
        raw: UTF-8, at most a million bytes.
        source: the file's name; ``.toml`` and ``.csv`` are known, in any case.

    Raises:
        RulesError: names every problem (up to 20), each with its place, what is wrong and how to mend it.
    """
    suffix = PurePath(source).suffix.lower()
    if suffix not in (".toml", ".csv"):
        raise RulesError(f"{source}: rules are read from .toml and .csv; name it by what it is")
    text = _decoded(raw, source)
    problems = Problems(source)
    rules = toml_rules(text, source, problems) if suffix == ".toml" else table_rules(text, source, problems)
    _check_repeats(rules, problems)
    problems.check()
    if suffix == ".csv":
        rules = joined_pins(rules)
    return tuple(sorted(rules, key=lambda rule: KINDS.index(rule.kind)))


def _decoded(raw: bytes, source: str) -> str:
    if len(raw) > MAX_FILE_BYTES:
        raise RulesError(f"{source}: has over {MAX_FILE_BYTES:,} bytes; take out the rules that have ended")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RulesError(
            f"{source}: is not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start}); "
            "save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
        ) from None


def _check_repeats(rules: Iterable[Rule], problems: Problems) -> None:
    """Name every article that is pinned twice under one story: nobody can tell which place was meant."""
    key_of = cache(article_key)
    first: dict[tuple[str, str], str] = {}
    for rule in rules:
        if rule.kind != "pin" or rule.under is None:
            continue
        for reference in rule.articles:
            if problems.full:
                return
            pair = (key_of(rule.under), key_of(reference))
            if pair not in first:
                first[pair] = rule.place
                continue
            where = "" if first[pair] == rule.place else f" (first in {first[pair]})"
            problems.add(rule.place, f"pins {shown(reference)} twice under {shown(rule.under)}{where}; take one out")
