"""WordPress' export (WXR): posts that are published, post by post, however long the file is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple
from xml.etree.ElementTree import Element

from recommender.errors import RecordError
from recommender.readers.entry import Entry, LeftOut
from recommender.readers.exports.dates import instant, rfc3339
from recommender.readers.exports.kinds import kind_of
from recommender.readers.exports.permalinks import Permalinks, Post
from recommender.readers.exports.postcontent import markup
from recommender.readers.exports.records import Record, Records
from recommender.readers.exports.xml import MAX_BYTES, parse_xml
from recommender.readers.page import body_from_html, in_parallel
from recommender.readers.record import article_from_record
from recommender.text import canonical_url

MAX_PICTURES = 500_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_ATTACHMENT = re.compile(rb"<wp:post_type>\s*(?:<!\[CDATA\[)?attachment\b")
_POST_ID = re.compile(rb"<wp:post_id>\s*(?:<!\[CDATA\[)?(\d{1,18})")
_ADDRESS = re.compile(rb"<wp:attachment_url>\s*(?:<!\[CDATA\[)?([^<\]\s]{1,2000})")


@dataclass
class _Site:
    """What the posts of a file share.

    Attributes:
        names: of authors, by login.
        pictures: addresses, by the number of the attachment.
    """

    language: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)


class _Read(NamedTuple):
    """One item: ``post`` tells where it stands, for the others."""

    line: int
    offset_bytes: int
    record: dict[str, Any] | None = None
    status: str = ""
    post: Post | None = None
    reason: str | None = None


def read_wordpress(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield one entry a post; other items are left out by their type, and posts that readers cannot see by their status.

    A stream that can be read twice is, the first time for the addresses of pictures: a post names its own by number, and it may stand
    anywhere in the file. What is not published any more takes the article away that stands at the post's address, as far as
    that can be told from where the published posts are.
    """
    site = _Site(pictures=_pictures(stream))
    records = Records(stream, b"item")
    permalinks = Permalinks()
    n_items = 0

    def items() -> Iterator[Record]:
        for number, record in enumerate(records):
            if number == 0:
                _know(site, records.head)
            yield record

    try:
        for read in in_parallel(lambda record: _read(record, site), items()):
            n_items += 1
            yield _entry(read, source, permalinks)
    except RecordError as error:
        yield Entry(source, None, 0, reason=str(error))
        return
    if not n_items:
        yield Entry(source, None, 0, reason="holds no item; is it a WordPress export, and whole?")


def _pictures(stream: BinaryIO) -> dict[int, str]:
    found: dict[int, str] = {}
    if not stream.seekable():
        return found
    try:
        for record in Records(stream, b"item"):
            if record.raw is None or not _ATTACHMENT.search(record.raw):
                continue
            number, address = _POST_ID.search(record.raw), _ADDRESS.search(record.raw)
            if number and address and len(found) < MAX_PICTURES:
                found[int(number[1])] = address[1].decode("utf-8", "replace")
    except RecordError:
        pass  # told when the posts are read
    stream.seek(0)
    return found


def _know(site: _Site, head: bytes | None) -> None:
    """Take from the head of a file who is who. A head that is broken names nobody; authors are then called by their logins."""
    try:
        channel = parse_xml((head or b"") + b"</channel></rss>").find("channel")
    except RecordError:
        return
    if channel is None:
        return
    site.language = _text(channel, "language") or None
    for author in channel.iter("wp:author"):
        site.names[_text(author, "wp:author_login")] = _text(author, "wp:author_display_name")


def _read(record: Record, site: _Site) -> _Read:
    try:
        if record.raw is None:
            raise RecordError(f"the item has over {MAX_BYTES:,} bytes, or does not end")
        item = parse_xml(record.raw)
        post_type, status = _text(item, "wp:post_type") or "post", _text(item, "wp:status") or "publish"
        if post_type != "post":
            return _Read(record.line, record.offset_bytes, status=f"of type {post_type[:40]}")
        post = _post(item)
        if status != "publish" or _text(item, "wp:post_password"):
            hidden = status[:40] if status != "publish" else "with a password"
            return _Read(record.line, record.offset_bytes, status=hidden, post=post)
        return _Read(record.line, record.offset_bytes, _record(item, post, site), post=post)
    except RecordError as error:
        return _Read(record.line, record.offset_bytes, reason=str(error))


def _entry(read: _Read, source: str, permalinks: Permalinks) -> Entry:
    if read.reason is None and read.record is None:
        ids = permalinks.of(read.post) if read.post else ()
        return Entry(source, read.line, read.offset_bytes, left_out=LeftOut(read.status, ids, guessed=True))
    if read.post and read.record:
        permalinks.learn(read.post)
    try:
        if read.record is None:
            raise RecordError(read.reason or "cannot be read")
        return Entry(source, read.line, read.offset_bytes, article=article_from_record(read.record))
    except RecordError as error:
        return Entry(source, read.line, read.offset_bytes, reason=str(error))


def _post(item: Element) -> Post:
    slug = _text(item, "wp:post_name").removesuffix("__trashed")
    wanted = _meta(item).get("_wp_desired_post_slug", "")
    address = _text(item, "link") or _text(item, "guid")
    return Post(
        url=canonical_url(address),
        number=_text(item, "wp:post_id"),
        slug=wanted or slug,
        day=_text(item, "wp:post_date")[:10],
    )


def _record(item: Element, post: Post, site: _Site) -> dict[str, Any]:
    body = body_from_html(markup(_text(item, "content:encoded")), url=post.url)
    terms = _terms(item)
    categories = [name for name, nicename in terms.get("category", []) if nicename != "uncategorized"]
    tags = [*categories[1:], *(name for name, _ in terms.get("post_tag", []))]
    login = _text(item, "dc:creator")
    authors = [name for name, _ in terms.get("author", [])] or [site.names.get(login) or login]
    language = next((nicename for _, nicename in terms.get("language", [])), site.language) or ""
    picture = _meta(item).get("_thumbnail_id", "")
    return {
        "url": post.url,
        "id": None if post.url else f"wordpress:{post.number}",
        "title": _plain(_text(item, "title")),
        "description": _plain(_text(item, "excerpt:encoded")),
        "text": body.text,
        "image_url": site.pictures.get(int(picture)) if picture.isdecimal() and len(picture) < 19 else None,
        "published_at": _when(item, "wp:post_date_gmt")
        or rfc3339(_text(item, "pubDate"))
        or _when(item, "wp:post_date"),
        "modified_at": _when(item, "wp:post_modified_gmt"),
        "language": language if _LANGUAGE.fullmatch(language) else None,
        "section": categories[0] if categories else None,
        "tags": tags[:200],
        "authors": [name for name in authors if name][:200],
        "kind": kind_of(categories[:1], tags),
        "read_more": [{"title": each.title, "url": each.url} for each in body.read_more],
    }


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _plain(markup: str) -> str:
    """Return a headline or excerpt without the markup that WordPress allows in it."""
    return body_from_html(markup).text.replace("\n", " ") if "<" in markup or "&" in markup else markup


def _when(item: Element, name: str) -> str | None:
    found = instant(_text(item, name))  # WordPress writes 0000-00-00 for none
    return found.isoformat() if found else None


def _meta(item: Element) -> dict[str, str]:
    return {_text(each, "wp:meta_key"): _text(each, "wp:meta_value") for each in item.iter("wp:postmeta")}


def _terms(item: Element) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for each in item.iter("category"):
        name = (each.text or "").strip()
        if name:
            found.setdefault(each.get("domain", "category"), []).append((name, each.get("nicename", "")))
    return found
