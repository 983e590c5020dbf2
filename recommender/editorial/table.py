"""Rules as CSV, as a spreadsheet saves it: one rule a row, one pinned article a row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace

from recommender.editorial.problems import Problems, nearest, one_line, shown
from recommender.editorial.rule import KINDS, Rule, read_rule

_COLUMNS = ("rule", "article", "under", "section", "factor", "until", "note")
_DELIMITERS = ",;\t"
_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)


def table_rules(text: str, source: str, problems: Problems) -> list[Rule]:
    """Return one rule a row, in the order of the file; what is wrong goes to ``problems``.

    The delimiter (comma, semicolon or tab) is the one that stands most often in the header; columns may stand in any
    order, an empty cell says nothing, an empty row is no row; empty cells beyond the header's last name are no columns.
    """
    rules: list[Rule] = []
    for line, row in _rows(text, source, problems):
        place = f"{source}, line {line}"
        written = row.pop("rule", "")
        kind = next((kind for kind in KINDS if kind == written.lower()), None)
        values = {name: _value(name, cell) for name, cell in row.items()}
        if kind is None:
            problems.add(place, f"rule: {shown(written)} is no kind of rule{nearest(written.lower(), KINDS)}")
        elif rule := read_rule(kind, values, place, problems, shows="article"):
            rules.append(rule)
    return rules


def joined_pins(rules: list[Rule]) -> list[Rule]:
    """Return the rules with each pin joined to the one before it under the same story, if end and note are the same."""
    runs: list[list[Rule]] = []
    latest: dict[str | None, list[Rule]] = {}
    for rule in rules:
        run = latest.get(rule.under) if rule.kind == "pin" else None
        if run and (run[0].until, run[0].note) == (rule.until, rule.note):
            run.append(rule)
        else:
            runs.append([rule])
            if rule.kind == "pin":
                latest[rule.under] = runs[-1]
    return [replace(run[0], articles=tuple(name for rule in run for name in rule.articles)) for run in runs]


def _rows(text: str, source: str, problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line on which a row begins, and its cells that are not empty by column."""
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    while not problems.full:
        line = rows.line_num + 1
        place = f"{source}, line {line}"
        try:
            row = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(place, f"is not CSV: {one_line(error)}; is there a quote missing or one too many?")
            if not names:
                return
            continue
        while row and not row[-1] and len(row) > len(names):
            row.pop()  # a spreadsheet keeps columns that somebody has emptied
        if not any(row):
            continue
        if not names:
            names = [name.lower() for name in row]
            if not _is_header(names, place, problems):
                return
        elif len(row) != len(names):
            problems.add(
                place, f"has {len(row)} cells where the header names {len(names)}; is a quote or delimiter missing?"
            )
        else:
            yield line, {name: cell for name, cell in zip(names, row, strict=True) if cell}


def _is_header(names: list[str], place: str, problems: Problems) -> bool:
    known = problems.n_found
    if "rule" not in names:
        problems.add(place, f"must name the columns, {','.join(_COLUMNS)}; there is no 'rule' in it")
        return False
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if problems.full:
            break
        if name not in _COLUMNS:
            problems.add(place, f"column {number}: {shown(name)} is unknown{nearest(name, _COLUMNS)}")
        elif name in seen:
            problems.add(place, f"column {number}: {shown(name)} stands twice; take one out")
        seen.add(name)
    return problems.n_found == known


def _value(name: str, cell: str) -> object:
    return float(cell) if name == "factor" and _DECIMAL.fullmatch(cell) else cell
