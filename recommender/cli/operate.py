"""``verify`` and ``serve``: the commands of whoever runs it."""

from __future__ import annotations

from typing import Any

import click

from recommender import snapshot
from recommender.catalog import Catalog
from recommender.cli.output import print_json, talk
from recommender.encoder import UNFINISHED, read_export
from recommender.errors import CatalogError, RecommenderError, SnapshotError
from recommender.home import Home
from recommender.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def verify(settings: Settings, as_json: bool) -> int:
    """Check every byte of catalog, snapshot and exported encoder, and that they agree. Exit 1 if anything is wrong."""
    home = Home(settings.home)
    problems: list[str] = []
    checked: list[str] = []
    ids: set[str] | None = None
    try:
        with Catalog(home.catalog) as catalog:
            problems += [f"{home.catalog}: {problem}" for problem in catalog.check()]
            ids = {article.id for article in catalog.articles()}
            checked.append(f"catalog: {len(ids):,} articles")
    except CatalogError as error:
        problems.append(str(error))
    try:
        live = snapshot.load(home)
        checked.append(f"snapshot {live.name}: {len(live):,} rows")
        problems += _cross_check(live, ids)
    except SnapshotError as error:
        problems.append(str(error))
    for folder in sorted(home.encoders.iterdir()) if home.encoders.is_dir() else []:
        if folder.suffix == UNFINISHED:
            continue
        problems += _check_export(folder)
        checked.append(f"encoder {folder.name}")
    if as_json:
        print_json({"ok": not problems, "checked": checked, "problems": problems})
    else:
        for line in checked:
            talk(f"checked {line}")
        for problem in problems:
            click.echo(f"problem: {problem}")
        if not problems:
            click.echo("everything is as it was published")
    return 1 if problems else 0


def _cross_check(live: snapshot.Snapshot, ids: set[str] | None) -> list[str]:
    """Return what the snapshot says that the catalog does not know; articles newer than the snapshot are no problem."""
    if ids is None:
        return []
    rows = {article_id for number, article_id in enumerate(live.dense.ids) if not live.columns.stub[number]}
    strangers = sorted(rows - ids)
    return (
        [f"snapshot {live.name}: {len(strangers):,} articles are not in the catalog, the first is {strangers[0]!r}"]
        if strangers
        else []
    )


def _check_export(folder: Any) -> list[str]:
    try:
        read_export(folder)
    except RecommenderError as error:
        return [str(error)]
    return []


@click.command()
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=int, help="Port (default: 8000).")
@click.option("--workers", type=int, help="Worker processes; they share one copy of the index (default: 1).")
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, workers: int | None) -> int:
    """Run the HTTP service and the demo page."""
    from recommender.settings import with_flags
    from recommender.web.server import run

    settings = with_flags(ctx.obj, {"serve.host": host, "serve.port": port, "serve.workers": workers})
    talk(f"serving {settings.home} on http://{settings.serve.host}:{settings.serve.port}/ (Ctrl-C ends it)")
    run(settings)
    return 0
