"""``kill -9`` at random moments: a warm process forks a child for each, which works until it is killed."""

from __future__ import annotations

import shutil
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from faults.checks import Ledger, problems_of_next_rebuild
from faults.forked import ChildDiedError, Tell, child_of
from faults.operations import OPERATIONS, Editions, Operation, Work, made
from recommender.home import Home

_N_MEASURED = 3
_LATER, _EARLIER = (
    1.02,
    0.88,
)  # the latest moment follows the machine: some one in eight kills comes too late, so none is spared
_EVERY = 10  # kills, after each of which a whole rebuild must go through
_HOME_LASTS = 250  # kills; vectors of texts that are gone pile up in a home


@dataclass(slots=True)
class Tally:
    """What came of all kills, by operation.

    Attributes:
        kills, in_the_act: how many there were, and how many hit an operation before it was done.
        acknowledged: articles that were promised to last before the kill, and were looked for after it.
        failures: one line each; empty when everything survived.
    """

    kills: Counter[str] = field(default_factory=Counter)
    in_the_act: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)


class Crasher:
    """Kills operations on one home, again and again, and looks at what is left."""

    def __init__(self, folder: Path, seed: int, operations: Sequence[Operation] = OPERATIONS) -> None:
        """Make a home in ``folder`` and measure how long each operation takes here."""
        self._folder = folder
        self._template = made(folder / "template")
        self._chance = Random(seed)
        self._operations = operations
        self._edition = 100
        self._n_homes = 0
        self.tally = Tally()
        self._begin()
        self._latest = {
            each.name: statistics.median(self._measured(each) for _ in range(_N_MEASURED)) for each in operations
        }

    def run(self, n_kills: int, progress: Callable[[], Any] = lambda: None) -> Tally:
        """Kill ``n_kills`` times, the operations in turn, and return what came of it all so far."""
        for number in range(n_kills):
            if number % _HOME_LASTS == _HOME_LASTS - 1:
                self._begin()
            operation = self._operations[number % len(self._operations)]
            self._kill(operation, self._chance.uniform(0, self._latest[operation.name]))
            if number % _EVERY == _EVERY - 1:
                self._note(operation, "and then", problems_of_next_rebuild(self._home))
            progress()
        return self.tally

    def _begin(self) -> None:
        """Start with a new home: what one failure left must not make the next."""
        shutil.rmtree(self._folder / f"{self._n_homes}", ignore_errors=True)
        self._n_homes += 1
        self._home = Home(self._folder / f"{self._n_homes}" / "home")
        shutil.copytree(self._template.path, self._home.path)
        self._ledger = Ledger.of(self._home)

    def _measured(self, operation: Operation) -> float:
        problems, seconds = self._attempt(operation, None)
        self._note(operation, "killed when it was done", problems)
        return seconds

    def _kill(self, operation: Operation, delay: float) -> None:
        self.tally.kills[operation.name] += 1
        moment = f"killed after {delay * 1_000:.1f} ms"
        try:
            problems, seconds = self._attempt(operation, delay)
        except ChildDiedError as error:
            problems, seconds = [str(error)], 0.0
        if not seconds:
            self.tally.in_the_act[operation.name] += 1
        self._latest[operation.name] *= _EARLIER if seconds else _LATER
        self._note(operation, moment, problems)

    def _note(self, operation: Operation, moment: str, problems: Sequence[str]) -> None:
        if problems:
            self.tally.failures.append((operation.name, f"{operation.name}, {moment}: {'; '.join(problems[:5])}"))
            self._begin()

    def _attempt(self, operation: Operation, delay: float | None) -> tuple[list[str], float]:
        """Return what is wrong after an operation was killed, and the seconds it took where it was done before that."""
        operation.prepare(self._home, self._next_edition())
        self._ledger.look_at(self._home)
        asked = operation.drawn(self._chance, self._next_edition())
        with child_of(_at_work(operation, self._home, asked)) as child:
            heard = [child.hear()]
            while "begun" not in heard[-1]:
                heard.append(child.hear())
            began = time.monotonic()
            if operation.beside is not None:
                operation.beside(self._home, asked)
            if delay is not None:
                time.sleep(max(0.0, began + delay - time.monotonic()))
            while delay is None and "done" not in heard[-1]:
                heard.append(child.hear())
            heard += child.end()
        for unforeseen in (message["unforeseen"] for message in heard if "unforeseen" in message):
            raise ChildDiedError(unforeseen)
        acknowledged = {article_id for message in heard for article_id in message.get("acknowledged", ())}
        if operation.beside is not None:
            acknowledged |= set(asked)
        self.tally.acknowledged[operation.name] += len(acknowledged)
        problems = self._ledger.problems(self._home, asked, acknowledged)
        return problems, next((message["done"] for message in heard if "done" in message), 0.0)

    def _next_edition(self) -> int:
        self._edition += 1
        return self._edition


def _at_work(operation: Operation, home: Home, asked: Editions) -> Callable[[Tell], None]:
    def act(tell: Tell) -> None:
        began = 0.0

        def begun() -> None:
            nonlocal began
            tell({"begun": True})
            began = time.perf_counter()

        operation.act(Work(home, asked, begun, lambda ids: tell({"acknowledged": list(ids)})))
        tell({"done": time.perf_counter() - began})

    return act
