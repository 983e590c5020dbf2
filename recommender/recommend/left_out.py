"""What stands near an article and not in its list, with the rule that keeps it out: for editors who ask where a story is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from recommender import rank
from recommender.answer import Answer, Options
from recommender.editorial import Applied
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import UNDATED

MOST = 20
LOOKED_THROUGH = 60  # of the pure ranking
STUB = "a headline whose story is not in the archive"
LANGUAGE = "in another language"
LATER = "published after the article"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A story that is not in the list.

    Attributes:
        why: in an editor's words.
        shown_instead: id of the story that is shown instead, where it is a near-copy.
    """

    id: str
    title: str
    why: str
    shown_instead: str | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """A list with all that is known of it: ``answer`` is explained, ``left_out`` are the nearest stories that rules keep out."""

    answer: Answer
    left_out: tuple[LeftOut, ...]


def left_out(
    archive: View, query: Query, answer: Answer, ranked: Iterable[int], applied: Applied, options: Options
) -> tuple[LeftOut, ...]:
    """Return at most 20 stories that a rule keeps out of a list, those that the list itself tells of first.

    Args:
        archive, query, options: of the list.
        answer: the list, explained.
        ranked: rows of the pure ranking, best first.
        applied: what the editors' rules want of the list.
    """
    told = [LeftOut(**each) for each in answer.hidden or ()]
    known = {each.id for each in told} | {result.id for result in answer.results}
    others = (
        LeftOut(archive.dense.ids[row], archive.row(row).title, why)
        for row, why in _kept_out(archive, query, ranked, applied, options)
        if archive.dense.ids[row] not in known
    )
    return tuple([*told, *others][:MOST])


def _kept_out(
    archive: View, query: Query, ranked: Iterable[int], applied: Applied, options: Options
) -> Iterator[tuple[int, str]]:
    columns = archive.columns
    foreign = rank.other_language(columns, query.language)
    one_language = options.same_language and not options.filters.languages
    kinds: Collection[str] = options.filters.kinds or options.kinds
    for row in ranked:
        kind = columns.kinds[columns.kind[row]] if columns.kind[row] >= 0 else ""
        if row in applied.blocked:
            yield row, applied.why[row][:1].lower() + applied.why[row][1:]
        elif columns.stub[row] and query.is_article:
            yield row, STUB
        elif kinds and kind not in kinds:
            yield row, f"of a kind that lists do not offer: {kind}"
        elif one_language and foreign[row]:
            yield row, LANGUAGE
        elif options.past_only and columns.published_at[row] > query.published_at != UNDATED:
            yield row, LATER
