"""The plain-text form: the title on the first line, then paragraphs, then ``Read more:`` and one title a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from recommender.article import Article
from recommender.errors import RecordError
from recommender.readers.entry import Entry, undecodable
from recommender.readers.record import MAX_TEXT_CHARS, article_from_record
from recommender.text import clean

_MAX_BYTES = 4 * MAX_TEXT_CHARS


def article_from_text(text: str) -> Article:
    """Return the article that a plain text describes. Raises RecordError when it has no title."""
    title, _, body = clean(text).partition("\n")
    if not title:
        raise RecordError("the file is empty; the first line must be the title")
    return article_from_record({"title": title, "text": body})


def read_plain(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield the one article of a plain-text file. A file larger than any article may be is refused."""
    raw = stream.read(_MAX_BYTES + 1)
    try:
        if len(raw) > _MAX_BYTES:
            raise RecordError(
                f"the file has over {_MAX_BYTES:,} bytes; one article has at most {MAX_TEXT_CHARS:,} characters"
            )
        yield Entry(source, None, len(raw), article=article_from_text(raw.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        yield Entry(source, None, len(raw), reason=undecodable(error))
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))
