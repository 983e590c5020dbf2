"""``verify``: everything looked at, and what can be made again made again."""

from __future__ import annotations

import click

from recommender.audit import Audit, audit
from recommender.build import drop_unused_vectors
from recommender.catalog import Catalog
from recommender.cli.output import Bars, print_json, talk
from recommender.cli.write import run_rebuild
from recommender.home import Home
from recommender.ingest import Writer
from recommender.settings import Settings, with_flags


@click.command()
@click.option(
    "--repair", is_flag=True, help="Mend what can be made again from the catalog; articles are never touched."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def verify(settings: Settings, repair: bool, as_json: bool) -> int:
    """Check every byte of catalog, snapshot and exported encoder, and that they agree. Exit 1 if anything is wrong.

    With --repair, vectors that are broken or that nothing uses are dropped, and a live index that is damaged or does not
    agree with the catalog is built anew; then everything is checked again.
    """
    home = Home(settings.home)
    found = audit(home)
    repaired: list[str] = []
    if repair:
        repaired = _repair(settings, found, as_json)
        found = audit(home)
    problems = found.problems
    if as_json:
        told = {"ok": not problems, "checked": found.checked, "problems": problems}
        print_json(told | ({"repaired": repaired} if repair else {}))
    else:
        for line in found.checked:
            talk(f"checked {line}")
        for line in repaired:
            click.echo(f"repaired: {line}")
        for problem in problems:
            click.echo(f"problem: {problem}")
        if not problems:
            click.echo("everything is as it was published")
    return 1 if problems else 0


def _repair(settings: Settings, found: Audit, quiet: bool) -> list[str]:
    """Mend what the catalog can mend, and return what was done, one line each."""
    if found.catalog:
        talk(
            "the catalog itself is damaged: nothing is made from it; restore a backup, or ingest again what is named below"
        )
        return []
    home, done = Home(settings.home), []
    with home.writer("a repair"), Catalog(home.catalog, write=True) as catalog:
        n_broken = catalog.drop_broken_vectors()
        if found.index:
            Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).resolve_all()
        n_unused = drop_unused_vectors(catalog, settings)
    if n_broken:
        done.append(f"{n_broken:,} broken vectors were dropped, to be encoded again")
    if n_unused:
        done.append(f"{n_unused:,} vectors that nothing uses were dropped")
    if n_broken or found.index:
        bars = Bars(quiet=quiet)
        try:
            # The gate compares with what is live, and that is what is being mended.
            ungated = with_flags(settings, {"gate.on": False})
            report = run_rebuild(ungated, watch=bars, tell=lambda message: None if quiet else talk(message))
        finally:
            bars.close()
        done.append(f"the index was built anew from the catalog: {report.snapshot} is live")
    return done
