"""Connections that go to the very address that was checked, and can be ended from outside. With ``client`` the owner of urllib3."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.util import Timeout

from recommender.errors import FetchError, FetchRefusedError
from recommender.fetch.address import Target, refusal_of

Resolver = Callable[[str, int], Sequence[str]]
"""Takes a host and a port, and returns IP addresses, the best first. Raises OSError where the name is not known."""

_MAX_DIALLED = 4


def system_resolver(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host as this machine's resolver knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def dial(host: str, port: int, seconds: float, resolver: Resolver, *, allow_private: bool) -> socket.socket:
    """Return a socket that is connected to an address of ``host`` that may be asked.

    The name is resolved once, every address judged, and the connection made to an address, not to the name: whoever
    answers DNS with something else a moment later changes nothing.

    Raises:
        FetchRefusedError: no address of the host may be asked.
        FetchError: the name is not known, or nobody answers.
    """
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host}: the name is not known ({getattr(error, 'strerror', None) or error})") from error
    judged = {each: refusal_of(each, allow_private=allow_private) for each in addresses}
    allowed = [each for each, refusal in judged.items() if refusal is None][:_MAX_DIALLED]
    if not allowed:
        address, refusal = next(iter(judged.items()), ("it", "has no address"))
        raise FetchRefusedError(f"{host}: {address} {refusal}")
    for address in allowed:
        try:
            connected = socket.create_connection((address, port), timeout=seconds)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
        except OSError as error:
            failure = FetchError(f"{host}: {address} does not answer on port {port} ({error.strerror or error})")
            failure.__cause__ = error
    raise failure


class Line:
    """One kept connection to a host. One request at a time; ``cut`` may be called by anybody, at any time.

    Nothing of the environment is heeded: a proxy would resolve names itself, and so undo the check.
    """

    def __init__(self, where: Target, timeout: Timeout, dialled: Callable[[str, int], socket.socket]) -> None:
        """Take the host, how long one step may take, and what opens a socket; nothing is opened yet."""
        self._socket: socket.socket | None = None
        self._is_closed = False
        line = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return line._watched(dialled(where.host, where.port))

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return line._watched(dialled(where.host, where.port))

        kept: dict[str, Any] = {"maxsize": 1, "timeout": timeout, "retries": False}
        host = f"[{where.host}]" if ":" in where.host else where.host
        self._pool: HTTPConnectionPool
        if where.scheme == "https":
            self._pool = HTTPSConnectionPool(host, where.port, **kept)
            self._pool.ConnectionCls = Secure
        else:
            self._pool = HTTPConnectionPool(host, where.port, **kept)
            self._pool.ConnectionCls = Plain

    def ask(self, path: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Return the answer, of which no body has been read. Raises what urllib3 raises, and what opening a socket does."""
        before = self._socket
        try:
            return self._asked(path, headers)
        except ProtocolError:
            if before is None or before is not self._socket:
                raise
            return self._asked(path, headers)  # the kept connection had been ended by the other side meanwhile

    def _asked(self, path: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        return self._pool.urlopen(
            "GET", path, headers=headers, redirect=False, preload_content=False, decode_content=False
        )

    def _watched(self, connected: socket.socket) -> socket.socket:
        """Keep a second handle: TLS takes the first one over, and hides it while two sides are still greeting each other."""
        former, self._socket = self._socket, connected.dup()
        if former is not None:
            former.close()
        if self._is_closed:
            self.cut()
        return connected

    def cut(self) -> None:
        """Shut the connection: whoever waits at it, however patiently it is fed, goes on with an error."""
        connected = self._socket
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, whoever uses it."""
        self._is_closed = True
        self.cut()
        self._pool.close()
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()
