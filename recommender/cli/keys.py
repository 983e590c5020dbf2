"""``keys``: who may write over HTTP."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime

import click

from recommender.cli.output import print_json, talk
from recommender.home import Home
from recommender.keys import SCOPES, add_key, read_keys, remove_keys
from recommender.settings import Settings


@click.group()
def keys() -> None:
    """Add, list and remove keys for writing over HTTP. A key is shown once; its sha256 alone is kept.

    To change a key: add NAME a second time, let its holder use the new one, then remove NAME --older.
    """


@keys.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="write: articles; desk: pins, blocks, boosts.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def add(settings: Settings, name: str, scope: str, as_json: bool) -> int:
    """Make a key for NAME and print it; nobody can print it again."""
    home = Home(settings.home)
    with home.keyholder():
        made = add_key(home.keys, name, scope, now=datetime.now(UTC))
    if as_json:
        print_json({"name": name, "scope": scope, "key": made})
    else:
        click.echo(made)
        talk(f"this is the key of {name} for scope {scope}; keep it now, it is not shown again")
    return 0


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(settings: Settings, as_json: bool) -> int:
    """Print names, scopes and ages of the keys, and the first digits of each one's sha256."""
    found = read_keys(Home(settings.home).keys)
    if as_json:
        print_json([asdict(key) for key in found])
        return 0
    width = max((len(key.name) for key in found), default=0)
    for key in found:
        click.echo(f"{key.name:<{width}}  {key.scope:<5}  {key.created_at}  {key.sha256[:12]}")
    if not found:
        talk("there are no keys; run: recommender keys add NAME --scope write|desk")
    return 0


@keys.command()
@click.argument("name")
@click.option("--older", is_flag=True, help="Of two keys the one that was added first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def remove(settings: Settings, name: str, older: bool, as_json: bool) -> int:
    """Remove the keys of NAME; a running service refuses them from the next request on."""
    home = Home(settings.home)
    with home.keyholder() if home.keys.exists() else nullcontext():  # the lock would make a folder
        n_removed = remove_keys(home.keys, name, older=older)
    if as_json:
        print_json({"name": name, "removed": n_removed})
    else:
        click.echo(f"{n_removed} removed")
    return 0
