"""One record, as a newsroom sends it, made into a clean and valid :class:`~recommender.article.Article`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin

from recommender.article import KINDS, Article, ReadMore
from recommender.errors import RecordError
from recommender.phrases import split_link_block
from recommender.text import canonical_url, clean, clean_line, digest

MAX_ID_CHARS = 512
MAX_TITLE_CHARS = 1_000
MAX_DESCRIPTION_CHARS = 10_000
MAX_TEXT_CHARS = 2_000_000
MAX_LIST_ITEMS = 200
MAX_ITEM_CHARS = 300

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def article_from_record(record: object) -> Article:
    """Return the article that a JSON-like mapping describes (the fields are those of README, "The article record").

    Text is cleaned, urls made canonical (relative picture and link addresses are joined to the article's own), dates
    brought to UTC (a date without time or offset counts as UTC), a "Read more" block parted from the text: its
    titles become ``read_more`` where that field is absent. A picture or link address that is not http(s) is dropped,
    the article and the link's title stay. Unknown fields are ignored.

    Raises:
        RecordError: the record cannot be an article; the message names the field and the mend.
    """
    if not isinstance(record, Mapping):
        raise RecordError(f"a record must be a JSON object, this is {_kind_of(record)}")
    title = _string(record, "title", MAX_TITLE_CHARS, one_line=True)
    if not title:
        raise RecordError("title: is missing or empty; every article needs a headline")
    text = _string(record, "text", MAX_TEXT_CHARS)
    text, block_titles = split_link_block(text)
    url = _url(record)
    published_at = _instant(record, "published_at")
    return Article(
        id=_id(record, url, title, published_at),
        title=title,
        description=_string(record, "description", MAX_DESCRIPTION_CHARS, one_line=True),
        text=text,
        url=url,
        image_url=_link_url(record.get("image_url"), url),
        published_at=published_at,
        modified_at=_instant(record, "modified_at"),
        language=_language(record),
        section=_string(record, "section", MAX_ITEM_CHARS, one_line=True) or None,
        tags=_strings(record, "tags"),
        authors=_strings(record, "authors"),
        kind=_kind(record),
        read_more=_read_more(record, url, block_titles),
    )


def _kind_of(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _string(record: Mapping[str, object], name: str, limit: int, *, one_line: bool = False) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordError(f"{name}: must be a string, this is {_kind_of(value)}")
    if len(value) > 4 * limit:  # not worth cleaning first
        raise RecordError(_too_long(name, len(value), limit))
    cleaned = clean_line(value) if one_line else clean(value)
    if len(cleaned) > limit:
        raise RecordError(_too_long(name, len(cleaned), limit))
    return cleaned


def _too_long(name: str, n_chars: int, limit: int) -> str:
    hint = "; is the body in the title field?" if name == "title" else "; cut it or split the article"
    return f"{name}: has {n_chars:,} characters, at most {limit:,} are taken{hint}"


def _strings(record: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = record.get(name)
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise RecordError(f"{name}: must be a list of strings, this is {_kind_of(value)}")
    if len(items) > MAX_LIST_ITEMS:
        raise RecordError(f"{name}: has {len(items)} items, at most {MAX_LIST_ITEMS} are taken")
    cleaned = (clean_line(item[: 4 * MAX_ITEM_CHARS])[:MAX_ITEM_CHARS] for item in items)
    return tuple(dict.fromkeys(item for item in cleaned if item))


def _url(record: Mapping[str, object]) -> str | None:
    value = record.get("url")
    if value is None or value == "":
        return None
    url = canonical_url(value) if isinstance(value, str) else None
    if url is None:
        raise RecordError(f"url: {_shown(value)} is not an absolute http(s) address")
    return url


def _link_url(value: object, base: str | None) -> str | None:
    if not isinstance(value, str) or not value or len(value) > 4096:
        return None
    try:
        return canonical_url(urljoin(base, clean_line(value)) if base else value)
    except ValueError:
        return None


def _instant(record: Mapping[str, object], name: str) -> datetime | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value.strip()):
            raise ValueError
        instant = datetime.fromisoformat(value.strip().upper())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RecordError(f"{name}: {_shown(value)} is no date; write it like 2025-03-14T09:30:00+01:00") from None


def _language(record: Mapping[str, object]) -> str | None:
    tag = _string(record, "language", 35, one_line=True).lower().replace("_", "-")
    if tag and not _LANGUAGE.fullmatch(tag):
        raise RecordError(f"language: {_shown(tag)} is no BCP 47 tag; write it like en, uk or pt-BR")
    return None if tag in ("", "und", "mul", "zxx") else tag


def _kind(record: Mapping[str, object]) -> str:
    kind = _string(record, "kind", MAX_ITEM_CHARS, one_line=True) or "news"
    if kind not in KINDS:
        raise RecordError(f"kind: {_shown(kind)} is not known; it is one of {', '.join(KINDS)}")
    return kind


def _id(record: Mapping[str, object], url: str | None, title: str, published_at: datetime | None) -> str:
    value = record.get("id")
    if value is None or value == "":
        if url and len(url) <= MAX_ID_CHARS:
            return url
        return "a" + digest(title, published_at.isoformat() if published_at else "").hex()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RecordError(f"id: must be a string, this is {_kind_of(value)}")
    if len(value) > MAX_ID_CHARS:
        raise RecordError(f"id: has {len(value):,} characters, at most {MAX_ID_CHARS} are taken")
    if _UNPRINTABLE.search(value) or value != value.strip():
        raise RecordError(f"id: {_shown(value)} has control characters or blanks at its ends")
    if value.startswith("stub:"):
        raise RecordError(f"id: {_shown(value)} begins with 'stub:', which is kept for links without an article")
    return value


def _read_more(record: Mapping[str, object], base: str | None, block_titles: list[str]) -> tuple[ReadMore, ...]:
    value = record.get("read_more")
    if value is None:
        value = block_titles
    if not isinstance(value, list):
        raise RecordError(f"read_more: must be a list of links, this is {_kind_of(value)}")
    if len(value) > MAX_LIST_ITEMS:
        raise RecordError(f"read_more: has {len(value)} links, at most {MAX_LIST_ITEMS} are taken")
    return tuple(_link(number, item, base) for number, item in enumerate(value, start=1))


def _link(number: int, item: object, base: str | None) -> ReadMore:
    if isinstance(item, str):
        item = {"title": item}
    if not isinstance(item, Mapping):
        raise RecordError(
            f"read_more: link {number} must be a title or an object with a title, this is {_kind_of(item)}"
        )
    title = _string(item, "title", MAX_TITLE_CHARS, one_line=True)
    url = _link_url(item.get("url"), base)
    if not title and not url:
        raise RecordError(f"read_more: link {number} has neither title nor http(s) url")
    return ReadMore(title=title or str(url), url=url)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
