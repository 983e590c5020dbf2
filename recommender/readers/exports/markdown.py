"""Markdown with front matter, as Hugo, Jekyll and their like keep it. The one owner of markdown-it-py and PyYAML (``frontmatter``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from recommender.errors import RecordError, SourceError
from recommender.readers.entry import NOTHING, About, Entry, LeftOut, is_ahead, undecodable
from recommender.readers.exports.dates import instant
from recommender.readers.exports.frontmatter import EXTRA, parted
from recommender.readers.exports.generators import Place, Site, place_of, site_of, url_of
from recommender.readers.exports.kinds import kind_of
from recommender.readers.page import body_from_markdown
from recommender.readers.record import article_from_record

MAX_BYTES = 2**20
_TEMPLATES = re.compile(r"\{\{[<%]?[^{}]{0,2000}[%>]?\}\}|\{%[^{}%]{0,2000}%\}|\{:[^{}\n]{0,500}\}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


def read_markdown(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the one story of a document. Without front matter it is none; drafts and what is not out yet are left out.

    Raises:
        SourceError: the extra is not installed.
    """
    raw = stream.read(MAX_BYTES + 1)
    if not raw.strip():
        return
    try:
        if len(raw) > MAX_BYTES:
            raise RecordError(f"the document has over {MAX_BYTES:,} bytes; is it a story?")
        yield _entry(raw.decode("utf-8-sig"), len(raw), source, about)
    except UnicodeDecodeError as error:
        yield Entry(source, None, len(raw), reason=undecodable(error))
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))


def _entry(text: str, n_bytes: int, source: str, about: About) -> Entry:
    found = parted(text)
    if found is None:
        return Entry(source, None, n_bytes, left_out=LeftOut("without front matter"))
    front, below = found
    place = place_of(source)
    site = site_of(Path(source).parent) if Path(source).is_file() else Site()
    published = instant(front.get("date")) or instant(front.get("publishdate")) or instant(place.day)
    record = _record(front, below, place, url_of(front, place, site, about, published), published)
    hidden = _hidden(front, source, place, about)
    if not hidden:
        return Entry(source, None, n_bytes, article=article_from_record(record))
    try:
        ids: tuple[str, ...] = (article_from_record({"title": "-", "url": record["url"], "id": record["id"]}).id,)
    except RecordError:
        ids = ()
    return Entry(source, None, n_bytes, left_out=LeftOut(hidden, ids))


def _hidden(front: Mapping[str, Any], source: str, place: Place, about: About) -> str | None:
    if front.get("draft") is True or front.get("published") is False or "_drafts" in Path(source).parts:
        return "draft"
    if place.slug == "_index" or front.get("headless") is True:
        return "of a list"
    if about.now and is_ahead(instant(front.get("publishdate") or front.get("date")), about.now):
        return "not out yet"
    expires = instant(front.get("expirydate"))
    return "expired" if expires and about.now and expires <= about.now else None


def _record(
    front: Mapping[str, Any], below: str, place: Place, url: str | None, published: datetime | None
) -> dict[str, Any]:
    _renderer()  # where the extra is not installed, that is told here
    body = body_from_markdown(below, url=url)
    categories = _names(front.get("categories") or front.get("category") or front.get("section"))
    tags = [*categories[1:], *_names(front.get("tags") or front.get("keywords"))]
    language = front.get("lang") or front.get("language") or place.language
    modified = instant(front.get("lastmod") or front.get("last_modified_at") or front.get("updated"))
    section = categories[0] if categories else place.folders[0] if place.folders else None
    picture = front.get("image") or front.get("featured_image") or front.get("cover") or front.get("images")
    picture = picture.get("image") or picture.get("path") if isinstance(picture, dict) else picture
    return {
        "id": None if url else front.get("id") or "/".join([*place.folders, place.slug]),
        "url": url,
        "title": _one(front.get("title")),
        "description": _one(front.get("description") or front.get("summary") or front.get("excerpt")),
        "text": body.text,
        "image_url": next(iter(_names(picture)), None),
        "published_at": published.isoformat() if published else None,
        "modified_at": modified.isoformat() if modified else None,
        "language": language if isinstance(language, str) and _LANGUAGE.fullmatch(language) else None,
        "section": section[:300] if section else None,
        "tags": tags[:200],
        "authors": _names(front.get("authors") or front.get("author"))[:200],
        "kind": kind_of([section] if section else [], tags),
        "read_more": [{"title": each.title, "url": each.url} for each in body.read_more],
    }


def _one(value: object) -> str | None:
    """Return a value as a line: YAML makes a number of the headline "1984"."""
    return None if value is None or isinstance(value, dict | list) else str(value)


def _names(value: object) -> list[str]:
    """Return names, however they are written: one, a list, or objects with a name."""
    items = value if isinstance(value, list) else [value]
    named = [item.get("name") if isinstance(item, dict) else item for item in items]
    return [
        str(name) for name in named if isinstance(name, str | int) and not isinstance(name, bool) and str(name).strip()
    ]


def html_of(markdown: str) -> str:
    """Return Markdown as HTML, without shortcodes of Hugo and tags of Liquid. Raises SourceError where the extra is not installed."""
    return str(_renderer().render(_TEMPLATES.sub(" ", markdown)))


@cache
def _renderer() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise SourceError(f"Markdown needs markdown-it-py, YAML front matter needs PyYAML: {EXTRA}") from None
    return MarkdownIt("commonmark", {"html": True}).enable("table")
