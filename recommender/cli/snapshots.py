"""``status``, ``rollback`` and ``prune``: the commands about published snapshots."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from recommender import compose, snapshot
from recommender.catalog import Catalog
from recommender.catalog.clicks import ClickCounts
from recommender.cli.output import print_json, shown_bytes, talk
from recommender.errors import CatalogError, InputError, SnapshotError
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import Published, Snapshot


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> int:
    """Show what is live, what the catalog holds, and every snapshot that is there."""
    home = Home(settings.home)
    told: dict[str, Any] = {"home": str(home.path), "snapshot": None, "catalog": None, "clicks": None, "problems": []}
    try:
        live = snapshot.load(home)
        told["snapshot"] = {name: live.manifest[name] for name in ("name", "created_at", "encoder", "counts")}
    except SnapshotError as error:
        told["problems"].append(str(error))
    try:
        with Catalog(home.catalog) as catalog:
            told["catalog"] = catalog.counts()
            if told["snapshot"]:
                told["catalog"]["changed_since_snapshot"] = len(catalog.changed_since(live.change))
    except CatalogError as error:
        told["problems"].append(str(error))
    try:
        told["clicks"] = _clicks(home, counting=settings.serve.clicks)
    except CatalogError as error:
        told["problems"].append(str(error))
    listed = snapshot.published(home)
    if as_json:
        print_json(told | {"snapshots": [asdict(each) for each in listed]})
    else:
        _print_status(told)
        _print_snapshots(listed)
        for problem in told["problems"]:
            talk(f"problem: {problem}")
    return 1 if told["problems"] else 0


def _clicks(home: Home, *, counting: bool) -> dict[str, Any]:
    """Return whether clicks are counted with these settings, and what was counted."""
    found = None
    if home.clicks.exists():
        with ClickCounts(home.clicks) as counts:
            found = counts.totals()
    told: dict[str, Any] = {"counting": counting}
    if found is not None:
        shown, clicked = (sum(each[at] for each in found.by_source.values()) for at in (0, 1))
        told |= {"since": str(found.since), "until": str(found.until), "shown": shown, "clicked": clicked}
    return told


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
        if changed := catalog.get("changed_since_snapshot"):
            click.echo(
                f"          {changed:,} stories and stubs changed since the snapshot; a running service knows them"
            )
        for name, count in catalog["embeddings"].items():
            click.echo(f"          {count:,} vectors of {name}")
    if (clicks := told["clicks"]) and (clicks["counting"] or "since" in clicks):
        counted = (
            f"{clicks['shown']:,} shown and {clicks['clicked']:,} clicked, {clicks['since']} to {clicks['until']}"
            if "since" in clicks
            else "nothing yet"
        )
        click.echo(f"clicks    {'counted' if clicks['counting'] else 'no longer counted'}: {counted}")


def _print_snapshots(listed: list[Published]) -> None:
    if not listed:
        return
    rows = [("", "snapshot", "published", "articles", "stubs", "size", "encoder", "score", "")]
    for each in listed:
        place = "live" if each.live else "rollback goes here" if each.former else ""
        state = each.state.value if each.problem else ""
        rows.append(
            (
                "*" if each.live else "",
                each.name,
                each.published_at or "?",
                "?" if each.articles is None else f"{each.articles:,}",
                "?" if each.stubs is None else f"{each.stubs:,}",
                shown_bytes(each.bytes),
                each.encoder or "?",
                _shown_score(each.score),
                ", ".join(filter(None, (place, state))),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = {3, 4, 5}
    click.echo("")
    for row in rows:
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _shown_score(score: Any) -> str:
    """Return a score with its interval; what some other version of this program measured as it stands."""
    if score is None:
        return "none"
    try:
        return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}] {score['measure']}"
    except (KeyError, TypeError, ValueError):
        return str(score)


@click.command()
@click.option("--to", metavar="SNAPSHOT", help="Which one (default: the one that was live before).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def rollback(settings: Settings, to: str | None, as_json: bool) -> int:
    """Make the snapshot live again that was live before.

    Every byte of it is checked first. Twice goes two back; `--to` reaches any that `recommender status` lists. The catalog
    stays as it is: the next rebuild publishes all of it, under a new name.
    """
    home = Home(settings.home)
    if to is None or not snapshot.names(home):  # a snapshot that is named can be made live where CURRENT is damaged
        snapshot.read_current(
            home
        )  # before the lock makes a folder: where nothing was published nothing is left behind
    with home.writer("a rollback"):
        before = snapshot.readable(home)
        was = before.name if before else None
        live = snapshot.roll_back(home, to, check=_may_be_served(settings))
        former = snapshot.former(home, live.name)
    created_at, counts = live.manifest["created_at"], live.manifest["counts"]
    if as_json:
        print_json({"snapshot": live.name, "was": was, "former": former, "created_at": created_at, "counts": counts})
        return 0
    click.echo(
        f"{live.name} is live now, published {created_at}: {counts['articles']:,} articles, {counts['stubs']:,} stubs"
    )
    if was == live.name:
        talk("it was live already")
    elif was:
        talk(f"{was} was live; to have it back: recommender rollback --to {was}")
    return 0


def _may_be_served(settings: Settings) -> Callable[[Snapshot], None]:
    """Return what tells how a snapshot will be served with these settings, where that is not as it should be."""

    def check(candidate: Snapshot) -> None:
        try:
            Recommender.over(candidate, settings)
        except InputError as error:  # weights and rules are the home's: no reason to keep a bad index
            talk(f"warning: {error}")
        made_with = candidate.manifest["encoder"]
        if not compose.is_exported(Home(settings.home), compose.encoder_settings(settings.encoder, made_with)):
            talk(
                f"warning: its encoder is not here, so it answers for known articles only; run: recommender embed "
                f"--model {shlex.quote(made_with['model'])} --prompt {shlex.quote(made_with['prompt'])}"
            )

    return check


@click.command()
@click.option("--keep", type=click.IntRange(min=1), required=True, metavar="N", help="How many snapshots stay.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def prune(settings: Settings, keep: int, as_json: bool) -> int:
    """Drop old snapshots, so that N stay.

    The live one and the one that rollback goes to always stay, and count. Every rebuild does the same with 3.
    """
    home = Home(settings.home)
    snapshot.read_current(home)
    with home.writer("a prune"):
        dropped = snapshot.prune(home, keep)
        kept = snapshot.names(home)
    freed = sum(each.bytes for each in dropped)
    if as_json:
        print_json({"dropped": [asdict(each) for each in dropped], "freed_bytes": freed, "kept": kept})
        return 0
    for each in dropped:
        click.echo(f"dropped {each.name}  {shown_bytes(each.bytes)}")
    click.echo(f"{len(dropped)} dropped, {freed:,} bytes freed; kept: {', '.join(kept)}")
    return 0
