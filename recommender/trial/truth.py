"""What is right: the links that editors set, or judgments from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recommender.errors import InputError, SourceError
from recommender.measures import Qrels, read_qrels
from recommender.snapshot import View
from recommender.vectors import UNDATED


@dataclass(frozen=True, slots=True)
class Truth:
    """Judgments, and where they come from.

    Attributes:
        qrels: grade by judged article by query.
        source: ``links``, or the file's name.
        since, before: only queries published in this half-open span were taken; None for no limit.
    """

    qrels: Qrels
    source: str
    since: datetime | None = None
    before: datetime | None = None


def truth_from_links(snapshot: View, since: datetime | None = None, before: datetime | None = None) -> Truth:
    """Return every counted link between two articles of the archive as a judgment of grade 1.

    Args:
        snapshot: of the archive.
        since, before: only links of articles published in this half-open span; one without a date is outside any span.

    Raises:
        InputError: there are no such links.
    """
    truth = links_within(snapshot, since, before)
    if not truth.qrels:
        raise InputError(
            "no article of this span links to another one of the archive, so there is nothing to measure against; "
            'ingest articles with their "Read more" links, or give judgments with --qrels'
        )
    return truth


def links_within(snapshot: View, since: datetime | None = None, before: datetime | None = None) -> Truth:
    """Return the same as :func:`truth_from_links`, with no judgments where there are no such links."""
    columns, ids = snapshot.columns, snapshot.dense.ids
    qrels: dict[str, dict[str, int]] = {}
    for source, target in snapshot.graph.edges:
        if not (columns.stub[source] or columns.stub[target]) and _within(columns.published_at[source], since, before):
            qrels.setdefault(ids[source], {})[ids[target]] = 1
    return Truth(qrels, "links", since, before)


def truth_from_file(path: Path, snapshot: View, since: datetime | None = None, before: datetime | None = None) -> Truth:
    """Return the judgments of a TREC qrels file; of queries in a span, where one is given.

    That a story belongs under itself is no judgment, as it is none among links.

    Raises:
        SourceError: the file cannot be read.
        InputError: a line is no judgment.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8") from error
    # Ids with blanks stand in TREC files with %20 for each, as this program writes them.
    known = {"%20".join(article_id.split()): article_id for article_id in snapshot.dense.ids}
    qrels: dict[str, Mapping[str, int]] = {}
    for query, grades in read_qrels(text.splitlines(), str(path)).items():
        row = snapshot.dense.row_of(known.get(query, query))
        if (since or before) and (row is None or not _within(int(snapshot.columns.published_at[row]), since, before)):
            continue
        qrels[known.get(query, query)] = {
            known.get(target, target): grade for target, grade in grades.items() if target != query
        }
    return Truth(qrels, path.name, since, before)


def later_half(snapshot: View, queries: Iterable[str] | None = None) -> datetime | None:
    """Return the date that parts the judged queries (the linking articles where None) into an earlier and a later half.

    None where none of them has a date, or none is in the archive.
    """
    queries = links_within(snapshot).qrels if queries is None else queries
    rows = [row for row in map(snapshot.dense.row_of, queries) if row is not None]
    dates = sorted(int(at) for at in snapshot.columns.published_at[rows] if at != UNDATED)
    return datetime.fromtimestamp(dates[len(dates) // 2], UTC) if dates else None


def _within(published_at: int, since: datetime | None, before: datetime | None) -> bool:
    if since is None and before is None:
        return True
    if published_at == UNDATED:
        return False
    return (since is None or published_at >= since.timestamp()) and (
        before is None or published_at < before.timestamp()
    )
