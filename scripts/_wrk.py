"""wrk from Python: which paths are asked in which order, and what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PROGRAM = "wrk"
MISSING = "wrk is not installed; on Debian and Ubuntu: apt-get install wrk"

# Each thread of wrk begins at another place of the list, so that together they ask for all of it in turn.
_SCRIPT = """
local lines = {}
for line in io.lines(%(file)s) do lines[#lines + 1] = line end
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
local at = -1
function request()
  if at < 0 then at = math.floor(number * #lines / %(threads)d) end
  at = at %% #lines + 1
  local path, etag = lines[at]:match("^(%%S+) ?(.*)$")
  if etag == "" then return wrk.format("GET", path) end
  return wrk.format("GET", path, {["If-None-Match"] = etag})
end
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format(
    '{"requests": %%d, "seconds": %%f, "p50_ms": %%f, "p99_ms": %%f, "bad_statuses": %%d, "failures": %%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""


class Load(NamedTuple):
    """What came of a load.

    Attributes:
        per_second: requests answered.
        p50_ms, p99_ms: of their times.
        n_requests: all of them.
        n_bad: answered with 400 or above, or not at all.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    n_requests: int
    n_bad: int


class Wrk:
    """A load that is begun, and waited for."""

    def __init__(self, port: int, lines: Sequence[str], *, connections: int, seconds: int, threads: int = 2) -> None:
        """Begin.

        Args:
            port: of a service on 127.0.0.1.
            lines: paths in the order in which they are asked for, each with an ETag behind a blank where it is asked whether
                it is still the answer.
            connections: kept open all the time.
            seconds: how long.
            threads: of wrk, at most as many as connections.
        """
        if shutil.which(PROGRAM) is None:
            sys.exit(MISSING)
        self._folder = tempfile.TemporaryDirectory(prefix="recommender-wrk-")
        paths, script = Path(self._folder.name, "paths"), Path(self._folder.name, "load.lua")
        paths.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        script.write_text(_SCRIPT % {"file": json.dumps(str(paths)), "threads": threads}, encoding="utf-8")
        options = [f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script)]
        command = [PROGRAM, *options, f"http://127.0.0.1:{port}/"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait(self) -> Load:
        """Return what came of it when it is over."""
        told = self._process.communicate()[0]
        self._folder.cleanup()
        line = next((line for line in told.splitlines() if line.startswith("{")), None)
        if line is None:
            sys.exit(f"wrk said:\n{told}")
        found = json.loads(line)
        n = found["requests"]
        return Load(
            n / found["seconds"],
            found["p50_ms"],
            found["p99_ms"],
            n,
            found["bad_statuses"] + found["failures"],
        )
