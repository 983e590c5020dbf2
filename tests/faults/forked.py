"""A child process that shares all that is imported already, and tells its parent what it did until it ends or is killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Tell = Callable[[Any], None]
"""Called with what can be said in JSON; when it returns, the parent will read it whatever becomes of the child."""

PATIENCE_SECONDS = 300.0  # only what hangs takes as long


class ChildDiedError(AssertionError):
    """A child ended before its work was done: by a signal, by an exception that nobody foresaw, or it hung."""


class Child:
    """A forked process at work on ``act(tell)``; after that it waits to be killed."""

    def __init__(self, act: Callable[[Tell], None]) -> None:
        self._reading, writing = os.pipe()
        with warnings.catch_warnings():  # threads of others in this process hold nothing that a child needs
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reading)
            _work(act, writing)
        os.close(writing)
        self._unread = b""
        self.status: int | None = None

    def hear(self) -> Any:
        """Return the next message. Raises ChildDiedError where none will come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(self._reading, 2**16) if ready else b""
            if not more:
                self.end()
                raise ChildDiedError(f"the child ended with {self.status} and said no more" if ready else "it hung")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        message = json.loads(line)
        if isinstance(message, dict) and "unforeseen" in message:
            self.end()
            raise ChildDiedError(message["unforeseen"])
        return message

    def end(self) -> list[Any]:
        """Kill it, as with ``kill -9``, and return what it had told and nobody had heard; none of it is lost."""
        if self.status is not None:
            return []
        os.kill(self.pid, signal.SIGKILL)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        while more := os.read(self._reading, 2**16):
            self._unread += more
        os.close(self._reading)
        *whole, _ = self._unread.split(b"\n")
        return [json.loads(line) for line in whole]


def _work(act: Callable[[Tell], None], writing: int) -> None:
    def tell(message: Any) -> None:
        raw = json.dumps(message).encode() + b"\n"
        while raw:
            raw = raw[os.write(writing, raw) :]

    try:
        act(tell)
    except BaseException:
        with contextlib.suppress(OSError):
            tell({"unforeseen": traceback.format_exc()})
    while True:
        signal.pause()


@contextlib.contextmanager
def child_of(act: Callable[[Tell], None]) -> Iterator[Child]:
    """Yield a child at work; it is gone when the block ends."""
    child = Child(act)
    try:
        yield child
    finally:
        child.end()


def in_child(function: Callable[[], Any]) -> Any:
    """Return what ``function`` returns when a child runs it, as JSON gives it back. Raises ChildDiedError where it does not."""
    with child_of(lambda tell: tell([function()])) as child:
        return child.hear()[0]
