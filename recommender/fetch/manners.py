"""One connection to a host at a time, a pause between two requests, and longer ones after failures or where the host asks for it."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from recommender.errors import FetchError

MAX_WAIT_SECONDS = 600.0
"""A host that asks for a longer pause is left alone instead of waited for."""

_FIRST_BACK_OFF_SECONDS = 2.0
_LAST_BACK_OFF_SECONDS = 3600.0


def back_off_seconds(n_failures: int, chance: Random, first: float = _FIRST_BACK_OFF_SECONDS) -> float:
    """Return how long to stay away after failures in a row: twice as long each time, to an hour, and half of it by chance."""
    if n_failures < 1:
        return 0.0
    whole = min(first * 2.0 ** min(n_failures - 1, 30), _LAST_BACK_OFF_SECONDS)
    return whole * chance.uniform(0.5, 1.0)


@dataclass(slots=True)
class _Host:
    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0
    n_failures: int = 0


class Manners:
    """Keeps every host its pauses; safe to share between threads."""

    def __init__(
        self, *, delay_seconds: float, clock: Callable[[], float], stop: threading.Event, chance: Random
    ) -> None:
        """Take the pause between two requests, a clock that never goes back, and what ends all waiting."""
        self._delay = delay_seconds
        self._clock = clock
        self._stop = stop
        self._chance = chance
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self, host: str, delay_seconds: float = 0.0) -> Iterator[None]:
        """Wait until this host may be asked again, and keep all others away from it meanwhile.

        Args:
            host: as it stands in the address.
            delay_seconds: least pause after this request, where the host wants a longer one than we make.

        Raises:
            FetchError: the host wants to be left alone for longer than anybody waits, or waiting was ended.
        """
        state = self._of(host)
        with state.lock:
            wait = state.free_at - self._clock()
            if wait > MAX_WAIT_SECONDS:
                raise FetchError(f"{host}: asks to be left alone for another {wait:,.0f} s")
            if self._stop.wait(max(wait, 0.0)) or self._stop.is_set():
                raise FetchError(f"{host}: was not asked, since this run is being ended")
            try:
                yield
            finally:
                pause = max(self._delay, delay_seconds)
                state.free_at = max(state.free_at, self._clock() + pause)

    def answered(self, host: str) -> None:
        """Note that a host is well."""
        self._of(host).n_failures = 0

    def failed(self, host: str, retry_after_seconds: float | None = None) -> None:
        """Note that a host is not well: stay away, as long as it says, else longer after every failure."""
        state = self._of(host)
        state.n_failures += 1
        pause = back_off_seconds(state.n_failures, self._chance)
        if retry_after_seconds is not None:
            pause = retry_after_seconds + self._chance.uniform(0, min(retry_after_seconds / 10, 10.0))
        state.free_at = max(state.free_at, self._clock() + pause)

    def n_failures(self, host: str) -> int:
        """Return how often in a row a host failed."""
        return self._of(host).n_failures

    def _of(self, host: str) -> _Host:
        with self._lock:
            return self._hosts[host]
