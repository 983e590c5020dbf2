"""The real service for the scripts that ask it over HTTP: started, watched through ``/proc``, and ended by its process id."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from _bench import recommender

START_SECONDS = 120.0
END_SECONDS = 30.0
IDLE_SECONDS = 10.0
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)")


class Reply(NamedTuple):
    """An answer.

    Attributes:
        status: of HTTP.
        body: the JSON of it.
        asked_at: when the request went out, by ``time.perf_counter``.
        seconds: until the answer was there.
    """

    status: int
    body: Any
    asked_at: float
    seconds: float


class Client:
    """One connection that is kept open, and so one worker; for one thread."""

    def __init__(self, port: int, key: str = "") -> None:
        """Take the port, and a key where it is to write."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._used_at = 0.0

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        """Return the answer. Raises OSError, http.client.HTTPException, ValueError where it is no JSON."""
        began = time.perf_counter()
        if began - self._used_at > IDLE_SECONDS:
            self._connection.close()  # the server closes idle ones after half a minute; it opens again by itself
        try:
            self._connection.request(method, path, body, self._headers)
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        self._used_at = time.perf_counter()
        seconds = self._used_at - began
        return Reply(response.status, json.loads(raw), began, seconds)


@dataclass(frozen=True, slots=True)
class Service:
    """A running ``recommender serve``."""

    process: subprocess.Popen[bytes]
    port: int

    def wait(self) -> float:
        """Return after how many seconds it said that it is ready; leave when it does not."""
        began = time.perf_counter()
        while time.perf_counter() - began < START_SECONDS:
            if self.process.poll() is not None:
                sys.exit(f"recommender serve ended with exit code {self.process.returncode}")
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                if Client(self.port).ask("GET", "/readyz").status == 200:
                    return time.perf_counter() - began
            time.sleep(0.02)
        sys.exit("recommender serve is not ready")

    def cpu_seconds(self) -> float:
        """Return what its processes have computed so far. Unlike time on the clock it hardly depends on what else the machine does."""
        return sum(_cpu_seconds(pid) for pid in (self.process.pid, *descendants(self.process.pid)))

    def workers(self, n: int) -> list[int]:
        """Return the ids of the ``n`` worker processes: of the descendants those that hold most."""
        held = sorted(((memory_of(pid)["VmRSS"], pid) for pid in descendants(self.process.pid)), reverse=True)
        return sorted(pid for _, pid in held[:n])


@contextlib.contextmanager
def serving(home: Path, *, n_workers: int = 1, env: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Yield the service on a free port of 127.0.0.1; it is told to stop by its process id.

    Args:
        home: a published one.
        n_workers: processes that answer.
        env: the whole environment; this one's where None.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = recommender(home, "serve", "--port", str(port), "--workers", str(n_workers))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    try:
        yield Service(process, port)
    finally:
        below = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in (*below, process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return children + [below for child in children for below in descendants(child)]


def memory_of(pid: int) -> dict[str, float]:
    """Return ``VmRSS``, ``RssAnon``, ``RssFile`` and ``Pss`` of a process in MB."""
    text = "".join(Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8") for name in ("status", "smaps_rollup"))
    found = re.findall(r"^(VmRSS|RssAnon|RssFile|Pss):\s+(\d+) kB", text, re.MULTILINE)
    return {name: int(kilobytes) / 1024 for name, kilobytes in found}


def mapped_of(pid: int) -> dict[str, float]:
    """Return a process's share (PSS) of each mapped file, by the file's name, in MB."""
    shares: dict[str, float] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        if (found := _MAPPING.match(line)) is not None:
            name = found[1].rpartition("/")[2]
        elif line.startswith("Pss:") and name and not name.startswith("["):
            shares[name] = shares.get(name, 0.0) + int(line.split()[1]) / 1024
    return shares


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


def open_files(pid: int) -> int:
    """Return how many file descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
