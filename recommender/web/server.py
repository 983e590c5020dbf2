"""The production server."""

from __future__ import annotations

import ctypes
import os
import socket
import tempfile
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from recommender.errors import SettingsError
from recommender.recommend import Live
from recommender.settings import Settings
from recommender.web import buckets
from recommender.web.observing import log_to_stderr

_M_ARENA_MAX = -8  # malloc.h
_MAX_HEADER_BYTES = 65_536  # all of them, and the address; a hundred headers at most
_HEADER_SECONDS = 10


def run(settings: Settings) -> None:
    """Serve until the process is told to stop (SIGTERM or SIGINT); requests in flight have ten seconds.

    Each worker is a process of its own that opens the snapshot itself: nothing is searched or encoded before the
    workers start, and the index file is mapped, so that they share one copy of it.

    Raises:
        SettingsError: host and port cannot be listened on.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # one thread a search, see dense.py; set before any worker imports NumPy
    serve = settings.serve
    if serve.traces:
        from recommender.web import tracing

        tracing.check()  # here: workers that cannot start would be started again and again
    _check_free(serve.host, serve.port)
    server = Granian(
        "recommender.web:create_app",
        address=serve.host,
        port=serve.port,
        interface=Interfaces.WSGI,
        workers=serve.workers,
        blocking_threads=serve.threads,
        http=HTTPModes.http1,  # what proxies speak; a second protocol would need bounds of its own
        http1_settings=HTTP1Settings(header_read_timeout=1000 * _HEADER_SECONDS, max_buffer_size=_MAX_HEADER_BYTES),
        respawn_failed_workers=True,
        workers_kill_timeout=10,  # a worker that is told to stop while it starts does not hear it
        log_access=False,
    )
    # Workers count into files of one folder, so that any of them can tell of all, and a limit holds for all together.
    with tempfile.TemporaryDirectory(prefix="recommender-counts-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        limits = Path(counts, "limits")
        buckets.make(limits)
        server.serve(target_loader=partial(_load, settings, limits), wrap_loader=False)


def _load(settings: Settings, limits: Path) -> Flask:
    from recommender.web import create_app

    _few_arenas()
    serve = settings.serve
    log_to_stderr(as_json=serve.log_format == "json", access_too=serve.log_access)
    app = create_app(settings, limits)
    if serve.traces:  # spans wait to be sent together, and a process of multiprocessing runs no other exit handlers
        Finalize(None, app.extensions["recommender.traces"].shutdown, exitpriority=0)
    live: Live = app.extensions["recommender.live"]
    live.start()  # here, in the worker: a thread does not outlive the fork of its process
    return app


def _few_arenas() -> None:
    """Let glibc's malloc share two arenas among all threads of this worker; of each thread's own, much stays unused."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl and others have none
        mallopt(_M_ARENA_MAX, 2)


def _check_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"serve: cannot listen on {host}, port {port}: {error.strerror}; choose another with --port"
        ) from error
