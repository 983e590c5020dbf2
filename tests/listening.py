"""A service with one write key that answers over HTTP, for those who ask from outside."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator

from werkzeug.serving import make_server

from recommender import keys
from recommender.home import Home
from recommender.recommend import Live
from recommender.settings import Settings
from recommender.web import create_app

KEY = "a-key-of-the-newsroom"


@contextlib.contextmanager
def listening(published: Settings) -> Iterator[str]:
    """Give the address of a service over this home."""
    made = keys.Key("cms", "write", hashlib.sha256(KEY.encode()).hexdigest(), "2025-04-01T12:00:00+00:00")
    keys._write(Home(published.home).keys, [made])
    app = create_app(published)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        live: Live = app.extensions["recommender.live"]
        live.stop()
