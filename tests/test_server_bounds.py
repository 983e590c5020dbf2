"""The running service against those who are slow, large or many: it refuses them, and goes on answering."""

from __future__ import annotations

import contextlib
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from test_server import _ask, _serving, port, served  # noqa: F401

from recommender.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")]

HOST = b"Host: recommender.example\r\n"
PATH = "/v1/articles/ferry-vote/related"


def _raw(port: int, sent: bytes) -> bytes:  # noqa: F811
    """Return the first line that is answered, empty where the connection is closed without."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with contextlib.suppress(OSError):  # it may be closed while we send
            connection.sendall(sent)
        try:
            return connection.recv(4096).partition(b"\r\n")[0]
        except OSError:
            return b""


@contextlib.contextmanager
def _slow_bodies(port: int, n: int) -> Iterator[None]:  # noqa: F811
    """Hold connections on which a body has begun and does not go on."""
    with contextlib.ExitStack() as stack:
        for _ in range(n):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            connection.sendall(b"POST /v1/related HTTP/1.1\r\n%sContent-Length: 1000\r\n\r\n{" % HOST)
        yield


def test_slow_bodies_keep_no_reader_waiting(served: Settings, port: int) -> None:  # noqa: F811
    with _serving(served, port, threads=2), _slow_bodies(port, 40):
        assert {_ask(port, PATH)[0] for _ in range(20)} == {200}


def test_headers_addresses_and_other_protocols_have_bounds(served: Settings, port: int) -> None:  # noqa: F811
    with _serving(served, port):
        assert _raw(port, b"GET /healthz HTTP/1.1\r\n%s\r\n" % HOST) == b"HTTP/1.1 200 OK"
        many = b"".join(b"X-%d: a\r\n" % n for n in range(200))
        assert _raw(port, b"GET /healthz HTTP/1.1\r\n%s%s\r\n" % (HOST, many)).startswith(b"HTTP/1.1 431")
        large = b"X: %s\r\n" % (b"a" * 300_000)
        assert not _raw(port, b"GET /healthz HTTP/1.1\r\n%s%s\r\n" % (HOST, large)).startswith(b"HTTP/1.1 200")
        assert _raw(port, b"GET /%s HTTP/1.1\r\n%s\r\n" % (b"a" * 70_000, HOST)).startswith(b"HTTP/1.1 414")
        assert not _raw(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").startswith(
            b"\x00"
        )
        assert _raw(port, b"GET /healthz HTTP/1.1\r\n%s\r\n" % HOST) == b"HTTP/1.1 200 OK"


def test_workers_count_together_and_know_readers_behind_a_proxy(served: Settings, port: int) -> None:  # noqa: F811
    def ask(told: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers={"X-Forwarded-For": told})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    with _serving(served, port, reads_per_minute=10, trusted_proxies=1):
        # A connection each, so that both workers are asked; a bucket fills up again by one in six seconds.
        asked = [ask("6.6.6.6, 203.0.113.7") for _ in range(40)]
        assert 10 <= asked.count(200) <= 14
        assert asked.count(200) + asked.count(429) == 40
        assert ask("203.0.113.8") == 200
        assert _ask(port, "/readyz")[0] == 200
