"""``evaluate`` and ``tune``: the commands that measure, and learn from what they measured."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from recommender.answer import options_of
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.catalog.clicks import ClickCounts
from recommender.cli.options import parsed_date
from recommender.cli.output import Bars, print_json, talk
from recommender.disk import replace_synced
from recommender.errors import CatalogError, InputError, RecommenderError, SourceError
from recommender.evaluate import ClickThrough, Evaluation, check_folder, click_through, page
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings, with_flags
from recommender.snapshot import former, names
from recommender.trial import Trial, Truth, truth_from_file, truth_from_links
from recommender.trial.calibrate import held
from recommender.trial.served import served_lists
from recommender.trial.truth import later_half, links_within
from recommender.trial.tune import described, tune_weights, write_model


def _articles(settings: Settings) -> Iterator[Article]:
    with Catalog(Home(settings.home).catalog) as catalog:
        yield from catalog.articles()


def _truth(
    recommender: Recommender, qrels: Path | None, since: datetime | None = None, before: datetime | None = None
) -> Truth:
    if qrels is not None:
        return truth_from_file(qrels, recommender.snapshot, since, before)
    return truth_from_links(recommender.snapshot, since, before)


def _half(
    recommender: Recommender, qrels: Path | None, since: datetime | None = None, before: datetime | None = None
) -> Truth:
    """Return the judgments of one side of the split, which may be none: there it counts how many there are."""
    if qrels is not None:
        return truth_from_file(qrels, recommender.snapshot, since, before)
    return links_within(recommender.snapshot, since, before)


@click.command()
@click.option(
    "--qrels", type=click.Path(path_type=Path), metavar="FILE", help="TREC judgments; else the archive's own links."
)
@click.option("--since", callback=parsed_date, metavar="DATE", help="Only stories published at this date or later.")
@click.option("--before", callback=parsed_date, metavar="DATE", help="Only stories published before this date.")
@click.option(
    "--served",
    is_flag=True,
    help="Judge lists as readers see them, an article's own links among them; for judgments that are not those links.",
)
@click.option("--against", metavar="SNAPSHOT", help="A former snapshot as one more baseline (default: the one before).")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Write a page with plots.")
@click.option("--trec", type=click.Path(path_type=Path), metavar="FOLDER", help="Write qrels and runs as TREC files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def evaluate(
    settings: Settings,
    qrels: Path | None,
    since: datetime | None,
    before: datetime | None,
    served: bool,
    against: str | None,
    report: Path | None,
    trec: Path | None,
    as_json: bool,
) -> int:
    """Measure the lists on what editors linked, beside every baseline.

    The trial is blind: an article's own links are neither shown nor looked at, and of the others only those of articles
    published before it. Means go over every judged story, with 95 % bootstrap intervals and paired tests.
    """
    if trec is not None:
        check_folder(trec)
    if report is not None:
        _check_file(report)
    recommender = Recommender.open(settings)
    truth = _truth(recommender, qrels, since, before)
    options = options_of(settings.ranking)
    bars = Bars(quiet=as_json)
    try:
        trial = Trial(
            recommender,
            truth,
            lambda: _articles(settings),
            options=options,
            served=served,
            last=_last(settings, recommender, against),
            watch=bars,
        )
        evaluation = trial.evaluate(
            lambda: served_lists(recommender, options, watch=bars),
            lambda: held(recommender, truth.qrels, options, watch=bars),
        )
    finally:
        bars.close()
    evaluation = replace(evaluation, clicks=_clicked(Home(settings.home).clicks))
    if as_json:
        print_json(evaluation.as_dict())
    else:
        click.echo(evaluation.table())
    if trec is not None:
        trial.write_trec(trec)
    if report is not None:
        _write(lambda: report.write_text(page(evaluation), encoding="utf-8"), report)
    _keep(Home(settings.home).evaluation, evaluation)
    for written in (trec, report):
        if written is not None:
            talk(f"written: {written}")
    return 0


def _last(settings: Settings, recommender: Recommender, against: str | None) -> Recommender | None:
    """Return a recommender over the former snapshot; None where there is none that can be read."""
    home = Home(settings.home)
    name = against or former(home, recommender.snapshot.name)
    if name is None:
        return None
    if against and against == recommender.snapshot.name:
        raise InputError(f"--against: {against} is the live snapshot itself")
    if against and against not in (kept := names(home)):
        others = ", ".join(each for each in kept if each != recommender.snapshot.name) or "none but the live one"
        raise InputError(f"--against: no snapshot {against[:60]!r} is kept here; there are: {others}")
    try:
        return Recommender.open(with_flags(settings, {"encoder.model": "none"}), name=name)  # another encoder's will do
    except RecommenderError as error:
        if against:
            raise
        talk(f"the snapshot before, {name}, cannot be compared with: {error}")
        return None


def _clicked(path: Path) -> ClickThrough | None:
    """Return what readers clicked; None where nothing was counted, or the counts cannot be read."""
    if not path.exists():
        return None
    try:
        with ClickCounts(path) as counts:
            found = counts.totals()
    except CatalogError as error:
        talk(f"what readers clicked is left out: {error}")
        return None
    return None if found is None else click_through(found.since, found.until, found.by_position, found.by_source)


def _keep(path: Path, evaluation: Evaluation) -> None:
    """Leave the page in the home, for the desk; where that cannot be written, the evaluation is none the worse."""
    try:
        replace_synced(path, page(evaluation).encode())
    except OSError as error:
        talk(f"the page could not be left for the desk, {path}: {error.strerror}")


def _check_file(path: Path) -> None:
    """Raise SourceError where a file cannot be written: now, and not after minutes of work."""

    def tried() -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not path.exists():  # what is there may be a pipe or a terminal
            tempfile.TemporaryFile(dir=path.parent).close()

    _write(tried, path)


def _write(write: Callable[[], object], path: Path) -> None:
    try:
        write()
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from error


@click.command()
@click.option(
    "--qrels", type=click.Path(path_type=Path), metavar="FILE", help="TREC judgments; else the archive's own links."
)
@click.option(
    "--split",
    callback=parsed_date,
    metavar="DATE",
    help="Learn from stories published before, check on the others (default: half of them).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to keep it (default: ranking.weights, else the home).",
)
@click.option("--force", is_flag=True, help="Keep the new weights even where they do not beat the ones in use.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def tune(
    settings: Settings, qrels: Path | None, split: datetime | None, out: Path | None, force: bool, as_json: bool
) -> int:
    """Learn the ranking's weights anew from the archive's own links.

    They are kept only where they find more of the later links than the weights in use, beyond noise (paired test, 5 %);
    else the command ends with 1 and everything stays as it was.
    """
    path = out or _used(settings)
    recommender = Recommender.open(settings)
    _check_file(path)
    split = split or later_half(recommender.snapshot, _half(recommender, qrels).qrels)
    if split is None:
        raise InputError(
            f"no article with {'links' if qrels is None else 'judgments'} has a date, so there is no earlier and later; "
            "nothing can be learned safely; ingest articles with dates and links"
        )
    bars = Bars(quiet=as_json)
    try:
        tuning = tune_weights(
            recommender,
            _half(recommender, qrels, before=split),
            _half(recommender, qrels, since=split),
            lambda: _articles(settings),
            options_of(settings.ranking),
            watch=bars,
        )
    finally:
        bars.close()
    told = described(split, tuning)
    kept = tuning.kept or force
    if kept:
        _write(lambda: write_model(replace(tuning.model, figures=told), path), path)
    if as_json:
        print_json(
            {"kept": str(path) if kept else None, **tuning.model.as_dict(), "figures": told, "note": tuning.note}
        )
    else:
        for line in tuning.lines():
            click.echo(line)
    if tuning.note:
        talk(tuning.note)
    if kept and path.absolute() == _used(settings).absolute():
        talk(f"kept in {path}; a running service takes it within {settings.serve.poll_seconds:g} s, without a rebuild")
    elif kept:
        talk(f"kept in {path}; set ranking.weights to this file to use it")
    else:
        talk("not kept: the new weights do not beat those in use on the later links beyond noise; --force keeps them")
    return 0 if kept else 1


def _used(settings: Settings) -> Path:
    """Return the file that weights of one's own are read from."""
    return settings.ranking.weights or Home(settings.home).weights
