"""NewsML-G2: news items, alone or in a message."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from recommender.errors import RecordError
from recommender.readers.entry import NOTHING, About, Entry, LeftOut, is_ahead
from recommender.readers.exports.dates import instant, rfc3339
from recommender.readers.exports.kinds import kind_of
from recommender.readers.exports.nitf import DROPPED, NAMES
from recommender.readers.exports.records import Record, Records
from recommender.readers.exports.xml import MAX_BYTES, inner_html, parse_xml, text_of
from recommender.readers.page import body_from_html, in_parallel
from recommender.readers.record import article_from_record

ROOTS = ("newsitem", "newsmessage", "packageitem", "knowledgeitem", "conceptitem", "planningitem")
_ITEMS = rb"(?:[A-Za-z_][\w.-]{0,50}:)?(?:newsItem|packageItem|knowledgeItem|conceptItem|planningItem)"
_OPINION = frozenset({"opinion", "comment", "commentary", "editorial", "column", "review", "letter"})
_SPONSORED = frozenset({"advertiser_supplied", "advertorial", "sponsored"})


def read_newsml(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield one entry an item. What is canceled, withheld or under embargo is left out, and taken away where it was shown."""
    n_items = 0
    try:
        for entry in in_parallel(lambda record: _entry(record, source, about), Records(stream, _ITEMS)):
            n_items += 1
            yield entry
    except RecordError as error:
        yield Entry(source, None, 0, reason=str(error))
        return
    if not n_items:
        yield Entry(source, None, 0, reason="holds no news item; is it NewsML-G2, and whole?")


def _entry(record: Record, source: str, about: About) -> Entry:
    try:
        if record.raw is None:
            raise RecordError(f"the item has over {MAX_BYTES:,} bytes, or does not end")
        item = parse_xml(record.raw, local=True)
        hidden = _hidden(item, about)
        if hidden:
            return Entry(source, record.line, record.offset_bytes, left_out=LeftOut(hidden, _ids(item, hidden)))
        return Entry(source, record.line, record.offset_bytes, article=article_from_record(_record(item)))
    except RecordError as error:
        return Entry(source, record.line, record.offset_bytes, reason=str(error))


def _ids(item: Element, hidden: str) -> tuple[str, ...]:
    guid = _guid(item)
    return (guid,) if guid and not hidden.startswith("of ") else ()


def _guid(item: Element) -> str | None:
    return " ".join(item.get("guid", "").split())[:512] or None


def _code(element: Element | None) -> str:
    """Return what a code says without its scheme: ``stat:usable`` is usable."""
    if element is None:
        return ""
    return (element.get("qcode") or element.get("uri") or "").rpartition(":")[2].rpartition("/")[2].lower()


def _hidden(item: Element, about: About) -> str | None:
    if item.tag != "newsItem":
        return f"of type {item.tag}"
    sort = _code(item.find("itemMeta/itemClass"))
    if sort not in ("", "text"):
        return f"of class {sort[:40]}"
    status = _code(item.find("itemMeta/pubStatus")) or "usable"
    if status in ("canceled", "cancelled", "withheld"):
        return status
    if status != "usable":
        raise RecordError(f"pubStatus: {status[:40]!r} is not known; it is usable, withheld or canceled")
    embargo = item.find("itemMeta/embargoed")
    if embargo is not None:
        until = instant(text_of(embargo))
        if until is None or is_ahead(
            until, about.now
        ):  # one without an end is in force until a later version says otherwise
            return "under embargo"
    return None


def _record(item: Element) -> dict[str, Any]:
    of_item = item.find("itemMeta")
    content = item.find("contentMeta")
    of_item = Element("itemMeta") if of_item is None else of_item
    content = Element("contentMeta") if content is None else content
    url = next((each.get("href") for each in of_item.iter("link") if _relation(each) == "canonical"), None)
    body = body_from_html(_markup(item), url=url)
    genres = {_code(each) for each in content.iter("genre")}
    section = text_of(of_item.find("service/name")) or None
    tags = [text_of(each.find("name")) or each.get("literal", "") for each in content.iter("subject")]
    kind = (
        "opinion"
        if genres & _OPINION
        else "sponsored"
        if genres & _SPONSORED
        else kind_of(filter(None, [section]), tags)
    )
    return {
        "id": _guid(item),
        "url": url,
        "title": text_of(content.find("headline")) or text_of(of_item.find("title")),
        "description": _standfirst(content),
        "text": body.text,
        "published_at": rfc3339(text_of(of_item.find("firstCreated")))
        or rfc3339(text_of(content.find("contentCreated")))
        or rfc3339(text_of(of_item.find("versionCreated"))),
        "modified_at": rfc3339(text_of(content.find("contentModified")))
        or rfc3339(text_of(of_item.find("versionCreated"))),
        "language": _language(content),
        "section": section,
        "tags": [each for each in tags if each][:200],
        "authors": _authors(content),
        "kind": kind,
        "image_url": next((each.get("href") for each in of_item.iter("icon")), None),
        "read_more": [*({"title": each.title, "url": each.url} for each in body.read_more), *_see_also(of_item)][:200],
    }


def _relation(link: Element) -> str:
    return (link.get("rel") or "").rpartition(":")[2].lower()


def _see_also(of_item: Element) -> Iterator[dict[str, str | None]]:
    for each in of_item.iter("link"):
        title = text_of(each.find("title"))
        if _relation(each) == "seealso" and title:
            yield {"title": title[:1_000], "url": each.get("href")}


def _standfirst(content: Element) -> str:
    described = {_role(each): text_of(each) for each in content.iter("description")}
    return described.get("summary") or described.get("") or ""


def _role(element: Element) -> str:
    return (element.get("role") or "").rpartition(":")[2].lower()


def _language(content: Element) -> str | None:
    found = content.find("language")
    return (found.get("tag") if found is not None else None) or None


def _authors(content: Element) -> list[str]:
    people = [text_of(each.find("name")) or each.get("literal", "") for each in content.iter("creator")]
    people = [each for each in people if each] or [text_of(each).removeprefix("By ") for each in content.iter("by")]
    return list(dict.fromkeys(people))[:200]


def _markup(item: Element) -> str:
    for inline in item.iter("inlineXML"):
        body = next((each for name in ("body.content", "body") for each in inline.iter(name)), inline)
        return inner_html(body, NAMES, DROPPED)
    for data in item.iter("inlineData"):
        written = data.text or ""
        if "html" in data.get("contenttype", "text/plain"):
            return written
        return "".join(f"<p>{html.escape(line)}</p>" for line in written.splitlines() if line.strip())
    return ""
