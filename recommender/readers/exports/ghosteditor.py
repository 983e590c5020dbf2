"""What Ghost's editors store of a post, made into HTML: ``lexical`` (Ghost 5 and later) and ``mobiledoc`` (before).

Both are JSON: a tree of nodes, and a list of sections with markers. What stands in it for readers of the text is written as HTML, escaped; a
card's own HTML goes in as it is. So the result is no safer than a post's HTML, and is read as that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from recommender.errors import RecordError
from recommender.readers.jsonl import parse_json

_MOST_NODES = 50_000
_MOST_DEPTH = 100
_BOXES = {
    "paragraph": "p", "heading": "h3", "extended-heading": "h3", "quote": "blockquote", "extended-quote": "blockquote", "aside": "blockquote",
    "list": "ul", "listitem": "li",
}  # fmt: skip
_TAGS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "aside"))


def html_of_lexical(written: str) -> str:
    """Return a post's ``lexical`` as HTML.

    Raises:
        RecordError: it is no such document, or has more in it than any story needs.
    """
    root = _document(written, "lexical").get("root")
    if not isinstance(root, dict):
        raise RecordError("lexical: has no root")
    return "".join(_Lexical().nodes(root.get("children"), 1))


class _Lexical:
    """Writes one tree; counts its nodes."""

    def __init__(self) -> None:
        self._n_nodes = 0

    def nodes(self, children: object, depth: int) -> Iterator[str]:
        if depth > _MOST_DEPTH:
            raise RecordError(f"lexical: is nested over {_MOST_DEPTH} deep; no story needs that")
        for each in children if isinstance(children, list) else ():
            self._n_nodes += 1
            if self._n_nodes > _MOST_NODES:
                raise RecordError(f"lexical: has over {_MOST_NODES:,} nodes; no story needs that")
            if isinstance(each, dict):
                yield from self._node(each, depth)

    def _node(self, node: Mapping[str, Any], depth: int) -> Iterator[str]:
        kind = _text(node.get("type"))
        if isinstance(node.get("text"), str) and "children" not in node:
            yield escape(node["text"])
        elif kind == "linebreak":
            yield "<br>"
        elif kind == "link":
            yield f'<a href="{escape(_text(node.get("url")))}" rel="{escape(_text(node.get("rel")))}">'
            yield from self.nodes(node.get("children"), depth + 1)
            yield "</a>"
        elif "children" in node:
            tag = _BOXES.get(kind, "div" if kind == "root" else "span")
            yield f"<{tag}>"
            yield from self.nodes(node["children"], depth + 1)
            yield f"</{tag}>"
        else:
            yield _card(kind, node)


def html_of_mobiledoc(written: str) -> str:
    """Return a post's ``mobiledoc`` as HTML.

    Raises:
        RecordError: it is no such document, or has more in it than any story needs.
    """
    document = _document(written, "mobiledoc")
    if not isinstance(document.get("sections"), list):
        raise RecordError("mobiledoc: has no sections")
    return "".join(_Mobiledoc(document).sections())


class _Mobiledoc:
    """Writes one document; counts its markers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._sections: list[object] = document["sections"]
        self._markups = _list(document.get("markups"))
        self._cards = _list(document.get("cards"))
        self._atoms = _list(document.get("atoms"))
        self._n_markers = 0

    def sections(self) -> Iterator[str]:
        for section in self._sections:
            self._count()
            match section:
                case [1, str(tag), list(markers), *_]:
                    tag = tag.lower() if tag.lower() in _TAGS else "p"
                    yield f"<{tag}>{''.join(self._markers(markers))}</{tag}>"
                case [3, _, list(items), *_]:
                    lines = ("".join(self._markers(each)) for each in items if isinstance(each, list))
                    yield f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
                case [10, int(number), *_]:
                    match _at(self._cards, number):
                        case [str(name), dict(payload), *_]:
                            yield _card(name, payload)

    def _markers(self, markers: Sequence[object]) -> Iterator[str]:
        is_open: list[bool] = []  # whether each markup that is open is a link
        for marker in markers:
            self._count()
            match marker:
                case [int(kind), list(opened), int(n_closed), value, *_]:
                    for number in opened:
                        self._count()
                        href = self._href(number)
                        is_open.append(href is not None)
                        yield f'<a href="{escape(href)}">' if href is not None else ""
                    yield escape(_text(value)) if kind == 0 else self._atom(value)
                    for _ in range(min(max(n_closed, 0), len(is_open))):
                        yield "</a>" if is_open.pop() else ""
        yield "</a>" * sum(is_open)

    def _count(self) -> None:
        self._n_markers += 1
        if self._n_markers > _MOST_NODES:
            raise RecordError(f"mobiledoc: has over {_MOST_NODES:,} markers; no story needs that")

    def _href(self, number: object) -> str | None:
        match _at(self._markups, number):
            case [str(tag), list(attributes), *_] if tag.lower() == "a":
                pairs = dict(zip(map(_text, attributes[::2]), map(_text, attributes[1::2]), strict=False))
                return pairs.get("href", "")
        return None

    def _atom(self, number: object) -> str:
        match _at(self._atoms, number):
            case ["soft-return", *_]:
                return "<br>"
            case [str(), str(text), *_]:
                return escape(text)
        return ""


def _card(name: str, payload: Mapping[str, Any]) -> str:
    """Return what a card says to readers of the text; of pictures, players, forms and what only mails show, nothing."""
    told = payload.get("metadata")
    match name.removeprefix("card-"):
        case "html":
            return _text(payload.get("html"))
        case "markdown":
            lines = _text(payload.get("markdown")).splitlines()
            return "".join(f"<p>{escape(line)}</p>" for line in lines if line.strip())
        case "callout":
            return f"<p>{_text(payload.get('calloutText'))}</p>"
        case "toggle":
            return f"<h4>{_text(payload.get('heading'))}</h4>{_text(payload.get('content'))}"
        case "bookmark" if isinstance(told, dict):
            link = f'<a href="{escape(_text(payload.get("url")))}">{escape(_text(told.get("title")))}</a>'
            return f'<figure class="kg-card kg-bookmark-card">{link}</figure>'
    return ""


def _document(written: str, name: str) -> Mapping[str, Any]:
    try:
        found = parse_json(written.encode("utf-8", "surrogatepass"))
    except RecordError as error:
        raise RecordError(f"{name}: {error}") from None
    if not isinstance(found, dict):
        raise RecordError(f"{name}: is no JSON object")
    return found


def _at(table: Sequence[Any], number: object) -> Any:
    return table[number] if isinstance(number, int) and 0 <= number < len(table) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
