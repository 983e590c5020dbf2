"""Everything that is wrong with a file, named at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date

from recommender.errors import RulesError

MAX_PROBLEMS = 20
_SHOWN_CHARS = 80
_LONGEST_NAME_CHARS = 40
_LONGEST_SAID_CHARS = 200


class Problems:
    """Collects up to 20 problems of one file; who reads it stops when this is ``full``.

    Attributes:
        n_found: how many were named so far.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: list[str] = []
        self.n_found = 0

    @property
    def full(self) -> bool:
        """Tell whether more would not be told."""
        return self.n_found >= MAX_PROBLEMS

    def add(self, place: str, problem: str) -> None:
        """Take down one problem: where, and what is wrong and how to mend it."""
        self.n_found += 1
        if len(self._lines) < MAX_PROBLEMS:
            self._lines.append(f"{place}: {problem}")

    def check(self) -> None:
        """Raise RulesError where there are problems: one line for one, a heading and a line each for several."""
        if not self._lines:
            return
        if len(self._lines) == 1:
            raise RulesError(self._lines[0], self._lines)
        number = f"{MAX_PROBLEMS} problems or more" if self.full else f"{len(self._lines)} problems"
        heading = f"{self._source}: {number}; none of its rules is taken until all are mended"
        raise RulesError("\n  ".join([heading, *self._lines]), self._lines)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that names what was probably meant, or all that is known."""
    names = list(names)
    near = difflib.get_close_matches(name[:_LONGEST_NAME_CHARS], names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}"


def shown(value: object) -> str:
    """Return a value as a message can show it: short, on one line, whatever it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number of very many digits"
    if isinstance(value, str):
        text = repr(value[: 2 * _SHOWN_CHARS])
        return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    names = {list: "a list", dict: "a table", type(None): "empty"}
    return names.get(type(value), f"a {type(value).__name__}")


def one_line(error: Exception) -> str:
    """Return what a parser said, short and on one line; it may repeat what it read."""
    said = " ".join(str(error).split())
    return said if len(said) <= _LONGEST_SAID_CHARS else f"{said[: _LONGEST_SAID_CHARS - 1]}…"
