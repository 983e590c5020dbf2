"""What an editor typed, made into a wish: checked as the reviewed file is, with ids for what it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recommender.catalog.acts import Wish
from recommender.editorial import Kind, one_rule
from recommender.errors import QueryError, RulesError

Meant = Callable[[str], str]
"""Gives the id of an id or address; raises UnknownArticleError."""


def wish_of(kind: Kind, values: Mapping[str, object], meant: Meant, *, top: bool = False) -> Wish:
    """Return what is wanted.

    Args:
        kind: ``pin``, ``block`` or ``boost``.
        values: as in a row of the reviewed file: ``article``, ``under``, ``section``, ``factor``, ``until``, ``note``; those
            that are empty are left out. A factor may be text.
        meant: see :data:`Meant`.
        top: of a pin.

    Raises:
        QueryError: names everything that is wrong.
        UnknownArticleError: an article is not in the archive.
    """
    given = {name: value for name, value in values.items() if value not in ("", None)}
    if isinstance(factor := given.get("factor"), str):
        given["factor"] = _number(factor)
    try:
        rule = one_rule(kind, given, kind)
    except RulesError as error:
        raise QueryError("\n".join(error.problems)) from None
    article = meant(rule.articles[0]) if rule.articles else None
    under = None if rule.under is None else meant(rule.under)
    if article is not None and article == under:
        raise QueryError(f"{kind}: a story is never in its own list; name another one")
    return Wish(kind, article, under, rule.section, rule.factor, rule.until, rule.note, top and kind == "pin")


def _number(text: str) -> object:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return text


def in_words(wish: Wish, title: Callable[[str], str] = lambda article_id: article_id) -> str:
    """Return what a wish is, in a line: who reads the log knows what was wanted without looking anything up.

    Args:
        wish: what was wanted.
        title: gives the headline of an id.
    """
    about = f"section {wish.section}" if wish.article is None else f"“{title(wish.article)}”"
    where = " everywhere" if wish.under is None else f" under “{title(wish.under)}”"
    does = {"pin": "pin", "block": "block", "boost": f"{'damp' if wish.factor < 1 else 'boost'} ×{wish.factor:g}"}
    end = "" if wish.until is None else f" until {wish.until:%Y-%m-%d %H:%M} UTC"
    note = f" ({wish.note})" if wish.note else ""
    return f"{does.get(wish.kind, wish.kind)} {about}{where}{', on top' if wish.top else ''}{end}{note}"
