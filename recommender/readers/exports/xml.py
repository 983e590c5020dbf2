"""XML of exports: nothing is loaded or expanded, and a document is bounded before it is a tree."""

from __future__ import annotations

import html.entities
import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from recommender.errors import RecordError

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 100
MAX_ATTRIBUTES = 200
# No XML may hold these, many an export does.
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})
WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_ROOT = re.compile(
    rb"^(?:\xef\xbb\xbf)?(?:\s+|<\?.{0,1000}?\?>|<!--.{0,10000}?-->|<!DOCTYPE[^>\[]{0,1000}(?:\[[^\]]{0,10000}\]\s*)?>)*"
    rb"<(?:[\w.-]{1,100}:)?([\w.-]{1,100})([^>]{0,10000})",
    re.DOTALL | re.IGNORECASE,
)


def root_of(head: bytes) -> tuple[str, str]:
    """Return the local name of a document's first element, in lower case, and its attributes as they stand; empty where there is none."""
    if head.startswith(WIDE):
        head = head.decode("utf-16", "replace").encode()
    root = _ROOT.match(head)
    return (root[1].decode("ascii").lower(), root[2].decode("utf-8", "replace")) if root else ("", "")


class _Guard:
    """Builds the tree of one document as long as it keeps within the bounds."""

    def __init__(self, *, local: bool) -> None:
        self._builder = TreeBuilder()
        self._local = local
        self._depth = 0
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped

    def close(self) -> Element:
        return self._builder.close()

    def _name(self, name: str) -> str:
        return name.rpartition(":")[2] if self._local else name

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecordError(f"its elements are nested over {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES:
            raise RecordError(f"an element has {len(attributes):,} attributes, at most {MAX_ATTRIBUTES} are taken")
        self._builder.start(self._name(name), attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(self._name(name))

    def _doctype(self, name: str, system: str | None, public: str | None, has_declarations: bool) -> None:
        if has_declarations:
            raise RecordError("declares a document type of its own, which no export needs; it is not read")

    def _entity(self, *_: object) -> None:
        raise RecordError("declares entities, which no export needs; it is not read")

    def _skipped(self, name: str, is_parameter: bool) -> None:
        self._builder.data(html.entities.html5.get(f"{name};", "\ufffd"))


def parse_xml(raw: bytes, *, local: bool = False) -> Element:
    """Return the tree of a document. A document type that lies elsewhere is not loaded; HTML's own entities are known where one is named.

    Args:
        raw: the document.
        local: take the prefixes off the names of elements.

    Raises:
        RecordError: over 16 MiB, no XML, or it declares entities, is nested too deep or has an element with too many attributes.
    """
    if len(raw) > MAX_BYTES:
        raise RecordError(f"has over {MAX_BYTES:,} bytes; no story needs that")
    if not raw.startswith(WIDE):
        raw = raw.translate(None, _CONTROLS)
    guard = _Guard(local=local)
    try:
        guard.parser.Parse(raw, True)
        return guard.close()
    except expat.ExpatError as error:
        raise RecordError(
            f"is broken XML: {expat.ErrorString(error.code)} (its line {error.lineno}, column {error.offset + 1})"
        ) from None
    except (LookupError, ValueError, AssertionError) as error:  # a charset that nobody knows, a tree without a root
        raise RecordError(f"is XML that cannot be read: {error}") from None


_HTML = frozenset(
    {
        *(
            "p",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "blockquote",
            "table",
            "tr",
            "td",
            "th",
            "tbody",
        ),
        *("thead", "pre", "a", "br", "div", "section", "aside", "strong", "em", "b", "i"),
    }
)


def inner_html(element: Element, renamed: Mapping[str, str], dropped: frozenset[str] = frozenset()) -> str:
    """Return what stands in an element as plain HTML: paragraphs, headings, lists, tables and links, of other elements what they hold.

    Args:
        element: with names without prefixes.
        renamed: HTML's name for a name of the format.
        dropped: elements that are left out with all that they hold.
    """
    parts: list[str] = []

    def write(each: Element) -> None:
        name = renamed.get(each.tag.lower(), each.tag.lower())
        if name not in dropped:
            link = html.escape(each.get("href") or "") if name == "a" else ""
            parts.append(f'<a href="{link}">' if link else f"<{name}>" if name in _HTML else "")
            inside(each)
            parts.append(f"</{name}>" if name in _HTML and name != "br" else "")
        parts.append(html.escape(each.tail or ""))

    def inside(each: Element) -> None:
        parts.append(html.escape(each.text or ""))
        for child in each:
            write(child)

    inside(element)
    return "".join(parts)


def text_of(element: Element | None) -> str:
    """Return all text in an element on one line; empty for None."""
    return "" if element is None else " ".join(" ".join(element.itertext()).split())
