"""NITF: one story a document, as agencies and editorial systems send it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from recommender.errors import RecordError
from recommender.readers.entry import NOTHING, About, Entry, LeftOut, is_ahead
from recommender.readers.exports.dates import instant, rfc3339
from recommender.readers.exports.kinds import kind_of
from recommender.readers.exports.xml import MAX_BYTES, inner_html, parse_xml, text_of
from recommender.readers.page import body_from_html
from recommender.readers.record import article_from_record

NAMES = {"hl1": "h2", "hl2": "h2", "bq": "blockquote", "block": "div", "nitf-table": "table", "note": "div"}
DROPPED = frozenset({"media", "object", "head", "script", "style"})
_HIDDEN = ("canceled", "cancelled", "withheld")


def read_nitf(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the one story of a document. One that is canceled, withheld or under embargo is left out, and taken away where it was shown."""
    raw = stream.read(MAX_BYTES + 1)
    if not raw.strip():
        return
    try:
        root = parse_xml(raw, local=True)
        if root.tag != "nitf":
            raise RecordError(f"is no NITF: its first element is <{root.tag[:40]}>")
        hidden = _hidden(root, about)
        if hidden:
            yield Entry(source, None, len(raw), left_out=LeftOut(hidden, tuple(filter(None, [_id(root)]))))
        else:
            yield Entry(source, None, len(raw), article=article_from_record(_record(root)))
    except RecordError as error:
        yield Entry(source, None, len(raw), reason=str(error))


def _hidden(root: Element, about: About) -> str | None:
    docdata = root.find("head/docdata")
    if docdata is None:
        return None
    status = docdata.get("management-status", "usable").lower()
    if status in _HIDDEN:
        return status
    release = docdata.find("date.release")
    until = instant(release.get("norm")) if release is not None else None
    # An embargo without an end that can be read has none.
    in_force = is_ahead(until, about.now) or until is None
    if status == "embargoed" and in_force:
        return "under embargo"
    if status == "usable" and until and about.now and until > about.now:
        return "under embargo"
    return None


def _id(root: Element) -> str | None:
    found = root.find("head/docdata/doc-id")
    return " ".join(found.get("id-string", "").split())[:512] or None if found is not None else None


def _record(root: Element) -> dict[str, Any]:
    head = root.find("body/body.head")
    publication = root.find("head/pubdata")
    url = publication.get("ex-ref") if publication is not None else None
    content = root.find("body/body.content")
    body = body_from_html(inner_html(content, NAMES, DROPPED) if content is not None else "", url=url)
    section = publication.get("position.section") if publication is not None else None
    tags = list(_tags(root))
    kinds = [each.get("tobject.property.type", "") for each in root.iter("tobject.property")]
    return {
        "id": _id(root),
        "url": url if url and url.startswith(("http://", "https://")) else None,
        "title": text_of(root.find("body/body.head/hedline/hl1")) or text_of(root.find("head/title")),
        "description": text_of(head.find("abstract")) if head is not None else "",
        "text": body.text,
        "published_at": _published(root),
        "modified_at": _dated(root, "head/docdata/date.release"),
        "language": root.get("xml:lang") or None,
        "section": section or None,
        "tags": tags[:200],
        "authors": _authors(head),
        "kind": kind_of([*filter(None, [section]), *kinds], tags),
        "image_url": _picture(content),
        "read_more": [{"title": each.title, "url": each.url} for each in body.read_more],
    }


def _published(root: Element) -> str | None:
    story = root.find("body/body.head/dateline/story.date")
    return (
        _dated(root, "head/docdata/date.issue")
        or _dated(root, "head/docdata/date.release")
        or (rfc3339(story.get("norm")) if story is not None else None)
    )


def _dated(root: Element, path: str) -> str | None:
    found = root.find(path)
    return rfc3339(found.get("norm")) if found is not None else None


def _tags(root: Element) -> Iterable[str]:
    for subject in root.iter("tobject.subject"):
        named = subject.get("tobject.subject.detail") or subject.get("tobject.subject.matter")
        yield named or subject.get("tobject.subject.type") or ""
    yield from (each.get("key", "") for each in root.iter("keyword"))
    yield from (each.get("value", "") or text_of(each) for each in root.iter("classifier"))


def _authors(head: Element | None) -> list[str]:
    bylines = head.findall("byline") if head is not None else []
    people = [text_of(each) for byline in bylines for each in byline.iter("person")]
    return (people or [text_of(each).removeprefix("By ").removeprefix("by ") for each in bylines])[:200]


def _picture(content: Element | None) -> str | None:
    references = content.iter("media-reference") if content is not None else ()
    return next((each.get("source") for each in references if (each.get("source") or "").startswith("http")), None)
