"""``export``: the lists of the whole archive as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recommender.cli.opening import opened
from recommender.cli.options import options_given, served_options
from recommender.cli.output import Bars, print_json, talk
from recommender.export import Exported
from recommender.export import export as export_lists
from recommender.settings import Settings


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@served_options
@click.option("--html/--no-html", default=True, help="A fragment beside each JSON file (default: yes).")
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, metavar="N", help="How many make lists (default: 1)."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def export(
    settings: Settings,
    /,
    folder: Path,
    html: bool,
    processes: int,
    dry_run: bool,
    as_json: bool,
    past_only: bool | None,
    **given: Any,
) -> int:
    """Write every article's list into DIR: a JSON file and an HTML fragment each, and index.json with what lies where.

    Lists that have not changed are left alone, those of articles that are gone are removed, files of others are never
    touched. The names of changed and removed files are printed, one a line. Interrupt it whenever you like: it goes on
    where it stopped.
    """
    recommender = opened(settings)
    options = options_given(settings, past_only=past_only, **given)
    bars = Bars(quiet=as_json)

    def announce(exported: Exported) -> None:
        bars.close()
        if as_json:
            _print_as_json(exported)
            return
        for name in (*exported.written, *exported.removed):
            click.echo(name)

    try:
        exported = export_lists(
            recommender,
            settings,
            folder,
            options,
            html=html,
            processes=processes,
            dry_run=dry_run,
            announce=announce,
            watch=bars,
        )
    finally:
        bars.close()
    if not as_json:
        would = "would be " if dry_run else ""
        talk(
            f"{exported.snapshot}: {len(exported.written):,} files {would}written, {len(exported.removed):,} {would}removed, "
            f"{exported.unchanged:,} unchanged"
        )
    return 0


def _print_as_json(exported: Exported) -> None:
    print_json(
        {
            "snapshot": exported.snapshot,
            "written": len(exported.written),
            "removed": len(exported.removed),
            "unchanged": exported.unchanged,
            "names": {"written": exported.written, "removed": exported.removed},
        }
    )
