"""The pages of the desk that show: what lists hold and why, the rules, the log, gaps in the links, the measurements."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, make_response, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from recommender import snapshot
from recommender.answer import Options, Recommendation, options_of
from recommender.desk import Act, Desk, in_words
from recommender.editorial import Rule
from recommender.errors import EncoderError, QueryError
from recommender.rank import Filters
from recommender.recommend import Recommender, gaps
from recommender.snapshot import Row, View
from recommender.text import title_key
from recommender.web.api import live, settings
from recommender.web.desk.door import desk, home, page

_PAGE = 50
_LATELY = 8
_MOST_FOUND = 20
_LONGEST_LIST = 50
_BAR, _MIDDLE = 120.0, 60.0  # of a part of a score, in pixels
_WIDEST_PART = 4.0
_MAX_REPORT_BYTES = 50_000_000
PARTS = {
    "dense": "meaning",
    "lexical": "words",
    "votes": "links of similar stories",
    "links": "links between the two",
    "popularity": "how often linked",
    "freshness": "age",
    "boost": "the desk",
}
"""What each part of a score is, in an editor's words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, or one rule, as a page shows it: what it says, and what can be done about it."""

    act: Act
    words: str
    over: bool


@desk.get("", strict_slashes=False)
def start() -> BaseResponse:
    """Show where to look, what is in force and what was done lately; or what was searched for."""
    recommender = live().get()
    text = request.args.get("q", "").strip()[: settings().serve.max_query_chars]
    if text:
        return _found(recommender, text)
    acts = Desk(home()).in_force()
    archive = recommender.snapshot
    return page(
        "start.html",
        n_in_force=sum(not _is_over(act) for act in acts),
        lately=lines(recommender, Desk(home()).log(_LATELY)),
        n_stories=int((~archive.columns.stub).sum()),
        n_orphans=gaps.orphans(archive, 0)[0],
        n_waiting=gaps.waiting(archive, 0)[0],
        live=live().status(),
        index=archive.name,
        problem=live().problem,
    )


def _found(recommender: Recommender, text: str) -> BaseResponse:
    under = request.args.get("under", "")
    exact = recommender.row_of(text)
    if exact is not None and not under:
        return redirect(url_for("desk.story", id=recommender.snapshot.dense.ids[exact]), 303)
    titled = _titled(recommender.snapshot, text) if exact is None else [recommender.snapshot.row(exact)]
    note = None
    near: list[Recommendation] = []
    try:
        options = options_of(settings().ranking)
        answer = recommender.search(text, _of_search(options))
        note, near = answer.note, [each for each in answer.results if each.id not in {row.id for row in titled}]
    except EncoderError:
        note = "found by title alone: free text cannot be answered at the moment"
    except QueryError as error:
        note = str(error)
    return page("found.html", text=text, titled=titled, near=near, note=note, under=under, title=title_of(recommender))


def _of_search(options: Options) -> Options:
    """Return how a search at the desk is made: many stories of every kind, no headlines without their story."""
    return replace(options, k=15, kinds=(), floor=0.0, filters=Filters(stubs=False))


def _titled(archive: View, text: str) -> list[Row]:
    """Return stories whose headline has every word, as it is typed."""
    wanted = title_key(text).split()
    if not wanted:
        return []
    keys = archive.title_keys
    rows = [row for row, key in enumerate(keys) if all(word in key for word in wanted)]
    rows.sort(key=lambda row: (bool(archive.columns.stub[row]), -int(archive.columns.published_at[row])))
    return [archive.row(row) for row in rows[:_MOST_FOUND]]


@desk.get("/story")
def story() -> Response:
    """Show a story's list with every part of its scores, what is not in it and why, and the rules that touch it."""
    recommender = live().get()
    article_id = request.args.get("id", "")
    options = options_of(settings().ranking)
    found = recommender.inspect(article_id, options)
    archive = recommender.snapshot
    number = archive.dense.row_of(article_id) or 0
    every = lines(recommender, Desk(home()).in_force())
    return page(
        "story.html",
        row=archive.row(number),
        answer=found.answer,
        left_out=found.left_out,
        rules=[line for line in every if article_id in (line.act.wish.article, line.act.wish.under)],
        pinned_by={line.act.wish.article: line.act for line in every if _is_pin(line.act, article_id)},
        file_rules=[rule for rule in recommender.rules if _names(recommender, rule, number)],
        linked_by=[archive.row(each) for each in archive.graph.linking_to(number)],
        done=_done(recommender),
        title=title_of(recommender),
        PARTS=PARTS,
    )


@desk.get("/rules")
def rules() -> Response:
    """Show every rule that is in force, the desk's own and the reviewed file's."""
    recommender = live().get()
    told = lines(recommender, Desk(home()).in_force())
    return page(
        "rules.html",
        rules=[line for line in reversed(told) if not line.over],
        file_rules=recommender.rules,
        unresolved=recommender.hand.unresolved,
        done=_done(recommender),
        title=title_of(recommender),
    )


@desk.get("/log")
def log() -> Response:
    """Show who did what and when, the latest first."""
    before = request.args.get("before", type=int)
    recommender = live().get()
    told = Desk(home()).log(_PAGE + 1, before=before)
    more = told[_PAGE - 1].number if len(told) > _PAGE else None
    return page("log.html", lines=lines(recommender, told[:_PAGE]), more=more, before=before, done=_done(recommender))


@desk.get("/orphans")
def orphans() -> Response:
    """Show the stories that no other one links to."""
    return _gap("orphans.html", gaps.orphans)


@desk.get("/stubs")
def stubs() -> Response:
    """Show the headlines that wait for their story, and who links to them."""
    return _gap("stubs.html", gaps.waiting)


@desk.get("/hubs")
def hubs() -> Response:
    """Show the stories that most others link to."""
    return _gap("hubs.html", gaps.hubs)


def _gap(template: str, look: Callable[..., Any]) -> Response:
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    recommender = live().get()
    n, found = look(recommender.snapshot, _PAGE, after=after)
    return page(
        template, n=n, found=found, after=after, more=after + _PAGE if after + _PAGE < n else None, page_size=_PAGE
    )


@desk.get("/snapshots")
def snapshots() -> Response:
    """Show the published snapshots: which is live, how large, what was measured, whether every byte is as published."""
    return page("snapshots.html", found=snapshot.published(home(), from_memory=True))


@desk.get("/evaluation")
def evaluation() -> Response:
    """Show the page of the last evaluation, as ``recommender evaluate`` left it in the home."""
    path = home().evaluation
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise QueryError(f"the page of the last evaluation has over {_MAX_REPORT_BYTES:,} bytes")
        html = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return page("unmeasured.html")
    back = f'<body><nav aria-label="The desk"><a href="{url_for("desk.start")}">Back to the desk</a></nav>'
    response = make_response(html.replace("<body>", back, 1))
    hashes = (hashlib.sha256(style.encode()).digest() for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    styles = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {styles or chr(39) + 'none' + chr(39)}; img-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def lines(recommender: Recommender, acts: list[Act]) -> list[Line]:
    """Return lines of the log for a page."""
    title = title_of(recommender)
    return [Line(act, in_words(act.wish, title), _is_over(act)) for act in acts]


def title_of(recommender: Recommender) -> Callable[[str], str]:
    """Return what gives the headline of an id or address, and that itself where the archive does not know it."""

    def title(reference: str) -> str:
        row = recommender.row_of(reference)
        return reference if row is None else recommender.snapshot.row(row).title

    return title


@desk.app_template_filter("moment")
def moment(when: datetime | None) -> str:
    """Return a moment as the log prints it, empty for None."""
    return "" if when is None else f"{when.day} {when:%b %Y, %H:%M} UTC"


@desk.app_template_filter("signed")
def signed(value: float) -> str:
    """Return a number with its sign, to two decimals."""
    return f"{value:+.2f}".replace("-", "−")


@desk.app_template_filter("bar")
def bar(value: float) -> tuple[str, str]:
    """Return where a part's bar begins and how wide it is, in pixels around the middle."""
    wide = min(abs(value), _WIDEST_PART) / _WIDEST_PART * _MIDDLE
    return f"{_MIDDLE if value >= 0 else _MIDDLE - wide:.1f}", f"{max(wide, 1):.1f}"


def _names(recommender: Recommender, rule: Rule, number: int) -> bool:
    return number in map(recommender.row_of, (*rule.articles, *([rule.under] if rule.under else ())))


def _done(recommender: Recommender) -> Line | None:
    """Return the line that was just written, where a form led here."""
    number = request.args.get("done", type=int)
    if number is None:
        return None
    told = lines(recommender, Desk(home()).log(1, before=number + 1)) if 0 < number < 2**60 else []
    return told[0] if told and told[0].act.number == number else None


def _is_pin(act: Act, under: str) -> bool:
    return act.wish.kind == "pin" and act.wish.under == under


def _is_over(act: Act) -> bool:
    return act.wish.until is not None and act.wish.until <= datetime.now(UTC)
