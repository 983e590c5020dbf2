"""Ghost's export: one JSON document with tables of posts, tags and authors."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from recommender.errors import RecordError
from recommender.readers.entry import NOTHING, About, Entry, LeftOut
from recommender.readers.exports.dates import rfc3339
from recommender.readers.exports.ghosteditor import html_of_lexical, html_of_mobiledoc
from recommender.readers.exports.kinds import kind_of
from recommender.readers.jsonl import MAX_DOCUMENT_BYTES, parse_json
from recommender.readers.page import body_from_html, in_parallel
from recommender.readers.record import article_from_record

_SITE = "__GHOST_URL__"
Row = Mapping[str, Any]


def is_ghost(document: object) -> bool:
    """Tell whether a JSON document is an export of Ghost."""
    return _data(document) is not None


def _data(document: object) -> Row | None:
    found = document.get("db", document) if isinstance(document, dict) else None
    if isinstance(found, list) and found:
        found = found[0]
    data = found.get("data") if isinstance(found, dict) and isinstance(found.get("meta"), dict) else None
    return data if isinstance(data, dict) and isinstance(data.get("posts"), list) else None


def read_ghost(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield one entry a post. Pages, and posts that are not published, are left out; an article that was made of one goes."""
    raw = stream.read(MAX_DOCUMENT_BYTES + 1)
    if not raw.strip():
        return
    try:
        if len(raw) > MAX_DOCUMENT_BYTES:
            raise RecordError(f"the export has over {MAX_DOCUMENT_BYTES:,} bytes")
        yield from ghost_entries(parse_json(raw), source, about)
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))


def ghost_entries(document: object, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the entries of an export that has been parsed; ``line`` counts the posts. Raises RecordError where it is none."""
    data = _data(document)
    if data is None:
        raise RecordError("is no export of Ghost: it has no table of posts")
    tables = _Tables.of(data)

    def entry(numbered: tuple[int, object]) -> Entry:
        number, post = numbered
        try:
            if not isinstance(post, dict):
                raise RecordError("a post must be a JSON object")
            hidden = _hidden(post)
            if hidden:
                return Entry(
                    source, number, 0, left_out=LeftOut(hidden, () if hidden.startswith("of ") else _ids(post, about))
                )
            return Entry(source, number, 0, article=article_from_record(_record(post, tables, about)))
        except RecordError as error:
            return Entry(source, number, 0, reason=str(error))

    yield from in_parallel(entry, enumerate(data["posts"], start=1))


class _Tables(NamedTuple):
    """Names of tags and authors by post, in order."""

    tags: dict[str, list[str]]
    authors: dict[str, list[str]]
    users: dict[str, str]

    @classmethod
    def of(cls, data: Row) -> _Tables:
        tags, users = _names(data.get("tags")), _names(data.get("users"))
        return cls(
            _joined(data.get("posts_tags"), "tag_id", tags),
            _joined(data.get("posts_authors"), "author_id", users),
            users,
        )


def _rows(table: object) -> list[Row]:
    return [row for row in table if isinstance(row, dict)] if isinstance(table, list) else []


def _names(table: object) -> dict[str, str]:
    return {str(row.get("id")): row["name"] for row in _rows(table) if isinstance(row.get("name"), str)}


def _joined(table: object, key: str, names: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in sorted(_rows(table), key=_order):
        name = names.get(str(row.get(key)))
        if name and not name.startswith("#"):  # Ghost's own mark of tags that readers do not see
            found.setdefault(str(row.get("post_id")), []).append(name)
    return found


def _order(row: Row) -> float:
    order = row.get("sort_order")
    return order if isinstance(order, int | float) else 0


def _hidden(post: Row) -> str | None:
    if post.get("type", "post") != "post" or post.get("page") in (1, True):
        return f"of type {str(post.get('type', 'page'))[:40]}"
    status = post.get("status", "published")
    return None if status == "published" else str(status)[:40]


def _url(post: Row, about: About) -> str | None:
    slug = post.get("slug")
    if about.site and isinstance(slug, str) and slug:
        return f"{about.site.rstrip('/')}/{slug}/"
    canonical = post.get("canonical_url")
    return canonical if isinstance(canonical, str) and canonical.startswith("http") else None


def _id(post: Row) -> object:
    return post.get("uuid") or post.get("id")


def _ids(post: Row, about: About) -> tuple[str, ...]:
    """Return the id that the post has as an article."""
    try:
        return (
            article_from_record(
                {"title": "-", "id": None if _url(post, about) else _id(post), "url": _url(post, about)}
            ).id,
        )
    except RecordError:
        return ()


def _record(post: Row, tables: _Tables, about: About) -> dict[str, Any]:
    url = _url(post, about)
    body = body_from_html(_markup(post, about), url=url)
    key = str(post.get("id"))
    tags = tables.tags.get(key, [])
    authors = tables.authors.get(key) or [
        tables.users[each] for each in [str(post.get("author_id"))] if each in tables.users
    ]
    picture = post.get("feature_image")
    return {
        "id": None if url else _id(post),
        "url": url,
        "title": post.get("title"),
        "description": post.get("custom_excerpt"),
        "text": body.text,
        "image_url": _absolute(picture, about) if isinstance(picture, str) else None,
        "published_at": rfc3339(post.get("published_at")),
        "modified_at": rfc3339(post.get("updated_at")),
        "language": post.get("locale") or None,
        "section": tags[0] if tags else None,
        "tags": tags[1:200],
        "authors": authors[:200],
        "kind": kind_of(tags[:1], tags),
        "read_more": [{"title": each.title, "url": each.url} for each in body.read_more],
    }


def _absolute(text: str, about: About) -> str:
    return text.replace(_SITE, about.site.rstrip("/") if about.site else "")


def _markup(post: Row, about: About) -> str:
    """Return a post's body as HTML: its own, else of what its editor stored, else of its plain text."""
    written = post.get("html")
    if not (isinstance(written, str) and written.strip()):
        written = _from_editor(post) or _from_plain(post)
    return _absolute(written, about)


def _from_editor(post: Row) -> str:
    for name, made in (("lexical", html_of_lexical), ("mobiledoc", html_of_mobiledoc)):
        stored = post.get(name)
        if isinstance(stored, str) and stored.strip():
            try:
                return made(stored)
            except RecordError:
                if not _from_plain(post):
                    raise
    return ""


def _from_plain(post: Row) -> str:
    plain = post.get("plaintext")
    lines = plain.splitlines() if isinstance(plain, str) else []
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines if line.strip())
