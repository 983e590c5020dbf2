"""The part of ``ingest`` that reads the web, and what it shares with ``follow``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from recommender.cli.options import parsed_date
from recommender.cli.output import talk
from recommender.fetch import Fetcher
from recommender.gather import FOLLOW_LINKS, FORMATS, Gatherer, GatherReport, Globs, Kind, Pruning, Wanted
from recommender.home import Home
from recommender.ingest import Intake, Refusal
from recommender.settings import Settings, with_flags

_MAX_TOLD = 20
_OF_FILES = {"page": "html", "feed": "rss"}
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

Command = TypeVar("Command", bound=Callable[..., Any])

private_option = click.option(
    "--allow-private", is_flag=True, default=None, help="Fetch from private and loopback addresses, too."
)
follow_links_option = click.option(
    "--follow-links",
    type=click.Choice(FOLLOW_LINKS),
    default="auto",
    help="Fetch the pages of a feed's entries: where the feed does not give the whole story (auto, the default), always, or never.",
)
_OPTIONS = (
    follow_links_option,
    click.option("--since", callback=parsed_date, metavar="DATE", help="Of a sitemap: nothing that changed before."),
    click.option("--limit", type=click.IntRange(min=1), help="Of a sitemap: so many pages; the next run goes on."),
    click.option(
        "--include", multiple=True, metavar="GLOB", help="Of a sitemap: only such addresses; may be repeated."
    ),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Of a sitemap: no such addresses; may be repeated."),
    click.option("--prune", is_flag=True, help="Withdraw stories that the sitemap no longer lists."),
    click.option(
        "--force",
        is_flag=True,
        help="Withdraw what is gone or no longer listed also where it is much (fetch.prune_share).",
    ),
    private_option,
)


def gather_options(command: Command) -> Command:
    """Give a command the options of what is read from the web."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def parted(sources: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Return the addresses among the sources, and the files and folders."""
    urls = [source for source in sources if _URL.match(source)]
    return urls, [Path(source) for source in sources if not _URL.match(source)]


def wanted_of(
    given: Mapping[str, Any], form: str | None, urls: Sequence[str], files: Sequence[Path]
) -> tuple[Wanted, Kind | None, str | None]:
    """Return how addresses are gathered, what they hold, and what files hold; None for what is told by looking, or by names.

    Raises:
        click.UsageError: options contradict each other, or what is given.
    """
    of_web = [f"--{name}" for name in ("since", "limit", "include", "exclude", "prune", "force") if given[name]]
    if of_web and not urls:
        raise click.UsageError(f"{', '.join(of_web)}: no address is given")
    if form and urls and form not in FORMATS:
        raise click.UsageError(f"--format {form}: is for files; an address holds one of {', '.join(FORMATS)}")
    form_of_files = _OF_FILES.get(form, form) if form else None
    if files and form_of_files in FORMATS:
        raise click.UsageError(f"--format {form}: is for addresses; give that of the {form}")
    if given["prune"] and (given["include"] or given["exclude"]):
        raise click.UsageError("--prune looks at everything that a sitemap lists; it takes no --include or --exclude")
    wanted = Wanted(
        follow_links=given["follow_links"],
        globs=Globs(given["include"], given["exclude"]),
        since=int(given["since"].timestamp()) if given["since"] else None,
        limit=given["limit"],
        pruning=Pruning(given["prune"], given["force"]),
    )
    return wanted, Kind(form) if form and urls else None, form_of_files


def gather_urls(
    settings: Settings,
    urls: Sequence[str],
    report: GatherReport,
    wanted: Wanted,
    kind: Kind | None,
    allow_private: bool | None,
    *,
    tell: Callable[[Refusal], None],
    watch: Callable[[str, int, int, str], None],
) -> None:
    """Gather addresses, one after the other, into the home that the settings name."""
    settings = with_flags(settings, {"fetch.allow_private": allow_private})
    with Fetcher(settings.fetch) as fetcher:
        gatherer = gatherer_of(settings, fetcher, tell, watch)
        for url in dict.fromkeys(urls):
            gatherer.gather(url, report, wanted, kind)


def gatherer_of(
    settings: Settings,
    fetcher: Fetcher,
    tell: Callable[[Refusal], None] = lambda refusal: None,
    watch: Callable[[str, int, int, str], None] = lambda stage, done, total, unit: None,
) -> Gatherer:
    """Return what gathers into the home that the settings name."""
    home = Home(settings.home)
    intake = Intake(home, fuzzy_threshold=settings.links.fuzzy_threshold)
    return Gatherer(home, fetcher, intake, settings.fetch, clock=seconds_now, tell=tell, watch=watch)


def seconds_now() -> int:
    """Return the time in seconds since 1970."""
    return int(datetime.now(UTC).timestamp())


def gathered(report: GatherReport) -> dict[str, Any]:
    """Return what happened on the web, for JSON."""
    return {
        "n_fetched": report.n_fetched,
        "n_same": report.n_same,
        "n_waiting": report.n_waiting,
        "n_gone": report.n_gone,
        "withdrawn": [{"id": article_id, "reason": why} for article_id, why in report.withdrawn],
        "notes": report.notes,
    }


def tell_gathered(report: GatherReport) -> None:
    """Say what happened on the web: what was withdrawn and why, on stdout, the rest on stderr."""
    for article_id, why in report.withdrawn:
        click.echo(f"withdrawn: {article_id} ({why})")
    for note in report.notes[:_MAX_TOLD]:
        talk(note)
    if len(report.notes) > _MAX_TOLD:
        talk(f"{len(report.notes) - _MAX_TOLD} notes more; --json lists them")
    if report.n_fetched:
        talk(f"{report.n_fetched:,} pages were asked for, {report.n_same:,} had not changed")
    if report.n_gone:
        talk(
            f"{report.n_gone:,} are gone, as their site says; they are withdrawn when it says so again (fetch.gone_hours)"
        )
    if report.n_waiting:
        talk(f"{report.n_waiting:,} pages wait for another run")
