"""The pages of the desk that change something: first what it would do, then doing it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import g, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from recommender.answer import options_of
from recommender.desk import Act, Desk, Wish, in_words, wish_of
from recommender.editorial import KINDS, Kind
from recommender.errors import QueryError, UnknownArticleError
from recommender.recommend import Recommender
from recommender.web.api import live, settings
from recommender.web.desk.door import desk, home, page
from recommender.web.desk.looking import title_of

FIELDS = ("article", "under", "section", "factor", "until", "note")


@desk.get("/rule")
def rule() -> BaseResponse:
    """Show the form of a rule and, once it says something, the lists before and after."""
    recommender = live().get()
    kind = _kind()
    wish, problem, tried = None, "", []
    if "try" in request.args:
        try:
            wish = _wish(recommender, kind)
            tried = recommender.try_out(Desk(home()).with_wish(wish, now=_now()), wish, options_of(settings().ranking))
        except (QueryError, UnknownArticleError) as error:
            problem = str(error)
    words = "" if wish is None else in_words(wish, title_of(recommender))
    return page(
        "rule.html",
        400 if problem else 200,
        kind=kind,
        fields={name: request.args.get(name, "") for name in FIELDS} | {"top": "top" in request.args},
        wish=wish,
        words=words,
        tried=tried,
        problem=problem,
        title=title_of(recommender),
        sections=recommender.snapshot.columns.sections,
    )


@desk.post("/rule")
def set_rule() -> BaseResponse:
    """Let a rule hold, and show the list that it is about."""
    wish = _wish(live().get(), _kind())
    act = Desk(home()).set(wish, by=g.desk_name, now=_now())
    return redirect(_about(act), 303)


@desk.get("/undo")
def undo() -> BaseResponse:
    """Show what taking a line of the log back would do."""
    recommender = live().get()
    number = _number()
    held = Desk(home())
    act = held.undoable(number)
    tried = []
    problem = ""
    try:
        tried = recommender.try_out(held.without(number, now=_now()), act.wish, options_of(settings().ranking))
    except UnknownArticleError:
        problem = "The story under which it holds is not in the archive."
    words = in_words(act.wish, title_of(recommender))
    return page("undo.html", act=act, words=words, tried=tried, problem=problem, title=title_of(recommender))


@desk.post("/undo")
def take_back() -> BaseResponse:
    """Take a line of the log back, and show the list that it was about."""
    act = Desk(home()).undo(_number(), by=g.desk_name, now=_now())
    return redirect(_about(act), 303)


def _wish(recommender: Recommender, kind: Kind) -> Wish:
    values = {name: request.values.get(name, "").strip() for name in FIELDS if name in _TAKEN[kind]}
    return wish_of(kind, values, recommender.meant, top="top" in request.values)


_TAKEN: dict[Kind, tuple[str, ...]] = {
    "pin": ("article", "under", "until", "note"),
    "block": ("article", "under", "until", "note"),
    "boost": FIELDS,
}


def _about(act: Act) -> str:
    """Return the page that shows best what an act did."""
    about = act.wish.under or act.wish.article
    known = about is not None and live().get().snapshot.dense.row_of(about) is not None
    return url_for("desk.story", id=about, done=act.number) if known else url_for("desk.rules", done=act.number)


def _kind() -> Kind:
    given = request.values.get("kind", "")
    kind = next((kind for kind in KINDS if kind == given), None)
    if kind is None:
        raise QueryError(f"kind: {given[:60]!r} is none; kinds are {', '.join(KINDS)}")
    return kind


def _number() -> int:
    given = request.values.get("line", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise QueryError(f"line: {given[:60]!r} is no line of the log")
    return int(given)


def _now() -> datetime:
    return datetime.now(UTC)
