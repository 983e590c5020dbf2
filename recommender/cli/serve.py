"""``serve``: the HTTP service."""

from __future__ import annotations

import click

from recommender.cli.output import talk
from recommender.settings import with_flags


@click.command()
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=int, help="Port (default: 8000).")
@click.option("--workers", type=int, help="Worker processes; they share one copy of the index (default: 1).")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, workers: int | None) -> int:
    """Run the HTTP service and the demo newsroom."""
    from recommender.web.server import run

    settings = with_flags(ctx.obj, {"serve.host": host, "serve.port": port, "serve.workers": workers})
    talk(f"serving {settings.home} on http://{settings.serve.host}:{settings.serve.port}/ (Ctrl-C ends it)")
    run(settings)
    return 0
