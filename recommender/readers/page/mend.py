"""Markup of other times made into what extractors know: tables that lay a page out, paragraphs that are parted by ``<br>``."""

from __future__ import annotations

from lxml.html import HtmlElement

from recommender.readers.page.blocks import BLOCKS

_CELL_CHARS = 400
_PARTED = frozenset(("div", "td", "section", "article", "main", "center", "p", "blockquote", "body"))


def mend(body: HtmlElement) -> None:
    """Make the two mends, in place."""
    _layout_tables(body)
    for each in {each.getparent(): None for each in body.iter("br") if _is_double(each)}:
        if each is not None and each.tag in _PARTED:
            _part(each)


def _is_double(line_break: HtmlElement) -> bool:
    after = line_break.getnext()
    return after is not None and after.tag == "br" and not (line_break.tail or "").strip()


def _layout_tables(body: HtmlElement) -> None:
    """Make boxes of tables that hold headings, tables or whole texts in their cells."""
    for table in list(body.iter("table")):
        inner = (
            cell for cell in table.iter("td") if next(cell.iter("table", "h1", "article", "div"), None) is not None
        )
        if next(inner, None) is None and not any(
            len(str(cell.text_content())) > _CELL_CHARS for cell in table.iter("td")
        ):
            continue
        for each in [table, *table.iter("td", "tr", "tbody", "th")]:
            if each is table or next(each.iterancestors("table", "div"), None) is not None:
                each.tag = "div"


def _part(element: HtmlElement) -> None:
    """Put what stands between double breaks into paragraphs of its own."""
    children = list(element)
    if element.tag == "p":
        element.tag = "div"
    line = element.makeelement("p")
    line.text, element.text = element.text, None
    parts = [line]
    n_breaks = 0
    for child in children:
        tail, child.tail = child.tail, None
        element.remove(child)
        if child.tag == "br":
            n_breaks += 1
        elif child.tag in BLOCKS:
            line = element.makeelement("p")
            parts += [child, line]
            n_breaks = 0
        else:
            line = _next_line(parts, line, n_breaks)
            line.append(child)
            n_breaks = 0
        if tail and tail.strip():
            line = _next_line(parts, line, n_breaks)
            n_breaks = 0
            if len(line):
                line[-1].tail = f"{line[-1].tail or ''}{tail}"
            else:
                line.text = f"{line.text or ''}{tail}"
        elif tail and len(line) and not n_breaks:
            line[-1].tail = f"{line[-1].tail or ''}{tail}"
    element.extend(
        part for part in parts if part.tag in BLOCKS and (len(part) or (part.text or "").strip() or part.tag != "p")
    )


def _next_line(parts: list[HtmlElement], line: HtmlElement, n_breaks: int) -> HtmlElement:
    if n_breaks >= 2:
        line = line.makeelement("p")
        parts.append(line)
    elif n_breaks == 1:
        line.append(line.makeelement("br"))
    return line
