"""``related``, ``search`` and ``explain``: the commands that ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from recommender.answer import RANKERS, Answer, Options, Ranker, options_of
from recommender.article import Article
from recommender.cli.lines import Lines
from recommender.cli.opening import opened
from recommender.cli.options import list_options, options_given, past_only_option
from recommender.cli.output import Bars, print_answer, print_json, print_line, print_trec
from recommender.errors import SourceError, UnknownArticleError
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.text import canonical_url

MAX_INPUT_BYTES = 64 * 2**20


@click.command()
@click.argument("article", required=False, metavar="ID|URL|FILE|-")
@click.option("--all", "whole_archive", is_flag=True, help="Every article of the archive, with --format.")
@click.option(
    "--format", "style", type=click.Choice(["trec", "jsonl"]), default="jsonl", help="Of --all (default: jsonl)."
)
@past_only_option
@list_options
@click.pass_obj
def related(
    settings: Settings,
    /,
    article: str | None,
    whole_archive: bool,
    style: str,
    past_only: bool | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Print related stories for an article: its id, its url, a file, or - for standard input.

    A file or standard input holds an article that need not be in the archive, in any form that `ingest` reads.
    """
    if whole_archive == (article is not None):
        raise click.UsageError("give one article (ID, URL, FILE or -), or --all")
    recommender = opened(settings, given.pop("preview"))
    options = options_given(settings, past_only=past_only, **given)
    if whole_archive:
        _print_all(recommender, options, style)
        return 0
    answers = list(_answers(recommender, str(article), options))
    for answer in answers:
        if not as_json:
            print_answer(answer)
        elif len(answers) == 1:
            print_json(answer.as_dict())
        else:
            print_line(answer.as_dict())
    return 0


def _answers(recommender: Recommender, article: str, options: Options) -> Iterator[Answer]:
    if article == "-":
        raw = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        yield from (recommender.related_to(found, options) for found in _read(raw, "standard input"))
    elif recommender.snapshot.dense.row_of(article) is not None:
        yield recommender.related(article, options)
    elif canonical_url(article):
        yield recommender.related_by_url(article, options)
    elif _is_file(article):
        try:
            with Path(article).open("rb") as stream:
                raw = stream.read(MAX_INPUT_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{article}: cannot be read: {error.strerror}") from error
        yield from (recommender.related_to(found, options) for found in _read(raw, article))
    else:
        raise UnknownArticleError(
            f"{article[:200]!r} is no article's id, no address and no file", recommender.nearest_titles(article)
        )


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long for a name, or in a folder that may not be looked into
        return False


def _read(raw: bytes, source: str) -> list[Article]:
    if len(raw) > MAX_INPUT_BYTES:
        raise SourceError(f"{source}: has over {MAX_INPUT_BYTES:,} bytes; use: recommender ingest")
    from recommender.readers import read_bytes  # parsers of feeds and pages: who asks for an id does not wait for them

    return read_bytes(raw, source)


def _print_all(recommender: Recommender, options: Options, style: str) -> None:
    snapshot = recommender.snapshot
    ids = [article_id for number, article_id in enumerate(snapshot.dense.ids) if not snapshot.columns.stub[number]]
    bars = Bars(quiet=sys.stdout.isatty())
    try:
        for done, article_id in enumerate(ids, start=1):
            if style == "trec":
                print_trec(article_id, recommender.related_hits(article_id, options))
            else:
                print_line(recommender.related(article_id, options).as_dict())
            bars("related", done, len(ids), "articles")
    finally:
        bars.close()


@click.command()
@click.argument("text", required=False)
@click.option(
    "--queries",
    type=click.Path(path_type=Path),
    metavar="FILE.tsv",
    help="Many texts: id, tab, text a line; - for standard input.",
)
@click.option(
    "--format", "style", type=click.Choice(["trec", "jsonl"]), default="jsonl", help="Of --queries (default: jsonl)."
)
@list_options
@click.pass_obj
def search(
    settings: Settings, /, text: str | None, queries: Path | None, style: str, as_json: bool, **given: Any
) -> int:
    """Print the stories nearest to a free text."""
    if (text is None) == (queries is None):
        raise click.UsageError("give one TEXT, or --queries FILE.tsv")
    recommender = opened(settings, given.pop("preview"))
    options = options_given(settings, **given)
    if queries is None:
        answer = recommender.search(str(text), options)
        if as_json:
            print_json(answer.as_dict())
        else:
            print_answer(answer)
        return 0
    lines = Lines(queries, 2)
    for query_id, query_text, hits in recommender.search_hits(((row[0], row[1]) for row in lines), options):
        if style == "trec":
            print_trec(query_id, hits)
        else:
            results = [
                {"rank": rank, "id": hit.article_id, "score": hit.score} for rank, hit in enumerate(hits, start=1)
            ]
            print_line(
                {
                    "query": {"id": query_id, "text": query_text},
                    "results": results,
                    "snapshot": recommender.snapshot.name,
                }
            )
    return lines.finish()


@click.command()
@click.argument("article_id", required=False)
@click.argument("other_id", required=False)
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    metavar="FILE.tsv",
    help="Many pairs: id, tab, id a line; - for standard input.",
)
@click.option(
    "--format", "style", type=click.Choice(["tsv", "jsonl"]), default="tsv", help="Of --pairs (default: tsv)."
)
@click.option("--ranker", type=click.Choice(RANKERS), default="full", help="What is scored (default: full).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def explain(
    settings: Settings,
    article_id: str | None,
    other_id: str | None,
    pairs: Path | None,
    style: str,
    ranker: Ranker,
    as_json: bool,
) -> int:
    """Print the score of one pair of articles and every part of it."""
    if other_id is None if pairs is None else article_id is not None:
        raise click.UsageError("give two ids, or --pairs FILE.tsv")
    recommender = opened(settings, None)
    options = replace(options_of(settings.ranking), ranker=ranker)
    if pairs is None:
        told = recommender.explain(str(article_id), str(other_id), options)
        if as_json:
            print_json(told)
        else:
            _print_pair(told)
        return 0
    lines = Lines(pairs, 2)
    for one, other in lines:
        try:
            told = recommender.explain(one, other, options)
        except UnknownArticleError as error:
            lines.refuse(str(error))
            continue
        if style == "tsv":
            click.echo(f"{one}\t{other}\t{told['score']:.6f}")
        else:
            print_line(told)
    return lines.finish()


def _print_pair(told: dict[str, Any]) -> None:
    click.echo(f"{told['article']['title']}  [{told['article']['id']}]")
    click.echo(f"{told['other']['title']}  [{told['other']['id']}]")
    click.echo(f"score  {told['score']:+.6f}")
    for name, value in told["parts"].items():
        click.echo(f"  {name:<8} {value:+.6f}")
    directions = {"to_other": "the first links to the second", "from_other": "the second links to the first"}
    linked = [words for name, words in directions.items() if told["linked"][name]]
    if told["probability"] is not None:
        click.echo(f"an editor would link the two with probability {told['probability']:.4f}")
    click.echo(f"links  {', '.join(linked) or 'none'}")
    click.echo(f"relation {told['relation']}{', near-copies' if told['near_copies'] else ''}")
    for sentence in told["sentences"] or ():
        click.echo(f"  “{sentence}”")
    click.echo(f"shared {', '.join(told['shared_terms']) or 'no telling name or word'}")
