from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from newsroom import NOW, publish, settings_for, store, stories

from recommender.article import Article
from recommender.home import Home
from recommender.keys import add_key
from recommender.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")]

_TRIES = 1_200  # two minutes: on a machine with much else to do two workers need more than half of one


@pytest.fixture
def served(tmp_path: Path) -> Settings:
    """A published home."""
    made = settings_for(tmp_path / "home")
    store(made, stories())
    publish(made)
    return made


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _start(settings: Settings, port: int, output: int, **serve: object) -> subprocess.Popen[bytes]:
    """Start the service with two workers, in a process group of its own."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "recommender",
            "--home",
            str(settings.home),
            "serve",
            "--port",
            str(port),
            "--workers=2",
        ],
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=settings.home.parent,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "RECOMMENDER_ENCODER__MODEL": "hashing",
            "RECOMMENDER_SERVE__POLL_SECONDS": "0",
            **{f"RECOMMENDER_SERVE__{name.upper()}": str(value) for name, value in serve.items()},
        },
        start_new_session=True,
    )


@contextlib.contextmanager
def _serving(settings: Settings, port: int, **serve: object) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the service when it is ready; whatever is left of it in the end is killed."""
    log = settings.home.parent / "log"
    with log.open("wb") as stream:
        process = _start(settings, port, stream.fileno(), **serve)
    try:
        for _ in range(_TRIES):
            if _is_ready(port):
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
                break
        else:
            pytest.fail(f"it never was ready: {log.read_text(encoding='utf-8')}")
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ask(port: int, path: str, body: bytes | None = None) -> tuple[int, Any]:
    """Return the status and the JSON of an answer, or its text where it is none."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, raw = response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, raw = error.code, error.read()
    return status, json.loads(raw) if raw.startswith(b"{") else raw.decode()


def _is_ready(port: int) -> bool:
    try:
        return _ask(port, "/readyz")[0] == 200
    except OSError:
        return False


def _descendants(pid: int) -> set[int]:
    children: set[int] = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        children.update(map(int, file.read_text(encoding="ascii").split()))
    return children.union(*map(_descendants, children))


def _ends(pid: int) -> bool:
    """Tell whether a process has ended, or does within ten seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def test_the_service_answers_over_http_with_two_workers(served: Settings, port: int) -> None:
    with _serving(served, port) as process:
        # Two workers, beside whatever helpers the interpreter starts.
        assert len(_descendants(process.pid)) >= 2
        assert _ask(port, "/healthz") == (200, {"status": "ok"})
        assert _ask(port, "/readyz") == (200, {"status": "ready", "snapshot": "s00000001"})
        status, answer = _ask(port, "/v1/articles/ferry-strike/related?k=2")
        assert (status, [result["id"] for result in answer["results"]]) == (200, ["ferry-vote", "harbour-plan"])
        url = "https%3A%2F%2Fwww.lindenpost.example%2Fbusiness%2Fferry-vote"
        assert _ask(port, f"/v1/related?url={url}") == _ask(port, "/v1/articles/ferry-vote/related")
        status, answer = _ask(port, "/v1/search?q=penalties+of+the+goalkeeper&k=1")
        assert (status, answer["results"][0]["id"]) == (200, "cup-final")
        status, answer = _ask(port, "/v1/related?k=1", b'{"title": "Cup final after penalties"}')
        assert (status, len(answer["results"])) == (200, 1)
        assert _ask(port, "/v1/related", b"no article")[0] == 422
        assert _ask(port, "/v1/related", b"x" * 1_000_001)[0] == 413
        assert _ask(port, "/v1/articles/nobody/related")[1]["error"]["type"] == "unknown_article"
        assert _ask(port, "/v1/articles/a%2Fb/related")[1]["error"]["message"] == "no article has the id 'a/b'"
        assert _ask(port, "/nowhere")[1]["error"]["type"] == "not_found"
        status, page = _ask(port, "/")
        assert (status, "Ferries stay in port as strike begins" in page) == (200, True)


def test_many_readers_get_the_same_answer_while_a_new_index_is_published(served: Settings, port: int) -> None:
    with _serving(served, port), ThreadPoolExecutor(8) as readers:
        asked = [readers.submit(_ask, port, "/v1/articles/ferry-vote/related?k=3&stubs=0") for _ in range(200)]
        store(served, [Article("new", "An orchestra opens its season", language="en")])
        publish(served)
        answers = [future.result() for future in asked]
        assert {status for status, _ in answers} == {200}
        assert {answer["snapshot"] for _, answer in answers} <= {"s00000001", "s00000002"}
        # Before the new story, with it over the old index, and in the new index: three states, and nothing between them.
        assert len({json.dumps(answer, sort_keys=True) for _, answer in answers}) <= 3
        _until(lambda: {_ask(port, "/v1/articles/new/related")[0] for _ in range(20)} == {200})


def test_every_worker_drops_a_withdrawn_story_at_once_and_finds_a_new_one_soon(served: Settings, port: int) -> None:
    key = add_key(Home(served.home).keys, "cms", "write", now=NOW)
    path = "/v1/articles/ferry-strike/related?k=50&kind=any&floor=0"

    def ids() -> list[set[str]]:
        asked = [readers.submit(_ask, port, path) for _ in range(24)]
        return [{result["id"] for result in future.result()[1]["results"]} for future in asked]

    with _serving(served, port), ThreadPoolExecutor(8) as readers:
        assert all("ferry-vote" in found for found in ids())
        assert _write(port, key, "DELETE", "/v1/articles/ferry-vote") == 200
        assert not any("ferry-vote" in found for found in ids())
        story = b'{"title": "Ferry crews on night shift speak of their strike in the harbour", "language": "en"}'
        assert _write(port, key, "PUT", "/v1/articles/night", story) == 201
        _until(lambda: all("night" in found for found in ids()))
        publish(served)
        assert not any("ferry-vote" in found for found in ids())
        assert all("night" in found for found in ids())


def _write(port: int, key: str, method: str, path: str, body: bytes | None = None) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        status: int = response.status
        return status


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(_TRIES):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_with_all_its_workers(served: Settings, port: int, number: signal.Signals) -> None:
    with _serving(served, port) as process:
        workers = _descendants(process.pid)
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert [worker for worker in workers if not _ends(worker)] == []
        assert not _is_ready(port)


def test_a_signal_while_the_workers_start_ends_the_service_too(served: Settings, port: int) -> None:
    process = _start(served, port, subprocess.DEVNULL)
    try:
        for _ in range(10 * _TRIES):
            if len(_descendants(process.pid)) >= 2:
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.01)
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_port_in_use_is_named(served: Settings, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = _start(served, port, subprocess.PIPE)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    told = out.decode().splitlines()[-1]
    assert re.fullmatch(
        rf"error: serve: cannot listen on 127\.0\.0\.1, port {port}: Address already in use; choose another with --port",
        told,
    )


def test_the_service_starts_without_an_index_and_serves_the_first_one(tmp_path: Path, port: int) -> None:
    empty = settings_for(tmp_path / "home")
    store(empty, stories())
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = _start(empty, port, stream.fileno())
    try:
        answered = False
        for _ in range(_TRIES):
            with contextlib.suppress(OSError):
                status, answer = _ask(port, "/readyz")
                assert (status, answer["problem"]) == (503, "no index has been published here yet")
                answered = True
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
                break
        assert answered, log.read_text(encoding="utf-8")
        publish(empty)
        assert _ask(port, "/readyz") == (200, {"status": "ready", "snapshot": "s00000001"})
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
