"""Calls into the operating system that fail, or are the last thing a process does; one at a time."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from recommender import disk

CALLS = (
    *((os, "mkdir"), (os, "rename"), (os, "replace"), (os, "fsync"), (os, "open"), (io, "open")),
    *((os, "link"), (os, "unlink"), (os, "rmdir"), (disk, "exchange")),
)
OPENS = ((io, "open"), (builtins, "open"))


class Killed(BaseException):
    """The process ends here."""


def no_room() -> OSError:
    """Return what a full disk raises."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def broken_disk() -> OSError:
    """Return what a broken disk raises."""
    return OSError(errno.EIO, os.strerror(errno.EIO))


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
            fails = self.comes(name)
            if fails and (not self.after or name == "open"):  # what was opened and never returned could not be closed
                raise self.error()
            result = function(*arguments, **named)
            self.switched = self.switched or name == "replace"
            if fails:
                raise self.error()
            return result

        return called

    def comes(self, name: str) -> bool:
        """Count one call, and tell whether it is the one that fails."""
        number, self.n = self.n, self.n + 1
        if number == self.at:
            self.failed = name
        return number == self.at


@contextlib.contextmanager
def failing(step: Step) -> Iterator[None]:
    """Within the block the calls are counted, and one of them fails."""
    with contextlib.ExitStack() as patches:
        for module, name in CALLS:
            patches.enter_context(mock.patch.object(module, name, step.wrap(name, getattr(module, name))))
        yield


@contextlib.contextmanager
def failing_writes(step: Step) -> Iterator[None]:
    """Within the block the writes of Python's own files are counted; one of them fails.

    With ``step.after`` it is cut: half of its bytes are written first.
    """
    with contextlib.ExitStack() as patches:
        for module, name in OPENS:
            patches.enter_context(mock.patch.object(module, name, _opener(step, getattr(module, name))))
        yield


def _opener(step: Step, opened: Callable[..., Any]) -> Callable[..., Any]:
    def called(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+"):
            return opened(file, mode, *arguments, **named)
        raw = _Raw(file if isinstance(file, int) else os.fspath(file), mode.replace("b", "").replace("t", ""))
        raw.step = step
        buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding=named.get("encoding"), newline=named.get("newline"))

    return called


class _Raw(io.FileIO):
    step: Step

    def write(self, piece: Any) -> int:
        if not self.step.comes("write"):
            return super().write(piece)
        if self.step.after:
            super().write(memoryview(piece)[: len(piece) // 2])
        raise self.step.error()
