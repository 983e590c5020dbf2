"""HTML in which whatever was not made here is escaped: text becomes markup by way of ``tag`` alone."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"meta", "br"})


class Html(str):
    """Markup that is ready: escaped, or written by hand in this package."""

    __slots__ = ()


def told(value: object) -> Html:
    """Return ``value`` as markup: as it is when it is ``Html``, escaped otherwise; a lone surrogate becomes "?"."""
    if isinstance(value, Html):
        return value
    return Html(escape(str(value).encode("utf-8", "replace").decode("utf-8")))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element. Children and the values of attributes are escaped unless they are ``Html``.

    ``class_`` stands for ``class`` and ``stroke_width`` for ``stroke-width``; an attribute of None is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{told(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = joined(*children)
    return Html(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{inside}</{name}>")


def joined(*children: object, between: str = "") -> Html:
    """Return the children one after the other, escaped as ``tag`` does it; ``between`` is escaped, too."""
    return Html(told(between).join(map(told, children)))
