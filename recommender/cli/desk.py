"""``desk``: what editors want of lists, from the shell, with the same log as at ``/desk``."""

from __future__ import annotations

import getpass
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from recommender.answer import Answer, options_of
from recommender.cli.opening import opened
from recommender.cli.output import print_answer, print_json, talk
from recommender.desk import Act, Desk, DeskRules, Wish, in_words, wish_of
from recommender.editorial import Kind
from recommender.home import Home
from recommender.recommend import LeftOut, Recommender, Tried, gaps
from recommender.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
_MOST_LINKING = 5
_MARKS = {"new": "+", "up": "↑", "down": "↓", "same": " "}


@click.group()
def desk() -> None:
    """Pin, block and boost stories, take that back, and see what lists show and why.

    Every change is logged with who made it; it is in force in a running service from the next request on. `rules.toml`, the
    reviewed file, holds beside it: a pin made here stands above those of the file, a block wins wherever it is from.
    """


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_ACTING: tuple[Callable[[Any], Any], ...] = (
    click.option("--by", metavar="NAME", help="Who wants it (default: who is logged in here)."),
    click.option("--preview", is_flag=True, help="Print the lists before and after, and change nothing."),
    _as_json,
    click.pass_obj,
)
_RULING: tuple[Callable[[Any], Any], ...] = (
    click.option("--note", default="", help="Why, in a line; readers see it in the reason."),
    click.option("--until", metavar="DATE", help="When it ends, such as 2026-12-24 or 2026-12-24T18:00:00+01:00."),
    *_ACTING,
)

_LISTING: tuple[Callable[[Any], Any], ...] = (
    click.option("-n", "most", type=click.IntRange(1, 100_000), default=50, help="So many at most (default: 50)."),
    _as_json,
    click.pass_obj,
)


def _with(options: tuple[Callable[[Any], Any], ...]) -> Callable[[Command], Command]:
    """Give a command these options."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@desk.command()
@click.argument("article", metavar="ARTICLE")
@click.argument("story", metavar="STORY")
@click.option("--top", is_flag=True, help="Above the pins that are there (default: below them).")
@_with(_RULING)
def pin(settings: Settings, article: str, story: str, top: bool, **given: Any) -> int:
    """Let STORY stand first in the list under ARTICLE; ids or urls."""
    return _set(settings, "pin", {"under": article, "article": story}, top=top, **given)


@desk.command()
@click.argument("story", metavar="STORY")
@click.option("--under", metavar="ARTICLE", help="Only in this story's list (default: in none).")
@_with(_RULING)
def block(settings: Settings, story: str, under: str | None, **given: Any) -> int:
    """Let STORY stand in no list, not even where an editor linked it."""
    return _set(settings, "block", {"article": story, "under": under}, **given)


@desk.command()
@click.argument("story", metavar="STORY", required=False)
@click.option("--section", help="A whole section instead of a story.")
@click.option("--factor", type=float, required=True, help="On the odds: 0.1 to 10, below 1 for less.")
@click.option("--under", metavar="ARTICLE", help="Only in this story's list (default: in all).")
@_with(_RULING)
def boost(
    settings: Settings, story: str | None, section: str | None, factor: float, under: str | None, **given: Any
) -> int:
    """Let STORY, or the stories of a section, rank higher or lower until a day (--until)."""
    return _set(settings, "boost", {"article": story, "section": section, "factor": factor, "under": under}, **given)


def _set(
    settings: Settings,
    kind: Kind,
    values: dict[str, Any],
    *,
    by: str | None,
    preview: bool,
    as_json: bool,
    top: bool = False,
    **more: Any,
) -> int:
    recommender = opened(settings)
    wish = wish_of(kind, values | more, recommender.meant, top=top)
    held, now = Desk(Home(settings.home)), datetime.now(UTC)
    if preview:
        _print_tried(settings, recommender, held.with_wish(wish, now=now), wish, as_json)
    else:
        _print_act(held.set(wish, by=_name(by), now=now), recommender, as_json)
    return 0


@desk.command()
@click.argument("number", type=int, metavar="LINE")
@_with(_ACTING)
def undo(settings: Settings, number: int, by: str | None, preview: bool, as_json: bool) -> int:
    """Take back a LINE of the log; of a line that took something back: set it again."""
    recommender, held, now = opened(settings), Desk(Home(settings.home)), datetime.now(UTC)
    if preview:
        wish = held.undoable(number).wish
        _print_tried(settings, recommender, held.without(number, now=now), wish, as_json)
    else:
        _print_act(held.undo(number, by=_name(by), now=now), recommender, as_json)
    return 0


@desk.command()
@click.option("-n", "most", type=click.IntRange(1, 1000), default=50, help="So many lines at most (default: 50).")
@click.option("--before", type=int, metavar="LINE", help="Only lines before this one.")
@_as_json
@click.pass_obj
def log(settings: Settings, most: int, before: int | None, as_json: bool) -> int:
    """Print who did what and when, the latest first."""
    acts = Desk(Home(settings.home)).log(most, before=before)
    return _print_acts(acts, as_json, none="nothing was done yet")


@desk.command()
@_as_json
@click.pass_obj
def rules(settings: Settings, as_json: bool) -> int:
    """Print the desk's rules that are in force; those of the reviewed file are not among them."""
    acts = [act for act in Desk(Home(settings.home)).in_force() if not _over(act)]
    return _print_acts(acts, as_json, none="none is in force")


@desk.command()
@click.argument("article", metavar="ID|URL")
@click.option("-k", type=int, help="Length of the list (default: 5).")
@_as_json
@click.pass_obj
def show(settings: Settings, article: str, k: int | None, as_json: bool) -> int:
    """Print an article's list with every part of each score, and what rules keep out of it."""
    recommender = opened(settings)
    options = options_of(settings.ranking if k is None else settings.ranking.model_copy(update={"k": k}))
    found = recommender.inspect(recommender.meant(article), options)
    if as_json:
        told = found.answer.as_dict() | {"left_out": [asdict(each) for each in found.left_out]}
        told.pop("hidden", None)
        print_json(told)
        return 0
    _print_list(found.answer, found.left_out)
    return 0


@desk.command()
@_with(_LISTING)
def orphans(settings: Settings, most: int, as_json: bool) -> int:
    """Print the stories that no other one links to, the youngest first."""
    n, rows = gaps.orphans(opened(settings).snapshot, most)
    if as_json:
        print_json({"n": n, "stories": [{"id": row.id, "title": row.title} for row in rows]})
        return 0
    for row in rows:
        click.echo(f"{row.id}  {row.title}")
    talk(f"{n:,} stories have no link from another one")
    return 0


@desk.command()
@_with(_LISTING)
def stubs(settings: Settings, most: int, as_json: bool) -> int:
    """Print the headlines that wait for their story, and who links to them; those with the most links first."""
    return _print_linked(*gaps.waiting(opened(settings).snapshot, most), "headlines wait for their story", as_json)


@desk.command()
@_with(_LISTING)
def hubs(settings: Settings, most: int, as_json: bool) -> int:
    """Print the stories that most others link to."""
    return _print_linked(*gaps.hubs(opened(settings).snapshot, most), "stories are linked from another one", as_json)


def _print_linked(n: int, found: Iterable[gaps.Linked], what: str, as_json: bool) -> int:
    if as_json:
        print_json(
            {
                "n": n,
                "stories": [
                    {"id": each.row.id, "title": each.row.title, "linked_by": [row.id for row in each.by]}
                    for each in found
                ],
            }
        )
        return 0
    for each in found:
        click.echo(f"{len(each.by):>5}  {each.row.id}  {each.row.title}")
        for row in each.by[:_MOST_LINKING]:
            click.echo(f"       from {row.id}")
    talk(f"{n:,} {what}")
    return 0


def _print_list(answer: Answer, left_out: Iterable[LeftOut]) -> None:
    print_answer(replace(answer, hidden=None))
    for each in left_out:
        instead = f" ({each.shown_instead})" if each.shown_instead else ""
        click.echo(f"  left out: {textwrap.shorten(each.title, 80, placeholder='…')}: {each.why}{instead}")


def _print_act(act: Act, recommender: Recommender, as_json: bool) -> None:
    if as_json:
        print_json(_told(act))
        return
    click.echo(_line(act, _titles(recommender)))
    talk(f"to take it back: recommender desk undo {act.number}")


def _print_tried(settings: Settings, recommender: Recommender, rules: DeskRules, wish: Wish, as_json: bool) -> None:
    tried = recommender.try_out(rules, wish, options_of(settings.ranking))
    if as_json:
        lists = [{"before": each.before.as_dict(), "after": each.after.as_dict()} for each in tried]
        print_json({"changed": any(each.changed for each in tried), "lists": lists})
        return
    for each in tried:
        _print_one(each)
    if not any(each.changed for each in tried):
        talk("no list that was looked at changes")


def _print_one(tried: Tried) -> None:
    click.echo(click.style(f"Under: {tried.after.query['title']}", bold=True))
    for result in tried.after.results:
        pinned = " (pinned)" if result.source == "pinned" else ""
        click.echo(f"  {_MARKS[tried.moves[result.id]]} {result.rank:>2}. {result.title}{pinned}")
    for result in tried.before.results:
        if result.id in tried.gone:
            click.echo(f"  -     {result.title}")


def _titles(recommender: Recommender) -> Callable[[str], str]:
    def title(article_id: str) -> str:
        row = recommender.snapshot.dense.row_of(article_id)
        return article_id if row is None else recommender.snapshot.row(row).title

    return title


def _line(act: Act, title: Callable[[str], str] = lambda article_id: article_id) -> str:
    taken = "" if act.undoes is None else f"took back {act.undoes}: "
    ended = "" if act.ended_by is None else " [over]" if act.ended_by == act.number else f" [ended by {act.ended_by}]"
    return f"{act.number:>5}  {act.at:%Y-%m-%d %H:%M}  {act.who}  {taken}{in_words(act.wish, title)}{ended}"


def _print_acts(acts: Sequence[Act], as_json: bool, *, none: str) -> int:
    if as_json:
        print_json([_told(act) for act in acts])
        return 0
    for act in acts:
        click.echo(_line(act))
    if not acts:
        talk(none)
    return 0


def _told(act: Act) -> dict[str, Any]:
    wish = asdict(act.wish)
    wish["until"] = act.wish.until.isoformat() if act.wish.until else None
    return {
        "number": act.number,
        "at": act.at.isoformat(),
        "who": act.who,
        "undoes": act.undoes,
        "ended_by": act.ended_by,
        **wish,
    }


def _over(act: Act) -> bool:
    return act.wish.until is not None and act.wish.until <= datetime.now(UTC)


def _name(by: str | None) -> str:
    return getpass.getuser() if by is None else by
