"""Work parted among processes, its results in order."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

P = TypeVar("P")
R = TypeVar("R")
_PR_SET_PDEATHSIG = 1
_WAITING_PARTS = 4  # for each process: what is made must not pile up where it is taken more slowly


_NICENESS = 10


class EndedError(RuntimeError):
    """A process ended that should not have: its memory was full, or somebody killed it."""


def in_order(
    work: Callable[[P], R], parts: Iterable[P], processes: int, begin: Callable[..., None], told: tuple[Any, ...]
) -> Iterator[R]:
    """Yield what ``work`` makes of each part, in their order.

    Args:
        work: a function of a module; what it needs besides its part, ``begin`` has put there.
        parts: a few more than there are processes are taken ahead.
        processes: 1 for this one alone.
        begin: called once in each process, with ``told``.

    Raises:
        EndedError: a process ended before its time.
    """
    if processes == 1:
        begin(*told)
        yield from map(work, parts)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(begin, told))
    waiting: deque[Future[R]] = deque()
    try:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > _WAITING_PARTS * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise EndedError from error
    finally:
        pool.shutdown(cancel_futures=True)


def yield_to_others() -> None:
    """Let this process, and those that it starts, have what time others leave: a service beside it answers as before.

    What no other process wants it takes whole. Nothing happens where the system knows no priorities.
    """
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _begin(begin: Callable[..., None], told: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that collects
    end_with_parent()
    begin(*told)


def end_with_parent() -> None:
    """Let this process end when the one that started it is killed, where the system knows how (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
