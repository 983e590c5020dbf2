"""Calls into the operating system that fail, or are the last thing a process does; one at a time."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from recommender import disk

CALLS = (
    *((os, "mkdir"), (os, "rename"), (os, "replace"), (os, "fsync"), (os, "open"), (io, "open")),
    *((os, "link"), (os, "unlink"), (os, "rmdir"), (disk, "exchange")),
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Step:
    """Counts calls into the operating system, and fails at one of them: before it is done, or just after."""

    at: int
    error: Callable[[], BaseException]
    after: bool
    n: int = 0
    failed: str | None = None
    switched: bool = False

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            number, self.n = self.n, self.n + 1
            if number == self.at:
                self.failed = name
                if not self.after or name == "open":  # what was opened and never returned could not be closed
                    raise self.error()
            result = function(*arguments, **named)
            self.switched = self.switched or name == "replace"
            if number == self.at:
                raise self.error()
            return result

        return called


@contextlib.contextmanager
def failing(step: Step) -> Iterator[None]:
    """Within the block the calls are counted, and one of them fails."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in CALLS:
            patch.setattr(module, name, step.wrap(name, getattr(module, name)))
        yield
