"""What the commands print: data to stdout, talk and progress to stderr."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

import click
from tqdm import tqdm

from recommender.answer import Answer, Recommendation
from recommender.vectors import Hit

RUN_NAME = "recommender"


def talk(message: str) -> None:
    """Say something to the person, on stderr."""
    click.echo(message, err=True)


def print_json(value: object) -> None:
    """Print one JSON document, indented, on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_line(value: object) -> None:
    """Print one JSON value on one line of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def shown_bytes(count: int) -> str:
    """Return a number of bytes for a person, e.g. ``1.2 MB``."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"


def trec_id(article_id: str) -> str:
    """Return an id that can stand in a TREC file, whose columns are parted by blanks: a blank in it becomes %20."""
    return "%20".join(article_id.split())


def print_trec(query_id: str, hits: Iterable[Hit]) -> None:
    """Print one TREC run line a hit: ``query_id Q0 article_id rank score recommender``."""
    lines = [
        f"{trec_id(query_id)} Q0 {trec_id(hit.article_id)} {position} {hit.score:.6f} {RUN_NAME}"
        for position, hit in enumerate(hits, start=1)
    ]
    if lines:
        click.echo("\n".join(lines))


def print_answer(answer: Answer) -> None:
    """Print a list for a person."""
    query = answer.query
    about = query.get("title") or query.get("text") or ""
    click.echo(click.style(f"Related to: {textwrap.shorten(about, 110, placeholder='…')}", bold=True))
    for result in answer.results:
        _print_result(result)
    if not answer.results:
        click.echo(f"  nothing: {answer.empty_reason}")
    for hidden in answer.hidden or ():
        click.echo(f"  hidden: {textwrap.shorten(hidden['title'], 80, placeholder='…')}: {hidden['why']}")


def _print_result(result: Recommendation) -> None:
    facts = [
        result.section,
        (result.published_at or "")[:10],
        result.language,
        "not in the archive yet" if result.stub else None,
    ]
    click.echo(f"{result.rank:>3}. {result.score:+.3f}  {click.style(result.title, bold=True)}")
    click.echo(f"             {result.reason}  ({' · '.join(fact for fact in facts if fact)})")
    click.echo(f"             {result.url or result.id}")
    if result.details:
        _print_details(result.details)


def _print_details(details: dict[str, Any]) -> None:
    """Print what ``explain`` told of one line."""
    margin = " " * 13
    click.echo(margin + ", ".join(f"{name} {value:+.3f}" for name, value in details["parts"].items()))
    if details["probability"] is not None:
        click.echo(f"{margin}an editor would link the two with probability {details['probability']:.3f}")
    for sentence in details.get("sentences") or ():
        click.echo(f"{margin}“{textwrap.shorten(sentence, 150, placeholder='…')}”")


class Bars:
    """One progress bar a stage, with rate and time left, on stderr; silent where stderr is no terminal or JSON is asked for."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: tqdm[Any] | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None:
        """Show ``done`` of ``total``; a new stage closes the bar of the one before."""
        if self._quiet:
            return
        if stage != self._stage:
            self.close()
            self._stage = stage
            scaled = unit == "B"
            unit = unit if scaled else f" {unit}"
            self._bar = tqdm(total=total, desc=stage, unit=unit, unit_scale=scaled, file=sys.stderr, dynamic_ncols=True)
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the bar on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            self._stage = ""
