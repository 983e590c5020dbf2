"""Sources into the catalog: every good record goes in, every bad one is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from recommender import readers
from recommender.article import Article
from recommender.catalog import Outcome
from recommender.errors import RecordError, SourceError
from recommender.ingest.writer import Writer
from recommender.readers import NOTHING, About, Entry, LeftOut

_BATCH = 200

Progress = Callable[[int, int], None]
"""Called with (done, total), both in one unit that the caller knows."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record or a source that did not go in: where it stands, and why. ``line`` is None for a whole source."""

    source: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.source}: {self.reason}" if self.line is None else f"{self.source}, line {self.line}: {self.reason}"
        )


@dataclass(slots=True)
class IngestReport:
    """What one ingest did.

    Attributes:
        refused: the first ``MAX_LISTED`` refusals; ``n_refused`` counts them all.
        n_skipped: files of other kinds.
        withdrawn: (article id, why) of what the catalog held and its source does not show any more.
        left_out: records that are not shown or are no stories, counted by what they are.
    """

    MAX_LISTED = 1_000

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    n_refused: int = 0
    n_files: int = 0
    n_skipped: int = 0
    withdrawn: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def refuse(self, source: str, line: int | None, reason: str) -> Refusal:
        """Note a refusal and return it."""
        refusal = Refusal(source, line, reason)
        self.n_refused += 1
        if len(self.refused) < self.MAX_LISTED:
            self.refused.append(refusal)
        return refusal


def ingest(
    sources: Sequence[Path],
    writer: Writer,
    *,
    form: str | None = None,
    about: About = NOTHING,
    progress: Progress = lambda done, total: None,
    tell: Callable[[Refusal], None] = lambda refusal: None,
) -> IngestReport:
    """Read ``sources`` (files and folders) into the catalog.

    Articles go in 200 at a time, each batch one durable transaction: an interrupted run has lost nothing, and the next
    one finds what is there unchanged. An id that stands twice in one file is taken once, the second is refused; in a later
    file it replaces the former. A missing language is detected from the text. What a source says is not shown to readers (a draft, an item
    that was canceled) is withdrawn where the catalog holds it.

    Args:
        sources: what to read.
        writer: puts them into the catalog.
        form: the format of all of them, one of ``readers.FORMATS``; None for what their names say.
        about: what they do not say of themselves.
        progress: called with bytes read and bytes in all.
        tell: called with each refusal as it happens.

    Raises:
        CatalogError: the catalog cannot be written; the batches before stay.
    """
    report = IngestReport()
    files: list[Path] = []
    n_bytes = 0
    for source in sources:
        try:
            found = readers.find(source, form)
        except (SourceError, OSError) as error:
            tell(report.refuse(str(source), None, str(error).removeprefix(f"{source}: ")))
            continue
        if not found.paths:
            tell(report.refuse(str(source), None, "holds no file that a reader knows"))
        files.extend(found.paths)
        n_bytes += found.n_bytes
        report.n_skipped += found.n_skipped
    done = 0
    for run in _runs(list(dict.fromkeys(files)), form):
        report.n_files += len(run)
        n_run_bytes = sum(file.stat().st_size for file in run if file.exists())
        for batch in _batches(_records(run, form, about, report, tell)):
            _put(batch, writer, report)
            progress(done + batch[-1].offset_bytes, n_bytes)
        done += n_run_bytes
        progress(done, n_bytes)
    return report


class _Accepted(NamedTuple):
    record: Article | LeftOut
    source: str
    offset_bytes: int


def _put(batch: Sequence[_Accepted], writer: Writer, report: IngestReport) -> None:
    """Write a batch in its order, so that of a story that went and came back the last word counts."""
    for are_articles, some in groupby(batch, key=lambda each: isinstance(each.record, Article)):
        run = list(some)
        if are_articles:
            articles = [each.record for each in run if isinstance(each.record, Article)]
            report.outcomes.update(writer.upsert(articles, [each.source for each in run]))
        else:
            _take_away(run, writer, report)


def _take_away(run: Sequence[_Accepted], writer: Writer, report: IngestReport) -> None:
    why = {
        article_id: f"{each.source} has it as {each.record.status}"
        for each in run
        if isinstance(each.record, LeftOut)
        for article_id in each.record.ids
    }
    report.withdrawn += [(article_id, why[article_id]) for article_id in writer.withdraw(why)] if why else []


def _runs(files: Sequence[Path], form: str | None) -> Iterator[list[Path]]:
    """Yield files one by one, but pages that follow one another together: each holds one story, and a transaction takes longer."""
    for are_pages, run in groupby(files, key=lambda file: readers.is_page(file, form)):
        some = list(run)
        yield from [some] if are_pages else ([file] for file in some)


def _records(
    run: Sequence[Path], form: str | None, about: About, report: IngestReport, tell: Callable[[Refusal], None]
) -> Iterator[_Accepted]:
    """Yield what one file, or pages, have for the catalog, each with its source; what is refused goes into the report."""
    if not readers.is_page(run[0], form):
        for record, offset in _sorted(_entries(run[0], form, about, report, tell), report, tell):
            yield _Accepted(record, str(run[0]), offset)
        return
    offset = 0
    for entries in readers.read_pages(run):
        offset += sum(entry.offset_bytes for entry in entries)
        for record, _ in _sorted(entries, report, tell):
            yield _Accepted(record, entries[0].source, offset)


def accepted(
    entries: Iterable[Entry], report: IngestReport, tell: Callable[[Refusal], None] = lambda refusal: None
) -> Iterator[tuple[Article, int]]:
    """Yield (article, bytes read) of one source's entries; what is refused goes into the report.

    For who takes nothing away: a record that says it is not shown is refused.
    """
    refusing = (_refusing(entry, entry.left_out) if entry.left_out else entry for entry in entries)
    for record, offset in _sorted(refusing, report, tell):
        if isinstance(record, Article):
            yield record, offset


def article_of(entry: Entry) -> Article:
    """Return the article of one record, for who takes nothing away.

    Raises:
        RecordError: the record is refused, or says that readers must not see it.
    """
    entry = _refusing(entry, entry.left_out) if entry.left_out else entry
    if entry.article is None:
        raise RecordError(entry.reason or "cannot be read")
    return entry.article


def _refusing(entry: Entry, left_out: LeftOut) -> Entry:
    reason = f"status: says {left_out.status}; an article is taken away by its id (DELETE, or recommender withdraw)"
    return replace(entry, left_out=None, reason=reason)


def _sorted(
    entries: Iterable[Entry], report: IngestReport, tell: Callable[[Refusal], None]
) -> Iterator[tuple[Article | LeftOut, int]]:
    first_line: dict[str, int | None] = {}
    for entry in entries:
        article = entry.article
        if entry.left_out:
            report.left_out[entry.left_out.status] += 1
            gone = entry.left_out
            if gone.guessed:
                gone = replace(gone, ids=tuple(each for each in gone.ids if each not in first_line))
            for article_id in gone.ids:
                first_line.pop(article_id, None)  # it may come back
            yield gone, entry.offset_bytes
        elif article is None:
            tell(report.refuse(entry.source, entry.line, entry.reason or "cannot be read"))
        elif article.id in first_line:
            reason = f"id {article.id!r} was used on line {first_line[article.id]} of this file; the first one went in"
            tell(report.refuse(entry.source, entry.line, reason))
        else:
            first_line[article.id] = entry.line
            yield article, entry.offset_bytes


def _entries(
    file: Path, form: str | None, about: About, report: IngestReport, tell: Callable[[Refusal], None]
) -> Iterator[Entry]:
    try:
        yield from readers.read(file, form, about)
    except SourceError as error:
        tell(report.refuse(str(file), None, str(error).removeprefix(f"{file}: ")))


def _batches(items: Iterator[_Accepted]) -> Iterator[list[_Accepted]]:
    while batch := list(islice(items, _BATCH)):
        yield batch
