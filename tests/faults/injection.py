"""One fault in one operation on a home of its own, and what is left of that home."""

from __future__ import annotations

import contextlib
import copy
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from faults.checks import Ledger, problems_of_next_rebuild
from faults.forked import ChildDiedError, in_child
from faults.operations import Operation, Work
from faults.steps import Step
from recommender.errors import RecommenderError
from recommender.home import Home

Fault = AbstractContextManager[object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault.

    Attributes:
        failed: the call that failed; None where the operation made fewer calls.
        refusal: what the operation said; None where it went through all the same.
        problems: what is wrong afterwards; empty when nothing is.
    """

    failed: str | None
    refusal: str | None
    problems: list[str]


class Bench:
    """A home that is ready for one operation, and copies of it to be harmed."""

    def __init__(self, template: Home, folder: Path, operation: Operation, seed: int = 1) -> None:
        """Make a copy of ``template`` ready in ``folder``."""
        self.operation = operation
        self._folder = folder
        self._ready = Home(folder / "ready" / "home")
        shutil.copytree(template.path, self._ready.path)
        operation.prepare(self._ready, 50)
        self._asked = operation.drawn(Random(seed), 60)
        self._ledger = Ledger.of(self._ready)

    def at_call(
        self, at: int, failing: Callable[[Step], Fault], error: Callable[[], BaseException], cut: bool
    ) -> Outcome:
        """Return what comes of it when the call number ``at`` of those that ``failing`` counts goes wrong."""
        step = Step(at, error, cut)
        return self.under(lambda: failing(step), lambda: step.failed)

    def under(self, fault: Callable[[], Fault], failed: Callable[[], str | None] = lambda: None) -> Outcome:
        """Return what comes of the operation under a fault, and of its second run without one."""
        home = Home(self._folder / "harmed" / "home")
        shutil.rmtree(home.path.parent, ignore_errors=True)
        self.copied(home)
        try:
            told, which, acknowledged = in_child(lambda: self._run(home, fault, failed))
        except ChildDiedError as error:
            return Outcome(None, None, [str(error)])
        problems = self.problems(home, acknowledged)
        return Outcome(which, told, problems or self.problems_of_second_run(home))

    def copied(self, home: Home) -> None:
        """Make a copy of what is ready, to be harmed."""
        shutil.copytree(self._ready.path, home.path)

    def act(self, home: Home, begun: Callable[[], None], acknowledged: Callable[[Iterable[str]], None]) -> None:
        """Do the operation on a copy."""
        self.operation.act(Work(home, self._asked, begun, acknowledged))

    @property
    def lists(self) -> dict[str, Any]:
        """What each snapshot answered before."""
        return self._ledger.lists

    def problems(self, home: Home, acknowledged: list[str]) -> list[str]:
        """Return what was lost or broken in a copy of the home."""
        return copy.deepcopy(self._ledger).problems(home, self._asked, acknowledged)

    def problems_of_second_run(self, home: Home) -> list[str]:
        """Do the operation once more, with nothing in its way, and return what is wrong then and after the next rebuild."""
        try:
            self.act(home, lambda: None, lambda ids: None)
        except RecommenderError as error:
            return [f"the second run fails: {error}"]
        return [*self.problems(home, list(self._asked)), *problems_of_next_rebuild(home)]

    def _run(
        self, home: Home, fault: Callable[[], Fault], failed: Callable[[], str | None]
    ) -> tuple[str | None, str | None, list[str]]:
        acknowledged: list[str] = []
        told = None
        with contextlib.ExitStack() as faults:
            try:
                self.act(home, lambda: faults.enter_context(fault()), acknowledged.extend)
            except RecommenderError as error:
                told = str(error)
        return told, failed(), acknowledged
