"""Processes that take pages apart, so that no page can hold up, fill or end this one. They are started when first asked."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import LifoQueue
from threading import Lock
from typing import Any, TypeVar

from recommender.errors import RecordError
from recommender.readers.page.child import CPU_SECONDS, HEADER, MEMORY_BYTES

N_PROCESSES = 2
WALL_SECONDS = 20.0
"""Of one page, waiting for a processor included; its own time is bounded by ``child.CPU_SECONDS``."""

T = TypeVar("T")
R = TypeVar("R")

_START = "import sys; sys.path[:] = sys.argv[1:]; from recommender.readers.page.child import main; main()"


class Worker:
    """One process; started with the first question, and anew after one that it did not survive. One thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs, None while there is none."""
        return self._process.pid if self._process else None

    def ask(self, about: dict[str, Any], raw: bytes) -> dict[str, Any]:
        """Return the answer to one question.

        Raises:
            RecordError: the page took too long, too much memory, or broke its reader.
        """
        process = self._process or self._start()
        answered = False
        try:
            text = json.dumps(about).encode()
            ends_at = time.monotonic() + WALL_SECONDS
            _write(process, HEADER.pack(len(text), len(raw)) + text + raw, ends_at)
            size, _ = HEADER.unpack(_read(process, HEADER.size, ends_at))
            answer: dict[str, Any] = json.loads(_read(process, size, ends_at))
            answered = True
        except (EOFError, BrokenPipeError):
            raise RecordError(self._why(process)) from None
        except TimeoutError:
            raise RecordError(f"took over {WALL_SECONDS:g} seconds to read, and was given up") from None
        finally:
            if not answered:  # interrupted, too: what comes next from it would be the answer to this
                self.end()
        if "broken" in answer:
            self.end()
            raise RecordError(_broken(answer["broken"]))
        return answer

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # With the very path of this process, and without the working directory that "-m" would put before it.
        command = [sys.executable, "-P", "-c", _START, *sys.path]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        self._process = process
        return process

    def _why(self, process: subprocess.Popen[bytes]) -> str:
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = 0
        if code == -27:  # SIGPROF
            return f"took over {CPU_SECONDS:g} seconds of a processor to read, and was given up; is it a story?"
        return _broken(f"exit code {code}")


def _broken(what: str) -> str:
    if what == "MemoryError":
        return f"needs over {MEMORY_BYTES // 2**20} MiB of memory to read, and was given up; is it a story?"
    return f"cannot be read: it broke the extractor ({what}); the others go on"


def _wait(fd: int, ends_at: float, *, write: bool) -> None:
    left = ends_at - time.monotonic()
    poll = select.poll()
    poll.register(fd, select.POLLOUT if write else select.POLLIN)
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def _write(process: subprocess.Popen[bytes], data: bytes, ends_at: float) -> None:
    assert process.stdin is not None
    fd, left = process.stdin.fileno(), memoryview(data)
    while left:
        _wait(fd, ends_at, write=True)
        left = left[os.write(fd, left[:65_536]) :]


def _read(process: subprocess.Popen[bytes], n: int, ends_at: float) -> bytes:
    assert process.stdout is not None
    fd, found = process.stdout.fileno(), bytearray()
    while len(found) < n:
        _wait(fd, ends_at, write=False)
        some = os.read(fd, n - len(found))
        if not some:
            raise EOFError
        found += some
    return bytes(found)


class Pool:
    """Some workers, for any number of threads: each waits for a free one."""

    def __init__(self, n: int = N_PROCESSES) -> None:
        """Take the number of processes, at least 1."""
        self.owner = os.getpid()
        self.workers = [Worker() for _ in range(n)]
        self._free: LifoQueue[Worker] = LifoQueue()
        for worker in self.workers:
            self._free.put(worker)

    def ask(self, about: dict[str, Any], raw: bytes) -> dict[str, Any]:
        """Return the answer of a free worker; see :meth:`Worker.ask`.

        Raises:
            RecordError: the page is refused, or was given up.
        """
        worker = self._free.get()
        try:
            answer = worker.ask(about, raw)
        finally:
            self._free.put(worker)
        if "refused" in answer:
            raise RecordError(answer["refused"])
        return answer

    def end(self) -> None:
        """End every process. The pool can be used again."""
        for worker in self.workers:
            worker.end()


_lock = Lock()
_pools: list[Pool] = []


def shared() -> Pool:
    """Return the pool of this process. A process that was forked off has one of its own."""
    with _lock:
        if not _pools or _pools[-1].owner != os.getpid():
            _pools[:] = [Pool()]
        return _pools[-1]


@atexit.register
def _end() -> None:
    if _pools and _pools[-1].owner == os.getpid():
        _pools[-1].end()


def in_parallel(job: Callable[[T], R], items: Iterable[T], n: int = N_PROCESSES) -> Iterator[R]:
    """Yield ``job`` of each item in order, a few of them ahead and ``n`` at once; an exception of a job is raised at its turn."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(n) as threads:
        try:
            for item in items:
                waiting.append(threads.submit(partial(job, item)))
                if len(waiting) > 4 * n:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
