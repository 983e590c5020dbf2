"""``ingest`` and ``rebuild``: the commands that write."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from recommender import build, compose, processes
from recommender.answer import options_of
from recommender.catalog import Catalog, Outcome
from recommender.cli.gather import gather_options, gather_urls, gathered, parted, tell_gathered, wanted_of
from recommender.cli.output import Bars, print_json, talk
from recommender.errors import InputError, SnapshotError
from recommender.gather import FORMATS as KINDS
from recommender.gather import GatherReport
from recommender.home import Home
from recommender.ingest import Intake, Refusal, Writer
from recommender.ingest import ingest as ingest_sources
from recommender.readers import FORMATS, About
from recommender.recommend import Recommender, find_neighbours, finish_lists
from recommender.settings import Settings, with_flags
from recommender.snapshot import Check, Snapshot
from recommender.text import canonical_url
from recommender.trial import Gate, measured

_MAX_TOLD = 20


@click.command()
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted({*FORMATS, *KINDS})),
    help="What every file holds, whatever its name is, or every address: page, feed, sitemap, site (default: told by looking).",
)
@click.option(
    "--report",
    "refusals",
    type=click.Path(path_type=Path),
    help="Write every refusal to this file, as JSON lines.",
)
@gather_options
@click.option(
    "--site", metavar="URL", help="Address of the site, for exports that know only paths on it (Ghost, Hugo)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def ingest(
    settings: Settings,
    /,
    sources: tuple[str, ...],
    form: str | None,
    refusals: Path | None,
    site: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Read articles into the catalog: pages, records, feeds, exports of content systems, folders and archives of these, and what lies on the web.

    An address may be that of a page, a feed, a sitemap, or the root of a site, whose sitemaps are read then. A crawl that was
    interrupted goes on where it stopped. Prints how many were new, changed, unchanged and refused, and what was withdrawn
    since its source does not show it any more. Exit 1 if any was refused; all good ones are in.
    """
    urls, files = parted(sources)
    wanted, kind, form = wanted_of(given, form, urls, files)
    about = About(_site(site), datetime.now(UTC))
    home = Home(settings.home)
    bars = Bars(quiet=as_json)
    told: list[object] = []

    def tell(refusal: Refusal) -> None:
        told.append(refusal)
        note(refusal)
        if len(told) <= _MAX_TOLD:
            talk(f"refused: {refusal}")

    report = GatherReport()
    with _noting(refusals) as note:
        try:
            gather_urls(settings, urls, report, wanted, kind, given["allow_private"], tell=tell, watch=bars)
            with home.storing(), Catalog(home.catalog, write=True) as catalog:
                writer = Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold)
                progress = partial(bars, "reading", unit="B")
                report.add(ingest_sources(files, writer, form=form, about=about, progress=progress, tell=tell))
                n_articles = catalog.counts()["n_articles"]
        finally:
            bars.close()
    if len(told) > _MAX_TOLD:
        talk(f"refused: {len(told) - _MAX_TOLD} more; --report FILE lists them all")
    _print_report(report, n_articles, as_json, of_web=bool(urls))
    return 1 if report.n_refused else 0


def _site(given: str | None) -> str | None:
    url = canonical_url(given) if given else None
    if given and not url:
        raise click.UsageError(f"--site: {given[:100]!r} is not an absolute http(s) address")
    return url


@contextlib.contextmanager
def _noting(file: Path | None) -> Iterator[Callable[[Refusal], None]]:
    """Give what writes a refusal to the file, at once, so that an interrupted run has told what it knew."""
    if file is None:
        yield lambda refusal: None
        return
    try:
        opened = file.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise click.UsageError(f"--report: {file} cannot be written: {error.strerror or error}") from None
    with opened:
        yield lambda refusal: print(json.dumps(asdict(refusal), ensure_ascii=False), file=opened)


def _print_report(report: GatherReport, n_articles: int, as_json: bool, *, of_web: bool) -> None:
    counted = {outcome.value: report.outcomes[outcome] for outcome in Outcome} | {"refused": report.n_refused}
    if as_json:
        rest: dict[str, Any] = {"n_files": report.n_files, "n_skipped": report.n_skipped, "n_articles": n_articles}
        gone = [{"id": article_id, "reason": why} for article_id, why in report.withdrawn]
        rest |= {"withdrawn": gone, "left_out": report.left_out}
        print_json(
            counted
            | rest
            | (gathered(report) if of_web else {})
            | {"refusals": [asdict(refusal) for refusal in report.refused]}
        )
        return
    click.echo(", ".join(f"{count} {name}" for name, count in counted.items()))
    tell_gathered(report)
    if report.left_out:
        named = ", ".join(f"{count:,} {status}" for status, count in sorted(report.left_out.items()))
        talk(f"left out: {named}")
    if report.n_skipped:
        talk(f"{report.n_skipped} files of other kinds were passed over")
    talk(f"the catalog holds {n_articles:,} articles; run: recommender rebuild")


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def withdraw(settings: Settings, ids: tuple[str, ...], as_json: bool) -> int:
    """Take articles out of the archive: no list holds them from here on, also in a service that runs.

    All in one step, or none. Exit 1 if one was not there; the others are gone.
    """
    home = Home(settings.home)
    Catalog.require(home.catalog)
    gone = Intake(home, fuzzy_threshold=settings.links.fuzzy_threshold).withdraw(ids).ids
    unknown = [article_id for article_id in dict.fromkeys(ids) if article_id not in gone]
    if as_json:
        print_json({"withdrawn": gone, "unknown": unknown})
    else:
        for article_id in gone:
            click.echo(f"withdrawn: {article_id}")
        for article_id in unknown:
            talk(f"no article has the id {article_id[:200]!r}")
    return 1 if unknown else 0


@click.command()
@click.option(
    "--gate/--no-gate", default=None, help="Hold it back if it does worse than the live one, or changes too much."
)
@click.option("--force", is_flag=True, help="Compare and tell, but publish all the same.")
@click.option("--refit", is_flag=True, help="Count anew how telling each term is, also where little has changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def rebuild(settings: Settings, gate: bool | None, force: bool, refit: bool, as_json: bool) -> int:
    """Embed what changed, then build, check and publish a snapshot.

    Interrupt it whenever you like: vectors that are done are kept, and the former snapshot stays live until the new one
    has passed its checks. It runs at low priority, so that a service beside it answers as quickly as before.
    """
    bars = Bars(quiet=as_json)
    try:
        settings = with_flags(settings, {"gate.on": gate if not force else True})
        report = run_rebuild(
            settings, watch=bars, tell=lambda message: None if as_json else talk(message), force=force, refit=refit
        )
    finally:
        bars.close()
    if as_json:
        print_json(asdict(report))
        return 0
    links = ", ".join(f"{count} {method}" for method, count in sorted(report.links.items())) or "none"
    click.echo(f"published {report.snapshot}: {report.n_articles:,} articles, {report.n_stubs:,} stubs; links: {links}")
    click.echo(f"{report.n_texts_encoded:,} texts were encoded, the others were known")
    return 0


def _gate(settings: Settings, tell: compose.Tell, force: bool) -> Callable[[Recommender], None]:
    """Return what compares a new index with the live one; the first one of a home has nothing to be compared with."""
    if not settings.gate.on:
        return lambda new: None
    try:
        # Known articles are answered without an encoder, so that one that has changed does not open the gate.
        live = Recommender.open(with_flags(settings, {"encoder.model": "none"}))
    except SnapshotError as error:
        tell(f"the gate has nothing to compare with: {error}")
        return lambda new: None
    gate = Gate(live, options_of(settings.ranking), max_churn=settings.gate.max_churn)

    def check(new: Recommender) -> None:
        for line in (gate.compare(new) if force else gate.check(new)).lines():
            tell(line)

    return check


def _checked(settings: Settings, watch: build.Stage, tell: compose.Tell, force: bool) -> Check:
    """Return what a new snapshot has to pass, and what is measured of it for its manifest."""
    gate = _gate(settings, tell, force)

    def check(candidate: Snapshot) -> Mapping[str, Any] | None:
        try:
            new = Recommender.over(candidate, settings)
        except InputError as error:  # weights and rules are the home's: no reason to keep a good index
            if settings.gate.on:
                raise
            tell(f"warning: nothing was measured: {error}")
            return None
        gate(new)
        options = options_of(settings.ranking)
        score = measured(new, options, max_queries=settings.score.max_queries, watch=watch)
        return None if score is None else {"score": score}

    return check


def run_rebuild(
    settings: Settings, *, watch: build.Stage, tell: compose.Tell, force: bool = False, refit: bool = False
) -> build.BuildReport:
    """Rebuild the home that the settings name, holding its writer lock; used by the command and by the scheduler's script.

    Args:
        settings: of this process; ``gate.on`` compares the new index with the live one first.
        watch, tell: take note of progress, and of what a person should know.
        force: publish whatever the gate says.
        refit: see ``build.rebuild``.

    Raises:
        GateError: the new index was held back.
    """
    home = Home(settings.home)
    # Read before the folder is made: a rebuild of nothing should say so and leave nothing behind.
    Catalog.require(home.catalog)
    processes.yield_to_others()
    with home.writer("a rebuild"), Catalog(home.catalog, write=True) as catalog:
        encoder = compose.open_build_encoder(home, settings.encoder, tell=tell)
        gate = _checked(settings, watch, tell, force)
        report = build.rebuild(
            home,
            catalog,
            encoder,
            settings,
            now=datetime.now(UTC),
            refit=refit,
            watch=watch,
            gate=gate,
            neighbours=partial(find_neighbours, settings=settings, watch=watch),
            lists=partial(finish_lists, settings=settings, watch=watch),
        )
    if report.unknown_languages:
        named = ", ".join(f"{count:,} in {language}" for language, count in report.unknown_languages.items())
        tell(
            f"warning: {settings.encoder.model} was not trained on every language of this archive: {named}. Names and numbers still "
            "carry such stories, meaning does not. Set encoder.model to a multilingual model"
        )
    return report
