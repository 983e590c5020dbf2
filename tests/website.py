"""A web site of our own on 127.0.0.1, whose pages a test makes and takes away, and which remembers what was asked of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass(slots=True)
class Page:
    """What a path answers; ``etag`` makes it answer 304 to whoever has it."""

    body: bytes = b""
    media_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(slots=True)
class Website:
    """The site: ``pages`` by path, each a page or what answers by hand; every other path is 404.

    Attributes:
        asked: path, status and headers of each request, in order.
    """

    url: str
    pages: dict[str, Page | Behaviour] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, media_type: str = "text/html; charset=utf-8", **more: Any) -> str:
        """Make a page, and return its address."""
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, media_type, **more)
        return self.url + path

    def paths(self) -> list[str]:
        """Return the paths that were asked, but for robots.txt, in order."""
        return [path for path, _ in list(self.asked) if path != "/robots.txt"]


@contextlib.contextmanager
def website() -> Iterator[Website]:
    """Run a site until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = site.pages.get(self.path, Page(b"no such page", status=404))
            if not isinstance(page, Page):
                page(self)
                return
            fresh = page.etag is not None and self.headers.get("If-None-Match") == page.etag
            self.send_response(304 if fresh else page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.etag:
                self.send_header("ETag", page.etag)
            if not fresh:
                self.send_header("Content-Type", page.media_type)
                self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            if not fresh:
                self.wfile.write(page.body)

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # whoever asks may have had enough
                super().handle()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    site = Website(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
