"""``backup`` and ``restore``: a home as one file, and back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.backup import back_up
from recommender.backup import restore as restore_home
from recommender.cli.output import Bars, print_json, shown_bytes, talk
from recommender.home import Home
from recommender.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def backup(settings: Settings, file: Path, force: bool, as_json: bool) -> int:
    """Copy the home into one FILE, a tar, while it is used and written to.

    In it are the catalog as of one moment, the live snapshot and the one before it, the desk's rules and tuned weights.
    Exported encoders are not: a rebuild makes them again.
    """
    bars = Bars(quiet=as_json)
    try:
        made = back_up(Home(settings.home), file, now=datetime.now(UTC), force=force, watch=bars)
    finally:
        bars.close()
    if as_json:
        print_json(asdict(made))
        return 0
    for reason in made.left_out:
        talk(f"left out: {reason}")
    held = ", ".join(filter(None, (f"{made.articles:,} articles", made.snapshot, made.former)))
    click.echo(f"written {made.file}, {shown_bytes(made.bytes)}: {held}")
    if made.snapshot is None:
        talk("no snapshot is in it; after a restore, run: recommender rebuild")
    return 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the data of a home that holds some.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def restore(settings: Settings, file: Path, force: bool, as_json: bool) -> int:
    """Make the home of a backup FILE; every byte of it is checked first.

    A home that holds data is refused without --force; with it, the old one is removed when the new one is in place, in one
    step. Whatever happens before that, the home is as it was.
    """
    bars = Bars(quiet=as_json)
    try:
        made = restore_home(Home(settings.home), file, force=force, watch=bars)
    finally:
        bars.close()
    if as_json:
        print_json(asdict(made))
        return 0
    held = f"{made.articles:,} articles, {made.snapshot or 'no snapshot'}"
    click.echo(f"restored {settings.home}, as it was at {made.created_at}: {held}")
    if made.problem or made.snapshot is None:
        talk(f"{made.problem or 'nothing is published yet'}; run: recommender rebuild")
    return 0
