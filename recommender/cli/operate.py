"""``status``, ``verify`` and ``serve``: the commands of whoever runs it."""

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
def status(settings: Settings, as_json: bool) -> int:
    """Show what is live, and what the catalog holds."""
    home = Home(settings.home)
    told: dict[str, Any] = {"home": str(home.path), "snapshot": None, "catalog": None, "problems": []}
    try:
        live = snapshot.load(home)
        told["snapshot"] = {name: live.manifest[name] for name in ("name", "created_at", "encoder", "counts")}
    except SnapshotError as error:
        told["problems"].append(str(error))
    try:
        with Catalog(home.catalog) as catalog:
            told["catalog"] = catalog.counts()
    except CatalogError as error:
        told["problems"].append(str(error))
    if as_json:
        print_json(told)
    else:
        _print_status(told)
    return 1 if told["problems"] else 0


def _print_status(told: dict[str, Any]) -> None:
    click.echo(f"home      {told['home']}")
    live, catalog = told["snapshot"], told["catalog"]
    if live:
        counts = live["counts"]
        click.echo(
            f"snapshot  {live['name']}, published {live['created_at']}: {counts['articles']:,} articles, {counts['stubs']:,} stubs"
        )
        click.echo(f"encoder   {live['encoder']['name']}, {live['encoder']['dim']} dimensions")
    if catalog:
        languages = ", ".join(f"{name} {count:,}" for name, count in catalog["languages"].items())
        click.echo(f"catalog   {catalog['n_articles']:,} articles ({languages}), {catalog['n_links']:,} links")
        for name, count in catalog["embeddings"].items():
            click.echo(f"          {count:,} vectors of {name}")
    for problem in told["problems"]:
        talk(f"problem: {problem}")


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
