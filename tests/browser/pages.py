"""Pages, stories and small servers for the tests in a browser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

PIXEL = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='160' height='90'><rect width='160' height='90' fill='#678'/></svg>"
)

_LONG = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen" * 3
TITLES = {
    "img": "<img src=x onerror=\"window.hacked='img'\"> on the ferry",
    "script": "</script><script>window.hacked='script'</script> & the harbour",
    "arabic": "محادثات الميناء تبدأ يوم الاثنين (Port Linden)",
    "long": _LONG,
    "plain": "Ferry crews & council meet: \u201cWe talk again on Monday\u201d",
}
_DAY = "2025-03-1{}T09:00:00+00:00"

ARCHIVE: tuple[dict[str, Any], ...] = (
    {
        "id": "talks",
        "title": "Harbour talks begin",
        "description": "Two sides, one table.",
        "text": "The talks about the harbour began on Monday.\nNobody expects an end before Friday.",
        "url": "https://www.lindenpost.example/talks",
        "published_at": _DAY.format(9),
        "language": "en",
        "section": "politics",
        "read_more": list(TITLES.values()),
    },
    *(
        {
            "id": name,
            "title": title,
            "description": title,
            "text": f"{title}\nThe ferries of the harbour stay in port while the talks go on.",
            "url": f"https://www.lindenpost.example/{name}",
            "published_at": _DAY.format(number),
            "language": "ar" if name == "arabic" else "en",
            "section": "<b>business</b>" if name == "img" else "business",
        }
        for number, (name, title) in enumerate(TITLES.items())
    ),
)


class Site:
    """A WSGI application whose pages are put there by tests.

    Attributes:
        origin: its address, once it is served.
    """

    def __init__(self) -> None:
        self.origin = ""
        self._pages: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self._numbers = itertools.count()

    def put(self, body: str | bytes, mimetype: str = "text/html; charset=utf-8", **headers: str) -> str:
        """Return the address under which ``body`` is answered from now on; ``Some_Header`` is ``Some-Header``."""
        path = f"/{next(self._numbers)}"
        raw = body.encode() if isinstance(body, str) else body
        self._pages[path] = raw, mimetype, {name.replace("_", "-"): value for name, value in headers.items()}
        return self.origin + path

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a page, 404 for any other path."""
        body, mimetype, headers = self._pages.get(environ["PATH_INFO"], (b"", "text/plain", {}))
        status = "200 OK" if environ["PATH_INFO"] in self._pages else "404 Not Found"
        start_response(status, [("Content-Type", mimetype), *headers.items()])
        return [body]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


def _whole(application: Any) -> Any:
    """Return an application that has read and closed its files before anything is sent: a browser may be gone by then."""

    def called(environ: Any, start: Any) -> list[bytes]:
        answer = application(environ, start)
        try:
            return [b"".join(answer)]
        finally:
            getattr(answer, "close", lambda: None)()

    return called


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve a WSGI application on a free port and yield its address."""
    server = make_server("127.0.0.1", 0, _whole(application), threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def widget_page(
    service: str,
    attributes: str = 'article-id="talks"',
    *,
    inside: str = "",
    before: str = "",
    after: str = "<p id='after'>The end of the page.</p>",
    head: str = "",
    root: str = 'lang="en"',
) -> str:
    """Return a page of a newspaper with the element on it."""
    return (
        f'<!doctype html><html {root}><head><meta charset="utf-8"><title>Harbour talks begin</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<script type="module" src="{service}/widget.js"></script>'
        "<style>:root{color-scheme:light dark}body{font:16px/1.5 Georgia,serif;margin:2rem;background:Canvas;color:CanvasText}</style>"
        f"{head}</head><body><main><h1>Harbour talks begin</h1>{before}"
        f"<related-stories {attributes}>{inside}</related-stories>{after}</main></body></html>"
    )


def axe_violations(page: Any) -> list[tuple[str, list[str]]]:
    """Return what axe finds wrong with the page that is open: the rule, and the elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: pip install -e '.[browser]'")
    found = axe.Axe().run(page).response["violations"]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
