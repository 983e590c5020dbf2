"""The options of the commands that make lists, and what they say, as :class:`Options`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from recommender.answer import RANKERS, Options, options_of
from recommender.rank import Filters
from recommender.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def parsed_date(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """Return a date given on the command line; without an offset it is UTC."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no date; write it like 2025-03-14 or 2025-03-14T09:30:00+01:00"
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


_LENGTH = (click.option("-k", type=int, help="Length of the list (default: 5)."),)
_FILTERS = (
    click.option("--section", "sections", multiple=True, help="Only this section; may be given again."),
    click.option(
        "--language", "languages", multiple=True, help="Only this language; may be given again. 'any' for all."
    ),
    click.option("--published-after", callback=parsed_date, metavar="DATE"),
    click.option("--published-before", callback=parsed_date, metavar="DATE"),
    click.option("--exclude", multiple=True, metavar="ID", help="Never this article; may be given again."),
    click.option("--no-stubs", is_flag=True, help="No headlines without an article."),
    click.option("--kind", "kinds", multiple=True, help="Only this kind of story; may be given again. 'any' for all."),
    click.option("--tag", "tags", multiple=True, help="Only stories with this tag; may be given again."),
    click.option("--author", "authors", multiple=True, help="Only stories by this author; may be given again."),
)
_RANKING = (
    click.option(
        "--raw",
        is_flag=True,
        help="The pure ranking: filters, but no rules, collapse, diversity, floor or editor's hand.",
    ),
    click.option("--ranker", type=click.Choice(RANKERS), default="full", help="What is scored (default: full)."),
    click.option("--freshness/--no-freshness", default=None, help="Let stories fade with time."),
    click.option("--feedback/--no-feedback", default=None, help="Ask a text with the stories it finds first."),
)
_ORDER = (
    click.option("--collapse/--no-collapse", default=None, help="Show one of several near-copies."),
    click.option("--diversity", type=float, metavar="X", help="Part stories that are alike; 0 for not at all."),
    click.option("--floor", type=float, metavar="P", help="Least probability of a link; 0 for no floor."),
)
_SHOWN = (
    click.option(
        "--preview",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Apply the pins, blocks and boosts of this file instead of the published ones.",
    ),
    click.option("--explain", is_flag=True, help="Show the parts of each score."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)
past_only_option = click.option("--past-only/--any-date", default=None, help="Nothing younger than the article.")


def list_options(command: Command) -> Command:
    """Give a command that asks one question every option of a list."""
    return _with(command, (*_LENGTH, *_FILTERS, *_RANKING, *_ORDER, *_SHOWN))


def served_options(command: Command) -> Command:
    """Give a command the options of lists as readers are served them: no pure ranking, nothing explained or tried out."""
    return _with(command, (*_LENGTH, *_FILTERS, past_only_option, *_ORDER))


def _with(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def options_given(settings: Settings, *, past_only: bool | None = None, **given: Any) -> Options:
    """Return how a list is made: as the settings say, but for what was given on the command line."""
    any_language = "any" in given["languages"]
    any_kind = "any" in given["kinds"]
    options = options_of(settings.ranking)
    named = ("k", "freshness", "feedback", "collapse", "diversity", "floor")
    return replace(
        options,
        **{name: given[name] for name in named if given.get(name) is not None},
        filters=Filters(
            sections=given["sections"],
            languages=() if any_language else tuple(name.lower() for name in given["languages"]),
            kinds=() if any_kind else given["kinds"],
            tags=given["tags"],
            authors=given["authors"],
            published_after=given["published_after"],
            published_before=given["published_before"],
            exclude=frozenset(given["exclude"]),
            stubs=not given["no_stubs"],
        ),
        raw=given.get("raw", options.raw),
        ranker=given.get("ranker", options.ranker),
        kinds=() if any_kind else options.kinds,
        past_only=settings.ranking.past_only if past_only is None else past_only,
        same_language=settings.ranking.same_language and not any_language,
        explain=given.get("explain", options.explain),
    )
