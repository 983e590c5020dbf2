"""Records that say of themselves that readers must not see them."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.errors import RecordError
from recommender.readers.entry import Entry, LeftOut
from recommender.readers.record import article_from_record

HIDDEN = frozenset(
    {
        *(
            "withdrawn",
            "unpublished",
            "canceled",
            "cancelled",
            "withheld",
            "retracted",
            "deleted",
            "removed",
            "trash",
            "trashed",
        ),
        *("draft", "pending", "private", "scheduled", "embargoed"),
    }
)


def entry_of(record: object, source: str, line: int | None, offset_bytes: int) -> Entry:
    """Return the entry that a record makes: an article, a refusal, or left out where its field ``status`` says a word of ``HIDDEN``."""
    status = record.get("status") if isinstance(record, Mapping) else None
    try:
        if isinstance(record, Mapping) and isinstance(status, str) and status.strip().lower() in HIDDEN:
            of_record = {"title": record.get("title") or "-"} | {
                name: record[name] for name in ("id", "url", "published_at") if record.get(name)
            }
            ids = (article_from_record(of_record).id,)
            return Entry(source, line, offset_bytes, left_out=LeftOut(status.strip().lower(), ids))
        return Entry(source, line, offset_bytes, article=article_from_record(record))
    except RecordError as error:
        return Entry(source, line, offset_bytes, reason=str(error))
