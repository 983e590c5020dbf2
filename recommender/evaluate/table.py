"""An evaluation as a terminal shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recommender.evaluate.clicks import click_lines
from recommender.evaluate.reliability import reliability_lines, whose_text
from recommender.text import clean_line

if TYPE_CHECKING:
    from recommender.evaluate.facts import Listed
    from recommender.evaluate.lists import Coverage
    from recommender.evaluate.numbers import Difference, Interval
    from recommender.evaluate.result import Evaluation, Scope

WIDTH = 110
FEW = 30
FEW_TEXT = "So few judged queries tell little: intervals and p-values need about thirty, differences often hundreds."
OUR_MARK, NO_MARK = "▸ ", "  "
_GAP = "  "
_NAME_CHARS = 28
_ID_CHARS = 60
_N_NAMED = 5


def table(evaluation: Evaluation) -> str:
    """Return the measures and differences of each scope, then what readers' lists show; no line is wider than 110 columns."""
    parts = [_opening(evaluation)]
    for scope in evaluation.scopes.values():
        parts.append(_measures(evaluation, scope))
        if scope.differences:
            parts.append(_differences(evaluation, scope))
        if scope.n_out_of_reach:
            parts.append(
                f"{NO_MARK}{scope.n_out_of_reach:,} relevant pairs are out of reach here: the target is newer than the story"
            )
    if evaluation.coverage is not None:
        parts.append(_lists(evaluation.coverage))
    for name, bins in evaluation.reliability.items():
        lines = [f"probability of an editor's link, {whose_text(name)}", *reliability_lines(bins)]
        parts.append("\n".join(NO_MARK + line for line in lines))
    if evaluation.clicks is not None:
        parts.append("\n".join(NO_MARK + line for line in click_lines(evaluation.clicks)))
    return "\n\n".join(parts)


def signed_text(value: float) -> str:
    """Return a difference with three decimals and its sign; the minus is as wide as the plus."""
    return f"{value:+.3f}".replace("-", "−")


def p_text(p_value: float) -> str:
    """Return a p-value as papers print it: three decimals, ``<0.001`` below."""
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def range_text(interval: Interval, *, signed: bool = False) -> str:
    """Return the two ends of an interval in brackets."""
    low, high = (signed_text(end) if signed else f"{end:.3f}" for end in (interval.low, interval.high))
    return f"[{low}, {high}]"


def ratio_text(difference: Difference) -> str:
    """Return the ratio with two decimals, a dash where there is none."""
    return "–" if difference.ratio is None else f"{difference.ratio:.2f}"


def _opening(evaluation: Evaluation) -> str:
    counted = f"{evaluation.n_queries:,} judged queries, {evaluation.n_relevant:,} relevant pairs, {evaluation.n_articles:,} articles"
    if evaluation.n_unknown_queries or evaluation.n_unknown_targets:
        counted += (
            f"\nnot in the archive, counted as missed: {evaluation.n_unknown_queries:,} queries, "
            f"{evaluation.n_unknown_targets:,} pairs"
        )
    if evaluation.n_queries < FEW:
        counted += f"\n{FEW_TEXT}"
    return counted


def _measures(evaluation: Evaluation, scope: Scope) -> str:
    main, *others = evaluation.measures
    others = others[: (WIDTH - _NAME_CHARS - 30) // 11]
    header = [f"{NO_MARK}{scope.name}", main, "95 % interval", *others]
    rows = []
    for system in scope.systems:
        scores = system.scores
        mark = OUR_MARK if system.name == evaluation.ours else NO_MARK
        means = [f"{scores[name].mean:.3f}" for name in others]
        rows.append([mark + _name(system.name), f"{scores[main].mean:.3f}", range_text(scores[main]), *means])
    return _aligned([header, *rows])


def _differences(evaluation: Evaluation, scope: Scope) -> str:
    header = [
        f"{NO_MARK}ours against",
        evaluation.measures[0],
        "95 % interval",
        "p",
        "ratio",
        "better",
        "equal",
        "worse",
    ]
    rows = [
        [
            NO_MARK + _name(found.baseline),
            signed_text(found.difference.mean),
            range_text(found.difference, signed=True),
            p_text(found.p_value),
            ratio_text(found),
            *(f"{n:,}" for n in (found.n_better, found.n_equal, found.n_worse)),
        ]
        for found in scope.differences
    ]
    return _aligned([header, *rows])


def sample_text(cover: Coverage) -> str:
    """Return of how many lists coverage speaks, and what follows where they are not all."""
    if not cover.sampled:
        return f"all {cover.n_lists:,} lists as readers see them, of up to five"
    return (
        f"a sample of {cover.n_lists:,} of the {cover.n_all:,} lists as readers see them, of up to five: what stands in none "
        "of these may stand in another"
    )


def orphans_text(cover: Coverage) -> str:
    """Return how many articles stand in no list, and how many of these could not."""
    told = f"{cover.n_orphans:,} articles stand in none"
    if cover.n_unoffered:
        told += f", {cover.n_unoffered:,} of them of a kind that is not offered"
    return told


def _lists(cover: Coverage) -> str:
    lines = textwrap.wrap(sample_text(cover), WIDTH - len(NO_MARK))
    lines.append(f"{cover.n_empty:,} empty, {cover.n_short:,} short, {cover.mean_length:.2f} articles on average")
    lines += [_cut(f"  {one.why}: {one.n_empty:,} empty, {one.n_short:,} short") for one in cover.reasons]
    lines.append(
        f"they show {cover.n_shown:,} of {cover.n_articles:,} articles ({cover.share:.1%}), Gini {cover.gini:.2f}"
    )
    lines += _named("in most lists:", [(f"{hub.n_lists:,}", hub.article) for hub in cover.hubs])
    lines.append(orphans_text(cover))
    lines += _named("the youngest in none:", [(day_text(one) or "undated", one) for one in cover.orphans])
    lines += _named("the youngest with an empty list:", [(day_text(one) or "undated", one) for one in cover.empty])
    return "\n".join(NO_MARK + line for line in lines)


def day_text(article: Listed) -> str:
    """Return the day of publication, empty where it is not known."""
    return article.published_at.date().isoformat() if article.published_at else ""


def _named(heading: str, articles: Sequence[tuple[str, Listed]]) -> list[str]:
    """Return a heading and the first five articles under it, each after its figure; nothing for none."""
    width = max((len(figure) for figure, _ in articles[:_N_NAMED]), default=0)
    told = []
    for figure, article in articles[:_N_NAMED]:
        mark = "" if article.id == article.title else _cut(f"  [{clean_line(article.id)}]", _ID_CHARS)
        told.append(_cut(f"  {figure.rjust(width)}  {article.title}", WIDTH - len(NO_MARK) - len(mark)) + mark)
    return [heading, *told] if told else []


def _cut(line: str, room: int = WIDTH - len(NO_MARK)) -> str:
    return line if len(line) <= room else line[: room - 1] + "…"


def _name(system: str) -> str:
    return _cut(clean_line(system), _NAME_CHARS)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows under each other: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(_GAP.join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)
