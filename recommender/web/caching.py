"""What caches between us and the reader may keep, and for how long. Pure functions.

A list under today's story changes within minutes, one under a story of last year hardly ever; a shared cache that knows
``Surrogate-Key`` drops what names a story as soon as the story changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from flask import Response, request

from recommender.answer import Answer
from recommender.recommend import Recommender
from recommender.web.encodings import PLAIN, chosen, etag_of, pack

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# (days since publication, seconds that a list may be kept): the first row whose days have not gone by.
_AGES = ((1.0, 2 * _MINUTE), (7.0, 10 * _MINUTE), (30.0, _HOUR), (365.0, _DAY))
_OLD = 7 * _DAY
_UNDATED = _HOUR
_TEXT = 2 * _MINUTE
_EMPTY = 30
_STALE_IF_ERROR = _DAY
_MOST_NAMED = 100  # stories, the article itself among them


def max_age(published_at: datetime | None, now: datetime, *, empty: bool, of_article: bool = True) -> int:
    """Return for how many seconds a list may be kept.

    Args:
        published_at: of the article, aware; None for no date.
        now: aware.
        empty: nothing stands in it: the next story may be the first to fit.
        of_article: False for a free text.
    """
    if empty:
        return _EMPTY
    if published_at is None:
        return _UNDATED if of_article else _TEXT
    days = (now - published_at).total_seconds() / _DAY
    return next((seconds for most, seconds in _AGES if days < most), _OLD)


def surrogate_key(article_id: str) -> str:
    """Return the key under which a shared cache knows what names an article; ids may hold blanks, keys may not."""
    return f"article-{hashlib.blake2b(article_id.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def list_headers(
    own_id: str | None, ids: Sequence[str], published_at: datetime | None, now: datetime
) -> list[tuple[str, str]]:
    """Return what a list says to caches, whoever made it.

    Args:
        own_id: of the article whose list it is; None for a free text or an article without an id.
        ids: of the stories in it, in their order.
        published_at, now: see :func:`max_age`.
    """
    seconds = max_age(published_at, now, empty=not ids, of_article=own_id is not None)
    named = [*([] if own_id is None else [own_id]), *ids][:_MOST_NAMED]
    return [_cache_control(seconds), ("Surrogate-Key", " ".join(["lists", *map(surrogate_key, named)]))]


@lru_cache(maxsize=64)
def _cache_control(seconds: int) -> tuple[str, str]:
    return (
        "Cache-Control",
        f"public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error={_STALE_IF_ERROR}",
    )


def etag_of_bytes(body: bytes) -> str:
    """Return the ETag of a body as it is sent plain."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def of_list(response: Response, answer: Answer, recommender: Recommender) -> Response:
    """Say on a list's response how long it may be kept, and answer 304 to whoever has it.

    Args:
        response: of a list.
        answer: the list.
        recommender: that made it.
    """
    if answer.note:  # another answer is on its way
        response.headers["Cache-Control"] = "no-store"
        return response
    own_id = answer.query.get("id") or None
    published_at = recommender.published_at(own_id) if own_id else None
    ids = [result.id for result in answer.results]
    response.headers.update(list_headers(own_id, ids, published_at, datetime.now(UTC)))
    etag = etag_of_bytes(response.get_data())
    pack(response, chosen(request.headers.get("Accept-Encoding", "")))
    response.headers["ETag"] = etag_of(etag, response.headers.get("Content-Encoding", PLAIN))
    response.vary.add("Accept-Encoding")
    if request.if_none_match:  # else it would only cost time
        response.make_conditional(request)
    return response
