"""Sources into the catalog: every good record goes in, every bad one is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from recommender import readers
from recommender.article import Article
from recommender.catalog import Outcome
from recommender.errors import SourceError
from recommender.ingest.embedding import encode_missing, missing_views
from recommender.ingest.intake import Intake, Withdrawn, Written
from recommender.ingest.writer import Writer, with_language
from recommender.readers import Entry

_BATCH = 200

__all__ = [
    "IngestReport",
    "Intake",
    "Refusal",
    "Withdrawn",
    "Writer",
    "Written",
    "accepted",
    "encode_missing",
    "ingest",
    "missing_views",
    "with_language",
]

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
    """What one ingest did. ``refused`` holds the first ``MAX_LISTED`` refusals, ``n_refused`` counts them all."""

    MAX_LISTED = 1_000

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    n_refused: int = 0
    n_files: int = 0
    n_skipped: int = 0

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
    progress: Progress = lambda done, total: None,
    tell: Callable[[Refusal], None] = lambda refusal: None,
) -> IngestReport:
    """Read ``sources`` (files and folders) into the catalog.

    Articles go in 200 at a time, each batch one durable transaction: an interrupted run has lost nothing, and the next
    one finds what is there unchanged. An id that stands twice in one file is taken once, the second is refused; in a later
    file it replaces the former. A missing language is detected from the text.

    Args:
        sources: what to read.
        writer: puts them into the catalog.
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
            found = readers.find(source)
        except (SourceError, OSError) as error:
            tell(report.refuse(str(source), None, str(error).removeprefix(f"{source}: ")))
            continue
        if not found.paths:
            tell(report.refuse(str(source), None, "holds no file that a reader knows"))
        files.extend(found.paths)
        n_bytes += found.n_bytes
        report.n_skipped += found.n_skipped
    done = 0
    for file in dict.fromkeys(files):
        report.n_files += 1
        for batch, offset in _batches(accepted(_entries(file, report, tell), report, tell)):
            report.outcomes.update(writer.upsert(batch, str(file)))
            progress(done + offset, n_bytes)
        done += file.stat().st_size if file.exists() else 0
        progress(done, n_bytes)
    return report


def accepted(
    entries: Iterable[Entry], report: IngestReport, tell: Callable[[Refusal], None] = lambda refusal: None
) -> Iterator[tuple[Article, int]]:
    """Yield (article, bytes read) of one source's entries; what is refused goes into the report."""
    first_line: dict[str, int | None] = {}
    for entry in entries:
        article = entry.article
        if article is None:
            tell(report.refuse(entry.source, entry.line, entry.reason or "cannot be read"))
        elif article.id in first_line:
            reason = f"id {article.id!r} was used on line {first_line[article.id]} of this file; the first one went in"
            tell(report.refuse(entry.source, entry.line, reason))
        else:
            first_line[article.id] = entry.line
            yield article, entry.offset_bytes


def _entries(file: Path, report: IngestReport, tell: Callable[[Refusal], None]) -> Iterator[Entry]:
    try:
        yield from readers.read(file)
    except SourceError as error:
        tell(report.refuse(str(file), None, str(error).removeprefix(f"{file}: ")))


def _batches(items: Iterable[tuple[Article, int]]) -> Iterator[tuple[list[Article], int]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield [article for article, _ in batch], batch[-1][1]
